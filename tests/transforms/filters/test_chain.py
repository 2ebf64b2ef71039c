"""The filters in a row: nothing is lost, nothing is reordered, the first reason counts."""

from collections.abc import Callable

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from schemas.rejection import REJECTION
from schemas.source import ROW
from transforms.filters.chain import FILTERS, FilterSettings, filter_rows

GOOD = b"def f(x):\n    return x + 1\n"
CASES = [
    # content, language, licenses, the stage and the reason that reject it
    (GOOD, "Python", ["MIT"], None, None),
    (GOOD, "python", ["apache-2.0", "BSD-3-Clause"], None, None),
    ("# Жук летит\nназвание = 'жук'\n".encode(), "Python", ["MIT"], None, None),
    (GOOD, "Python", [], "license", "no_license"),
    (GOOD, "Python", ["MIT", "GPL-3.0-only"], "license", "license_not_allowed"),
    (GOOD, "Forth", ["MIT"], "language", "language_unsupported"),
    (GOOD, "", ["MIT"], "language", "language_unsupported"),
    (b"", "Python", ["MIT"], "size", "empty"),
    (b"x = 1\n" * 200_000, "Python", ["MIT"], "size", "too_large"),
    (b"x = '\xff'\n", "Python", ["MIT"], "encoding", "not_utf8"),
    (b"x = '\x00'\n", "Python", ["MIT"], "encoding", "nul_byte"),
    (b"x = '\x00\xff'\n", "Python", ["MIT"], "encoding", "not_utf8"),
    (b"x = '" + b"a" * 1_000 + b"'\n" + b"y = 1\n" * 100, "Python", ["MIT"], "line_length", "line_too_long"),
    ((b"a" * 150 + b"\n") * 3, "Python", ["MIT"], "line_length", "lines_too_long_on_average"),
    (b"{([<>])}\n" * 9, "Python", ["MIT"], "alphanumeric", "too_few_alphanumeric"),
    # Several reasons: the first filter's counts.
    (b"", "Forth", ["GPL-3.0-only"], "license", "license_not_allowed"),
    (b"\xff" * 2_000, "Python", ["MIT"], "encoding", "not_utf8"),
]


def batch(rows_of: Callable[..., pa.RecordBatch], cases: list[tuple]) -> pa.RecordBatch:
    """The cases as rows; the path is the number of the case."""
    rows = rows_of((language, content) for content, language, _, _, _ in cases)
    licenses = pa.array([names for _, _, names, _, _ in cases], ROW.field("licenses").type)
    return rows.set_column(ROW.get_field_index("licenses"), ROW.field("licenses"), licenses)


def test_each_case_is_kept_or_rejected_for_its_reason(rows_of) -> None:
    rows = batch(rows_of, CASES)
    kept, rejected = filter_rows(rows, FilterSettings())
    assert kept.schema.equals(ROW)
    assert rejected.schema.equals(REJECTION)
    assert kept.column("path").to_pylist() == [str(number) for number, case in enumerate(CASES) if case[3] is None]
    found = {int(row["path"]): (row["stage"], row["reason"]) for row in rejected.to_pylist()}
    assert found == {number: case[3:] for number, case in enumerate(CASES) if case[3] is not None}
    assert all(row["detail"] and row["repository"] == "owner/name" for row in rejected.to_pylist())


@given(st.lists(st.integers(0, len(CASES) - 1), max_size=25), st.integers(0, 3))
def test_rows_are_conserved_in_order_whatever_the_batch(rows_of, chosen: list[int], skipped: int) -> None:
    cases = [CASES[0]] * skipped + [CASES[number] for number in chosen]
    rows = batch(rows_of, cases).slice(skipped)
    kept, rejected = filter_rows(rows, FilterSettings())
    assert kept.num_rows + rejected.num_rows == rows.num_rows
    expected = [str(number) for number, case in enumerate(cases) if case[3] is None and number >= skipped]
    assert kept.column("path").to_pylist() == expected
    paths = [*kept.column("path").to_pylist(), *rejected.column("path").to_pylist()]
    assert sorted(paths) == sorted(rows.column("path").to_pylist())
    stages = [list(FILTERS).index(stage) for stage in rejected.column("stage").to_pylist()]
    assert stages == sorted(stages)
    by_path = {row["path"]: row for row in rows.to_pylist()}
    assert all(by_path[row["path"]] == row for row in kept.to_pylist())


def test_a_detail_never_holds_file_content(rows_of) -> None:
    secret = b"password_hunter2"
    broken = [(secret + case[0], *case[1:]) for case in CASES[7:]]
    _, rejected = filter_rows(batch(rows_of, broken), FilterSettings())
    assert rejected.num_rows
    assert not any("hunter2" in detail for detail in rejected.column("detail").to_pylist())


def test_thresholds_are_the_settings(rows_of) -> None:
    rows = batch(rows_of, CASES[:1])
    for settings in (
        FilterSettings(allowed_licenses=frozenset({"isc"})),
        FilterSettings(languages=frozenset({"Go"})),
        FilterSettings(max_size_bytes=len(GOOD) - 1),
        FilterSettings(max_line_chars=15),
        FilterSettings(max_mean_line_chars=10),
        FilterSettings(min_alphanumeric_fraction=0.9),
    ):
        assert filter_rows(rows, settings)[0].num_rows == 0
    exact = FilterSettings(max_size_bytes=len(GOOD), max_line_chars=16, languages=frozenset({"Python"}))
    assert filter_rows(rows, exact)[0].num_rows == 1


def test_no_rows_are_no_rows(rows_of) -> None:
    kept, rejected = filter_rows(rows_of([]), FilterSettings())
    assert (kept.num_rows, rejected.num_rows) == (0, 0)
