"""JSON records that a folder holds, such as its manifest: typed, frozen, and refused in plain words when a member is wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

_LIMIT = 2**63
_SHOWN_CHARS = 80
_COUNT = f"a whole number from 0 to {_LIMIT - 1}"
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "greater_than_equal": _COUNT,
    "less_than": _COUNT,
    "float_type": "a number",
    "finite_number": "a finite number",
    "dict_type": "an object",
    "model_type": "an object",
    "tuple_type": "a list",
}
"""What the fields of records expect, by the kind of error that pydantic gives."""


class RecordMismatch(ValueError):
    """A text is not the record that was expected; the message names the member, its value and what was expected."""


class Record(BaseModel):
    """A JSON object with a fixed set of members, none of them converted from another type."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @classmethod
    def from_json(cls, text: bytes | str) -> Self:
        """The record in a JSON text. Raises RecordMismatch for any other text."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            problems = error.errors(include_url=False)
            raise RecordMismatch("; ".join(_in_words(problem, cls) for problem in problems)) from error

    def to_json(self) -> bytes:
        """The record as JSON with sorted keys, so that equal records are equal bytes.

        Raises UnicodeEncodeError where a text is not valid Unicode.
        """
        return (json.dumps(self.model_dump(), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


class FileRecord(Record):
    """A file that was written."""

    path: str
    """Path in the folder, with forward slashes."""
    size_bytes: Count
    """Size of the file."""
    sha256: str
    """SHA-256 of its bytes, 64 hex digits."""


class Report(Record):
    """What a finished folder says about itself. It is written last: a folder that has it is complete."""

    version: str
    """Version of stackfim that made the folder."""
    run_key: str
    """SHA-256 of input, settings and versions, 64 hex digits: equal runs have equal keys."""
    files: tuple[FileRecord, ...]
    """All files but this one and the card, in order of path."""


def _checked(members: dict[str, Any]) -> dict[str, Any]:
    """The same members. Raises ValueError for a value that some JSON readers would not take as it is."""
    for place, value in _leaves("", members):
        expected = _expected(value)
        if expected:
            raise ValueError(f"{place} is {_shown(value)}, expected {expected}")
    return members


def _expected(value: object) -> str:
    """What was expected in place of `value`; empty for one that is right."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else "a finite number"
    if isinstance(value, int):
        return "" if -_LIMIT <= value < _LIMIT else "a whole number of 64 bits"
    return "" if value is None or isinstance(value, str) else "a JSON value"


def _leaves(place: str, value: object) -> Iterator[tuple[str, object]]:
    """Every value that holds no others, with its place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{place}.{key}", inner)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _leaves(f"{place}[{index}]", inner)
    else:
        yield place, value


Count = Annotated[int, Field(ge=0, lt=_LIMIT)]
"""A whole number that 64 bits hold, 0 or more."""

Counts = dict[str, Count]
"""Counts by name."""

JsonObject = Annotated[dict[str, Any], AfterValidator(_checked)]
"""An object whose layout is another module's: any JSON values with finite numbers, whole ones of 64 bits."""


def _in_words(problem: ErrorDetails, kind: type[Record]) -> str:
    """One error of pydantic as a sentence of ours."""
    place = _place(problem["loc"])
    match problem["type"]:
        case "json_invalid":
            return f"not JSON: {problem['ctx']['error']}"
        case "missing":
            return f"{place} is missing"
        case "extra_forbidden":
            known = ", ".join(kind.model_fields) if len(problem["loc"]) == 1 else "only the members of its layout"
            return f"{place} is not known, expected {known}"
        case "value_error":
            return f"{place}{problem['ctx']['error']}"
        case "literal_error":
            return f"{place} is {_shown(problem['input'])}, expected {problem['ctx']['expected']}"
    return f"{place or 'the text'} is {_shown(problem['input'])}, expected {_EXPECTED[problem['type']]}"


def _place(location: tuple[int | str, ...]) -> str:
    """A member by its path, such as `files[0].path`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."


FileRecord.model_rebuild()
