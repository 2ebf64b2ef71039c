"""The keys of a configuration: which there are, how TOML writes them, and what their values have to be, in words."""

from __future__ import annotations

import difflib
import json
import re
import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from stackfim.pipeline.config.run_config import RunConfig

KeyPath = tuple[str | int, ...]
"""Keys from the top of the configuration to a value; numbers count the entries of a list from 0."""

_RENAMED = {("benchmarks", "layout"): ("benchmarks", "format")}
"""Keys of version 0.1, and what they are called now."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_WORDS = {
    bool: ("true or false", "values true or false"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
}


def dotted(path: KeyPath) -> str:
    """A path as TOML writes it, with the number of a list's entry in brackets: `filters.limits."*".min_chars`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{key}" if text else key
    return text


def known_keys() -> Iterator[tuple[str, ...]]:
    """The paths of all keys, tables included; the entries of a list of tables are left out of them."""
    yield from _keys_below((), RunConfig)


def unknown_key(path: KeyPath) -> str:
    """What to say of a key that there is not: the one that was probably meant, and the keys of its table."""
    *section, name = (part for part in path if isinstance(part, str))
    table = [key for key in known_keys() if key[:-1] == tuple(section)]
    near = _nearest_key((*section, name), table)
    suggestion = f" (did you mean {dotted(near)}?)" if near is not None else ""
    place = f"the keys of [{dotted(tuple(section))}]" if section else "the keys at the top"
    return f"{dotted(path)}: no such key{suggestion}; {place} are {', '.join(key[-1] for key in table)}"


def _nearest_key(path: tuple[str, ...], table: list[tuple[str, ...]]) -> tuple[str, ...] | None:
    """The key that was probably meant: a renamed one, a similar one of the same table, or the same one of another table."""
    if path in _RENAMED:
        return _RENAMED[path]
    near = difflib.get_close_matches(path[-1], [key[-1] for key in table], 1)
    if near:
        return (*path[:-1], near[0])
    return next((key for key in known_keys() if key[-1] == path[-1]), None)


def _keys_below(path: tuple[str, ...], hint: Any) -> Iterator[tuple[str, ...]]:
    hint = _without_none(hint)
    if get_origin(hint) is tuple:
        hint = get_args(hint)[0]
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        if path == ("dedup",):
            yield (*path, "preset")
        for member in fields(hint):
            yield (*path, member.name)
            yield from _keys_below((*path, member.name), hints[member.name])


def expected_at(path: KeyPath) -> str:
    """What the value of a key has to be, in words: `a whole number`, `a list of texts`, `a table`."""
    return _in_words(_type_at(path))


def _type_at(path: KeyPath) -> Any:
    hint: Any = RunConfig
    for part in path:
        hint = _without_none(hint)
        if is_dataclass(hint):
            hint = get_type_hints(hint)[str(part)]
        else:
            hint = get_args(hint)[0 if get_origin(hint) is tuple else 1]
    return hint


def _in_words(hint: Any, *, many: bool = False) -> str:
    hint = _without_none(hint)
    if get_origin(hint) is Literal:
        choices = ", ".join(get_args(hint))
        return f"values of {choices}" if many else f"one of {choices}"
    if get_origin(hint) is tuple:
        return f"{'lists' if many else 'a list'} of {_in_words(get_args(hint)[0], many=True)}"
    if hint in _WORDS:
        return _WORDS[hint][many]
    return "tables" if many else "a table"


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return next(part for part in get_args(hint) if part is not type(None))
    return hint
