"""Invariant before all others: a row has every column, with a value of its type. Without it nothing else can be checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import pyarrow as pa

from stackfim.transforms.verify.violation import Violation

TYPES = "types"
"""Name of the invariant."""
_SHOWN_CHARS = 60

Problem = Callable[[Any], str]
"""What was expected in place of a value; empty for one that is right."""


def check_types(row: Mapping[str, Any], fields: tuple[pa.Field, ...]) -> list[Violation]:
    """Columns that a row lacks, or that hold a value of another type than `fields` say, or none where there has to be one."""
    found: list[Violation] = []
    for name, problem in _problems(fields):
        if name not in row:
            found.append(Violation(name_of(row), TYPES, f"the column {name} is missing"))
        elif expected := problem(row[name]):
            found.append(Violation(name_of(row), TYPES, f"{name} is {_shown(row[name])}, expected {expected}"))
    return found


def name_of(row: Mapping[str, Any]) -> str:
    """The id of a row for messages, whatever is in its place."""
    found = row.get("example_id")
    return found if isinstance(found, str) and not _text(found) else _shown(found)


def same_type(found: pa.DataType, expected: pa.DataType) -> bool:
    """Whether values of a column type read as those of another: names of elements, large types and dictionaries aside."""
    if pa.types.is_dictionary(found):
        return same_type(found.value_type, expected)
    if pa.types.is_large_string(found) or pa.types.is_string_view(found):
        return bool(pa.types.is_string(expected))
    if pa.types.is_list(expected):
        is_list = pa.types.is_list(found) or pa.types.is_large_list(found) or pa.types.is_fixed_size_list(found)
        return is_list and same_type(found.value_type, expected.value_type)
    if pa.types.is_struct(expected) and pa.types.is_struct(found):
        names = [field.name for field in found]
        return names == [field.name for field in expected] and all(
            same_type(one.type, other.type) for one, other in zip(found, expected, strict=True)
        )
    return bool(found.equals(expected))


@lru_cache(maxsize=8)
def _problems(fields: tuple[pa.Field, ...]) -> tuple[tuple[str, Problem], ...]:
    return tuple((field.name, _problem(field.type, field.nullable)) for field in fields)


def _problem(kind: pa.DataType, is_nullable: bool) -> Problem:
    """The check of one type."""
    check = _plain(kind)
    return (lambda value: "" if value is None else check(value)) if is_nullable else check


def _plain(kind: pa.DataType) -> Problem:
    if pa.types.is_string(kind):
        return _text
    if pa.types.is_boolean(kind):
        return lambda value: "" if isinstance(value, bool) else "true or false"
    if pa.types.is_floating(kind):
        return lambda value: "" if isinstance(value, float) else "a number"
    if pa.types.is_list(kind):
        element = _problem(kind.value_type, kind.value_field.nullable)
        return lambda value: _list(value, element)
    if pa.types.is_struct(kind):
        members = tuple((field.name, _problem(field.type, field.nullable)) for field in kind)
        return lambda value: _struct(value, members)
    limit = 1 << (kind.bit_width - 1)
    return lambda value: _whole_number(value, limit)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return "text"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "valid Unicode"
    return ""


def _whole_number(value: Any, limit: int) -> str:
    is_right = isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit
    return "" if is_right else f"a whole number of {limit.bit_length()} bits"


def _list(value: Any, element: Problem) -> str:
    if not isinstance(value, list):
        return "a list"
    return next((f"{wrong} in every place of the list" for wrong in map(element, value) if wrong), "")


def _struct(value: Any, members: tuple[tuple[str, Problem], ...]) -> str:
    if not isinstance(value, dict) or set(value) != {name for name, _ in members}:
        return f"an object of {', '.join(name for name, _ in members)}"
    return next((f"{wrong} as {name}" for name, problem in members if (wrong := problem(value[name]))), "")


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."


def rows_of(batch: pa.RecordBatch, place: str) -> Iterator[dict[str, Any] | Violation]:
    """The rows of a batch as dictionaries; a violation in place of a row whose text is not Unicode. `place` names the batch."""
    try:
        yield from batch.to_pylist()
        return
    except UnicodeDecodeError:
        pass
    for number in range(batch.num_rows):
        try:
            yield from batch.slice(number, 1).to_pylist()
        except UnicodeDecodeError as error:
            yield Violation(f"{place}, row {number}", TYPES, f"a text is not valid UTF-8: {error.reason}")
