"""Causal ALiBi attention over one or several examples in a sequence, in memory that grows linearly with its length.

ALiBi (Press et al. 2022) subtracts `slope[h] * (i - j)` from the score of query i and key j. Only the distance matters, so
examples that follow one another in a sequence need no positions of their own: they merely must not see each other.
Scores and softmax are float32 whatever the dtype of the inputs.

Two ways to the same numbers:
- `BlockedAttention`: blocks of queries, each against the keys of its own example up to the block's end. The biases of all
  blocks are windows of one band (head, block, longest span), since distances repeat; nothing of size
  head x length x length is ever made. It runs anywhere; CPUs and decoding use it.
- `FlexAttention`: PyTorch's FlexAttention kernel, compiled; GPUs use it for whole sequences.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from stackfim.model.refact_config import RefactConfig

# Queries in a block. On two cores, 64 to 256 are equally fast. The band has head x block x length floats: 64 MB for the
# network of 1.6B at 4,096 tokens.
BLOCK = 128

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Queries (batch, head, length, size), and keys and values (batch, keys, size), to (batch, head, length, size)."""


def alibi_slopes(n_head: int) -> list[float]:
    """The slope of every head.

    For a power of two n: `2**(-8k/n)` for k from 1. Other counts take the slopes of the largest power of two below, then
    every second slope of its double (Press et al. 2022, released code).
    """
    n = 1 << (n_head.bit_length() - 1)
    slopes = [2 ** (-8 * k / n) for k in range(1, n + 1)]
    return slopes + [2 ** (-4 * k / n) for k in range(1, 2 * (n_head - n), 2)]


def attend_over(
    config: RefactConfig, length: int, *, segments: Sequence[int] | None, past: int, device: torch.device
) -> Attend:
    """The attention of one forward pass over `length` new tokens; every layer uses it.

    `segments` are the lengths of the examples that make up the sequence (None for one example); `past` is how many keys
    come before the first query. Raises ValueError for segments that do not sum to `length`, or that come with a past.
    """
    if segments is None:
        segments = [length]
    elif past:
        raise ValueError(f"{len(segments)} segments after {past} cached tokens: expected one or the other")
    if sum(segments) != length or min(segments, default=0) < 0:
        raise ValueError(f"segments sum to {sum(segments)}, expected lengths that sum to {length}")
    slopes = torch.tensor(alibi_slopes(config.n_head), device=device)
    # Triton multiplies tiles of at least 16, and a tiled kernel does not pay for a short query (decoding).
    if device.type == "cuda" and not past and length >= BLOCK and config.head_size >= 16:
        return FlexAttention(slopes, segments)
    return BlockedAttention(slopes, segments, past)


class BlockedAttention:
    """Attention by blocks of queries; deterministic, and the same numbers for an example wherever it is."""

    def __init__(self, slopes: Tensor, segments: Sequence[int], past: int = 0) -> None:
        """`slopes` (head,) float32; `segments` and `past` as `attend_over` takes them."""
        self.spans: list[tuple[int, int, int]] = []  # (first query, query after the last, number of the example)
        self.begins: list[int] = []
        begin = 0
        for example, size in enumerate(segments):
            for block in range(begin, begin + size, BLOCK):
                self.spans.append((block, min(block + BLOCK, begin + size), example))
            self.begins.append(begin)
            begin += size
        self.past = past
        # A past belongs to the only example.
        self.segments = [size + past for size in segments]
        # Band: row r is a block's r-th query, the last BLOCK columns are the block's own keys.
        rows = min(BLOCK, max((b - a for a, b, _ in self.spans), default=0))
        columns = max((past + a - self.begins[example] for a, _, example in self.spans), default=0) + BLOCK
        distance = torch.arange(columns - BLOCK, columns - BLOCK + rows, device=slopes.device)[:, None]
        distance = distance - torch.arange(columns, device=slopes.device)
        band = -slopes[:, None, None] * distance
        # Four dimensions: with three, PyTorch falls back from its fused kernel to one that materialises all.
        self.band = band.masked_fill_(distance < 0, -math.inf)[None]

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention as an `Attend` computes it."""
        # Split once, not sliced block by block: in training, the gradient of a slice is as large as the whole tensor.
        queries = torch.split(q, [b - a for a, b, _ in self.spans], dim=2)
        keys, values = (torch.split(part.unsqueeze(1), self.segments, dim=2) for part in (k, v))
        parts = []
        for (a, b, example), block in zip(self.spans, queries, strict=True):
            size = self.past + b - self.begins[example]
            last = self.band.shape[-1] - BLOCK + b - a
            bias = self.band[:, :, : b - a, last - size : last]
            parts.append(_attend_block(block, keys[example][:, :, :size], values[example][:, :, :size], bias))
        if len(parts) == 1:
            return parts[0]
        return torch.cat(parts, dim=2) if parts else torch.empty_like(q)


class FlexAttention:
    """Attention by the compiled FlexAttention kernel, with a block mask made from the segments alone.

    The mask is made here, block by block: `create_block_mask` would evaluate length x length pairs.
    """

    def __init__(self, slopes: Tensor, segments: Sequence[int]) -> None:
        """`slopes` (head,) float32; `segments` as `attend_over` takes them."""
        device = slopes.device
        begins = torch.tensor([0, *segments]).cumsum(0)[:-1]
        starts = begins.repeat_interleave(torch.tensor(list(segments))).to(device)

        def score(score: Tensor, batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
            return score - slopes[head] * (query - key)

        def mask(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
            return (key <= query) & (key >= starts[query])

        self.score = score
        self.block_mask = causal_block_mask(segments, device, mask)

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention as an `Attend` computes it."""
        return _compiled_flex_attention()(
            q, k.unsqueeze(1), v.unsqueeze(1), score_mod=self.score, block_mask=self.block_mask, enable_gqa=True
        )


def causal_block_mask(
    segments: Sequence[int], device: torch.device, mask_mod: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
) -> torch.nn.attention.flex_attention.BlockMask:
    """The block mask of causal attention within segments: which blocks of keys each block of queries must visit.

    These are the blocks from the one where the first query's example begins up to the queries' own. Of these, a block of
    keys needs no mask if it is wholly before the queries and does not begin before the last query's example.
    """
    from torch.nn.attention.flex_attention import BlockMask

    length = sum(segments)
    starts = torch.tensor([0, *segments]).cumsum(0)[:-1].repeat_interleave(torch.tensor(list(segments)))
    query = torch.arange(0, length, BLOCK)
    blocks = len(query)
    earliest = (starts[query] // BLOCK)[:, None]
    latest = starts[(query + BLOCK - 1).clamp(max=length - 1)][:, None]
    key = torch.arange(blocks)[None, :]
    own = torch.arange(blocks)[:, None]
    visited = (key >= earliest) & (key <= own)
    full = visited & (key < own) & (key * BLOCK >= latest)

    def listed(chosen: Tensor) -> tuple[Tensor, Tensor]:
        counts = chosen.sum(-1, dtype=torch.int32)
        order = chosen.to(torch.int8).argsort(dim=-1, descending=True, stable=True).to(torch.int32)
        return counts[None, None].to(device), order[None, None].contiguous().to(device)

    return BlockMask.from_kv_blocks(
        *listed(visited & ~full), *listed(full), BLOCK_SIZE=BLOCK, mask_mod=mask_mod, seq_lengths=(length, length)
    )


class KeyValueCache:
    """Keys and values of the tokens read so far, (layer, batch, capacity, head size), so that each is computed once.

    `length` is how many it holds; the network raises it after a forward pass.
    """

    def __init__(self, config: RefactConfig, batch: int, capacity: int, like: Tensor) -> None:
        """Room for `capacity` tokens of each row of a batch, with the dtype and device of `like`."""
        shape = (config.n_layer, batch, capacity, config.head_size)
        self.keys = torch.empty(shape, dtype=like.dtype, device=like.device)
        self.values = torch.empty_like(self.keys)
        self.length = 0

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Store new keys and values (batch, new, size) of a layer and return all of them, (batch, held + new, size).

        Raises ValueError for more tokens than the cache has room for.
        """
        end = self.length + k.shape[1]
        if end > self.keys.shape[2]:
            raise ValueError(f"{end} tokens do not fit into a cache for {self.keys.shape[2]}")
        self.keys[layer, :, self.length : end] = k
        self.values[layer, :, self.length : end] = v
        return self.keys[layer, :, :end], self.values[layer, :, :end]


def _attend_block(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    if q.device.type == "cpu":
        # The CPU kernel takes a float32 bias with inputs of any dtype and keeps its scores in float32.
        k = k.expand(-1, q.shape[1], -1, -1)
        return F.scaled_dot_product_attention(q, k, v.expand_as(k), attn_mask=bias)
    scores = q.float() @ k.float().transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias
    return (scores.softmax(-1) @ v.float()).to(q.dtype)


@functools.cache
def _compiled_flex_attention() -> Callable[..., Tensor]:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=False)
