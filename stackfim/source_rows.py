"""Rows of the pipeline (schemas.source.ROW) from the rows that a program has, and where each of them came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackfim.pipeline.sources.rows import source_batch_with_places
from stackfim.schemas.rejection import concatenate
from stackfim.schemas.source import CANDIDATES, ROW, resolve_columns
from stackfim.tables import read_rows
from stackfim.transforms.languages import LANGUAGES, language_name
from stackfim.transforms.record_batches import single_batch
from stackfim.transforms.setting_checks import known_names

REPOSITORY = "local"
"""Repository of rows that name none."""


class SourceRows(NamedTuple):
    """What a program's rows are to the pipeline."""

    given: pa.Table
    """The rows as they came, with all of their columns."""
    columns: dict[str, str]
    """Which of the given columns is which column of ROW; those that were filled in are not there."""
    rows: pa.RecordBatch
    """schemas.source.ROW of the rows that can be used, in order, with `place` behind: the row's number among the given."""
    rejections: pa.RecordBatch
    """schemas.rejection.REJECTION of the others, such as rows without content."""
    like_given: Callable[[pa.Table], Any]
    """Gives a table back in the form in which the rows came."""


def source_rows(rows: Any, language: str | None, *, needs_language: bool = True) -> SourceRows:
    """Reads rows of any form (see `stackfim.tables`).

    A row needs its text, in a column `content`. Repository, path, licenses, revision, stars and forks may be missing, or
    have one of the names that The Stack gives them. `language` is that of all rows; None where a column has it.
    Without `needs_language` rows may have none. Raises ValueError for rows without content or language.
    """
    given, like_given = read_rows(rows)
    columns = {
        name: found
        for name, candidates in CANDIDATES.items()
        if (found := next((name for name in candidates if name in given.column_names), None)) is not None
    }
    if "content" not in columns:
        raise ValueError(f"rows need a column `content`, got the columns {', '.join(given.column_names) or 'none'}")
    table = given.select(dict.fromkeys(columns.values()))
    if language is not None:
        columns.pop("language", None)
        table = table.append_column("stackfim:language", pa.repeat(known_language(language), given.num_rows))
    elif "language" not in columns and needs_language:
        raise ValueError(f"rows need a column `language` or `lang`, or the argument language; got {given.column_names}")
    count = given.num_rows
    filled = {
        "repository": pa.repeat(REPOSITORY, count),
        "path": pa.array([f"row-{place}" for place in range(count)], pa.string()),
        "licenses": pa.array([[]] * count, ROW.field("licenses").type),
    }
    mapping = dict(columns) | ({"language": "stackfim:language"} if language is not None else {})
    if "language" not in mapping:
        filled["language"] = pa.repeat("", count)
    for name, values in filled.items():
        given_values = table.column(columns[name]) if name in columns else None
        if given_values is None or _has_gaps(given_values):
            column = values if given_values is None else pc.coalesce(given_values, values)
            table = table.append_column(f"stackfim:{name}", column)
            mapping[name] = f"stackfim:{name}"
    resolved = resolve_columns(table.column_names, mapping)
    parts, rejected, places = [], [], []
    start = 0
    for piece in table.to_batches():
        batch, kept = source_batch_with_places(piece, resolved)
        parts.append(batch.rows)
        rejected.append(batch.rejections)
        places.append(kept + start)
        start += piece.num_rows
    usable = single_batch(pa.Table.from_batches(parts, ROW))
    place = np.concatenate([np.zeros(0, np.int64), *places])
    with_place = pa.RecordBatch.from_arrays(
        [*usable.columns, pa.array(place)], schema=ROW.append(pa.field("place", pa.int64(), nullable=False))
    )
    return SourceRows(given, columns, with_place, concatenate(rejected), like_given)


def _has_gaps(values: pa.ChunkedArray) -> bool:
    """Whether texts are missing in some rows, as where dicts have different keys."""
    return bool(values.null_count) and pa.types.is_string(values.type)


def known_language(name: str) -> str:
    """The table's name of a language. Raises ValueError for one that is not supported."""
    found = language_name(name)
    if found is None:
        raise ValueError(f"no such language: {name!r}{known_names(name, tuple(LANGUAGES))}")
    return found


def taken(source: SourceRows, rows: pa.RecordBatch) -> Any:
    """The given rows of which `rows` (with `place`) are left, with the languages that these have."""
    table = source.given.take(rows.column("place"))
    column = source.columns.get("language")
    if column is not None:
        at = table.schema.get_field_index(column)
        table = table.set_column(at, table.schema.field(at), rows.column("language").cast(table.schema.field(at).type))
    return source.like_given(table)
