"""Rows in every form that a program has, and results in the same form."""

from collections.abc import Callable
from typing import Any

import datasets
import pyarrow as pa
import pytest

from stackfim.tables import read_rows

ROWS: list[dict[str, Any]] = [{"content": "x = 1", "stars": 3}, {"content": "y = 2", "stars": None}]


def as_batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows)


def from_columns(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.table(columns).to_pylist()
    return rows


FORMS: dict[str, tuple[Callable[[list[dict[str, Any]]], Any], Callable[[Any], list[dict[str, Any]]]]] = {
    "list": (list, list),
    "table": (pa.Table.from_pylist, pa.Table.to_pylist),
    "batch": (as_batch, pa.RecordBatch.to_pylist),
    "dataset": (datasets.Dataset.from_list, datasets.Dataset.to_list),
    "columns": (lambda rows: pa.Table.from_pylist(rows).to_pydict(), from_columns),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_goes_in_comes_back_in_the_same_form(name: str) -> None:
    make, as_dicts = FORMS[name]
    rows = make(ROWS)
    table, like_given = read_rows(rows)
    assert table.to_pylist() == ROWS
    for part in (table, table.slice(1), table.slice(0, 0)):
        back = like_given(part)
        assert type(back) is type(rows)
        assert as_dicts(back) == part.to_pylist()


def test_a_stream_gives_lists_of_dicts() -> None:
    stream = datasets.Dataset.from_list(ROWS).to_iterable_dataset()
    table, like_given = read_rows(stream)
    assert like_given(table) == ROWS
    assert read_rows(row for row in ROWS)[0].to_pylist() == ROWS


def test_dicts_may_have_different_keys() -> None:
    table, _ = read_rows([{"a": 1}, {"b": 2}, {}])
    assert table.to_pylist() == [{"a": 1, "b": None}, {"a": None, "b": 2}, {"a": None, "b": None}]


@pytest.mark.parametrize(
    ("rows", "message"),
    [("x = 1", "got str"), (b"x", "got bytes"), (3, "got int"), ([{"a": 1}, "b"], "row 1 is a str, expected a dict")],
)
def test_what_are_no_rows_is_an_error_that_names_them(rows: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        read_rows(rows)
