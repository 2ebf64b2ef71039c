"""Lists of licenses that are written as text: in brackets, as JSON or as Python shows a list, or one on each line."""

import json
from typing import Any

_BRACKETS = {"[": "]", "{": "}"}
_KEYS = ("spdx_id", "type", "name", "key", "license", "url")
"""Where objects that stand for a license have its name: GitHub's, npm's old ones, those of package databases."""
_MAX_LINE_CHARS = 100
"""A longer line is no name but text."""


def written_list(text: str) -> list[str] | None:
    """The entries of a list that is written as text; None where the text is no list.

    An entry without a name is an empty string, so that a list of which a part cannot be read is not taken for the rest of it.
    """
    if "\n" in text or "\r" in text:
        lines = [line.strip(" \t*-•") for line in text.splitlines() if line.strip()]
        return lines if all(len(line) <= _MAX_LINE_CHARS for line in lines) else [""]
    if len(text) < 2 or _BRACKETS.get(text[0]) != text[-1]:
        return None
    for form in (text, text.replace("'", '"')):
        try:
            return _entries(json.loads(form))
        except (ValueError, RecursionError):
            continue
    return [entry.strip().strip("\"'").strip() for entry in text[1:-1].replace(";", ",").split(",")]


def _entries(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for entry in value for name in _entries(entry)] or [""]
    if isinstance(value, dict):
        value = next((value[key] for key in _KEYS if isinstance(value.get(key), str)), "")
    return [value if isinstance(value, str) else ""]
