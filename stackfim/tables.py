"""What the functions of this package take and give: Arrow tables, `datasets.Dataset`, columns or rows as dicts.

Every form is read into one Arrow table, and a result goes back in the form that the rows came in.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pyarrow as pa

from stackfim.transforms.record_batches import single_batch


def read_rows(rows: Any) -> tuple[pa.Table, Callable[[pa.Table], Any]]:
    """The rows as a table, and a function that gives a table back in the form of `rows`.

    An Arrow table gives tables, a record batch batches, a `datasets.Dataset` Datasets, a dict of columns dicts of
    columns; a list, and any other iterable of dicts such as a streamed `IterableDataset`, gives lists of dicts.
    Raises TypeError for anything else, naming what it got.
    """
    if isinstance(rows, pa.Table):
        return rows, lambda table: table
    if isinstance(rows, pa.RecordBatch):
        return pa.Table.from_batches([rows]), single_batch
    datasets = sys.modules.get("datasets")  # no Dataset exists before its library was imported
    if datasets is not None and isinstance(rows, datasets.Dataset):
        return rows.with_format("arrow")[:], lambda table: datasets.Dataset(datasets.table.InMemoryTable(table))
    if isinstance(rows, Mapping):
        return pa.table(dict(rows)), pa.Table.to_pydict
    if isinstance(rows, Iterable) and not isinstance(rows, str | bytes):
        return _table_of_dicts(rows), pa.Table.to_pylist
    raise TypeError(
        f"rows are an Arrow table, a datasets.Dataset, a dict of columns or dicts, got {type(rows).__name__}"
    )


def _table_of_dicts(rows: Iterable[Any]) -> pa.Table:
    """A table with the columns of all rows, in the order in which they first come; null where a row has no such key."""
    given = list(rows)
    for place, row in enumerate(given):
        if not isinstance(row, Mapping):
            raise TypeError(f"row {place} is a {type(row).__name__}, expected a dict of column names and values")
    names = dict.fromkeys(name for row in given for name in row)
    return pa.table({name: [row.get(name) for row in given] for name in names})
