"""Instruction data in its published layouts, as rows of one schema.

Commits (CommitPackFT, Muennighoff et al. 2023, OctoPack): the message asks for the change, the old contents are what it is made
to, the new contents are the answer. Prompts and responses: two columns under one of the names in use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pyarrow as pa

from stackfim.schemas.mixed import CONVERSATION

COMMIT_COLUMNS = ("old_contents", "new_contents", "subject", "message", "license")
PAIRS = (
    ("prompt", "response"),
    ("prompt", "completion"),
    ("instruction", "response"),
    ("instruction", "output"),
    ("problem", "solution"),
    ("query", "answer"),
    ("question", "answer"),
)
"""Columns of instruction and answer, the first that a source has."""
LANGUAGE_COLUMNS = ("lang", "language", "programming_language")


def layout_of(names: Iterable[str]) -> tuple[str, str] | None:
    """Columns of instruction and answer of a source with columns `names`; None where no layout fits."""
    there = set(names)
    if set(COMMIT_COLUMNS) <= there:
        return "message", "new_contents"
    return next((pair for pair in PAIRS if set(pair) <= there), None)


def conversations(rows: pa.RecordBatch, source: str, first_row: int, default_license: str = "") -> pa.RecordBatch:
    """Rows of a source as stackfim.schemas.mixed.CONVERSATION; missing texts are empty.

    `default_license` is that of rows which name none. Raises ValueError for columns of no known layout.
    """
    names = rows.schema.names
    layout = layout_of(names)
    if layout is None:
        known = ", ".join(f"{one} and {other}" for one, other in PAIRS)
        raise ValueError(f"columns are {', '.join(names)}; expected {', '.join(COMMIT_COLUMNS)}, or {known}")
    is_commit = layout[0] == "message"
    instructions = _texts(rows, "message" if is_commit else layout[0])
    if is_commit:
        # The subject is the message's first line, without the trailers that follow.
        instructions = [
            subject or message for subject, message in zip(_texts(rows, "subject"), instructions, strict=True)
        ]
    else:
        inputs = _texts(rows, "input")
        instructions = [f"{text}\n\n{more}" if more else text for text, more in zip(instructions, inputs, strict=True)]
    columns = [
        instructions,
        _texts(rows, "old_contents") if is_commit else [""] * rows.num_rows,
        _texts(rows, layout[1]),
    ]
    language = next((name for name in LANGUAGE_COLUMNS if name in names), "")
    ids = [_identity(*texts) for texts in zip(*columns, strict=True)]
    columns += [
        _texts(rows, language),
        [text or default_license for text in _texts(rows, "license")],
        [source] * rows.num_rows,
        [str(first_row + number) for number in range(rows.num_rows)],
        ids,
    ]
    return pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in columns], schema=CONVERSATION)


def query_of(instruction: str, code: str) -> str:
    """What the user says: the instruction, and under it the code that it is about."""
    return f"{instruction}\n\n{code}" if code.strip() else instruction


def _texts(rows: pa.RecordBatch, name: str) -> list[str]:
    """A column of texts; empty ones where it is missing or null."""
    if name not in rows.schema.names:
        return [""] * rows.num_rows
    return [value if isinstance(value, str) else "" for value in rows.column(name).to_pylist()]


def _identity(*texts: str) -> str:
    content = "\0".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
