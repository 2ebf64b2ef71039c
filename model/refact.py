"""The network of Refact-1.6B: a decoder with LayerNorm, ALiBi, one shared key/value head and a gated MLP.

    x = wte[ids];   each block: x = x + attn(ln_1(x)), x = x + mlp(ln_2(x));   logits = lm_head(ln_f(x))

No biases, no dropout, no position embedding; input and output embeddings are not tied. Attributes are named after the
published tensors, so `state_dict()` has the published keys. How attention is computed in little memory, alone or over
several examples in one sequence, is `model.attention`'s business; the network hands it queries, keys and values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stackfim.model.attention import Attend, KeyValueCache, attend_over
from stackfim.model.config import RefactConfig

# Dtypes that this machine's processor has no product instructions for; nothing is known of builds without oneDNN.
WIDENED: set[torch.dtype] = set()
if torch.backends.mkldnn.is_available():
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        WIDENED.add(torch.bfloat16)
    if not torch.ops.mkldnn._is_mkldnn_fp16_supported():
        WIDENED.add(torch.float16)


class LayerNorm(nn.Module):
    """Mean-subtracting layer norm with a weight and no bias; statistics in float32 whatever the dtype."""

    def __init__(self, size: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, None, self.epsilon)


class Linear(nn.Module):
    """A product without a bias.

    Processors without bfloat16 or float16 instructions multiply such matrices four times slower than float32 ones
    (20 against 80 GFLOP/s on two cores): there, one matrix at a time is widened, multiplied, and the result narrowed.
    Not for a few tokens: then widening would cost more than the product.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type == "cpu" and x.numel() > 16 * x.shape[-1] and x.dtype in WIDENED:
            return F.linear(x.float(), self.weight.float()).to(x.dtype)
        return F.linear(x, self.weight)


class Attention(nn.Module):
    """Multi-query attention: `n_head` queries, one key and one value."""

    def __init__(self, config: RefactConfig) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.head_size = config.head_size
        self.q = Linear(config.n_embd, config.n_embd)
        self.kv = Linear(config.n_embd, 2 * config.head_size)
        self.c_proj = Linear(config.n_embd, config.n_embd)

    def forward(self, x: Tensor, attend: Attend, layer: int, cache: KeyValueCache | None) -> Tensor:
        batch, length, _ = x.shape
        q = self.q(x).view(batch, length, self.n_head, self.head_size).transpose(1, 2)
        k, v = self.kv(x).split(self.head_size, dim=-1)
        if cache is not None:
            k, v = cache.append(layer, k, v)
        y = attend(q, k, v)  # (batch, head, length, head size)
        return self.c_proj(y.transpose(1, 2).reshape(batch, length, -1))


class MLP(nn.Module):
    """SwiGLU: the first half of the fused product gates the second."""

    def __init__(self, config: RefactConfig) -> None:
        super().__init__()
        self.gate_up_proj = Linear(config.n_embd, 2 * config.mlp_size)
        self.c_proj = Linear(config.mlp_size, config.n_embd)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
        return self.c_proj(F.silu(gate) * up)


class Block(nn.Module):
    """Attention, then the MLP, each on a normalised input and added to what came in."""

    def __init__(self, config: RefactConfig) -> None:
        super().__init__()
        self.ln_1 = LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.attn = Attention(config)
        self.ln_2 = LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.mlp = MLP(config)

    def forward(self, x: Tensor, attend: Attend, layer: int, cache: KeyValueCache | None) -> Tensor:
        x = x + self.attn(self.ln_1(x), attend, layer, cache)
        return x + self.mlp(self.ln_2(x))


class Refact(nn.Module):
    """The whole network. Its weights are undefined until they are loaded, or drawn by `initialise`."""

    def __init__(self, config: RefactConfig) -> None:
        super().__init__()
        self.config = config
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding.from_pretrained(torch.empty(config.vocab_size, config.n_embd), freeze=False),
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
        """Float32 logits (batch, length, vocabulary) for int64 `input_ids` (batch, length).

        `segments` are the lengths of the examples that lie one after the other in every row; they sum to the length,
        and no example attends to another. `at` (int64, 1-D) are positions of the flattened (batch x length) ids: the
        result is then (positions, vocabulary). With a `cache`, the ids continue what the cache holds.
        """
        x = self.hidden(input_ids, segments=segments, cache=cache)
        return self.logits(x if at is None else x.flatten(0, 1)[at])

    def hidden(
        self, input_ids: Tensor, *, segments: Sequence[int] | None = None, cache: KeyValueCache | None = None
    ) -> Tensor:
        """What the last block leaves, (batch, length, `n_embd`) in the weights' dtype; `logits` makes logits of it."""
        if input_ids.dim() != 2 or input_ids.dtype != torch.int64:
            shape = tuple(input_ids.shape)
            raise ValueError(f"input_ids is {input_ids.dtype} {shape}, expected torch.int64 of shape (batch, length)")
        x = self.transformer["wte"](input_ids)
        past = 0 if cache is None else cache.length
        attend = attend_over(self.config, input_ids.shape[1], segments=segments, past=past, device=input_ids.device)
        for layer, block in enumerate(cast(nn.ModuleList, self.transformer["h"])):
            x = block(x, attend, layer, cache)
        if cache is not None:
            cache.length += input_ids.shape[1]
        return x

    def logits(self, hidden: Tensor) -> Tensor:
        """Float32 logits (..., vocabulary) of hidden states (..., `n_embd`)."""
        return self.lm_head(self.ln_f(hidden)).float()

    @torch.no_grad()
    def initialise(self, seed: int) -> None:
        """Fresh weights: normal with `initializer_range`, less by sqrt(2 x layers) where a block writes its result.

        The scheme is GPT-2's (Radford et al. 2019, section 2.3), as Refact's authors kept it.
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
