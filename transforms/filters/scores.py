"""Every score of a batch as one table, so that thresholds can be moved without another run, and what each is held against.

A score belongs to a stage of the chain and to limits of `quality_limits`, or of the run's settings where a limit is the same
for all languages.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from stackfim.schemas.filter_score import FILTER_SCORE
from stackfim.transforms.filters.alphanumeric import alphanumeric_fraction
from stackfim.transforms.filters.comments import comment_scores
from stackfim.transforms.filters.data_files import data_scores
from stackfim.transforms.filters.encoded import encoded_data
from stackfim.transforms.filters.encoding import invalid_utf8_at
from stackfim.transforms.filters.generated import generated_by, vendored_by
from stackfim.transforms.filters.line_length import line_lengths
from stackfim.transforms.filters.markup import markup_scores
from stackfim.transforms.filters.number_tables import number_shares
from stackfim.transforms.filters.repetition import repetition
from stackfim.transforms.filters.size import size_bytes

_NAMES = ("repository", "path", "content_id", "language")


class Bounds(NamedTuple):
    """What a score is held against: names of limits, of the table or of the settings; empty for a rule that just applies."""

    stage: str
    minimum: str = ""
    maximum: str = ""


BOUNDS: dict[str, Bounds] = {
    "size_bytes": Bounds("size", maximum="max_size_bytes"),
    "vendored_by": Bounds("vendored"),
    "generated_by": Bounds("generated"),
    "max_line_chars": Bounds("line_length", maximum="max_line_chars"),
    "mean_line_chars": Bounds("line_length", maximum="max_mean_line_chars"),
    "long_line_share": Bounds("line_length", maximum="max_long_line_share"),
    "alphanumeric_fraction": Bounds("alphanumeric", minimum="min_alphanumeric_fraction"),
    "xml_declaration": Bounds("markup"),
    "text_chars": Bounds("markup", minimum="min_text_chars"),
    "text_share": Bounds("markup", minimum="min_text_share"),
    "chars": Bounds("data_file", minimum="min_chars", maximum="max_chars"),
    "letter_share": Bounds("data_file", minimum="min_letter_share"),
    "notebook_source_share": Bounds("data_file", minimum="min_notebook_source_share"),
    "encoded_bytes": Bounds("encoded_data", maximum="max_encoded_bytes"),
    "encoded_share": Bounds("encoded_data", maximum="max_encoded_share"),
    "digit_share": Bounds("numbers", maximum="max_digit_share"),
    "number_line_share": Bounds("numbers", maximum="max_number_line_share"),
    "comment_share": Bounds("comments", minimum="min_comment_share", maximum="max_comment_share"),
    "logic_lines": Bounds("comments", minimum="min_logic_lines"),
    "duplicate_line_share": Bounds("repetition", maximum="max_duplicate_line_share"),
    "top_ngram_share": Bounds("repetition", maximum="max_top_ngram_share"),
}
"""For each score of stackfim.schemas.filter_score.FILTER_SCORE, in its order."""


def quality_scores(rows: pa.RecordBatch) -> pa.RecordBatch:
    """A row of stackfim.schemas.filter_score.FILTER_SCORE for each row (stackfim.schemas.source.ROW), in order.

    Null where a score does not apply, where the content is not valid UTF-8 (its size apart), and in a file that cannot
    be measured.
    """
    valid = np.flatnonzero(invalid_utf8_at(rows.column("content")) < 0)
    measured = _scores(rows.take(pa.array(valid)))
    # Row of `measured` for each row, null for the others, which `take` gives null for.
    place: list[int | None] = [None] * rows.num_rows
    for number, row in enumerate(valid.tolist()):
        place[row] = number
    indices = pa.array(place, pa.int64())
    columns = [rows.column(name) for name in _NAMES]
    columns.append(pa.array(size_bytes(rows.column("content")), pa.int64()))
    columns += [measured[name].take(indices) for name in FILTER_SCORE.names[len(columns) :]]
    return pa.RecordBatch.from_arrays(columns, schema=FILTER_SCORE)


def _scores(rows: pa.RecordBatch) -> dict[str, pa.Array]:
    """The scores of rows of valid UTF-8 by name; where one fails on the batch, row by row."""
    found: dict[str, pa.Array] = {}
    for names, measure in _MEASURES:
        values = _measured(measure, rows, len(names))
        found |= {
            name: pa.array(column, FILTER_SCORE.field(name).type) for name, column in zip(names, values, strict=True)
        }
    return found


def _measured(
    measure: Callable[[pa.RecordBatch], tuple[Any, ...]], rows: pa.RecordBatch, width: int
) -> list[list[Any]]:
    try:
        return [[_or_null(value) for value in column] for column in measure(rows)]
    except Exception:
        if rows.num_rows == 1:
            return [[None]] * width
    parts = [_measured(measure, rows.slice(row, 1), width) for row in range(rows.num_rows)]
    return [[part[place][0] for part in parts] for place in range(width)]


def _or_null(value: Any) -> Any:
    """A plain value; null for the -1 of a score that does not apply."""
    plain = value.item() if isinstance(value, np.generic) else value
    return None if not isinstance(plain, str | bool) and plain < 0 else plain


def _languages(rows: pa.RecordBatch) -> list[str]:
    return rows.column("language").to_pylist()


def _comments(rows: pa.RecordBatch) -> tuple[Any, ...]:
    scores = comment_scores(rows.column("content"), _languages(rows))
    return scores.share, scores.logic_lines


_MEASURES: tuple[tuple[tuple[str, ...], Callable[[pa.RecordBatch], tuple[Any, ...]]], ...] = (
    (("vendored_by",), lambda rows: (vendored_by(rows),)),
    (("generated_by",), lambda rows: (generated_by(rows),)),
    (("max_line_chars", "mean_line_chars", "long_line_share"), lambda rows: line_lengths(rows.column("content"))),
    (("alphanumeric_fraction",), lambda rows: (alphanumeric_fraction(rows.column("content")),)),
    (
        ("xml_declaration", "text_chars", "text_share"),
        lambda rows: markup_scores(rows.column("content"), _languages(rows)),
    ),
    (
        ("chars", "letter_share", "notebook_source_share"),
        lambda rows: data_scores(rows.column("content"), _languages(rows)),
    ),
    (("encoded_bytes", "encoded_share"), lambda rows: encoded_data(rows.column("content"))),
    (("digit_share", "number_line_share"), lambda rows: number_shares(rows.column("content"))),
    (("comment_share", "logic_lines"), _comments),
    (("duplicate_line_share", "top_ngram_share"), lambda rows: repetition(rows.column("content"))),
)
