"""How parquet columns are decoded within bounds, by what the footer says of them.

A footer counts a value of a dictionary once, however many rows have it, so its sizes say little of what decoding takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow.parquet as pq

from stackfim.pipeline.sources.rows import needed_columns
from stackfim.pipeline.sources.source import BATCH_BYTES, BATCH_ROWS

_LIST_VALUES = 1 << 18
"""Values of a list column that are decoded at once, all rows together."""
_LIST_BYTES = 256 << 20
"""Bytes of them, should each be as large as all that is stored of the column."""


@dataclass(frozen=True)
class StoredColumn:
    """What the footer says of a column in a run of row groups, all of them together."""

    values: int
    size_bytes: int
    """Uncompressed, where a value of a dictionary counts once."""
    is_repeated_text: bool
    """Whether it is text with a dictionary."""
    is_list: bool


def stored_columns(
    metadata: pq.FileMetaData, first: int, end: int, resolved: Mapping[str, str]
) -> dict[str, StoredColumn]:
    """The needed columns by their paths, in a fixed order."""
    needed = set(needed_columns(resolved))
    found: dict[str, StoredColumn] = {}
    for group in range(first, end):
        for index in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(index)
            path = chunk.path_in_schema
            if path.partition(".")[0] in needed:
                known = found.get(path, StoredColumn(0, 0, False, "." in path))
                is_repeated = chunk.physical_type == "BYTE_ARRAY" and chunk.has_dictionary_page
                found[path] = StoredColumn(
                    known.values + chunk.num_values,
                    known.size_bytes + chunk.total_uncompressed_size,
                    known.is_repeated_text or is_repeated,
                    known.is_list,
                )
    return found


def to_dictionaries(columns: Mapping[str, StoredColumn]) -> list[str]:
    """The columns to read as dictionaries; Arrow cannot do that inside lists."""
    return [path for path, column in columns.items() if column.is_repeated_text and not column.is_list]


def batch_rows(rows: int, columns: Mapping[str, StoredColumn]) -> int:
    """How many of the rows to decode at once for about BATCH_BYTES of each column; at most BATCH_ROWS.

    A list is decoded in full, so that each of its values may be as large as all that is stored of it.
    """
    fitting = BATCH_ROWS
    for column in columns.values():
        fitting = min(fitting, BATCH_BYTES * rows // max(1, column.size_bytes))
        if column.is_list:
            values = min(
                _LIST_VALUES, _LIST_BYTES // max(1, column.size_bytes) if column.is_repeated_text else _LIST_VALUES
            )
            fitting = min(fitting, values * rows // max(1, column.values))
    return max(1, fitting)
