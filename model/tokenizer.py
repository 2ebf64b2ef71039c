"""StarCoder's byte-level BPE, with the sentinels kept apart from text.

The `tokenizers` library looks for added tokens in all text, so `<fim_middle>` in somebody's source file would become the
sentinel. Here the BPE never hears of the sentinels: their strings are taken out of the vocabulary before it is built,
text is encoded by the BPE alone, and sentinels are put between texts by id.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers

from stackfim.transforms.render.families import STARCODER_SENTINELS, Family, family_named

REFACT = family_named("refact")

# Pre-tokenizers that cut text into pieces and drop none of it.
LOSSLESS = {"ByteLevel", "Digits", "Split", "Sequence"}

# Texts that normalizers, stripping or a missing piece of the alphabet would change: composed and decomposed letters, a
# ligature, full-width letters, blanks of every kind, line breaks, a joined emoji, a code point beyond the first plane.
PROBES = (
    " x",
    "x  \n\n\tif y:\r\n        pass \r",
    "é e\u0301 ﬁ Ａ \u00a0\u2028\u200b\u3000",
    "ИЖ 漢字 \U0001f469\u200d\U0001f4bb \U00010348 \x00\x0b\x0c\x7f",
    "0123 4.5e-6 'll <|> ~`",
)

# No vocabulary is larger. A table with the bytes of each id is made, so a false id would fill the memory.
LARGEST_ID = 1 << 24

# tokenizer.ggml.token_type
NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5


class TokenizerError(ValueError):
    """A tokenizer that cannot be used; the message says what it has and what was expected."""


class Tokenizer:
    """Text to ids and back (a `model.interfaces.FimTokenizer`).

    `sentinels` maps the text of each sentinel to its id. `size` is one more than the largest id of a token or sentinel:
    networks have more rows than that, and the rest is padding that is never produced. `byte_lengths`, int64 (size,), are
    the UTF-8 bytes of each token, 0 for sentinels.
    """

    def __init__(self, definition: Mapping[str, Any], family: Family = REFACT) -> None:
        """`definition` is what a `tokenizer.json` holds; `family` is the one whose prompts the model was trained on.

        Raises TokenizerError unless it is a lossless byte-level BPE with the family's sentinels.
        """
        if not isinstance(definition, Mapping):
            raise TokenizerError(f"the tokenizer is a {type(definition).__name__}, expected an object")
        self.definition = definition
        self.family = family
        self.sentinels = _sentinels(definition, family)
        text_only = _text_only(definition, self.sentinels)
        try:
            self._bpe = tokenizers.Tokenizer.from_str(json.dumps(text_only))
        except Exception as error:  # the library raises plain exceptions
            raise TokenizerError(f"not a tokenizer that the tokenizers library reads: {error}") from None
        vocabulary = self._bpe.get_vocab(with_added_tokens=False)
        self.size = 1 + max(max(vocabulary.values()), max(self.sentinels.values()))
        self._bytes = _token_bytes(vocabulary, self.size)
        self.byte_lengths = np.array([len(token) for token in self._bytes], dtype=np.int64)
        self._texts = {number: text.encode() for text, number in self.sentinels.items()}
        for probe in (*PROBES, *(f"a{text}b" for text in self.sentinels)):
            back = self.decode_bytes(self.encode(probe))
            if back != probe.encode():
                raise TokenizerError(f"the tokenizer turns {probe.encode()!r} into {back!r}, expected the same bytes")

    @classmethod
    def from_file(cls, path: str | Path, family: Family = REFACT) -> Tokenizer:
        """The tokenizer in a `tokenizer.json`. Raises TokenizerError, naming the file, for one that cannot be used."""
        try:
            definition = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls(definition, family)
        except (TokenizerError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise TokenizerError(f"{path}: {error}") from None

    @classmethod
    def from_gguf(cls, fields: Mapping[str, Any], family: Family = REFACT) -> Tokenizer | None:
        """The tokenizer in the keys of a GGUF file, None where it has no vocabulary. Raises TokenizerError."""
        if "tokenizer.ggml.tokens" not in fields:
            return None
        return cls(_definition_from_gguf(fields), family)

    @property
    def end_of_text(self) -> int:
        """The id of the family's end-of-text."""
        return self.sentinels[self.family.end_of_text]

    def encode(self, text: str) -> list[int]:
        """Ids of a text in which nothing is read as a sentinel."""
        return self._bpe.encode(text, add_special_tokens=False).ids

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """`encode` of every text, on several threads."""
        return [encoding.ids for encoding in self._bpe.encode_batch_fast(list(texts), add_special_tokens=False)]

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The bytes that ids stand for, sentinels as their text. Raises IndexError for an id that is padding."""
        return b"".join(self._texts.get(number) or self._bytes[number] for number in ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text that ids stand for; a code point that is cut off at either end becomes U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", errors="replace")


def _sentinels(definition: Mapping[str, Any], family: Family) -> dict[str, int]:
    added = definition.get("added_tokens") or []
    if not isinstance(added, list) or not all(isinstance(token, Mapping) for token in added):
        raise TokenizerError(f"added_tokens is {str(added)[:80]}, expected a list of objects")
    sentinels = {token.get("content"): token.get("id") for token in added}
    _check_ids("added_tokens", sentinels)
    missing = [text for text in family.fim_sentinels if text not in sentinels]
    if missing:
        raise TokenizerError(
            f"added_tokens lacks {', '.join(missing)}, expected the sentinels of the family {family.name}"
        )
    if len(set(sentinels.values())) != len(sentinels):
        raise TokenizerError(f"added_tokens gives one id to several sentinels: {sentinels}")
    return sentinels


def _text_only(definition: Mapping[str, Any], sentinels: Mapping[str, int]) -> dict[str, Any]:
    """The definition without its sentinels. Raises TokenizerError for one that could change a text."""
    normalizer = definition.get("normalizer")
    if normalizer:
        kind = normalizer.get("type") if isinstance(normalizer, Mapping) else normalizer
        raise TokenizerError(
            f"the tokenizer has a normalizer ({kind}), which changes text before it is encoded: "
            "the ids would not be those of the file that is scored; expected none"
        )
    model = definition.get("model")
    kind = model.get("type") if isinstance(model, Mapping) else None
    if not isinstance(model, Mapping) or kind != "BPE":
        raise TokenizerError(f"model.type is {kind!r}, expected 'BPE'")
    if model.get("dropout"):
        raise TokenizerError(
            f"model.dropout is {model['dropout']}, expected none: a text must have the same ids each time"
        )
    for key in ("continuing_subword_prefix", "end_of_word_suffix"):
        if model.get(key):
            raise TokenizerError(f"model.{key} is {model[key]!r}, expected none")
    _check_pre_tokenizer(definition.get("pre_tokenizer"))
    if not isinstance(model.get("vocab"), Mapping) or not model["vocab"]:
        raise TokenizerError("model.vocab is missing or empty, expected tokens and their ids")
    _check_ids("model.vocab", model["vocab"])
    vocabulary = {token: number for token, number in model["vocab"].items() if token not in sentinels}
    shared = set(vocabulary.values()) & set(sentinels.values())
    if shared:
        raise TokenizerError(f"ids {sorted(shared)[:5]} belong to a sentinel and to a token of the vocabulary")
    return {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": definition["pre_tokenizer"],
        "model": {**model, "vocab": vocabulary},
    }


def _check_ids(key: str, ids: Mapping[Any, Any]) -> None:
    for token, number in ids.items():
        if not isinstance(token, str) or not token or type(number) is not int or not 0 <= number < LARGEST_ID:
            raise TokenizerError(f"{key} gives {token!r} the id {number!r}, expected a whole number below {LARGEST_ID}")


def _check_pre_tokenizer(pre_tokenizer: Any) -> None:
    steps = [pre_tokenizer]
    names = []
    while steps:
        step = steps.pop()
        names.append(step.get("type") if isinstance(step, Mapping) else step)
        if names[-1] not in LOSSLESS:
            raise TokenizerError(f"pre_tokenizer is {names[-1]!r}, expected one of {', '.join(sorted(LOSSLESS))}")
        if step.get("behavior") == "Removed":
            raise TokenizerError("pre_tokenizer removes what it splits at, expected that it keeps all text")
        if step.get("add_prefix_space"):
            raise TokenizerError("pre_tokenizer puts a space before text (add_prefix_space), expected that it does not")
        steps += step.get("pretokenizers", [])
    if "ByteLevel" not in names:
        raise TokenizerError(f"pre_tokenizer is {names}, expected a ByteLevel step: any text must have ids")


def _byte_alphabet() -> dict[str, int]:
    """The character that stands for each byte in byte-level BPE (GPT-2, `bytes_to_unicode`)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + n): byte for n, byte in enumerate(others)}


def _token_bytes(vocabulary: Mapping[str, int], size: int) -> list[bytes]:
    """The bytes of every id below `size`; empty for ids that are not text."""
    alphabet = _byte_alphabet()
    # Bytes that never occur in UTF-8 may be missing.
    lacking = [byte for char, byte in alphabet.items() if char not in vocabulary and byte not in (0xC0, 0xC1)]
    lacking = [byte for byte in lacking if byte < 0xF5]
    if lacking:
        raise TokenizerError(f"the vocabulary has no token for bytes {lacking[:8]}: some text would have no ids")
    table = [b""] * size
    for token, number in vocabulary.items():
        if set(token) <= alphabet.keys():
            table[number] = bytes(alphabet[char] for char in token)
    return table


def _definition_from_gguf(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a `tokenizer.json` with the same content as a GGUF file's tokenizer keys holds."""
    prefix = "tokenizer.ggml."
    kind = fields.get(prefix + "model")
    if kind != "gpt2":
        raise TokenizerError(f"{prefix}model is {kind!r}, expected 'gpt2' (byte-level BPE)")
    # Older files lack the key.
    pre = fields.get(prefix + "pre", "refact")
    if pre not in ("refact", "starcoder"):
        raise TokenizerError(f"{prefix}pre is {pre!r}, expected 'refact' or 'starcoder'")
    tokens = _listed(fields, prefix + "tokens", str)
    merges = _listed(fields, prefix + "merges", str)
    types = _listed({prefix + "token_type": [NORMAL] * len(tokens), **fields}, prefix + "token_type", int)
    if len(types) != len(tokens):
        raise TokenizerError(f"{prefix}token_type has {len(types)} entries, expected {len(tokens)}, one for each token")
    vocabulary: dict[str, int] = {}
    added = []
    for number, (token, token_type) in enumerate(zip(tokens, types, strict=True)):
        # Converters fill the rows after the vocabulary with [PAD49152] and so on.
        if token_type == UNUSED or token == f"[PAD{number}]":
            continue
        if token in vocabulary:
            raise TokenizerError(f"{prefix}tokens has {token!r} twice, at {vocabulary[token]} and {number}")
        vocabulary[token] = number
        # Converters of 2023 mark every token as normal.
        if token_type in (CONTROL, USER_DEFINED) or token in STARCODER_SENTINELS:
            added.append({"id": number, "content": token, "special": True} | _EXACT)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        # StarCoder's: digits one by one, then the expression of GPT-2.
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, _BYTE_LEVEL | {"use_regex": True}],
        },
        "post_processor": None,
        "decoder": _BYTE_LEVEL | {"use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None}
        | {"end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
        | {"vocab": vocabulary, "merges": _usable_merges(merges, vocabulary)},
    }


_EXACT = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}


def _listed(fields: Mapping[str, Any], key: str, item: type) -> list[Any]:
    values = fields.get(key)
    if not isinstance(values, list) or not all(isinstance(value, item) for value in values):
        raise TokenizerError(f"{key} is a {type(values).__name__}, expected a list of {item.__name__}")
    return values


def _usable_merges(merges: Sequence[str], vocabulary: Mapping[str, int]) -> list[str]:
    """The merges of two tokens into a third; the rest, which `tokenizers` would refuse, llama.cpp ignores as well."""
    usable: list[str] = []
    unusable: list[str] = []
    for merge in merges:
        left, _, right = merge.partition(" ")
        fits = left in vocabulary and right in vocabulary and left + right in vocabulary
        (usable if fits else unusable).append(merge)
    if unusable:
        warnings.warn(
            f"tokenizer.ggml.merges: {len(unusable)} of {len(merges)} merges make no token of the vocabulary, "
            f"the first of them {unusable[0]!r}; they are left out",
            stacklevel=2,
        )
    return usable
