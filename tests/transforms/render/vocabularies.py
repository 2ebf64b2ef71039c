"""Published vocabularies as llama.cpp has them (`ggml-vocab-NAME.gguf`), and what is kept of them in the tests' data.

They are in the sdist of llama-cpp-python, with texts (`.inp`) and the ids of each (`.out`). Kept are the special tokens, and
of the rest as much as these texts need: a vocabulary cut down to the merges that happen in them gives the same ids.
"""

import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from stackfim.model.gguf_file import GGUFFile

# tokenizer.ggml.token_type
CONTROL, USER_DEFINED, UNUSED = 3, 4, 5
FAMILIES_OF = {
    "starcoder": "starcoder2",
    "refact": "refact",
    "deepseek-coder": "deepseek-coder",
    "qwen2": "qwen2.5-coder",
}
"""The family that each vocabulary belongs to; the one that is called starcoder is StarCoder 2's."""

_QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_DEEPSEEK = (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+")
_DIGITS = {"type": "Digits", "individual_digits": True}
_BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def _splits(*expressions: str) -> list[dict[str, Any]]:
    return [
        {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": False}
        for expression in expressions
    ]


PRE_TOKENIZERS = {
    "starcoder": [_DIGITS, _BYTES | {"use_regex": True}],
    "refact": [_DIGITS, _BYTES | {"use_regex": True}],
    "deepseek-coder": [*_splits(*_DEEPSEEK), _DIGITS, _BYTES],
    "qwen2": [*_splits(_QWEN), _BYTES],
}
"""Those of the published `tokenizer.json`, which GGUF files only name."""


def definition_of(name: str, vocabulary: dict[str, int], merges: list[str], added: dict[str, int]) -> dict[str, Any]:
    """A `tokenizer.json` with that vocabulary; `added` are its added tokens, as special as they look."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    model: dict[str, Any] = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None}
    model |= {"end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
    return {
        "version": "1.0",
        "added_tokens": [
            {"id": number, "content": text, "special": text.startswith("<")} | flags for text, number in added.items()
        ],
        "normalizer": {"type": "NFC"} if name == "qwen2" else None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": PRE_TOKENIZERS[name]},
        "post_processor": None,
        "decoder": _BYTES,
        "model": model | {"vocab": vocabulary, "merges": merges},
    }


def read_vocabulary(folder: Path, name: str) -> dict[str, Any]:
    """What is kept of a vocabulary: `begin`, `added`, `vocab`, `merges`, and `texts` with their ids."""
    fields = GGUFFile(folder / f"ggml-vocab-{name}.gguf").fields
    tokens, types = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    added = {
        text: number
        for number, (text, kind) in enumerate(zip(tokens, types, strict=True))
        if kind in (CONTROL, USER_DEFINED) and text != f"[PAD{number}]"
    }
    vocabulary = {
        text: number
        for number, (text, kind) in enumerate(zip(tokens, types, strict=True))
        if kind != UNUSED and text not in added and text != f"[PAD{number}]"
    }
    begin = tokens[fields["tokenizer.ggml.bos_token_id"]] if fields.get("tokenizer.ggml.add_bos_token") else ""
    texts = (folder / f"ggml-vocab-{name}.gguf.inp").read_text("utf-8").split("\n__ggml_vocab_test__\n")
    lines = (folder / f"ggml-vocab-{name}.gguf.out").read_text("utf-8").split("\n")
    vectors = [[text, list(map(int, line.split()))] for text, line in zip(texts, lines, strict=False)]
    merges = fields["tokenizer.ggml.merges"]
    pieces = _pieces(definition_of(name, vocabulary, merges, added), texts)
    used = _used(pieces, {tuple(merge.split(" ")): rank for rank, merge in enumerate(merges)})
    kept = [merge for rank, merge in enumerate(merges) if rank in used]
    names = {char for text in vocabulary if len(text) == 1 for char in text}
    names |= {part for merge in kept for part in (*merge.split(" "), merge.replace(" ", ""))}
    smaller = {text: vocabulary[text] for text in sorted(names) if text in vocabulary}
    return {"begin": begin, "added": added, "vocab": smaller, "merges": kept, "texts": vectors}


def _pieces(definition: dict[str, Any], texts: Iterable[str]) -> set[str]:
    """The pieces that the tokenizer cuts texts into before it merges, in the letters of its bytes."""
    whole = Tokenizer.from_str(json.dumps(definition))
    found = set()
    for text in texts:
        plain = whole.normalizer.normalize_str(text) if whole.normalizer else text
        found |= {piece for piece, _ in whole.pre_tokenizer.pre_tokenize_str(plain)}
    return found


def _used(pieces: Iterable[str], ranks: dict[tuple[str, ...], int]) -> set[int]:
    """The ranks of the merges that happen in some pieces."""
    used = set()
    for piece in pieces:
        parts = list(piece)
        while best := min(
            ((ranks[pair], at) for at, pair in enumerate(pairwise(parts)) if pair in ranks), default=None
        ):
            rank, at = best
            used.add(rank)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return used
