"""Instruction data in its published formats, as rows of one schema.

There are three kinds. In commits (CommitPackFT: Muennighoff et al. 2023, OctoPack) the message asks for a change of the old
contents, and the new contents are the answer. Prompts and responses are two columns with one of the names in common use.
Conversations are one column of turns (stackfim.transforms.mix.turns).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import asdict

import pyarrow as pa

from stackfim.schemas.mixed import CONVERSATION
from stackfim.transforms.mix.turns import TURN_COLUMNS, Exchange, last_exchange

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
    """The columns of instruction and answer among the columns `names` of a source; None where there are none."""
    present = set(names)
    if set(COMMIT_COLUMNS) <= present:
        return "message", "new_contents"
    return next((pair for pair in PAIRS if set(pair) <= present), None)


def turn_column(names: Iterable[str]) -> str | None:
    """The column of turns among the columns `names` of a source; None where there is none."""
    return next((name for name in TURN_COLUMNS if name in names), None)


def check_columns(names: Collection[str]) -> None:
    """Raises ValueError for the columns of a format that is not known."""
    if instruction_columns(names) is None and turn_column(names) is None:
        known = ", ".join(f"{one} and {other}" for one, other in PAIRS)
        expected = f"{', '.join(COMMIT_COLUMNS)}, or {known}, or one of {', '.join(TURN_COLUMNS)}"
        raise ValueError(f"columns are {', '.join(names)}; expected {expected}")


def conversations(rows: pa.RecordBatch, source: str, first_row: int, default_license: str = "") -> pa.RecordBatch:
    """Rows of a source as stackfim.schemas.mixed.CONVERSATION; missing texts are empty.

    Rows that name no license have the `default_license`. Raises ValueError for columns of an unknown format.
    """
    names = rows.schema.names
    check_columns(names)
    exchanges = _exchanges(rows)
    language = next((name for name in LANGUAGE_COLUMNS if name in names), "")
    columns = {
        "before": [[asdict(turn) for turn in exchange.before] for exchange, _ in exchanges],
        "instruction": [exchange.question for exchange, _ in exchanges],
        "code": [code for _, code in exchanges],
        "response": [exchange.answer for exchange, _ in exchanges],
        "language": _texts(rows, language),
        "license": [text or default_license for text in _texts(rows, "license")],
        "repository": [source] * rows.num_rows,
        "path": [str(first_row + number) for number in range(rows.num_rows)],
        "content_id": [_identity(exchange, code) for exchange, code in exchanges],
    }
    arrays = [pa.array(columns[field.name], field.type) for field in CONVERSATION]
    return pa.RecordBatch.from_arrays(arrays, schema=CONVERSATION)


_NOTHING = Exchange((), "", "")


def _exchanges(rows: pa.RecordBatch) -> list[tuple[Exchange, str]]:
    """Of each row what is asked and answered, and the code that it is about."""
    pair = instruction_columns(rows.schema.names)
    turns = turn_column(rows.schema.names)
    if pair is None and turns is not None:
        return [(last_exchange(value) or _NOTHING, "") for value in rows.column(turns).to_pylist()]
    assert pair is not None
    instructions, answers = _texts(rows, pair[0]), _texts(rows, pair[1])
    if pair[0] == "message":
        # The subject is the first line of the message, without the trailers at its end.
        asked = [subject or message for subject, message in zip(_texts(rows, "subject"), instructions, strict=True)]
        codes = _texts(rows, "old_contents")
    else:
        inputs = _texts(rows, "input")
        asked = [f"{text}\n\n{more}" if more else text for text, more in zip(instructions, inputs, strict=True)]
        codes = [""] * rows.num_rows
    found = zip(asked, answers, codes, strict=True)
    return [(Exchange((), question, answer), code) for question, answer, code in found]


def query_of(instruction: str, code: str) -> str:
    """The user's turn: the instruction, and below it the code that it is about."""
    return f"{instruction}\n\n{code}" if code.strip() else instruction


def _texts(rows: pa.RecordBatch, name: str) -> list[str]:
    """A column of texts, which are empty where the column is missing or a value is null."""
    if name not in rows.schema.names:
        return [""] * rows.num_rows
    return [value if isinstance(value, str) else "" for value in rows.column(name).to_pylist()]


def _identity(exchange: Exchange, code: str) -> str:
    before = [text for turn in exchange.before for text in (turn.role, turn.content)]
    content = "\0".join((*before, exchange.question, code, exchange.answer)).encode("utf-8", "surrogatepass")
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
