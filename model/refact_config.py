"""The shape of a Refact network, read from `config.json` or from the keys of a GGUF file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stackfim.model.checkpoint_error import CheckpointError

MODEL_TYPE = "gpt_refact"
GGUF_ARCHITECTURE = "refact"

# The largest values that are believed, far above those of any Refact. A file that claims more is broken or hostile, and
# would make us build a billion layers before the first tensor is looked at.
LARGEST = {
    "vocab_size": 1 << 24,
    "n_embd": 1 << 16,
    "n_layer": 1 << 10,
    "n_head": 1 << 10,
    "n_positions": 1 << 24,
    "n_inner": 1 << 20,
}


@dataclass(frozen=True)
class RefactConfig:
    """Shape of the network; the defaults are those of Refact-1.6B. The names are those of the published `config.json`."""

    vocab_size: int = 49216
    n_embd: int = 2048
    n_layer: int = 32
    n_head: int = 32
    n_positions: int = 4096
    n_inner: int | None = None
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    eos_token_id: int = 0

    def __post_init__(self) -> None:
        """Raise CheckpointError, naming the key, for a value that no Refact network can have."""
        for key, largest in LARGEST.items():
            value = getattr(self, key)
            if key == "n_inner" and value is None:
                continue
            if not _is_int(value) or not 1 <= value <= largest:
                raise CheckpointError(f"{key} is {value!r}, expected a whole number from 1 to {largest}")
        if self.n_embd % self.n_head:
            raise CheckpointError(f"n_embd is {self.n_embd}, expected a multiple of n_head ({self.n_head})")
        if self.mlp_size == 0:
            raise CheckpointError(
                f"n_inner is {self.n_inner}, expected 2 or more: two thirds of it are the MLP's width"
            )
        if not _is_int(self.eos_token_id) or not 0 <= self.eos_token_id < self.vocab_size:
            raise CheckpointError(f"eos_token_id is {self.eos_token_id!r}, expected an id below {self.vocab_size}")
        for key in ("layer_norm_epsilon", "initializer_range"):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
                raise CheckpointError(f"{key} is {value!r}, expected a number between 0 and 1")

    @property
    def context_length(self) -> int:
        """The most tokens that the network reads in one sequence."""
        return self.n_positions

    @property
    def head_size(self) -> int:
        """Width of one attention head, and of the one key and the one value that all heads share."""
        return self.n_embd // self.n_head

    @property
    def mlp_size(self) -> int:
        """Width of the gated layer: two thirds of `n_inner` (by default 4 x `n_embd`), rounded up to 256."""
        inner = self.n_inner or 4 * self.n_embd
        return 256 * -(-int(2 * inner / 3) // 256)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RefactConfig:
        """The configuration in a `config.json`; keys that do not describe the network are ignored.

        Raises CheckpointError for a missing key or a wrong value.
        """
        if values.get("multi_query", True) is not True:
            raise CheckpointError(f"multi_query is {values['multi_query']!r}, expected true: one key/value head")
        needed = ("vocab_size", "n_embd", "n_layer", "n_head", "n_positions")
        for key in needed:
            if key not in values:
                raise CheckpointError(f"{key} is missing, expected a whole number")
        optional = ("n_inner", "layer_norm_epsilon", "initializer_range", "eos_token_id")
        return cls(**{key: values[key] for key in (*needed, *optional) if key in values})

    @classmethod
    def from_gguf(cls, fields: Mapping[str, Any], vocab_size: int) -> RefactConfig:
        """The configuration in the keys of a GGUF file; `vocab_size` is the height of its `token_embd.weight`.

        Raises CheckpointError for a missing key or a wrong value.
        """
        values: dict[str, Any] = {"vocab_size": vocab_size}
        for name, key in (
            ("n_embd", "refact.embedding_length"),
            ("n_layer", "refact.block_count"),
            ("n_head", "refact.attention.head_count"),
            ("n_positions", "refact.context_length"),
        ):
            if key not in fields:
                raise CheckpointError(f"{key} is missing, expected a whole number")
            values[name] = fields[key]
        heads = fields.get("refact.attention.head_count_kv", 1)
        if heads != 1:
            raise CheckpointError(f"refact.attention.head_count_kv is {heads!r}, expected 1")
        epsilon = fields.get("refact.attention.layer_norm_rms_epsilon", 1e-5)
        # The key is a float32: 9.999999747e-06 stands for 1e-05.
        values["layer_norm_epsilon"] = float(f"{epsilon:.6g}") if isinstance(epsilon, float) else epsilon
        values["eos_token_id"] = fields.get("tokenizer.ggml.eos_token_id", 0)
        config = cls(**values)
        width = fields.get("refact.feed_forward_length", config.mlp_size)
        if width == config.mlp_size:
            return config
        if not _is_int(width) or width <= 0 or width % 256:
            raise CheckpointError(f"refact.feed_forward_length is {width!r}, expected a multiple of 256")
        return cls(**values, n_inner=width * 3 // 2)

    def to_json(self, torch_dtype: str) -> dict[str, Any]:
        """What the published `config.json` holds for weights of a dtype, such as `bfloat16`."""
        return {
            "architectures": ["GPTRefactForCausalLM"],
            "model_type": MODEL_TYPE,
            "vocab_size": self.vocab_size,
            "n_embd": self.n_embd,
            "n_layer": self.n_layer,
            "n_head": self.n_head,
            "n_positions": self.n_positions,
            "n_inner": self.n_inner,
            "multi_query": True,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "initializer_range": self.initializer_range,
            "eos_token_id": self.eos_token_id,
            "torch_dtype": torch_dtype,
        }


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
