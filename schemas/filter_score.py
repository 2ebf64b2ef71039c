"""What the filters measured of a file: a row for every file that was read, kept or not.

The first columns name the file; each filter describes those of its scores (stackfim.transforms.filters.filter_list).
"""

from collections.abc import Iterable

import pyarrow as pa

from stackfim.schemas.column import column

FILE_COLUMNS = (
    column("repository", pa.string(), "Repository of the file."),
    column("path", pa.string(), "Path of the file."),
    column("content_id", pa.string(), "Git blob SHA-1 of the bytes read, 40 hex digits."),
    column("language", pa.string(), "Programming language, as the filters take it."),
)
"""Columns of a source row (stackfim.schemas.source.ROW) that name the file."""


def score_column(name: str, type_: pa.DataType, description: str) -> pa.Field:
    """The column of a score: null where it does not apply, and in files that are not valid UTF-8."""
    return column(name, type_, description, nullable=True)


def filter_score_schema(scores: Iterable[pa.Field]) -> pa.Schema:
    """The schema of score files with these columns of scores, in order."""
    return pa.schema([*FILE_COLUMNS, *scores])
