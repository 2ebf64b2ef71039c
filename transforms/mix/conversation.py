"""Instruction data in its published formats, as rows of one schema.

There are two kinds. In commits (CommitPackFT: Muennighoff et al. 2023, OctoPack) the message asks for a change of the old
contents, and the new contents are the answer. Prompts and responses are two columns with one of the names in common use.
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
"""Columns of instruction and answer, of which the first pair that a source has counts."""
LANGUAGE_COLUMNS = ("lang", "language", "programming_language")


def instruction_columns(names: Iterable[str]) -> tuple[str, str] | None:
    """The columns of instruction and answer among the columns `names` of a source; None for an unknown format."""
    present = set(names)
    if set(COMMIT_COLUMNS) <= present:
        return "message", "new_contents"
    return next((pair for pair in PAIRS if set(pair) <= present), None)


def conversations(rows: pa.RecordBatch, source: str, first_row: int, default_license: str = "") -> pa.RecordBatch:
    """Rows of a source as stackfim.schemas.mixed.CONVERSATION; missing texts are empty.

    Rows that name no license have the `default_license`. Raises ValueError for columns of an unknown format.
    """
    names = rows.schema.names
    pair = instruction_columns(names)
    if pair is None:
        known = ", ".join(f"{one} and {other}" for one, other in PAIRS)
        raise ValueError(f"columns are {', '.join(names)}; expected {', '.join(COMMIT_COLUMNS)}, or {known}")
    instruction, answer = pair
    is_commit = instruction == "message"
    instructions = _texts(rows, instruction)
    if is_commit:
        # The subject is the first line of the message, without the trailers at its end.
        instructions = [
            subject or message for subject, message in zip(_texts(rows, "subject"), instructions, strict=True)
        ]
    else:
        inputs = _texts(rows, "input")
        instructions = [f"{text}\n\n{more}" if more else text for text, more in zip(instructions, inputs, strict=True)]
    columns = [
        instructions,
        _texts(rows, "old_contents") if is_commit else [""] * rows.num_rows,
        _texts(rows, answer),
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
    """The user's turn: the instruction, and below it the code that it is about."""
    return f"{instruction}\n\n{code}" if code.strip() else instruction


def _texts(rows: pa.RecordBatch, name: str) -> list[str]:
    """A column of texts, which are empty where the column is missing or a value is null."""
    if name not in rows.schema.names:
        return [""] * rows.num_rows
    return [value if isinstance(value, str) else "" for value in rows.column(name).to_pylist()]


def _identity(*texts: str) -> str:
    content = "\0".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
