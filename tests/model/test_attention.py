"""Attention by blocks against the formula written out, its memory, and the mask that a GPU's kernel gets."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

from stackfim import model
from stackfim.model.attention import BlockedAttention, FlexAttention, alibi_slopes


def written_out(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: list[int], past: int = 0) -> torch.Tensor:
    """softmax(q.k / sqrt(d) - slope (i - j)) v, with everything materialised in float64."""
    _batch, heads, length, size = q.shape
    slopes = torch.tensor(alibi_slopes(heads), dtype=torch.float64)
    i, j = torch.arange(past, past + length)[:, None], torch.arange(past + length)[None]
    example = torch.repeat_interleave(torch.arange(len(segments)), torch.tensor(segments))
    seen = j <= i
    if not past:
        seen &= example[:, None] == example[None]
    scores = torch.einsum("bhid,bjd->bhij", q.double(), k.double()) / math.sqrt(size) - slopes[:, None, None] * (i - j)
    return torch.einsum("bhij,bjd->bhid", scores.masked_fill(~seen, -math.inf).softmax(-1), v.double())


def random_qkv(batch: int, heads: int, length: int, past: int = 0, size: int = 16) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(length)
    shapes = [(batch, heads, length, size), (batch, past + length, size), (batch, past + length, size)]
    return [torch.randn(shape, generator=generator) for shape in shapes]


def test_slopes_of_32_heads_are_powers_of_the_fourth_root_of_a_half() -> None:
    assert alibi_slopes(32) == pytest.approx([2 ** (-(head + 1) / 4) for head in range(32)])


def test_slopes_of_other_counts_take_every_second_of_the_double() -> None:
    assert alibi_slopes(6) == pytest.approx([2**-2, 2**-4, 2**-6, 2**-8, 2**-1, 2**-3])
    assert alibi_slopes(1) == [2**-8]
    assert len(alibi_slopes(12)) == len(set(alibi_slopes(12))) == 12


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=6), st.integers(1, 2), st.sampled_from([1, 3, 4]))
def test_blocks_give_the_formula_s_result(segments: list[int], batch: int, heads: int) -> None:
    q, k, v = random_qkv(batch, heads, sum(segments))
    result = BlockedAttention(torch.tensor(alibi_slopes(heads)), segments)(q, k, v)
    assert torch.allclose(result.double(), written_out(q, k, v, segments), atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 400), st.integers(1, 300))
def test_queries_after_cached_keys_see_them_all(past: int, length: int) -> None:
    q, k, v = random_qkv(1, 4, length, past)
    result = BlockedAttention(torch.tensor(alibi_slopes(4)), [length], past)(q, k, v)
    assert torch.allclose(result.double(), written_out(q, k, v, [length], past), atol=1e-5)


def test_scores_are_float32_whatever_the_inputs() -> None:
    # The bias is near -3,000 at this distance, where bfloat16 holds multiples of 16: only float32 tells neighbours apart.
    q, k, v = (part.bfloat16() for part in random_qkv(1, 1, 1, past=4095))
    slopes = torch.tensor([0.75])
    result = BlockedAttention(slopes, [1], 4095)(q, k, v)
    scores = (q.double() @ k.double().transpose(-1, -2))[0, 0, 0] / 4 - 0.75 * torch.arange(4095, -1, -1)
    assert torch.allclose(result[0, 0, 0].double(), scores.softmax(-1) @ v.double()[0], atol=2e-2)


def test_an_example_gets_the_same_bits_wherever_it_stands() -> None:
    q, k, v = random_qkv(1, 4, 200)
    slopes = torch.tensor(alibi_slopes(4))
    alone = BlockedAttention(slopes, [200])(q, k, v)
    front, back = random_qkv(1, 4, 77), random_qkv(1, 4, 31)
    joined = [torch.cat([a, b, c], dim=-2) for a, b, c in zip(front, (q, k, v), back, strict=True)]
    packed = BlockedAttention(slopes, [77, 200, 31])(*joined)
    assert torch.equal(packed[:, :, 77:277], alone)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=6).filter(any))
def test_the_block_mask_is_the_one_that_every_pair_would_give(segments: list[int]) -> None:
    made = FlexAttention(torch.tensor(alibi_slopes(4)), segments).block_mask
    length = sum(segments)
    expected = create_block_mask(made.mask_mod, None, None, length, length, device="cpu", BLOCK_SIZE=128)
    assert torch.equal(made.to_dense(), expected.to_dense())
    # A block counted as full gets no mask: all of its pairs must be allowed.
    i, j = torch.arange(length)[:, None], torch.arange(length)[None]
    allowed = made.mask_mod(torch.tensor(0), torch.tensor(0), i.expand(-1, length), j.expand(length, -1))
    assert made.full_kv_num_blocks is not None
    assert made.full_kv_indices is not None
    for row, count in enumerate(made.full_kv_num_blocks[0, 0].tolist()):
        for column in made.full_kv_indices[0, 0, row, :count].tolist():
            assert allowed[row * 128 : row * 128 + 128, column * 128 : column * 128 + 128].all()


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_the_gpu_s_score_and_mask_are_the_formula() -> None:
    # The kernel itself needs a compiler; here the same two functions run uncompiled.
    segments = [100, 1, 160]
    q, k, v = random_qkv(1, 6, sum(segments))
    flex = FlexAttention(torch.tensor(alibi_slopes(6)), segments)
    result = flex_attention(
        q, k[:, None], v[:, None], score_mod=flex.score, block_mask=flex.block_mask, enable_gqa=True
    )
    assert torch.allclose(result.double(), written_out(q, k, v, segments), atol=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_kernel_gives_the_formula_s_result() -> None:
    segments = [500, 3, 777]
    q, k, v = random_qkv(1, 6, sum(segments), size=64)
    flex = FlexAttention(torch.tensor(alibi_slopes(6), device="cuda"), segments)
    result = flex(q.cuda(), k.cuda(), v.cuda()).cpu()
    assert torch.allclose(result.double(), written_out(q, k, v, segments), atol=1e-3)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_long_input_makes_no_matrix_of_heads_by_length_by_length() -> None:
    # 32 heads x 4,096 x 4,096 floats would be 2,048 MB; the band, the MLP and the libraries' buffers take about 370.
    code = """
import torch
from stackfim.model.refact_config import RefactConfig
from stackfim.model.refact import Refact
def peak():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) // 1024
net = Refact(RefactConfig(vocab_size=64, n_embd=512, n_layer=1, n_head=32)).eval().requires_grad_(False)
net.initialise(0)
before = peak()
net(torch.zeros(1, 4096, dtype=torch.int64))
print(peak() - before)
"""
    root = Path(model.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=root, capture_output=True, text=True)
    assert int(done.stdout) < 800
