"""Loading from and writing to folders: every format, and everything that can be wrong with a file."""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackfim import model
from stackfim.model.checkpoint import Model, export
from stackfim.model.checkpoint_error import CheckpointError
from stackfim.model.interfaces import TorchNetwork
from stackfim.model.refact import Refact
from stackfim.model.tokenizer import TokenizerError

State = dict[str, torch.Tensor]


def state_of(folder: Path) -> State:
    return safetensors.torch.load_file(folder / "model.safetensors")


def same(network: TorchNetwork, state: State) -> bool:
    loaded = network.state_dict()
    return loaded.keys() == state.keys() and all(torch.equal(loaded[name], weight) for name, weight in state.items())


def as_torch_file(folder: Path, state: Any) -> Path:
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    return folder


# Formats


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_export_then_load_is_lossless(small: Model, tmp_path: Path, dtype: str) -> None:
    assert isinstance(small.network, Refact)
    network = Refact(small.network.config).to(getattr(torch, dtype))
    network.load_state_dict(small.network.state_dict())
    export(Model(network, small.tokenizer), tmp_path)
    loaded = model.load(tmp_path, dtype=dtype)
    assert same(loaded.network, network.state_dict())
    assert loaded.config == small.config
    assert json.loads((tmp_path / "config.json").read_text())["torch_dtype"] == dtype
    assert loaded.tokenizer is not None
    assert small.tokenizer is not None
    assert loaded.tokenizer.definition == small.tokenizer.definition
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]


def test_the_safetensors_library_reads_what_is_exported(small: Model, folder: Path) -> None:
    assert same(small.network, state_of(folder))


def test_what_load_gives(folder: Path) -> None:
    loaded = model.load(str(folder))
    assert isinstance(loaded.network, Refact)
    assert loaded.network.lm_head.weight.dtype == torch.bfloat16
    assert not loaded.network.training
    assert not any(weight.requires_grad for weight in loaded.network.parameters())
    assert loaded.revision is None
    logits = loaded.network(torch.zeros(2, 3, dtype=torch.int64, device=loaded.network.device))
    assert (logits.shape, logits.dtype) == ((2, 3, loaded.config.vocab_size), torch.float32)


def test_weights_are_converted_to_the_dtype_asked_for(folder: Path) -> None:
    state = {name: weight.bfloat16() for name, weight in state_of(folder).items()}
    assert same(model.load(folder, dtype=torch.bfloat16).network, state)


def test_a_checkpoint_without_a_tokenizer_has_none(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    assert model.load(folder).tokenizer is None


def test_a_torch_file_is_loaded(folder: Path) -> None:
    state = state_of(folder)
    assert same(model.load(as_torch_file(folder, state), dtype="float32").network, state)


@pytest.mark.parametrize("as_file", ["safetensors", "bin"])
def test_the_older_split_layout_is_loaded(folder: Path, as_file: str) -> None:
    state = state_of(folder)
    split: State = {}
    for name, weight in state.items():
        if name.endswith("attn.kv.weight"):
            k, v = weight.chunk(2)
            split |= {name.replace("kv", "k"): k.clone(), name.replace("kv", "v"): v.clone()}
        elif name.endswith("gate_up_proj.weight"):
            gate, up = weight.chunk(2)
            split |= {name.replace("gate_up_proj", "linear_1"): gate.clone()}
            split |= {name.replace("gate_up_proj", "linear_3"): up.clone()}
        else:
            split[name] = weight
    if as_file == "bin":
        as_torch_file(folder, split)
    else:
        safetensors.torch.save_file(split, folder / "model.safetensors")
    assert same(model.load(folder, dtype="float32").network, state)


def write_shards(folder: Path) -> State:
    state = state_of(folder)
    names = sorted(state)
    placed = {name: f"model-0000{1 + number % 2}-of-00002.safetensors" for number, name in enumerate(names)}
    for shard in set(placed.values()):
        part = {name: state[name] for name in names if placed[name] == shard}
        safetensors.torch.save_file(part, folder / shard)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": placed}))
    (folder / "model.safetensors").unlink()
    return state


def test_shards_under_an_index_are_loaded(folder: Path) -> None:
    state = write_shards(folder)
    assert same(model.load(folder, dtype="float32").network, state)


# What is wrong is named, with what was expected


def test_a_missing_shard_is_named(folder: Path) -> None:
    write_shards(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"model-00002-of-00002\.safetensors is missing"):
        model.load(folder)


def test_a_tensor_that_its_shard_lacks_is_named(folder: Path) -> None:
    write_shards(folder)
    index = folder / "model.safetensors.index.json"
    placed = json.loads(index.read_text())["weight_map"]
    placed["ln_f.weight"] = {1: "model-00002-of-00002.safetensors", 2: "model-00001-of-00002.safetensors"}[
        int(placed["ln_f.weight"][10])
    ]
    index.write_text(json.dumps({"weight_map": placed}))
    with pytest.raises(
        CheckpointError, match=r"'ln_f\.weight' is missing, expected by model\.safetensors\.index\.json"
    ):
        model.load(folder)


@pytest.mark.parametrize(
    "index", ["[]", "{}", '{"weight_map": {"a": "../x.safetensors"}}', '{"weight_map": {"a": 1}}', "?"]
)
def test_an_index_that_points_elsewhere_is_refused(folder: Path, index: str) -> None:
    write_shards(folder)
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(CheckpointError, match="without a folder"):
        model.load(folder)


@pytest.mark.parametrize("name", ["ln_f.weight", "transformer.h.1.attn.kv.weight", "transformer.wte.weight"])
def test_a_missing_tensor_is_named(folder: Path, name: str) -> None:
    state = state_of(folder)
    shape = tuple(state.pop(name).shape)
    safetensors.torch.save_file(state, folder / "model.safetensors")
    with pytest.raises(CheckpointError) as caught:
        model.load(folder)
    assert f"tensor {name!r} is missing, expected with shape {shape}" in str(caught.value)


def test_a_tensor_too_many_is_named(folder: Path) -> None:
    state = state_of(folder) | {"transformer.h.0.attn.q.bias": torch.zeros(64)}
    safetensors.torch.save_file(state, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"1 tensors that a gpt_refact network .* 'transformer.h.0.attn.q.bias'"):
        model.load(folder)


@pytest.mark.parametrize("form", ["safetensors", "bin"])
def test_a_wrong_shape_is_named_with_the_right_one(folder: Path, form: str) -> None:
    state = state_of(folder) | {"transformer.h.1.mlp.c_proj.weight": torch.zeros(256, 64)}
    if form == "bin":
        as_torch_file(folder, state)
    else:
        safetensors.torch.save_file(state, folder / "model.safetensors")
    with pytest.raises(
        CheckpointError, match=r"h\.1\.mlp\.c_proj\.weight' has shape \(256, 64\), expected \(64, 256\)"
    ):
        model.load(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_are_named(folder: Path, value: float) -> None:
    state = state_of(folder)
    state["transformer.h.0.attn.q.weight"][63, 5] = value
    safetensors.torch.save_file(state, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"'transformer.h.0.attn.q.weight' is not finite in torch\.bfloat16"):
        model.load(folder)


def test_weights_beyond_float16_are_named(folder: Path) -> None:
    state = state_of(folder)
    state["lm_head.weight"][9, 9] = 1e5
    safetensors.torch.save_file(state, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"'lm_head.weight' is not finite in torch\.float16"):
        model.load(folder, dtype="float16")
    assert model.load(folder, dtype="bfloat16").network.state_dict()["lm_head.weight"][9, 9] > 9e4


@pytest.mark.parametrize("form", ["safetensors", "bin"])
def test_whole_numbers_are_no_weights(folder: Path, form: str) -> None:
    state = state_of(folder) | {"ln_f.weight": torch.ones(64, dtype=torch.int32)}
    if form == "bin":
        as_torch_file(folder, state)
    else:
        safetensors.torch.save_file(state, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"'ln_f.weight' is (I32|torch\.int32)"):
        model.load(folder)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"model_type": "llama"}', "[" * 100_000, "\udcff"])
def test_a_broken_config_is_named(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text, errors="surrogateescape")
    with pytest.raises(CheckpointError, match=r"config\.json: "):
        model.load(folder)


def test_a_config_of_another_size_names_the_tensor(folder: Path) -> None:
    values = json.loads((folder / "config.json").read_text()) | {"n_layer": 3}
    (folder / "config.json").write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match=r"'transformer\.h\.2\..*' is missing"):
        model.load(folder)


def test_a_tokenizer_larger_than_the_network_is_refused(
    small: Model, network: Callable[..., Refact], tmp_path: Path
) -> None:
    made = network(vocab_size=1000)
    export(Model(made, small.tokenizer), tmp_path)
    with pytest.raises(CheckpointError, match="the tokenizer has 2048 ids, expected at most 1000"):
        model.load(tmp_path)


def test_another_end_of_text_than_the_tokenizer_s_is_refused(folder: Path) -> None:
    values = json.loads((folder / "config.json").read_text()) | {"eos_token_id": 1}
    (folder / "config.json").write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match="eos_token_id is 1, expected 0"):
        model.load(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"added_tokens": 3}', '{"added_tokens": [{"id": -1}]}'])
def test_a_broken_tokenizer_is_named(folder: Path, text: str) -> None:
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(TokenizerError, match=r"tokenizer\.json: "):
        model.load(folder)


def test_a_folder_without_weights_says_which_are_expected(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"expected model\.safetensors or pytorch_model\.bin"):
        model.load(folder)


def test_a_folder_without_a_config_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"config\.json: not found"):
        model.load(tmp_path)


def test_a_path_that_does_not_exist_is_no_id(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        model.load(tmp_path / "nothing")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"expected a folder or a \.gguf file"):
        model.load(tmp_path / "model.onnx")


def test_a_local_path_has_no_revision(folder: Path) -> None:
    with pytest.raises(ValueError, match="revision 'main' goes with a Hugging Face id"):
        model.load(folder, revision="main")


@pytest.mark.parametrize("dtype", ["float64", "int8", torch.int64, ""])
def test_an_unknown_dtype_is_refused(folder: Path, dtype: Any) -> None:
    with pytest.raises(ValueError, match="expected float32, bfloat16, float16"):
        model.load(folder, dtype=dtype)


# Files that are cut off, and files with false headers


@pytest.mark.parametrize("keep", [0, 7, 8, 100, 3000, -4])
def test_a_safetensors_file_cut_off_anywhere_is_refused(folder: Path, keep: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"model\.safetensors: "):
        model.load(folder)


def test_the_tensor_that_a_cut_off_file_lacks_is_named(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(CheckpointError, match=r"tensor '\S+' ends at byte \d+, but the file has \d+"):
        model.load(folder)


def header_and_data(path: Path) -> tuple[dict[str, Any], bytes]:
    raw = path.read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8 : 8 + size]), raw[8 + size :]


def write_with_header(path: Path, header: Any, data: bytes) -> None:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@pytest.mark.parametrize(
    "lie",
    [
        {"data_offsets": [0, 1 << 50]},
        {"data_offsets": [-8, 8]},
        {"data_offsets": [64, 0]},
        {"shape": [1 << 40, 1 << 40]},
        {"shape": [-64]},
        {"shape": [63]},
        {"dtype": "F64"},
        {"dtype": "XYZ"},
        {"dtype": None},
        {"data_offsets": "all"},
    ],
)
def test_a_header_that_lies_is_refused(folder: Path, lie: dict[str, Any]) -> None:
    path = folder / "model.safetensors"
    header, data = header_and_data(path)
    header["ln_f.weight"] |= lie
    write_with_header(path, header, data)
    with pytest.raises(CheckpointError, match=r"model\.safetensors: "):
        model.load(folder)


def test_a_header_that_claims_to_be_huge_is_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 62) + b"{}")
    with pytest.raises(CheckpointError, match="the header takes 4611686018427387904 bytes"):
        model.load(folder)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_changed_byte_does_worse_than_a_checkpoint_error(folder: Path, data: st.DataObject) -> None:
    path = folder / "model.safetensors"
    whole = folder / "whole"
    if not whole.exists():
        whole.write_bytes(path.read_bytes())
    raw = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, 2500))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw)
    message = f"{path}: "
    try:
        model.load(folder, dtype="float32")
    except CheckpointError as error:
        message = str(error)
    assert message.startswith(f"{path}: ")


class Opens:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_torch_file_with_code_in_it_runs_none(folder: Path, zipped: bool) -> None:
    made = folder / "made"
    as_torch_file(folder, state_of(folder) | {"ln_f.weight": Opens(made)})
    if not zipped:
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Opens(made)))
    with pytest.raises(
        CheckpointError, match=r"pytorch_model\.bin: (not a zip file|not a file that holds only tensors)"
    ):
        model.load(folder)
    assert not made.exists()


def test_the_reason_names_what_a_torch_file_wanted_to_call(folder: Path) -> None:
    as_torch_file(folder, {"ln_f.weight": Opens(folder / "made")})
    with pytest.raises(CheckpointError, match="mkdir"):
        model.load(folder)


@pytest.mark.parametrize("content", [[1, 2], {"ln_f.weight": 3}, {3: torch.zeros(2)}, torch.zeros(3)])
def test_a_torch_file_of_something_else_is_refused(folder: Path, content: Any) -> None:
    as_torch_file(folder, content)
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin: "):
        model.load(folder)


@pytest.mark.parametrize("keep", [0, 3, 500, 100_000, -30])
def test_a_torch_file_cut_off_anywhere_is_refused(folder: Path, keep: int) -> None:
    as_torch_file(folder, state_of(folder))
    path = folder / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin: "):
        model.load(folder)


# Memory

PEAK = """
import sys, gguf, safetensors.torch
from stackfim import model
from stackfim.model import checkpoint, gguf_file
def peak():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) << 10
before = peak()
loaded = model.load(sys.argv[1], dtype=sys.argv[2])
weights = loaded.network.state_dict().values()
size = sum(weight.nbytes for weight in weights)
largest = max(weight.nbytes for weight in weights)
print(peak() - before - size, largest)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("form", ["safetensors", "bin", "gguf"])
def test_loading_takes_less_than_one_tensor_beside_the_network(
    network: Callable[..., Refact],
    gguf_fields: Callable[..., dict[str, Any]],
    gguf_tensors: Callable[..., Any],
    write_gguf: Callable[..., Path],
    tmp_path: Path,
    form: str,
) -> None:
    net = network(dtype=torch.bfloat16, vocab_size=32_000, n_embd=1024, n_head=16, n_layer=1, n_positions=64)
    export(Model(net, None), tmp_path)
    path = tmp_path
    if form == "bin":
        as_torch_file(tmp_path, net.state_dict())
    elif form == "gguf":
        path = write_gguf(tmp_path / "model.gguf", gguf_fields(net.config), gguf_tensors(net))
    root = Path(model.__file__).parents[1]
    command = [sys.executable, "-c", PEAK, str(path), "bfloat16"]
    done = subprocess.run(command, check=True, cwd=root, capture_output=True, text=True)
    beside, largest = map(int, done.stdout.split())
    # Some 30 MB are the allocator's and the libraries'; the file has more than twice the largest tensor.
    assert beside < largest + (32 << 20), (
        f"{beside >> 20} MB beside the network, the largest tensor has {largest >> 20}"
    )
