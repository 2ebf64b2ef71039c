"""Where a configuration comes from: a TOML file, then the command's options and `--set KEY=VALUE` over it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackfim.pipeline.config.keys import dotted
from stackfim.pipeline.config.run_config import RunConfig
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.config.validation import config_of


@dataclass(frozen=True)
class Option:
    """An option of the command that sets a key."""

    flag: str
    """As it is typed, such as `--model`."""
    key: str
    """The key, dotted, such as `score.model`."""
    value: Any
    """None where the option was not given."""


def load_config(file: Path | None, settings: Sequence[str] = (), options: Sequence[Option] = ()) -> RunConfig:
    """The configuration of a TOML file, with options and settings (`KEY=VALUE`, later ones over earlier ones) over it.

    Raises UsageError, which tells all that is wrong: key, value and what was expected; and for a setting of the same key
    as an option.
    """
    values = _read(file) if file is not None else {}
    given = [option for option in options if option.value is not None]
    for option in given:
        values = _with(values, tuple(option.key.split(".")), option.value)
    for setting in settings:
        key, value = parse_setting(setting)
        for option in given:
            _expect_other_key(option, setting, key)
        values = _with(values, key, value)
    return config_of(values)


def parse_setting(text: str) -> tuple[tuple[str, ...], Any]:
    """The key and the value of KEY=VALUE. The value is one of TOML; what is none is taken as a text.

    Raises UsageError for a key that is none of TOML.
    """
    key, equals, written = text.partition("=")
    try:
        path = _path(tomllib.loads(f"{key} = true"))
    except (ValueError, RecursionError):
        path = ()
    if not equals or not path:
        raise UsageError(f"--set {text}: expected KEY=VALUE, such as split.max_slots=4")
    try:
        parsed = tomllib.loads(f"value = {written}")
    except (ValueError, RecursionError):
        parsed = {}
    return path, parsed["value"] if list(parsed) == ["value"] else written


def _path(table: dict[str, Any]) -> tuple[str, ...]:
    """The key of a table with a single value; empty for another table."""
    path: tuple[str, ...] = ()
    inside: Any = table
    while isinstance(inside, dict) and len(inside) == 1:
        [(key, inside)] = inside.items()
        path = (*path, key)
    return path if inside is True else ()


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"--config {file}: expected a TOML file ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--config {file}: expected a TOML file ({error})") from error


def _expect_other_key(option: Option, setting: str, key: tuple[str, ...]) -> None:
    own = tuple(option.key.split("."))
    shared = min(len(own), len(key))
    if own[:shared] == key[:shared]:
        raise UsageError(
            f"{option.flag} and --set {setting} both set {dotted(max(own, key, key=len))}; give one of them"
        )


def _with(values: dict[str, Any], key: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The values with another one at a key; a value that stands where a table is expected stays, and is told later."""
    if len(key) == 1:
        return values | {key[0]: value}
    inside = values.get(key[0], {})
    return values | {key[0]: _with(inside, key[1:], value)} if isinstance(inside, dict) else values
