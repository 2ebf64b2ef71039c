"""Texts on which an expression takes long if it can: each of its repetitions pumped, after what leads to it, without an end."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

parser = re._parser  # type: ignore[attr-defined]
_FOREVER = 8
"""Repetitions of up to this many are written out; longer ones are pumped."""
_CANDIDATES = [
    *range(0x61, 0x7B),
    *range(0x30, 0x3A),
    *range(0x41, 0x5B),
    0x20,
    0x2D,
    0x5F,
    0x2E,
    0x2F,
    *range(0x21, 0x7F),
    0x0A,
    0x09,
    0x80,
    0xE9,
]

Tree = Sequence[tuple[Any, Any]]


def attacks(pattern: re.Pattern[Any]) -> list[tuple[str, str, str]]:
    """Beginnings, what follows them any number of times, and endings that let no match end; each triple once."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = list(
        parser.parse(text, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags)
    )
    found = dict.fromkeys(_pumps(tree, ""))
    whole = _sample(tree)
    cut = {("", whole[: len(whole) - 1] or "a", ""), ("", whole or "a", ""), ("", whole[:1] or "a", "")}
    endings = ("", "\x00", "\n!")
    return [
        *((before, pump, ending) for before, pump in found if pump for ending in endings),
        *sorted(cut),
        *(("", before + pump, "\x00") for before, pump in found if pump and len(before) < 200),
    ]


def _pumps(tree: Tree, before: str) -> Iterator[tuple[str, str]]:
    """Every repetition in the tree, with a text that leads to it."""
    for operator, value in tree:
        name = str(operator)
        if name.endswith("_REPEAT"):
            _, most, body = value
            if most > _FOREVER:
                yield from ((before, text) for text in _variants(body))
            yield from _pumps(body, before)
        for part in _parts(name, value):
            if not name.endswith("_REPEAT"):
                yield from _pumps(part, before)
        before = (before + _sample([(operator, value)]))[-400:]


def _parts(name: str, value: Any) -> list[Tree]:
    if name == "SUBPATTERN":
        return [value[3]]
    if name == "ATOMIC_GROUP":
        return [value]
    if name == "BRANCH":
        return list(value[1])
    return []


def _variants(body: Tree) -> list[str]:
    """Texts of one repetition: of each branch where it is a choice."""
    if len(body) == 1:
        name = str(body[0][0])
        parts = _parts(name, body[0][1])
        if parts:
            return [text for part in parts for text in _variants(part)]
    return [_sample(body)]


def _sample(tree: Tree) -> str:
    """A short text that the tree matches, but for what it looks for around it."""
    return "".join(_sample_of(str(operator), value) for operator, value in tree)


def _sample_of(name: str, value: Any) -> str:
    if name == "LITERAL":
        return chr(int(value))
    if name in ("NOT_LITERAL", "IN", "ANY"):
        return next((chr(code) for code in _CANDIDATES if _matches(name, value, code)), "a")
    if name.endswith("_REPEAT"):
        least, most, body = value
        return _sample(body) * int(max(least, min(1, most)))
    parts = _parts(name, value)
    return _sample(parts[0]) if parts else ""


def _matches(name: str, value: Any, code: int) -> bool:
    if name == "ANY":
        return code != 0x0A
    if name == "NOT_LITERAL":
        return bool(code != value)
    negated = bool(value) and str(value[0][0]) == "NEGATE"
    inside = any(_is_in(str(kind), item, code) for kind, item in value)
    return inside != negated


def _is_in(kind: str, item: Any, code: int) -> bool:
    if kind == "LITERAL":
        return bool(code == item)
    if kind == "RANGE":
        return bool(item[0] <= code <= item[1])
    if kind == "CATEGORY":
        letter = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[str(item).rpartition("_")[2]]
        return (re.match(letter, chr(code), re.ASCII) is not None) != ("NOT" in str(item))
    return False
