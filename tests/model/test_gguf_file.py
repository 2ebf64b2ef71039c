"""GGUF files: every published type, the tokenizer in them, and false headers."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackfim import model
from stackfim.model.checkpoint_error import CheckpointError
from stackfim.model.gguf_file import READABLE, GGUFFile
from stackfim.model.refact import Refact
from stackfim.model.refact_config import RefactConfig
from stackfim.model.tokenizer import Tokenizer, TokenizerError

Fields = Callable[..., dict[str, Any]]
Array = npt.NDArray[Any]
Tensors = Callable[[Refact], dict[str, Array]]
Write = Callable[..., Path]


@pytest.fixture(scope="module")
def net(network: Callable[..., Refact]) -> Refact:
    """A network whose rows are whole blocks of every type: 256 wide."""
    return network(vocab_size=64, n_embd=256, n_head=4, n_layer=1, n_positions=64, n_inner=384)


def stored_as(tensor: Array, kind: gguf.GGMLQuantizationType, generator: np.random.Generator) -> Array:
    """A tensor in blocks of a type: quantised where the package can, else blocks of random bits with finite values."""
    try:
        quantised: Array = gguf.quantize(tensor, kind)
        return quantised
    except NotImplementedError:
        pass
    block_size, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    blocks = np.zeros((tensor.size // block_size, block_bytes), np.uint8)
    wrong = np.ones(len(blocks), bool)
    while wrong.any():
        blocks[wrong] = generator.integers(0, 256, (wrong.sum(), block_bytes), dtype=np.uint8)
        with np.errstate(invalid="ignore"):
            values = gguf.dequantize(blocks, kind)
        wrong = ~(np.isfinite(values) & (np.abs(values) < 1e30)).all(axis=1)
    return blocks.reshape(len(tensor), -1)


@pytest.mark.parametrize("name", READABLE)
def test_weights_of_every_type_are_what_the_package_says(
    net: Refact, gguf_fields: Fields, gguf_tensors: Tensors, write_gguf: Write, tmp_path: Path, name: str
) -> None:
    kind = gguf.GGMLQuantizationType[name]
    plain = gguf_tensors(net)
    generator = np.random.default_rng(0)
    stored = {key: stored_as(value, kind, generator) if value.ndim == 2 else value for key, value in plain.items()}
    types = {key: kind for key, value in plain.items() if value.ndim == 2}
    path = write_gguf(tmp_path / "model.gguf", gguf_fields(net.config), stored, types)
    state = model.load(path, dtype="float32").network.state_dict()
    expected = {
        tensor.name: gguf.dequantize(tensor.data, tensor.tensor_type) for tensor in gguf.GGUFReader(path).tensors
    }
    block = "transformer.h.0."
    for parameter, parts in {
        "transformer.wte": ["token_embd"],
        "lm_head": ["output"],
        "ln_f": ["output_norm"],
        f"{block}ln_1": ["blk.0.attn_norm"],
        f"{block}ln_2": ["blk.0.ffn_norm"],
        f"{block}attn.q": ["blk.0.attn_q"],
        f"{block}attn.kv": ["blk.0.attn_k", "blk.0.attn_v"],
        f"{block}attn.c_proj": ["blk.0.attn_output"],
        f"{block}mlp.gate_up_proj": ["blk.0.ffn_gate", "blk.0.ffn_up"],
        f"{block}mlp.c_proj": ["blk.0.ffn_down"],
    }.items():
        wanted = np.concatenate([expected[f"{part}.weight"] for part in parts])
        assert np.array_equal(state[f"{parameter}.weight"].numpy(), wanted), parameter


def test_a_fused_attn_qkv_and_a_missing_output_are_read(
    net: Refact, gguf_fields: Fields, gguf_tensors: Tensors, write_gguf: Write, tmp_path: Path
) -> None:
    tensors = gguf_tensors(net)
    qkv = np.concatenate([tensors.pop(f"blk.0.attn_{part}.weight") for part in "qkv"])
    del tensors["output.weight"]
    path = write_gguf(tmp_path / "m.gguf", gguf_fields(net.config), tensors | {"blk.0.attn_qkv.weight": qkv})
    state = model.load(path, dtype="float32").network.state_dict()
    attention = "transformer.h.0.attn."
    for part in ("q", "kv"):
        assert torch.equal(state[f"{attention}{part}.weight"], net.state_dict()[f"{attention}{part}.weight"])
    assert torch.equal(state["lm_head.weight"], state["transformer.wte.weight"])


def test_the_configuration_comes_from_the_keys(
    net: Refact, gguf_fields: Fields, gguf_tensors: Tensors, write_gguf: Write, tmp_path: Path
) -> None:
    path = write_gguf(tmp_path / "m.gguf", gguf_fields(net.config), gguf_tensors(net))
    loaded = model.load(path)
    assert loaded.tokenizer is None
    assert isinstance(loaded.config, RefactConfig)
    assert (loaded.config.mlp_size, loaded.config.n_positions, loaded.config.vocab_size) == (256, 64, 64)


# The tokenizer in the keys


def keys_with_tokenizer(gguf_fields: Fields) -> dict[str, Any]:
    return gguf_fields(RefactConfig(vocab_size=2100, n_embd=64, n_head=4, n_layer=1), with_tokenizer=True)


def test_the_tokenizer_of_the_keys_gives_the_same_ids(gguf_fields: Fields, tokenizer: Tokenizer) -> None:
    made = Tokenizer.from_gguf(keys_with_tokenizer(gguf_fields))
    assert made is not None
    assert made.sentinels == tokenizer.sentinels
    assert made.size == tokenizer.size
    for text in (Path(__file__).read_text(), "x = 12345  # ünïcödé <fim_middle>\r\n\t"):
        assert made.encode(text) == tokenizer.encode(text)


def test_a_file_from_before_token_types_and_pre_is_read(gguf_fields: Fields, tokenizer: Tokenizer) -> None:
    keys = keys_with_tokenizer(gguf_fields)
    del keys["tokenizer.ggml.pre"]
    keys["tokenizer.ggml.token_type"] = [1] * 2100
    for fields in (keys, {key: value for key, value in keys.items() if not key.endswith("token_type")}):
        made = Tokenizer.from_gguf(fields)
        assert made is not None
        assert made.sentinels == tokenizer.sentinels
        assert made.encode("<fim_middle>") == tokenizer.encode("<fim_middle>")


def test_a_loaded_file_has_its_tokenizer(
    network: Callable[..., Refact],
    gguf_fields: Fields,
    gguf_tensors: Tensors,
    write_gguf: Write,
    tmp_path: Path,
    tokenizer: Tokenizer,
) -> None:
    net = network(vocab_size=2100, n_layer=1)
    path = write_gguf(tmp_path / "m.gguf", gguf_fields(net.config, with_tokenizer=True), gguf_tensors(net))
    loaded = model.load(path)
    assert loaded.tokenizer is not None
    assert loaded.tokenizer.encode("def f(): pass") == tokenizer.encode("def f(): pass")


def test_merges_that_make_no_token_are_left_out_with_a_warning(gguf_fields: Fields) -> None:
    keys = keys_with_tokenizer(gguf_fields)
    keys["tokenizer.ggml.merges"] = [*keys["tokenizer.ggml.merges"], "zq qz"]
    with pytest.warns(UserWarning, match=r"1 of \d+ merges make no token .* 'zq qz'"):
        Tokenizer.from_gguf(keys)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model", "llama", "expected 'gpt2'"),
        ("pre", "qwen2", "expected 'refact' or 'starcoder'"),
        ("merges", None, "expected a list of str"),
        ("merges", [1, 2], "expected a list of str"),
        ("token_type", [1, 3], "expected 2100"),
        ("tokens", ["a", "a"], "expected 2"),
        ("tokens", "abc", "expected a list of str"),
    ],
)
def test_a_wrong_tokenizer_key_is_named(gguf_fields: Fields, key: str, value: Any, message: str) -> None:
    keys = keys_with_tokenizer(gguf_fields) | {f"tokenizer.ggml.{key}": value}
    with pytest.raises(TokenizerError, match=message):
        Tokenizer.from_gguf(keys)


def test_a_token_that_stands_twice_is_named(gguf_fields: Fields) -> None:
    keys = keys_with_tokenizer(gguf_fields)
    keys["tokenizer.ggml.tokens"][700] = keys["tokenizer.ggml.tokens"][600]
    with pytest.raises(TokenizerError, match="twice, at 600 and 700"):
        Tokenizer.from_gguf(keys)


# Wrong and hostile files


@pytest.fixture
def written(net: Refact, gguf_fields: Fields, gguf_tensors: Tensors, write_gguf: Write, tmp_path: Path) -> Path:
    """A whole file with unquantised weights."""
    return write_gguf(tmp_path / "whole.gguf", gguf_fields(net.config), gguf_tensors(net))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blk.0.attn_q.weight": None}, r"'blk\.0\.attn_q\.weight' is missing, expected with shape \(256, 256\)"),
        ({"output_norm.weight": np.ones(255, np.float32)}, r"has shape \(255,\), expected \(256,\)"),
        ({"blk.0.rope.weight": np.ones(4, np.float32)}, r"does not have, such as 'blk\.0\.rope\.weight'"),
        ({"output_norm.weight": np.ones(256, np.int32)}, r"'output_norm\.weight' is I32, expected one of F32"),
        ({"output_norm.weight": np.full(256, np.nan, np.float32)}, r"'output_norm\.weight' is not finite"),
        ({"token_embd.weight": np.ones(4, np.float32)}, r"token_embd\.weight has shape \(4,\), expected"),
        ({"token_embd.weight": None}, r"token_embd\.weight has shape None, expected"),
    ],
)
def test_a_wrong_tensor_is_named(
    net: Refact,
    gguf_fields: Fields,
    gguf_tensors: Tensors,
    write_gguf: Write,
    tmp_path: Path,
    change: dict[str, Any],
    message: str,
) -> None:
    tensors = {name: value for name, value in (gguf_tensors(net) | change).items() if value is not None}
    path = write_gguf(tmp_path / "m.gguf", gguf_fields(net.config), tensors)
    with pytest.raises(CheckpointError, match=message):
        model.load(path)


def test_a_file_of_another_architecture_is_refused(
    net: Refact, gguf_fields: Fields, gguf_tensors: Tensors, write_gguf: Write, tmp_path: Path
) -> None:
    fields = gguf_fields(net.config) | {"general.architecture": "llama"}
    path = write_gguf(tmp_path / "m.gguf", fields, gguf_tensors(net))
    with pytest.raises(CheckpointError, match=r"m\.gguf: general\.architecture is 'llama', expected 'refact'"):
        model.load(path)


@pytest.mark.parametrize("version", [0, 1, 4, 0x03000000])
def test_another_version_is_refused(written: Path, version: int) -> None:
    raw = bytearray(written.read_bytes())
    raw[4:8] = struct.pack("<I", version)
    written.write_bytes(raw)
    with pytest.raises(CheckpointError, match=f"GGUF version {version}, expected one of"):
        GGUFFile(written)


@pytest.mark.parametrize("content", [b"", b"GG", b"GGUF", b"PK\x03\x04" * 10, b"GGUF\x03\x00\x00\x00"])
def test_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.gguf").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"m\.gguf: "):
        model.load(tmp_path / "m.gguf")


def test_the_tensor_that_a_cut_off_file_lacks_is_named(written: Path) -> None:
    written.write_bytes(written.read_bytes()[:-40])
    with pytest.raises(CheckpointError, match=r"tensor '\S+' ends at byte \d+, but the file has \d+: it is cut off"):
        model.load(written)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1))
def test_a_file_cut_off_anywhere_is_refused(written: Path, share: float) -> None:
    raw = written.read_bytes()
    part = written.with_name("part.gguf")
    part.write_bytes(raw[: int(share**4 * (len(raw) - 40))])
    with pytest.raises(CheckpointError):
        model.load(part)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(4, 1500), st.integers(0, 255)), min_size=1, max_size=4))
def test_no_changed_byte_does_worse_than_an_error_of_ours(written: Path, changes: list[tuple[int, int]]) -> None:
    raw = bytearray(written.read_bytes())
    for position, value in changes:
        raw[position] = value
    changed = written.with_name("changed.gguf")
    changed.write_bytes(raw)
    message = f"{changed}: "
    try:
        model.load(changed)
    except (CheckpointError, TokenizerError) as error:
        message = str(error)
    assert message.startswith(f"{changed}: ")


def raw_file(path: Path, keys: bytes, key_count: int = 1, tensor_count: int = 0) -> Path:
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, tensor_count, key_count) + keys)
    return path


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (text("a") + struct.pack("<IIQ", 9, 0, 1 << 60), "the length of 'a' is 1152921504606846976"),
        (text("a") + struct.pack("<IIQ", 9, 8, 1 << 60), "the length of 'a' is 1152921504606846976"),
        (text("a") + struct.pack("<IIQ", 9, 9, 1), "a list of type 9"),
        (text("a") + struct.pack("<I", 77), "'a' has type 77"),
        (text("a") + struct.pack("<IQ", 8, 1 << 63), "'a' takes 9223372036854775808 bytes"),
        (struct.pack("<Q", 1 << 40) + b"abcdefgh", "'a key' takes 1099511627776 bytes"),
        (struct.pack("<Q", 2) + b"\xff\xfe" + struct.pack("<IQ", 4, 4), "not UTF-8"),
        (text("general.alignment") + struct.pack("<II", 4, 0), "general.alignment is 0"),
    ],
)
def test_a_key_that_lies_is_named(tmp_path: Path, keys: bytes, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        GGUFFile(raw_file(tmp_path / "m.gguf", keys))


@pytest.mark.parametrize(("key_count", "tensor_count"), [(1 << 62, 0), (0, 1 << 62), ((1 << 64) - 1, 0), (1000, 0)])
def test_absurd_counts_are_refused_at_once(tmp_path: Path, key_count: int, tensor_count: int) -> None:
    path = raw_file(tmp_path / "m.gguf", text("a") + struct.pack("<II", 4, 1), key_count, tensor_count)
    with pytest.raises(CheckpointError, match="count is"):
        GGUFFile(path)


def test_keys_and_tensors_that_stand_twice_are_named(tmp_path: Path) -> None:
    key = text("a") + struct.pack("<II", 4, 1)
    with pytest.raises(CheckpointError, match="key 'a' occurs twice"):
        GGUFFile(raw_file(tmp_path / "m.gguf", key * 2, 2))
    tensor = text("t") + struct.pack("<IQIQ", 1, 1, 0, 0)
    with pytest.raises(CheckpointError, match="tensor 't' occurs twice"):
        GGUFFile(raw_file(tmp_path / "m.gguf", tensor * 2, 0, 2))


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (struct.pack("<IQIQ", 1, 1 << 62, 0, 0), "ends at byte"),
        (struct.pack("<IQQIQ", 2, 1 << 62, 1 << 62, 0, 0), "ends at byte"),
        (struct.pack("<IQIQ", 1, 4, 0, 1 << 62), "ends at byte"),
        (struct.pack("<IQIQ", 9, 4, 0, 0), "has 9 dimensions"),
        (struct.pack("<IQIQ", 1, 4, 999, 0), "the unknown type 999"),
        (struct.pack("<IQIQ", 1, 33, 2, 0), "Q4_0 with rows of 33, expected a multiple of 32"),
    ],
)
def test_a_tensor_that_lies_is_named(tmp_path: Path, tensor: bytes, message: str) -> None:
    path = raw_file(tmp_path / "m.gguf", text("t") + tensor + bytes(64), 0, 1)
    with pytest.raises(CheckpointError, match=f"tensor 't' .*{message}"):
        GGUFFile(path)
