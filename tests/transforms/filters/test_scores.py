"""What filters measure, against slow and plain references, on whole arrays and on slices of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.filters.alphanumeric import alphanumeric_fraction
from stackfim.transforms.filters.encoding import invalid_utf8_at, nul_count
from stackfim.transforms.filters.line_length import line_lengths
from stackfim.transforms.filters.size import size_bytes
from stackfim.transforms.filters.text import characters, text_of

if TYPE_CHECKING:
    from tests.fixture_types import SourceFile


def reference_lines(text: str) -> list[str]:
    """The lines of a text, which end at LF or CRLF and nowhere else, without their breaks."""
    if not text:
        return []
    lines = text.split("\n")
    closed = lines[:-1]
    return [line.removesuffix("\r") for line in closed] + ([lines[-1]] if lines[-1] else [])


def alphanumeric(text: str) -> float:
    """Share of the visible characters that are letters or digits."""
    visible = [character for character in text if character not in " \t\r\n\x0b\x0c"]
    return sum(map(str.isalnum, visible)) / max(len(visible), 1)


def texts(column: pa.Array) -> list[str]:
    return [value.decode("utf-8") for value in column.to_pylist()]


@given(st.data())
def test_line_lengths_are_those_of_the_lines_in_characters(
    text_columns: st.SearchStrategy[pa.Array], data: st.DataObject
) -> None:
    column = data.draw(text_columns)
    if not any(column.to_pylist()):
        return  # see test_line_lengths_of_nothing_but_empty_rows
    found = line_lengths(column)
    lines = [reference_lines(text) for text in texts(column)]
    assert found.longest.tolist() == [max(map(len, row), default=0) for row in lines]
    expected = [sum(map(len, row)) / len(row) if row else 0.0 for row in lines]
    assert found.mean.tolist() == pytest.approx(expected, rel=1e-12)
    long = [sum(len(line) for line in row if len(line) > 3) / max(sum(map(len, row)), 1) for row in lines]
    assert line_lengths(column, 3).long_share.tolist() == pytest.approx(long, rel=1e-12)
    assert (found.longest.dtype, found.mean.dtype) == (np.dtype(np.int64), np.dtype(np.float64))


@pytest.mark.parametrize(
    ("content", "longest", "mean"),
    [
        ("", 0, 0),
        ("\n", 0, 0),
        ("\r\n", 0, 0),
        ("abc", 3, 3),
        ("abc\n", 3, 3),
        ("abc\r\n", 3, 3),
        ("abc\r", 4, 4),
        ("ab\nabcd", 4, 3),
        ("ab\r\n\r\nabcd\r\n", 4, 2),
        ("日本語\néé", 3, 2.5),
        ("a\u2028b\x0cc", 5, 5),
        ("a\rb", 3, 3),
    ],
)
def test_a_line_ends_at_lf_or_crlf_and_nowhere_else(content: str, longest: int, mean: float) -> None:
    # It stands between rows whose last and first bytes could be taken for its own.
    found = line_lengths(pa.array([b"x\r", content.encode(), b"\nx"], pa.binary()))
    assert (found.longest[1], found.mean[1]) == (longest, mean)


@pytest.mark.parametrize("rows", [1, 3])
def test_line_lengths_of_nothing_but_empty_rows(rows: int) -> None:
    found = line_lengths(pa.array([b""] * rows, pa.binary()))
    assert found.longest.tolist() == [0] * rows
    assert found.mean.tolist() == [0.0] * rows


@given(st.data())
def test_alphanumeric_fraction_counts_what_str_isalnum_does(
    text_columns: st.SearchStrategy[pa.Array], data: st.DataObject
) -> None:
    column = data.draw(text_columns)
    expected = [alphanumeric(text) for text in texts(column)]
    assert alphanumeric_fraction(column).tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("content", "fraction"),
    [
        ("", 0.0),
        ("x = 1;", 2 / 4),
        ("жук!", 3 / 4),
        ("漢字 かな", 1.0),
        ("²½", 1.0),
        ("👍🏽 ok", 2 / 4),
        ("e\u0301", 0.5),
    ],
)
def test_letters_and_digits_of_every_script_count(content: str, fraction: float) -> None:
    found = alphanumeric_fraction(pa.array([b"((((", content.encode(), b"abc"], pa.binary()))
    assert found.tolist() == pytest.approx([0.0, fraction, 1.0])


@given(st.data())
def test_invalid_utf8_is_found_where_the_strict_decoder_stops(
    binary_columns: st.SearchStrategy[pa.Array], data: st.DataObject
) -> None:
    column = data.draw(binary_columns)
    expected = []
    for value in column.to_pylist():
        try:
            value.decode("utf-8")
            expected.append(-1)
        except UnicodeDecodeError as error:
            expected.append(error.start)
    assert invalid_utf8_at(column).tolist() == expected


@pytest.mark.parametrize("character", ["é", "日", "👍"])
def test_a_code_point_that_straddles_two_rows_makes_both_invalid(character: str) -> None:
    """The bytes of the rows one after another are valid; those of each row alone are not."""
    encoded = character.encode()
    for cut in range(1, len(encoded)):
        halves = [b"ok", encoded[:cut], encoded[cut:], b"ok"]
        b"".join(halves).decode("utf-8")
        assert invalid_utf8_at(pa.array(halves, pa.binary())).tolist() == [-1, 0, 0, -1]
        assert invalid_utf8_at(pa.array(halves, pa.binary()).slice(1, 2)).tolist() == [0, 0]


@given(st.data())
def test_nul_bytes_sizes_and_characters_are_counted_by_row(
    text_columns: st.SearchStrategy[pa.Array], data: st.DataObject
) -> None:
    column = data.draw(text_columns)
    values = column.to_pylist()
    assert nul_count(column).tolist() == [value.count(0) for value in values]
    assert size_bytes(column).tolist() == [len(value) for value in values]
    assert characters(text_of(column)).tolist() == [len(value.decode()) for value in values]


@given(st.data())
def test_text_of_gives_each_row_its_bytes(binary_columns: st.SearchStrategy[pa.Array], data: st.DataObject) -> None:
    column = data.draw(binary_columns)
    text = text_of(column)
    borders = text.offsets.tolist()
    rows = [text.data[start:stop].tobytes() for start, stop in zip(borders, borders[1:], strict=False)]
    assert rows == column.to_pylist()
    assert borders[0] == 0
    assert len(text.data) == borders[-1]


def test_scores_of_no_rows_are_empty() -> None:
    for column in (pa.array([], pa.binary()), pa.array([b"a", b"b"], pa.binary()).slice(2)):
        for score in (alphanumeric_fraction, invalid_utf8_at, nul_count, size_bytes):
            assert score(column).tolist() == []
        assert line_lengths(column).longest.tolist() == []


def test_scores_of_real_files_are_those_of_the_references(
    sources: tuple[SourceFile, ...], installed: tuple[SourceFile, ...]
) -> None:
    contents = [file.content for file in (*sources, *installed)]
    contents += [content.replace(b"\n", b"\r\n") for content in contents]
    column = pa.array(contents, pa.binary()).slice(1)
    decoded = texts(column)
    lengths = line_lengths(column)
    lines = [re.split(r"\r?\n", text.removesuffix("\n").removesuffix("\r")) for text in decoded]
    assert lengths.longest.tolist() == [max(map(len, row)) for row in lines]
    assert lengths.mean.tolist() == pytest.approx([sum(map(len, row)) / len(row) for row in lines])
    expected = [alphanumeric(text) for text in decoded]
    assert lengths.long_share.tolist() == pytest.approx(
        [sum(len(line) for line in row if len(line) > 1_000) / max(sum(map(len, row)), 1) for row in lines]
    )
    assert alphanumeric_fraction(column).tolist() == pytest.approx(expected)
    assert invalid_utf8_at(column).tolist() == [-1] * len(column)
