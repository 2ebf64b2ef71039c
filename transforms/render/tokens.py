"""Text to token ids with the tokenizer of any family, with sentinels kept apart, and fast: each line is encoded once.

Texts are encoded by a copy of the tokenizer that knows no special tokens, so nothing in a text is read as one; sentinels
are put between texts by id. If the tokenizer is known to break at line breaks, a text is encoded in pieces of about a
line, and the ids of pieces are kept, since the rows of one file have most lines in common. The ids are the same as those
of the whole text.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any

import numpy as np
import tokenizers

from stackfim.model.tokenizer import PROBES, TokenizerError

# How many ids are kept: about 16 MB of them, and as much again for their texts.
_KEPT_IDS = 4_000_000

_BLANK = "▁"
"""The character that stands for a blank in sentencepiece."""

# Expressions of byte-level tokenizers that match a run of line breaks up to its last one and nothing after it: those of
# Llama 3, Qwen, GPT-4 and DeepSeek V3. None of their other branches matches a line break and then something else.
_BREAKS_LAST = (
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r" ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    r" ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
)
_WORDS_ONLY = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}|",
    r"[!" r'"#$%&' r"'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|",
)
_WITHOUT_BREAK = frozenset({r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+"})
_LINE_BREAKING = frozenset(words + breaks for words in _WORDS_ONLY for breaks in _BREAKS_LAST)


class TextEncoder:
    """Ids of texts and sentinels.

    It accepts byte-level BPE, and BPE over characters with bytes for unknown ones (sentencepiece), with no normalizer
    but NFC or the one that writes blanks as `▁`; `changes` tells which texts these would change.
    """

    def __init__(self, definition: str) -> None:
        """`definition` is the text of a `tokenizer.json`. Raises TokenizerError for a tokenizer that loses text."""
        try:
            whole = json.loads(definition)
            added = whole.get("added_tokens") or []
            self._added = {token["content"]: token["id"] for token in added}
            self._vocabulary: dict[str, int] = whole["model"]["vocab"]
            self.control_tokens: frozenset[str] = control_tokens(added)
            """The added tokens that are no ordinary text: what no text may hold."""
            self._begin = _begin(whole.get("post_processor"))
            text_only = _text_only(whole)
            self._bpe = tokenizers.Tokenizer.from_str(json.dumps(text_only))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TokenizerError(f"not a tokenizer.json of a BPE tokenizer: {error}") from None
        except Exception as error:  # the library raises plain exceptions
            raise TokenizerError(f"not a tokenizer that the tokenizers library reads: {error}") from None
        self.dummy_prefix: bool = _has_dummy_prefix(whole)
        """Whether the tokenizer puts a blank before a text (`encode` does not)."""
        self._changes = _changing(whole)
        self._split = _splitting(text_only)
        self._ids: dict[str, bytes] = {}
        self._kept = 0
        self._texts = {self._added[text]: text for text in self.control_tokens if text in self._added}
        for probe in PROBES:
            if not self.changes(probe) and (back := self._decoded(self._encoded(probe))) != probe:
                raise TokenizerError(f"the tokenizer turns {probe!r} into {back!r}, expected the same text")

    def sentinel(self, text: str) -> int:
        """The id of a sentinel. Raises TokenizerError for a tokenizer without it."""
        for table in (self._added, self._vocabulary):
            if text in table:
                return table[text]
        raise TokenizerError(f"the tokenizer has no token {text}, expected the sentinels of the family")

    def begin_tokens(self, published: str) -> tuple[str, ...]:
        """The special tokens that come before a text: those of the tokenizer's own post-processor.

        Where it has none, the begin token `published` of the family (may be empty): many published tokenizers put it there
        by a setting that `tokenizer.json` does not hold.
        """
        return self._begin or ((published,) if published else ())

    def changes(self, text: str) -> bool:
        """Whether encoding and decoding would change a text."""
        return self._changes(text)

    def encode(self, text: str) -> bytes:
        """Ids of a text in which nothing is read as a sentinel, as the bytes of an int32 array."""
        if self._split is None:
            return self._known(text)
        return b"".join(map(self._known, self._split(text)))

    def decode(self, ids: Sequence[int]) -> str:
        """The text that ids stand for, sentinels as their own text."""
        found: list[str] = []
        run: list[int] = []
        for number in ids:
            if number in self._texts:
                found += [self._decoded(run), self._texts[number]]
                run = []
            else:
                run.append(number)
        return "".join([*found, self._decoded(run)])

    def pieces(self, text: str) -> list[str]:
        """The text in the pieces that are encoded one by one; its lines, as an estimate, where it is encoded whole."""
        return (self._split or _after_breaks)(text)

    def size(self, piece: str) -> int:
        """Tokens of a piece."""
        return len(self._known(piece)) // 4

    def total(self, text: str) -> int:
        """Tokens of a text."""
        return len(self.encode(text)) // 4

    def _known(self, piece: str) -> bytes:
        ids = self._ids.get(piece)
        if ids is None:
            ids = np.asarray(self._encoded(piece), np.int32).tobytes()
            self._kept += len(ids) // 4
            if self._kept > _KEPT_IDS:
                self._ids.clear()
                self._kept = len(ids) // 4
            self._ids[piece] = ids
        return ids

    def _encoded(self, text: str) -> list[int]:
        return self._bpe.encode(text, add_special_tokens=False).ids

    def _decoded(self, ids: list[int]) -> str:
        return self._bpe.decode(ids, skip_special_tokens=False) if ids else ""


# The elements of HTML whose tags Gemma has as words.
_HTML_TAG = re.compile(
    r"</?(?:a|b|blockquote|br|caption|code|div|em|h[1-6]|hr|i|img|li|ol|p|pre|q|s|span|strong|sub|sup|table|tbody|td|tfoot|th"
    r"|thead|tr|tt|u|ul)>"
)
# What a special token looks like: anything in angle or square brackets, or between bars.
_MARKUP = re.compile(r"▁?[<\[|{].*[>\]|}]", re.DOTALL)


def control_tokens(added: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The strings of a `tokenizer.json`'s added tokens that no text may hold: its special tokens, and those that look so.

    Published tokenizers mark some of their sentinels as ordinary (`<tool_call>` of Qwen, `<|fim_prefix|>` of Granite 4). A
    string that begins with sentencepiece's blank stands for that with a blank, too.
    """
    found = {token["content"] for token in added if _is_control(token)}
    return frozenset(found | {" " + text[1:] for text in found if text.startswith(_BLANK)})


def _is_control(token: Mapping[str, Any]) -> bool:
    """Whether an added token is more than a word of ordinary text. Blanks and line breaks are words, whatever it says."""
    text = token["content"]
    if not text.replace(_BLANK, " ").strip():
        return False
    return bool(token.get("special")) or bool(_MARKUP.fullmatch(text) and not _HTML_TAG.fullmatch(text))


def _begin(post_processor: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The special tokens that a post-processor puts before a text."""
    for step in _steps(post_processor):
        if step["type"] == "TemplateProcessing":
            leading = takewhile(lambda piece: "SpecialToken" in piece, step["single"])
            return tuple(piece["SpecialToken"]["id"] for piece in leading)
    return ()


def _text_only(whole: Mapping[str, Any]) -> dict[str, Any]:
    """The definition without special tokens, and without the blank that it puts before a text."""
    model = whole["model"]
    if model.get("type") != "BPE" or model.get("dropout"):
        raise TokenizerError(f"model is {model.get('type')!r}, dropout {model.get('dropout')}, expected BPE without")
    added = whole.get("added_tokens") or []
    # Words of ordinary text that have a token of their own, such as runs of blanks (GPT-NeoX, Gemma).
    words = [token for token in added if not _is_control(token)]
    # Without its string, no text can become a special token. Other added tokens stay, since merges may need them.
    special = {token["content"] for token in added if token.get("special") and _is_control(token)}
    return {
        "version": "1.0",
        "added_tokens": words,
        "normalizer": _without_dummy_prefix(whole.get("normalizer")),
        "pre_tokenizer": _without_dummy_prefix(whole.get("pre_tokenizer")),
        "decoder": _without_dummy_prefix(whole.get("decoder")),
        "model": {**model, "vocab": {text: number for text, number in model["vocab"].items() if text not in special}},
    }


_SEQUENCES = ("normalizers", "pretokenizers", "processors", "decoders")


def _steps(part: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The steps of a normalizer, pre-tokenizer, post-processor or decoder, in order."""
    if not part:
        return []
    for members in _SEQUENCES:
        if members in part:
            return [inner for step in part[members] for inner in _steps(step)]
    return [dict(part)]


def _without_dummy_prefix(part: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not part:
        return None
    for members in _SEQUENCES:
        if members in part:
            inner = [step for step in map(_without_dummy_prefix, part[members]) if step]
            return {**part, members: inner} if inner else None
    # In decoding, `Strip` removes the blank that `Prepend` added.
    if part["type"] in ("Prepend", "Strip"):
        return None
    changed = dict(part)
    if part["type"] == "Metaspace":
        changed |= {"prepend_scheme": "never"}
    if part["type"] == "ByteLevel":
        changed |= {"add_prefix_space": False}
    return changed


def _has_dummy_prefix(whole: Mapping[str, Any]) -> bool:
    if any(step["type"] == "Prepend" for step in _steps(whole.get("normalizer"))):
        return True
    return any(
        (step["type"] == "Metaspace" and step.get("prepend_scheme", "always") != "never")
        or (step["type"] == "ByteLevel" and step.get("add_prefix_space"))
        for step in _steps(whole.get("pre_tokenizer"))
    )


def _changing(whole: Mapping[str, Any]) -> Callable[[str], bool]:
    """Tells which texts the normalizer changes for good. Raises TokenizerError for a normalizer that is not known."""
    composes = writes_blanks = False
    for step in _steps(whole.get("normalizer")):
        if step["type"] == "NFC":
            composes = True
        elif step["type"] == "Replace" and step["content"] == _BLANK and step["pattern"] == {"String": " "}:
            writes_blanks = True
        elif step["type"] != "Prepend":
            raise TokenizerError(f"the tokenizer has the normalizer {step['type']}, expected none that loses text")
    writes_blanks |= any(step["type"] == "Metaspace" for step in _steps(whole.get("pre_tokenizer")))
    return lambda text: (composes and not unicodedata.is_normalized("NFC", text)) or (writes_blanks and _BLANK in text)


def _splitting(text_only: Mapping[str, Any]) -> Callable[[str], list[str]] | None:
    """Cuts a text so that the ids of the pieces are those of the text; None for a tokenizer of which that is not known."""
    # A word that has no white space, and takes none with it, lies in one piece.
    if any(
        token.get("lstrip") or token.get("rstrip") or re.search(rf"[\s{_BLANK}]", token["content"])
        for token in text_only["added_tokens"]
    ):
        return None
    steps = [step for step in _steps(text_only["pre_tokenizer"]) if step["type"] != "Digits"]
    kinds = [step["type"] for step in steps]
    if kinds == ["ByteLevel"] and steps[0].get("use_regex", True):
        return _before_breaks
    # Some files have line breaks as they are where others escape them.
    patterns = [
        step["pattern"].get("Regex", "").replace("\r", "\\r").replace("\n", "\\n")
        for step in steps
        if step["type"] == "Split"
    ]
    if kinds and kinds[-1] == "ByteLevel" and set(kinds[:-1]) == {"Split"}:
        if patterns[0] == r"[\r\n]" and steps[0]["behavior"] == "Isolated":
            return _after_breaks
        if patterns[-1] in _LINE_BREAKING and set(patterns[:-1]) <= _WITHOUT_BREAK:
            return _after_breaks
    if not kinds and not any("\n" in token and token.strip("\n") for token in text_only["model"]["vocab"]):
        return _after_breaks
    return None


# The visible characters of ASCII, which all expressions treat alike.
_FIRST_VISIBLE, _LAST_VISIBLE = "!", "~"


def _before_breaks(text: str) -> list[str]:
    """Pieces that begin with the line break after a visible character.

    The expression of GPT-2 never matches a visible character together with white space after it.
    """
    line_break = "\r\n" if "\r\n" in text else "\n"
    piece, *lines = text.split(line_break)
    pieces: list[str] = []
    for line in lines:
        if _FIRST_VISIBLE <= piece[-1:] <= _LAST_VISIBLE:
            pieces.append(piece)
            piece = line_break + line
        else:
            piece += line_break + line
    return [*pieces, piece]


def _after_breaks(text: str) -> list[str]:
    """Pieces that end with a line break before a line whose first character, blanks aside, is visible."""
    piece, *lines = text.split("\n")
    pieces: list[str] = []
    for line in lines:
        if _FIRST_VISIBLE <= line.lstrip(" \t")[:1] <= _LAST_VISIBLE:
            pieces.append(piece + "\n")
            piece = line
        else:
            piece += "\n" + line
    return [*pieces, piece]
