"""What filters decide: a reason and the value that was wrong, for every row that goes."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.schemas.rejection import REJECTION
from stackfim.transforms.filters.alphanumeric import decide_alphanumeric
from stackfim.transforms.filters.decision import Drops, divide, drop_where
from stackfim.transforms.filters.encoding import EncodingFaults, decide_encoding
from stackfim.transforms.filters.language import decide_languages, known_languages
from stackfim.transforms.filters.line_length import LineLengths, decide_line_lengths
from stackfim.transforms.filters.size import decide_size


def test_size_says_how_many_bytes_and_how_many_are_allowed() -> None:
    assert decide_size(np.array([100, 0, 101]), 100) == {
        1: ("empty", "0 bytes"),
        2: ("too_large", "101 bytes, expected at most 100"),
    }


def test_encoding_says_where_it_breaks() -> None:
    assert decide_encoding(EncodingFaults(np.array([-1, 7, -1, 3]), np.array([0, 0, 2, 9]))) == {
        1: ("not_utf8", "invalid at byte 7"),
        2: ("nul_byte", "2 NUL bytes"),
        3: ("not_utf8", "invalid at byte 3"),
    }


def test_line_length_says_which_limit_by_how_much() -> None:
    lengths = LineLengths(np.array([10, 1001, 1000, 400]), np.array([5.0, 20.0, 100.0, 100.25]), np.full(4, 0.625))
    assert decide_line_lengths(lengths, 1000, 100.0) == {
        1: (
            "line_too_long",
            "longest line has 1001 characters and long lines hold 0.625 of the file, expected at most 1000 or 0.5",
        ),
        3: ("lines_too_long_on_average", "lines have 100.2 characters on average, expected at most 100"),
    }


def test_a_row_over_both_line_limits_has_one_reason() -> None:
    drops = decide_line_lengths(LineLengths(np.array([5000]), np.array([5000.0]), np.ones(1)), 1000, 100.0)
    assert drops[0][0] == "line_too_long"


def test_long_lines_may_hold_a_small_part_of_the_file() -> None:
    lengths = LineLengths(np.array([1200, 1200]), np.array([30.0, 30.0]), np.array([0.5, 0.51]))
    assert list(decide_line_lengths(lengths, 1000, 100.0)) == [1]
    assert list(decide_line_lengths(lengths, 1000, 100.0, 0.05)) == [0, 1]


def test_a_line_that_no_one_typed_may_hold_less_of_the_file() -> None:
    lengths = LineLengths(np.array([10_001, 10_000, 10_001]), np.full(3, 30.0), np.array([0.11, 0.11, 0.1]))
    drops = decide_line_lengths(lengths, 1000, 100.0)
    assert list(drops) == [0]
    assert drops[0][1].endswith("hold 0.110 of the file, expected at most 1000 or 0.1")


def test_prose_may_have_one_line_for_each_paragraph() -> None:
    lengths = LineLengths(np.full(3, 900), np.full(3, 110.0), np.zeros(3))
    assert list(decide_line_lengths(lengths, 1000, 100.0, languages=["Markdown", "Python", "reStructuredText"])) == [1]


def test_alphanumeric_says_the_share() -> None:
    assert decide_alphanumeric(np.array([0.25, 0.2]), 0.25) == {
        1: ("too_few_alphanumeric", "0.200 of the visible characters are alphanumeric, expected at least 0.25")
    }


def test_languages_are_known_by_any_case_and_by_other_names() -> None:
    names = pa.array(
        ["python", "Python", "PYTHON", "c#", "csharp", "C++", "cpp", "golang", "TSX", "jsx", "", "Fortran"]
    )
    assert known_languages(names) == [
        *("Python", "Python", "Python", "C#", "C#", "C++", "C++", "Go", "TSX", "JavaScript", None, None),
    ]


def test_rows_in_unsupported_or_unwanted_languages_go() -> None:
    names = pa.array(["python", "Go", "COBOL", ""])
    known = known_languages(names)
    assert decide_languages(names, known, frozenset({"Python"})) == {
        1: ("language_not_asked_for", "Go"),
        2: ("language_unsupported", "COBOL"),
        3: ("language_unsupported", "the source names no language"),
    }
    assert list(decide_languages(names, known, None)) == [2, 3]


def test_drop_where_takes_a_detail_for_each_row_or_one_for_all() -> None:
    mask = np.array([True, False, True])
    assert drop_where(mask, "why", ["a", "b", "c"]) == {0: ("why", "a"), 2: ("why", "c")}
    assert drop_where(mask, "why", detail="x") == {0: ("why", "x"), 2: ("why", "x")}


@pytest.mark.parametrize(
    "drops",
    [
        decide_size(np.array([200, 0]), 100),
        decide_line_lengths(
            LineLengths(np.array([2000, 10]), np.array([5.0, 200.0]), np.array([0.6, 0.0])), 1000, 100.0
        ),
    ],
    ids=["size", "line_length"],
)
def test_drops_are_in_order_of_rows(drops: Drops) -> None:
    assert list(drops) == sorted(drops)


@given(st.lists(st.tuples(st.text(max_size=3), st.booleans()), max_size=20))
def test_divide_conserves_rows_and_their_order(drawn: list[tuple[str, bool]]) -> None:
    paths = [f"{number}{text}" for number, (text, _) in enumerate(drawn)]
    rows = pa.RecordBatch.from_pydict(
        {"repository": ["r"] * len(paths), "path": paths, "content_id": paths, "content": paths},
        schema=pa.schema([(name, pa.string()) for name in ("repository", "path", "content_id", "content")]),
    )
    drops = {number: ("why", f"detail {number}") for number, (_, drop) in enumerate(drawn) if drop}
    kept, rejected = divide(rows, "stage", drops)
    assert rejected.schema.equals(REJECTION)
    assert kept.column("path").to_pylist() == [path for number, path in enumerate(paths) if number not in drops]
    assert rejected.column("path").to_pylist() == [paths[number] for number in drops]
    assert rejected.column("detail").to_pylist() == [f"detail {number}" for number in drops]
    assert set(rejected.column("stage").to_pylist()) <= {"stage"}
