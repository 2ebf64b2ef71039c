"""What a network and a tokenizer must offer, so that the scorer and generation can work with them.

A new network is a module that has these members and a row in the table of architectures (`model.architectures`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch
    from torch import Tensor

    from stackfim.transforms.render.families import Family


class NetworkConfig(Protocol):
    """The shape of a network, as its checkpoint records it."""

    @property
    def context_length(self) -> int:
        """The most tokens that the network reads in one sequence."""

    @property
    def vocab_size(self) -> int:
        """How many logits a position has; those from the tokenizer's `size` on are padding."""

    @property
    def eos_token_id(self) -> int:
        """The id of end-of-text."""

    def to_json(self, torch_dtype: str) -> dict[str, Any]:
        """What `config.json` holds for weights of a dtype, such as `bfloat16`."""


class Network(Protocol):
    """A causal language model in two steps, so that logits are made only where they are needed."""

    @property
    def config(self) -> NetworkConfig:
        """The shape of the network."""

    @property
    def device(self) -> torch.device:
        """The device on which the weights are, and inputs must be."""

    def hidden(self, input_ids: Tensor, *, segments: Sequence[int] | None = None, cache: Any = None) -> Tensor:
        """Hidden states (batch, length, width) of int64 `input_ids` (batch, length).

        `segments` are the lengths of the examples that follow one another in every row; they sum to the length, and no
        example attends to another. With a `cache`, which is what `new_cache` of this network returned, the ids continue
        those that the cache has seen.
        """

    def logits(self, hidden: Tensor) -> Tensor:
        """Float32 logits (..., vocabulary) of hidden states (..., width)."""

    def new_cache(self, capacity: int) -> Any:
        """An empty cache for one sequence of at most `capacity` tokens, each of which is then read only once."""


class TorchNetwork(Network, Protocol):
    """A network that is a `torch.nn.Module`, by the members with which it is loaded, trained and exported."""

    def named_parameters(self) -> Iterator[tuple[str, torch.nn.Parameter]]:
        """The weights and their names in `state_dict`."""

    def state_dict(self) -> dict[str, Any]:
        """The weights by the names that the published checkpoint has for them."""

    def to(self, dtype: torch.dtype, /) -> Self:
        """Convert the weights to a dtype."""

    def to_empty(self, *, device: torch.device) -> Self:
        """Move the network to a device with undefined weights."""

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """The weights."""

    def train(self) -> Self:
        """Switch to training mode."""

    def eval(self) -> Self:
        """Switch to evaluation mode."""

    def requires_grad_(self, requires_grad: bool, /) -> Self:
        """Say whether the weights have gradients."""


class FimTokenizer(Protocol):
    """Text to ids and back, with sentinels that no text can imitate."""

    @property
    def family(self) -> Family:
        """The model family whose prompts the sentinels belong to."""

    @property
    def definition(self) -> Mapping[str, Any]:
        """What its `tokenizer.json` holds."""

    @property
    def sentinels(self) -> Mapping[str, int]:
        """The text of each sentinel and its id."""

    @property
    def size(self) -> int:
        """One more than the largest id of a token or sentinel."""

    @property
    def byte_lengths(self) -> npt.NDArray[np.int64]:
        """The UTF-8 bytes of each token, int64 (size,); 0 for sentinels."""

    @property
    def end_of_text(self) -> int:
        """The id that ends a completion."""

    def encode(self, text: str) -> list[int]:
        """Ids of a text in which nothing is read as a sentinel."""

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """`encode` of every text."""

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The bytes that ids stand for."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text that ids stand for."""
