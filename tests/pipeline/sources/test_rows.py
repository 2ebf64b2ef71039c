"""Batches of other schemas become rows: columns renamed, content hashed as git does, cut to size, broken rows rejected."""

import hashlib
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.pipeline.sources import SourceError
from stackfim.pipeline.sources.rows import checked_columns, cut_points, first_rows, git_blob_ids, source_batches
from stackfim.pipeline.sources.source import BATCH_BYTES, BATCH_ROWS
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.source import ROW, THE_STACK, git_blob_id, resolve_columns


def batch(**columns: Any) -> pa.RecordBatch:
    """One row for each content, with plain values in the columns that are not given."""
    count = len(columns["content"])
    plain = {
        "lang": ["Python"] * count,
        "repository": ["o/n"] * count,
        "path": ["p"] * count,
        "license": ["MIT"] * count,
    }
    return pa.RecordBatch.from_pydict({**plain, **columns})


def convert(foreign: pa.RecordBatch) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    rejections: list[dict[str, Any]] = []
    for piece in source_batches(foreign, resolve_columns(foreign.schema.names, {})):
        assert piece.rows.schema.equals(ROW, check_metadata=True)
        assert piece.rejections.schema.equals(REJECTION, check_metadata=True)
        piece.rows.validate(full=True)
        rows += piece.rows.to_pylist()
        rejections += piece.rejections.to_pylist()
    return rows, rejections


@given(st.lists(st.one_of(st.none(), st.binary(max_size=200)), max_size=20), st.integers(0, 5))
def test_every_value_has_the_id_of_git_also_in_a_slice(values: list[bytes | None], start: int) -> None:
    content = pa.array(values, pa.binary()).slice(start)
    expected = [
        None if value is None else hashlib.sha1(b"blob %d\0" % len(value) + value).hexdigest()
        for value in values[start:]
    ]
    assert git_blob_ids(content).to_pylist() == expected


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_id_is_the_one_that_git_computes(tmp_path: Path) -> None:
    data = b"line\r\n\xff\xfe no text \0"
    (tmp_path / "file").write_bytes(data)
    hashed = subprocess.run(
        ["git", "hash-object", "--no-filters", "file"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert git_blob_id(data) == hashed.stdout.strip()


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 10), st.integers(1, 100))
def test_pieces_are_within_both_limits_or_one_larger_row_and_none_could_be_longer(
    sizes: list[int], max_rows: int, max_bytes: int
) -> None:
    points = cut_points(np.array(sizes, np.int64), max_rows, max_bytes)
    assert points[0] == 0
    assert points[-1] == len(sizes)
    for start, end in pairwise(points):
        piece = sizes[start:end]
        assert 0 < len(piece) <= max_rows
        assert sum(piece) <= max_bytes or len(piece) == 1
        if end < len(sizes) and len(piece) < max_rows:
            assert sum(piece) + sizes[end] > max_bytes


def test_large_content_is_cut_and_one_larger_row_goes_alone() -> None:
    third = b"x" * (BATCH_BYTES // 3)
    huge = b"y" * (BATCH_BYTES + 1)
    foreign = batch(content=[third, third, third, third, huge, b"z"])
    pieces = list(source_batches(foreign, resolve_columns(foreign.schema.names, {})))
    assert [piece.rows.num_rows for piece in pieces] == [3, 1, 1, 1]
    many = batch(content=[b""] * (2 * BATCH_ROWS + 1))
    pieces = list(source_batches(many, resolve_columns(many.schema.names, {})))
    assert [piece.rows.num_rows for piece in pieces] == [BATCH_ROWS, BATCH_ROWS, 1]


def test_content_keeps_its_bytes_whatever_they_are() -> None:
    raw = pa.array([b"\xff\xfe\0\r\n", b""], pa.binary())
    for content in (raw, raw.view(pa.string()), raw.cast(pa.large_binary()), raw.cast(pa.binary_view())):
        rows, rejections = convert(batch(content=content))
        assert [row["content"] for row in rows] == raw.to_pylist()
        assert rows[0]["source_id"] == rows[0]["content_id"] == git_blob_id(b"\xff\xfe\0\r\n")
        assert rejections == []


@pytest.mark.parametrize(
    "type_", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_text_columns_may_be_of_any_string_type(type_: pa.DataType) -> None:
    values = {"content": ["a", "b"], "lang": ["Go", None], "license": ["MIT", None]}
    foreign = batch(**{name: pa.array(column).cast(type_) for name, column in values.items()})
    checked_columns(foreign.schema, {}, "x")
    rows, _ = convert(foreign)
    assert [row["language"] for row in rows] == ["Go", ""]
    assert [row["licenses"] for row in rows] == [["MIT"], []]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7, None], [7, None]),
        ([7.0, float("nan")], [7, None]),
        ([float("inf"), 0.0], [None, 0]),
        ([None, None], [None, None]),
    ],
)
def test_counts_may_be_whole_or_floating_numbers_or_nothing(values: list[Any], expected: list[Any]) -> None:
    rows, _ = convert(batch(content=["a", "b"], stars=values))
    assert [row["stars"] for row in rows] == expected
    assert [row["forks"] for row in rows] == [None, None]


@pytest.mark.parametrize(
    "licenses",
    [
        [["MIT", "ISC"], [], None],
        [["MIT", None, "ISC"], [" "], None],
        [{"list": [{"item": "MIT"}, {"item": "ISC"}]}, {"list": []}, None],
        [[{"element": "MIT"}, {"element": "ISC"}], [], None],
    ],
)
def test_license_lists_of_every_published_form_are_read(licenses: list[Any]) -> None:
    rows, _ = convert(batch(content=["a", "b", "c"], license=licenses))
    assert [row["licenses"] for row in rows] == [["MIT", "ISC"], [], []]


def test_rows_without_content_repository_or_path_are_rejections_that_say_which_column() -> None:
    rows, rejections = convert(
        batch(
            content=["kept", None, "c", "d", None],
            repository=["o/n", "o/n", None, "o/n", None],
            path=["a", "b", "c", "", None],
        )
    )
    assert [row["content"] for row in rows] == [b"kept"]
    assert [(r["reason"], r["repository"], r["path"]) for r in rejections] == [
        ("missing_content", "o/n", "b"),
        ("missing_repository", "", "c"),
        ("missing_path", "o/n", ""),
        ("missing_content", "", ""),
    ]
    assert {(r["unit"], r["stage"]) for r in rejections} == {("file", "read")}
    assert [r["content_id"] for r in rejections] == ["", git_blob_id(b"c"), git_blob_id(b"d"), ""]
    assert "column repository" in rejections[1]["detail"]


def test_text_that_is_not_utf8_rejects_its_row_alone() -> None:
    broken = pa.array([b"fine", b"\xff", b"also fine"], pa.binary()).view(pa.string())
    for name in ("path", "repository", "lang", "license"):
        rows, rejections = convert(batch(content=["a", "b", "c"], **{name: broken}))
        assert [row["content"] for row in rows] == [b"a", b"c"], name
        assert [(r["reason"], r["content_id"]) for r in rejections] == [("text_not_utf8", git_blob_id(b"b"))]
        assert name in rejections[0]["detail"]
    nested = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3]), broken)
    rows, rejections = convert(batch(content=["a", "b", "c"], license=nested))
    assert [row["licenses"] for row in rows] == [["fine"], ["also fine"]]
    assert [r["path"] for r in rejections] == ["p"], "the other columns of the row are kept"


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.binary(max_size=20)),
            st.one_of(st.none(), st.binary(max_size=5)),
            st.one_of(st.none(), st.binary(max_size=5)),
        ),
        max_size=12,
    )
)
def test_every_row_is_a_row_or_a_rejection_whatever_the_bytes(cells: list[tuple[Any, Any, Any]]) -> None:
    columns = [pa.array([cell[index] for cell in cells], pa.binary()).view(pa.string()) for index in range(3)]
    foreign = batch(content=columns[0], repository=columns[1], path=columns[2])
    rows, rejections = convert(foreign)
    assert len(rows) + len(rejections) == len(cells)


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("content", [1, 2], "cannot be the content"),
        ("license", [1, 2], "list of strings"),
        ("license", [[1], [2]], "list of strings"),
        ("stars", ["many", "few"], "expected a number"),
        ("path", [["a"], ["b"]], "cannot be the path"),
    ],
)
def test_columns_of_an_impossible_type_are_named(column: str, values: list[Any], expected: str) -> None:
    foreign = batch(**{"content": ["a", "b"], column: values})
    with pytest.raises(SourceError, match=expected) as raised:
        checked_columns(foreign.schema, {}, "the/place")
    assert str(raised.value).startswith("the/place: ")
    assert column in str(raised.value)


def test_the_stack_s_columns_and_the_short_form_are_both_complete() -> None:
    stack = checked_columns(THE_STACK, {}, "x")
    assert stack["path"] == "max_stars_repo_path"
    assert stack["forks"] == "max_forks_count"
    short = checked_columns(batch(content=["a"]).schema, {}, "x")
    assert set(short) == {"content", "language", "repository", "path", "licenses"}
    with pytest.raises(SourceError, match="no column for path"):
        checked_columns(batch(content=["a"]).drop_columns(["path"]).schema, {}, "x")


@given(st.lists(st.integers(0, 5), max_size=8), st.integers(0, 30))
def test_first_rows_takes_exactly_the_wanted_number_and_no_batch_beyond(lengths: list[int], wanted: int) -> None:
    taken = 0

    def batches() -> Any:
        nonlocal taken
        for length in lengths:
            taken += length
            yield pa.record_batch({"n": list(range(length))}, schema=pa.schema([("n", pa.int64())]))

    given_rows = sum(piece.num_rows for piece in first_rows(batches(), wanted))
    assert given_rows == min(wanted, sum(lengths))
    assert taken - max(lengths, default=0) < max(wanted, 1)
