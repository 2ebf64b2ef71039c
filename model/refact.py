"""The network of Refact-1.6B: a decoder with LayerNorm, ALiBi, one shared key/value head and a gated MLP.

    x = wte[ids];   each block: x = x + attn(ln_1(x)), x = x + mlp(ln_2(x));   logits = lm_head(ln_f(x))

No biases, no dropout, no position embedding; input and output embeddings are not tied. Attributes are named after the
published tensors, so `state_dict()` has the published keys. The network hands queries, keys and values to
`model.attention`, which knows how to compute attention in little memory, and over several examples in one sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stackfim.model.attention import Attend, KeyValueCache, attend_over
from stackfim.model.refact_config import RefactConfig

# Dtypes for which the processor of this machine has no product instructions. PyTorch knows it only with oneDNN.
WIDENED: set[torch.dtype] = set()
_has_onednn: Callable[[], bool] = torch.backends.mkldnn.is_available
if _has_onednn():
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        WIDENED.add(torch.bfloat16)
    if not torch.ops.mkldnn._is_mkldnn_fp16_supported():
        WIDENED.add(torch.float16)


class LayerNorm(nn.Module):
    """Mean-subtracting layer norm with a weight and no bias; statistics in float32 whatever the dtype."""

    def __init__(self, size: int, epsilon: float) -> None:
        """`size` is the width of the input; `epsilon` is added to its variance."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """`x` (..., size) normalised; same shape and dtype."""
        return F.layer_norm(x, self.weight.shape, self.weight, None, self.epsilon)


class Linear(nn.Module):
    """A product without a bias.

    Processors without bfloat16 or float16 instructions multiply such matrices four times slower than float32 ones
    (20 against 80 GFLOP/s on two cores). There, one matrix at a time is widened, multiplied, and the result narrowed,
    unless there are only a few tokens, where widening would cost more than the product.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        """A weight of shape (outputs, inputs), undefined until it is loaded."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))

    def forward(self, x: Tensor) -> Tensor:
        """The product (..., outputs) of `x` (..., inputs), in its dtype."""
        if x.device.type == "cpu" and x.numel() > 16 * x.shape[-1] and x.dtype in WIDENED:
            return F.linear(x.float(), self.weight.float()).to(x.dtype)
        return F.linear(x, self.weight)


class Attention(nn.Module):
    """Multi-query attention: `n_head` queries, one key and one value."""

    def __init__(self, config: RefactConfig) -> None:
        """Weights of the shapes in `config`."""
        super().__init__()
        self.n_head = config.n_head
        self.head_size = config.head_size
        self.q = Linear(config.n_embd, config.n_embd)
        self.kv = Linear(config.n_embd, 2 * config.head_size)
        self.c_proj = Linear(config.n_embd, config.n_embd)

    def forward(self, x: Tensor, attend: Attend, layer: int, cache: KeyValueCache | None) -> Tensor:
        """What a layer's attention adds to `x` (batch, length, width); its keys and values go into the cache."""
        batch, length, _ = x.shape
        q = self.q(x).view(batch, length, self.n_head, self.head_size).transpose(1, 2)
        k, v = self.kv(x).split(self.head_size, dim=-1)
        if cache is not None:
            k, v = cache.append(layer, k, v)
        y = attend(q, k, v)  # (batch, head, length, head size)
        added: Tensor = self.c_proj(y.transpose(1, 2).reshape(batch, length, -1))
        return added


class MLP(nn.Module):
    """SwiGLU: the first half of the fused product gates the second."""

    def __init__(self, config: RefactConfig) -> None:
        """Weights of the shapes in `config`."""
        super().__init__()
        self.gate_up_proj = Linear(config.n_embd, 2 * config.mlp_size)
        self.c_proj = Linear(config.mlp_size, config.n_embd)

    def forward(self, x: Tensor) -> Tensor:
        """What the MLP adds to `x` (batch, length, width)."""
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
        added: Tensor = self.c_proj(F.silu(gate) * up)
        return added


class Block(nn.Module):
    """Attention, then the MLP; each reads a normalised input and adds its result to the input."""

    def __init__(self, config: RefactConfig) -> None:
        """Weights of the shapes in `config`."""
        super().__init__()
        self.ln_1 = LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.attn = Attention(config)
        self.ln_2 = LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.mlp = MLP(config)

    def forward(self, x: Tensor, attend: Attend, layer: int, cache: KeyValueCache | None) -> Tensor:
        """The block's output for `x`; both (batch, length, width)."""
        x = x + self.attn(self.ln_1(x), attend, layer, cache)
        output: Tensor = x + self.mlp(self.ln_2(x))
        return output


class Refact(nn.Module):
    """The whole network (a `model.interfaces.TorchNetwork`)."""

    def __init__(self, config: RefactConfig) -> None:
        """A network whose weights are undefined until they are loaded, or drawn by `initialise`."""
        super().__init__()
        self.config = config
        self.transformer = nn.ModuleDict(
            {
                # With a weight of its own, PyTorch draws none.
                "wte": nn.Embedding(
                    config.vocab_size, config.n_embd, _weight=torch.empty(config.vocab_size, config.n_embd)
                ),
                "h": nn.ModuleList(Block(config) for _ in range(config.n_layer)),
            }
        )
        self.ln_f = LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.lm_head = Linear(config.n_embd, config.vocab_size)

    def forward(
        self,
        input_ids: Tensor,
        *,
        segments: Sequence[int] | None = None,
        at: Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Float32 logits (batch, length, vocabulary) of int64 `input_ids` (batch, length); see `hidden` for the rest.

        With `at` (int64, 1-D), positions in the flattened (batch x length) ids, only those: (positions, vocabulary).
        """
        x = self.hidden(input_ids, segments=segments, cache=cache)
        return self.logits(x if at is None else x.flatten(0, 1)[at])

    def hidden(
        self, input_ids: Tensor, *, segments: Sequence[int] | None = None, cache: KeyValueCache | None = None
    ) -> Tensor:
        """The last block's output (batch, length, `n_embd`) in the dtype of the weights, for int64 (batch, length) ids.

        `segments` are the lengths of the examples that follow one another in every row; they sum to the length, and no
        example attends to another. With a `cache`, the ids continue those that the cache has seen. Raises ValueError for
        ids of another dtype or shape, and for segments that do not sum to the length or come with a cache that is in use.
        """
        if input_ids.dim() != 2 or input_ids.dtype != torch.int64:
            shape = tuple(input_ids.shape)
            raise ValueError(f"input_ids is {input_ids.dtype} {shape}, expected torch.int64 of shape (batch, length)")
        x: Tensor = self.transformer["wte"](input_ids)
        past = 0 if cache is None else cache.length
        attend = attend_over(self.config, input_ids.shape[1], segments=segments, past=past, device=input_ids.device)
        for layer, block in enumerate(cast(nn.ModuleList, self.transformer["h"])):
            x = block(x, attend, layer, cache)
        if cache is not None:
            cache.length += input_ids.shape[1]
        return x

    def logits(self, hidden: Tensor) -> Tensor:
        """Float32 logits (..., vocabulary) of hidden states (..., `n_embd`)."""
        logits: Tensor = self.lm_head(self.ln_f(hidden)).float()
        return logits

    @property
    def device(self) -> torch.device:
        """The device that the weights are on."""
        return self.lm_head.weight.device

    def new_cache(self, capacity: int) -> KeyValueCache:
        """An empty cache for one sequence of at most `capacity` tokens."""
        return KeyValueCache(self.config, 1, capacity, self.lm_head.weight)

    def compile_mlps(self) -> None:
        """Run the MLPs through `torch.compile`, which fuses the gate into the products around it."""
        for block in cast(nn.ModuleList, self.transformer["h"]):
            block.get_submodule("mlp").compile(dynamic=True)

    @torch.no_grad()
    def initialise(self, seed: int) -> None:
        """Draw fresh weights: normal with `initializer_range`, divided by sqrt(2 x layers) in each block's output products.

        This is the scheme of GPT-2 (Radford et al. 2019, section 2.3), which Refact's authors kept.
        """
        generator = torch.Generator().manual_seed(seed)
        for name, weight in self.named_parameters():
            if weight.dim() == 1:
                weight.fill_(1.0)
                continue
            deviation = self.config.initializer_range
            if name.endswith("c_proj.weight"):
                deviation /= (2 * self.config.n_layer) ** 0.5
            weight.copy_(torch.randn(weight.shape, generator=generator) * deviation)
