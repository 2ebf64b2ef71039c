"""From values to a configuration, or to all that is wrong with them: each key, its value and what was expected.

pydantic checks types and names of keys, the dataclasses themselves their ranges. A wrong value is taken out and the rest
is looked at again, so that one run of the command tells everything.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from stackfim.pipeline.config.keys import KeyPath, dotted, expected_at, unknown_key
from stackfim.pipeline.config.run_config import RunConfig
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.transforms.dedup.dedup_settings import with_preset
from stackfim.transforms.setting_checks import shown

_ADAPTER = TypeAdapter(RunConfig)
_UNKNOWN_KEY_TYPES = ("extra_forbidden", "unexpected_keyword_argument")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    path: KeyPath
    """The value to take out."""
    text: str
    """Key, value and what was expected."""


def config_of(values: Mapping[str, Any]) -> RunConfig:
    """The configuration with these values, by the keys of TOML: tables are mappings, lists are lists or tuples.

    Raises UsageError, which tells all that is wrong, in the order of `values`.
    """
    plain: dict[str, Any] = json.loads(_json(values))
    left = copy.deepcopy(plain)
    problems = list(_replace_preset(left))
    config = _examine(left, problems)
    if config is None or problems:
        problems.sort(key=lambda problem: _position(plain, problem.path))
        texts = list(dict.fromkeys(problem.text for problem in problems))
        raise UsageError(texts[0] if len(texts) == 1 else "\n  ".join([f"{len(texts)} settings are wrong:", *texts]))
    return config


def _examine(values: dict[str, Any], problems: list[Problem]) -> RunConfig | None:
    """Adds what is wrong to `problems` and takes it out of `values`; the configuration of what is left."""
    removed = [problem.path for problem in problems]
    while True:
        try:
            return _ADAPTER.validate_json(_json(values))
        except ValidationError as error:
            found = [_problem(details, values, removed) for details in error.errors()]
        problems += [problem for problem in found if problem.text]
        taken = [path for problem in found if (path := _remove(values, problem.path))]
        if not taken:
            return None
        removed += taken


def _json(values: Mapping[str, Any]) -> bytes:
    """TOML's values are JSON's but for dates, and only in JSON does pydantic's strict mode take lists and tables."""
    try:
        return json.dumps(values, ensure_ascii=False, default=_text_of).encode()
    except UnicodeEncodeError as error:
        near = error.object[max(error.start - 40, 0) : error.end]
        raise UsageError(f"settings are Unicode text, got {near!r}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"settings hold values of TOML: {error}") from None


def _text_of(value: object) -> str:
    if isinstance(value, date | time | os.PathLike):
        return str(value)
    raise ValueError(f"got a {type(value).__name__}, {shown(value)}")


def _replace_preset(values: dict[str, Any]) -> Iterator[Problem]:
    """Puts the values of `dedup.preset` in its place."""
    table = values.get("dedup")
    if isinstance(table, Mapping):
        try:
            values["dedup"] = with_preset(table)
        except ValueError as error:
            values["dedup"] = {key: value for key, value in table.items() if key != "preset"}
            yield Problem(("dedup", "preset"), f"dedup.{error}")


def _problem(details: ErrorDetails, values: Mapping[str, Any], removed: list[KeyPath]) -> Problem:
    path: KeyPath = details["loc"]
    if details["type"] == "value_error":
        return _refusal(path, str(details["ctx"]["error"]), values, removed)
    if details["type"] in _UNKNOWN_KEY_TYPES:
        return Problem(path, unknown_key(path))
    expected = expected_at(path)
    if details["type"] == "missing":
        return Problem(path, f"{dotted(path)} is missing; expected {expected}" if path not in removed else "")
    return Problem(path, f"{dotted(path)} is {expected}, got {shown(_value_at(values, path))}")


def _refusal(section: KeyPath, message: str, values: Mapping[str, Any], removed: list[KeyPath]) -> Problem:
    """What a dataclass says of its values. Its message begins with the key, or names it.

    What follows only from a value that was taken out before is no problem of its own: it has no text.
    """
    given = _value_at(values, section)
    keys, rest = _leading_keys(given, message)
    path = (*section, *keys)
    inside = [taken for taken in removed if taken[: len(section)] == section != taken]
    beside = [str(taken[-1]) for taken in inside if len(taken) == len(section) + 1]
    if any(taken[: len(path)] == path for taken in inside) or any(_names(message, key) for key in beside):
        return Problem(path, "")
    if keys:
        return Problem(path, f"{dotted(path)}{rest}")
    named = next((key for key in given if _names(message, key)), None)
    path = section if named is None else (*section, named)
    return Problem(path, f"{dotted(path)}: {message}" if path else message)


def _leading_keys(values: object, message: str) -> tuple[KeyPath, str]:
    """The given keys, dotted, that a message begins with, and the rest of it."""
    path: KeyPath = ()
    while isinstance(values, Mapping):
        rest = message.removeprefix(".") if path else message
        key = max((key for key in values if _begins_with(rest, key)), key=len, default=None)
        if key is None:
            break
        path, values, message = (*path, key), values[key], rest[len(key) :]
    return path, message


def _begins_with(text: str, key: str) -> bool:
    return text.startswith(key) and not re.match(r"\w", text[len(key) :])


def _names(message: str, key: str) -> bool:
    """Whether a message names a key; after a semicolon stand the names that were expected."""
    return re.search(rf"\b{re.escape(key)}\b", message.partition(";")[0]) is not None


def _value_at(values: Any, path: KeyPath) -> Any:
    for part in path:
        values = values[part]
    return values


def _remove(values: dict[str, Any], path: KeyPath) -> KeyPath:
    """Takes a value out of the innermost table on its path, and gives the path of what was taken; empty for nothing."""
    inside: Any = values
    holder: Any = values
    taken: KeyPath = ()
    for depth, part in enumerate(path, 1):
        if isinstance(inside, dict) and part in inside:
            holder, taken = inside, path[:depth]
        elif not isinstance(inside, list):
            break
        inside = inside[part]
    if taken:
        del holder[taken[-1]]
    return taken


def _position(values: Any, path: KeyPath) -> list[int]:
    """Where a path stands in the order of the values."""
    position = []
    for part in path:
        keys: list[Any] = list(values) if isinstance(values, dict) else []
        if isinstance(values, list):
            keys = list(range(len(values)))
        if part not in keys:
            break
        position.append(keys.index(part))
        values = values[part]
    return position
