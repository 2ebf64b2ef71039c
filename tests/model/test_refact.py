"""The network against an independent engine's logits, and against itself in other ways of running."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from stackfim import model
from stackfim.model.attention import KeyValueCache
from stackfim.model.refact import Refact
from stackfim.model.refact_config import RefactConfig

MakeNetwork = Callable[..., Refact]


def logits_of(checkpoint: Path, folder: Path) -> npt.NDArray[np.float32]:
    """Logits (length, vocabulary) of a checkpoint for the oracle's tokens in `folder`."""
    network = model.load(checkpoint, dtype="float32").network
    ids = torch.tensor([json.loads((folder / "tokens.json").read_text())])
    logits: npt.NDArray[np.float32] = network.logits(network.hidden(ids))[0].numpy()
    return logits


@pytest.mark.parametrize("heads", ["h4", "h6"])
def test_logits_are_the_oracle_s_and_not_the_rmsnorm_trap_s(oracle: Path, heads: str) -> None:
    folder = oracle / heads
    logits = logits_of(folder, folder)
    assert np.abs(logits - np.load(folder / "logits.npy")).max() < 1e-4
    assert np.abs(logits - np.load(folder / "logits_rmsnorm_trap.npy")).max() > 1


@pytest.mark.parametrize("kind", ["f32", "Q8_0", "Q4_0"])
@pytest.mark.filterwarnings("ignore:tokenizer.ggml.merges")
def test_gguf_logits_are_the_oracle_s(oracle: Path, kind: str) -> None:
    folder = oracle / "h4"
    logits = logits_of(folder / f"model-{kind}.gguf", folder)
    expected = np.load(folder / ("logits.npy" if kind == "f32" else f"logits-{kind}.npy"))
    assert np.abs(logits - expected).max() < 1e-4


def test_the_full_network_has_the_published_tensors() -> None:
    with torch.device("meta"):
        state = Refact(RefactConfig()).state_dict()
    shapes = {name: tuple(weight.shape) for name, weight in state.items()}
    expected = {"transformer.wte.weight": (49216, 2048), "lm_head.weight": (49216, 2048), "ln_f.weight": (2048,)}
    for layer in range(32):
        block = f"transformer.h.{layer}."
        expected |= {f"{block}{norm}.weight": (2048,) for norm in ("ln_1", "ln_2")}
        expected |= {f"{block}attn.{part}.weight": (2048, 2048) for part in ("q", "c_proj")}
        expected[f"{block}attn.kv.weight"] = (128, 2048)
        expected[f"{block}mlp.gate_up_proj.weight"] = (11264, 2048)
        expected[f"{block}mlp.c_proj.weight"] = (2048, 5632)
    assert shapes == expected
    assert len(shapes) == 227
    assert sum(math.prod(shape) for shape in shapes.values()) == 1_585_842_176


def test_nothing_later_changes_an_earlier_position(network: MakeNetwork) -> None:
    net = network()
    ids = torch.randint(512, (1, 200), generator=torch.Generator().manual_seed(1))
    changed = ids.clone()
    changed[0, 150:] = 7
    assert torch.equal(net(ids)[0, :150], net(changed)[0, :150])


@pytest.mark.parametrize("heads", [4, 6])
def test_packed_examples_give_what_they_give_alone(network: MakeNetwork, heads: int) -> None:
    net = network(n_head=heads, n_embd=16 * heads)
    lengths = [1, 130, 17, 128, 3, 260, 64]
    ids = torch.randint(512, (1, sum(lengths)), generator=torch.Generator().manual_seed(3))
    packed = net(ids, segments=lengths)
    alone = torch.cat([net(part) for part in torch.split(ids, lengths, dim=1)], dim=1)
    assert torch.allclose(packed, alone, atol=1e-4)
    assert not torch.allclose(packed, net(ids), atol=1e-2)


def test_logits_only_at_the_positions_asked_for(network: MakeNetwork) -> None:
    net = network()
    ids = torch.randint(512, (3, 40), generator=torch.Generator().manual_seed(4))
    at = torch.tensor([0, 39, 40, 119, 5])
    logits = net(ids, at=at)
    assert logits.shape == (5, 512)
    assert torch.allclose(logits, net(ids).flatten(0, 1)[at], atol=1e-5)


def test_rows_of_a_batch_do_not_mix(network: MakeNetwork) -> None:
    net = network()
    ids = torch.randint(512, (3, 140), generator=torch.Generator().manual_seed(5))
    assert torch.allclose(net(ids), torch.cat([net(row[None]) for row in ids]), atol=1e-4)


@pytest.mark.parametrize("steps", [[1] * 40, [30, 1, 1, 8], [39, 1]])
def test_with_a_cache_the_logits_are_those_of_the_whole_pass(network: MakeNetwork, steps: list[int]) -> None:
    net = network()
    ids = torch.randint(512, (2, 40), generator=torch.Generator().manual_seed(6))
    cache = KeyValueCache(net.config, 2, 40, net.lm_head.weight)
    parts = [net(part, cache=cache) for part in torch.split(ids, steps, dim=1)]
    assert torch.allclose(torch.cat(parts, dim=1), net(ids), atol=1e-4)


def test_a_cache_crosses_blocks_of_queries(network: MakeNetwork) -> None:
    net = network()
    ids = torch.randint(512, (1, 400), generator=torch.Generator().manual_seed(7))
    cache = KeyValueCache(net.config, 1, 400, net.lm_head.weight)
    parts = [net(part, cache=cache) for part in torch.split(ids, [150, 200, 50], dim=1)]
    assert torch.allclose(torch.cat(parts, dim=1), net(ids), atol=1e-4)


def test_a_full_cache_says_so(network: MakeNetwork) -> None:
    net = network()
    cache = KeyValueCache(net.config, 1, 4, net.lm_head.weight)
    with pytest.raises(ValueError, match="5 tokens do not fit into a cache for 4"):
        net(torch.zeros(1, 5, dtype=torch.int64), cache=cache)


@pytest.mark.parametrize(("dtype", "within"), [(torch.bfloat16, 0.15), (torch.float16, 0.02)])
def test_half_precision_is_near_and_gives_float_logits(network: MakeNetwork, dtype: torch.dtype, within: float) -> None:
    ids = torch.randint(512, (1, 200), generator=torch.Generator().manual_seed(8))
    # The same rounded weights, so that what differs is the arithmetic.
    half = network(dtype=dtype)
    logits, expected = half(ids), half.float()(ids)
    assert logits.dtype == torch.float32
    assert (logits - expected).abs().mean() < within * expected.std()


@pytest.mark.parametrize("segments", [[10], [25, 16], [-1, 41], [40, 1, -1]])
def test_segments_that_do_not_tile_are_refused(network: MakeNetwork, segments: list[int]) -> None:
    with pytest.raises(ValueError, match="segments"):
        network()(torch.zeros(1, 40, dtype=torch.int64), segments=segments)


@pytest.mark.parametrize("ids", [torch.zeros(4, dtype=torch.int64), torch.zeros(1, 4, dtype=torch.int32)])
def test_wrong_ids_are_named(network: MakeNetwork, ids: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"input_ids is torch\.int(64|32) .* expected torch\.int64"):
        network()(ids)


def test_the_same_pass_gives_the_same_bits(network: MakeNetwork) -> None:
    net = network()
    ids = torch.randint(512, (1, 300), generator=torch.Generator().manual_seed(9))
    assert torch.equal(net(ids, segments=[100, 200]), net(ids, segments=[100, 200]))


def test_fresh_weights_follow_the_seed_and_the_scheme() -> None:
    config = RefactConfig(vocab_size=512, n_embd=128, n_layer=8, n_head=4, n_positions=64)
    one, two, other = Refact(config), Refact(config), Refact(config)
    one.initialise(1)
    two.initialise(1)
    other.initialise(2)
    state = one.state_dict()
    assert all(torch.equal(weight, state[name]) for name, weight in two.state_dict().items())
    assert not torch.equal(other.lm_head.weight, one.lm_head.weight)
    assert torch.equal(one.ln_f.weight, torch.ones(128))
    assert state["transformer.h.0.attn.q.weight"].std().item() == pytest.approx(0.02, rel=0.05)
    assert state["transformer.h.0.mlp.c_proj.weight"].std().item() == pytest.approx(0.02 / 4, rel=0.05)


def test_every_weight_learns() -> None:
    net = Refact(RefactConfig(vocab_size=64, n_embd=64, n_layer=2, n_head=4, n_positions=64))
    net.initialise(0)
    ids = torch.randint(64, (1, 150), generator=torch.Generator().manual_seed(0))
    torch.autograd.backward(net(ids, segments=[140, 10]).logsumexp(-1).sum())
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net.parameters())


def test_importing_the_package_imports_no_torch() -> None:
    code = "import sys; from stackfim import model; model.load; assert 'torch' not in sys.modules, 'torch was imported'"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(model.__file__).parents[1])
