"""Texts as ids: those of the whole tokenizer without its special tokens, whether in pieces or at once."""

import json
import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from stackfim.model.tokenizer import TokenizerError
from stackfim.transforms.render.collision import ALWAYS
from stackfim.transforms.render.tokens import TextEncoder, _after_breaks, _before_breaks

KINDS = ("gpt2", "qwen", "sentencepiece", "oracle")
Definition = Callable[[str], str]

# What expressions split at: breaks and blanks of every kind, punctuation that takes breaks with it, odd letters.
PIECES = st.sampled_from(
    [*"ab1.;({/'#_ \t\n\r\x0b\x0c\x00\x1c", "\r\n", "\n\n", "\n    ", "  \n", ");\n", "//", "'s", "1000", "\u0085"]
    + ["\u00a0", "\u2028", "\u3000", "é", "e\u0301", "ИЖ", "漢字", "👩\u200d💻", "def f(x):", "    return", "▁", "＜"]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def encoder(kind: str, definition: Definition) -> TextEncoder:
    return TextEncoder(definition(kind))


def ids(encoder: TextEncoder, text: str) -> list[int]:
    found: list[int] = np.frombuffer(encoder.encode(text), np.int32).tolist()
    return found


@pytest.fixture(scope="session")
def reference(kind: str, definition: Definition) -> Callable[[str], list[int]]:
    """Ids by the tokenizer itself, without special tokens, and without the blank that sentencepiece puts first."""
    whole = Tokenizer.from_str(definition(kind))

    def encode(text: str) -> list[int]:
        if kind != "sentencepiece":
            return whole.encode(text, add_special_tokens=False).ids
        # As Code Llama's authors do it: after a letter that nothing merges with.
        return whole.encode("☺" + text, add_special_tokens=False).ids[4:]

    return encode


def test_real_texts_have_the_tokenizer_s_ids(
    encoder: TextEncoder, reference: Callable[[str], list[int]], rows: pa.RecordBatch
) -> None:
    texts = [text for text in rows.column("suffix").to_pylist()[::6] if text]
    assert sum(map(len, texts)) > 100_000
    for text in texts:
        assert ids(encoder, text) == reference(text)
        assert encoder.total(text) == sum(map(encoder.size, encoder.pieces(text)))
        assert encoder.decode(ids(encoder, text)) == text


@settings(max_examples=200)
@given(text=TEXTS)
def test_odd_texts_have_the_tokenizer_s_ids(
    encoder: TextEncoder, reference: Callable[[str], list[int]], text: str
) -> None:
    assert "".join(encoder.pieces(text)) == text
    if not encoder.changes(text):
        if text:
            assert ids(encoder, text) == reference(text)
        assert encoder.decode(ids(encoder, text)) == text


def test_a_wrong_place_to_cut_shows(definition: Definition) -> None:
    """Each expression has its own places: with the other's, ids differ."""
    for kind, split in (("gpt2", _after_breaks), ("qwen", _before_breaks)):
        encoder = TextEncoder(definition(kind))
        text = "def load(path):\n    if path:\n        return {\n            1: path,\n        }\n"
        assert encoder.encode(text) != b"".join(encoder.encode(piece) for piece in split(text))


def test_an_expression_that_is_not_known_is_left_whole(definition: Definition, rows: pa.RecordBatch) -> None:
    encoder, whole = TextEncoder(definition("indents")), Tokenizer.from_str(definition("indents"))
    lines = "def load(path):\n    if path:\n        return (\n            path,\n        )\n"
    assert encoder.encode(lines) != b"".join(map(encoder.encode, encoder.pieces(lines)))
    for text in (lines, *rows.column("suffix").to_pylist()[:10]):
        assert ids(encoder, text) == whole.encode(text, add_special_tokens=False).ids


def test_pieces_are_about_a_line(encoder: TextEncoder, rows: pa.RecordBatch) -> None:
    for text in rows.column("prefix").to_pylist()[::20]:
        visible = re.findall(r"^[ \t]*[!-~].*[!-~][ \t]*$", text, re.MULTILINE)
        assert len(encoder.pieces(text)) >= 0.8 * len(visible)


def test_a_text_is_never_read_as_a_sentinel(encoder: TextEncoder, kind: str) -> None:
    special = {encoder.sentinel(name) for name in ("<fim_prefix>", "<fim_middle>", "<|endoftext|>")}
    for name in sorted(ALWAYS):
        found = ids(encoder, f"a {name} b")
        assert not special & set(found)
        assert encoder.decode(found) == f"a {name} b" or encoder.changes(name)


def test_many_texts_do_not_grow_the_memory_without_bound(
    definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stackfim.transforms.render.tokens._KEPT_IDS", 100)
    encoder = TextEncoder(definition("gpt2"))
    for number in range(500):
        text = f"value_{number} = {number}\n"
        assert encoder.decode(ids(encoder, text)) == text
        assert encoder._kept == sum(len(kept) // 4 for kept in encoder._ids.values()) <= 100


def test_the_blank_that_a_tokenizer_puts_first_is_known(definition: Definition) -> None:
    assert TextEncoder(definition("sentencepiece")).dummy_prefix
    assert not TextEncoder(definition("gpt2")).dummy_prefix


def test_texts_that_a_tokenizer_changes_are_known(definition: Definition) -> None:
    assert TextEncoder(definition("qwen")).changes("e\u0301")
    assert not TextEncoder(definition("gpt2")).changes("e\u0301")
    assert TextEncoder(definition("sentencepiece")).changes("a▁b")
    assert not TextEncoder(definition("qwen")).changes("a▁b")


def changed(definition: str, **parts: object) -> str:
    return json.dumps({**json.loads(definition), **parts})


def test_tokenizers_that_lose_text_are_refused(definition: Definition) -> None:
    whole = definition("gpt2")
    model = json.loads(whole)["model"]
    without_a_byte = {**model, "vocab": {text: number for text, number in model["vocab"].items() if text != "Ġ"}}
    for wrong in (
        changed(whole, normalizer={"type": "Lowercase"}),
        changed(whole, normalizer={"type": "NFKC"}),
        changed(whole, pre_tokenizer={"type": "Whitespace"}),
        changed(whole, model={**model, "dropout": 0.1}),
        changed(whole, model={**without_a_byte, "merges": []}),
        changed(whole, model={"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}),
        changed(whole, model={"type": "BPE"}),
        "[]",
        "{",
    ):
        with pytest.raises(TokenizerError):
            TextEncoder(wrong)


def test_a_missing_sentinel_is_named(definition: Definition) -> None:
    with pytest.raises(TokenizerError, match=re.escape("<|fim_prefix|>")):
        TextEncoder(definition("oracle")).sentinel("<|fim_prefix|>")
