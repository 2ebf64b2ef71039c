"""Score files and explanations: what they say is what the filters do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from stackfim.schemas.filter_score import FILE_COLUMNS
from stackfim.transforms.filters import explain as explaining
from stackfim.transforms.filters import scores as scoring
from stackfim.transforms.filters.chain import filter_rows
from stackfim.transforms.filters.contamination import index_benchmarks
from stackfim.transforms.filters.explain import DROPPED, KEPT, SWITCHED_OFF, explain
from stackfim.transforms.filters.filter import Bounds, Filter
from stackfim.transforms.filters.filter_list import FILTER_SCORE, FILTERS, STAGES, TEXT_FILTERS
from stackfim.transforms.filters.filter_settings import FilterPlan, FilterSettings
from stackfim.transforms.filters.quality_limits import LIMITS, limits_of
from stackfim.transforms.filters.scores import score_rows

if TYPE_CHECKING:
    from tests.fixture_types import SourceFile

CODE = b"def f(x):\n    return x + 1\n"
TABLE = b"x = [\n" + b"    1, 2, 3, 4, 5,\n" * 90 + b"]\n"


BOUNDS = {
    score.name: (filter_.stage, score.limit)
    for filter_ in FILTERS
    for score in filter_.scores
    if isinstance(score.limit, Bounds)
}


def test_a_score_file_names_the_file_and_has_each_score_once() -> None:
    names = [column.name for filter_ in FILTERS for column in filter_.columns]
    assert FILTER_SCORE.names == [column.name for column in FILE_COLUMNS] + names
    assert len(set(FILTER_SCORE.names)) == len(FILTER_SCORE.names)
    assert len(set(STAGES)) == len(STAGES)


def test_every_limit_that_a_score_is_held_against_exists() -> None:
    settings = vars(FilterSettings())
    for _, bounds in BOUNDS.values():
        for name in filter(None, (bounds.minimum, bounds.maximum)):
            assert name in settings or hasattr(limits_of("Python"), name)


def test_every_limit_of_the_table_has_its_score() -> None:
    named = {name for _, bounds in BOUNDS.values() for name in (bounds.minimum, bounds.maximum)}
    # The language of comments is measured only where a plan wants one.
    assert set(vars(limits_of("Python"))) - {"max_other_language_share"} <= named


def test_moving_a_limit_over_stored_scores_drops_what_a_run_with_it_drops(
    rows_of: Callable[..., pa.RecordBatch], sources: tuple[SourceFile, ...], installed: tuple[SourceFile, ...]
) -> None:
    files = [(file.language, file.content) for file in (*sources, *installed)]
    files += [("Python", TABLE), ("HTML", b"<p></p>\n" * 30), ("JSON", b"{}"), ("Python", b"# x\n" * 300)]
    rows = rows_of(files)
    scores = score_rows(rows, FilterPlan()).scores
    assert scores.schema.equals(FILTER_SCORE)
    for name, value in (("max_digit_share", 0.05), ("max_comment_share", 0.3), ("min_logic_lines", 20)):
        score, stage = next(
            (score, stage) for score, (stage, bounds) in BOUNDS.items() if name in (bounds.minimum, bounds.maximum)
        )
        values = scores.column(score).to_pylist()
        beyond = [v is not None and (v > value if name.startswith("max") else v < value) for v in values]
        settings = FilterSettings(
            limits={"*": {name: value}}, switched_off=tuple(other for other in STAGES if other != stage)
        )
        _, rejected = filter_rows(rows, FilterPlan(settings))
        dropped = {row["path"] for row in rejected.to_pylist()}
        expected = {path for path, is_beyond in zip(rows.column("path").to_pylist(), beyond, strict=True) if is_beyond}
        if name == "max_comment_share":  # not judged below 512 bytes
            assert dropped <= expected
        else:
            assert expected <= dropped
        assert dropped


def test_scores_that_do_not_apply_are_null(rows_of: Callable[..., pa.RecordBatch]) -> None:
    rows = rows_of([("Python", CODE), ("HTML", b"<p>text</p>"), ("Python", b"\xff"), ("Fortran", CODE)])
    python, html, broken, fortran = score_rows(rows, FilterPlan()).scores.to_pylist()
    assert python["text_chars"] is None
    assert html["text_chars"] == 4
    assert (python["logic_lines"], fortran["logic_lines"]) == (2, None)
    scores = FILTER_SCORE.names[len(FILE_COLUMNS) :]
    assert [name for name in scores if broken[name] is not None] == ["size_bytes"]
    off = FilterPlan(FilterSettings(switched_off=("encoding",)))
    assert score_rows(rows, off).scores.to_pylist()[2] == broken


def test_rows_that_an_earlier_filter_drops_have_the_scores_of_later_ones(
    rows_of: Callable[..., pa.RecordBatch],
) -> None:
    scores = score_rows(rows_of([("Fortran", TABLE), ("Python", CODE + b"\0")]), FilterPlan()).scores.to_pylist()
    assert scores[0]["number_line_share"] > 0.9
    assert scores[1]["logic_lines"] == 2


def failing(filter_: Filter[Any]) -> Filter[Any]:
    """The filter, which from now on fails on batches with `boom` in them."""

    def measure(rows: pa.RecordBatch, plan: FilterPlan) -> Any:
        if any(b"boom" in content for content in rows.column("content").to_pylist()):
            raise ZeroDivisionError
        return filter_.measure(rows, plan)

    return replace(filter_, measure=measure)


def with_failing(filters: tuple[Filter[Any], ...], stage: str) -> tuple[Filter[Any], ...]:
    return tuple(failing(filter_) if filter_.stage == stage else filter_ for filter_ in filters)


def test_a_score_that_cannot_be_measured_is_null_and_takes_no_other_along(
    rows_of: Callable[..., pa.RecordBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "TEXT_FILTERS", with_failing(TEXT_FILTERS, "comments"))
    rows = rows_of([("Python", CODE), ("Python", CODE + b"boom = 1\n"), ("Python", CODE * 2)])
    scored = score_rows(rows, FilterPlan())
    assert scored.scores.column("logic_lines").to_pylist() == [2, None, 4]
    assert scored.scores.column("digit_share").null_count == 0
    kept, rejected = filter_rows(rows, FilterPlan(), scored.decided)
    assert kept.column("path").to_pylist() == ["0", "2"]
    assert [(row["path"], row["stage"], row["reason"], row["detail"]) for row in rejected.to_pylist()] == [
        ("1", "comments", "filter_failed", "ZeroDivisionError")
    ]


def test_the_share_of_long_lines_is_by_the_limit_that_decides(rows_of: Callable[..., pa.RecordBatch]) -> None:
    """It was that of lines over 1,000 characters, whatever the run's limit: 0 for a file that the run dropped for it."""
    rows, plan = rows_of([("Python", CODE)]), FilterPlan(FilterSettings(max_line_chars=15))
    assert score_rows(rows, plan).scores.column("long_line_share").to_pylist() == [pytest.approx(16 / 25)]
    report = next(report for report in explain(rows, plan) if report.stage == "line_length")
    assert report.verdict == DROPPED
    assert {measure.score: measure.value for measure in report.measures}["long_line_share"] == pytest.approx(16 / 25)


@pytest.mark.parametrize(
    ("content", "stages"),
    [
        (CODE, []),
        (b"// SPDX-License-Identifier: GPL-2.0\n" + TABLE, ["numbers", "repetition"]),
        (b"\xff" + TABLE, ["encoding"]),
        (b"", ["size"]),
    ],
)
def test_the_first_drop_is_the_one_on_record_and_the_others_are_shown_too(
    rows_of: Callable[..., pa.RecordBatch], content: bytes, stages: list[str]
) -> None:
    row = rows_of([("Python", content)])
    reports = explain(row, FilterPlan())
    assert tuple(report.stage for report in reports) == STAGES
    dropped = [report for report in reports if report.verdict == DROPPED]
    _, rejected = filter_rows(row, FilterPlan())
    on_record = [(rejection["stage"], rejection["reason"], rejection["detail"]) for rejection in rejected.to_pylist()]
    assert [(report.stage, report.reason, report.detail) for report in dropped[:1]] == on_record
    assert set(stages) <= {report.stage for report in dropped}
    for report in reports:
        for measure in report.measures:
            assert measure.score


def test_an_explanation_has_the_values_of_the_score_file(
    rows_of: Callable[..., pa.RecordBatch], sources: tuple[SourceFile, ...]
) -> None:
    rows = rows_of([(file.language, file.content) for file in sources[:5]] + [("Python", b"\xff" + TABLE)])
    scores = score_rows(rows, FilterPlan()).scores.to_pylist()
    for number, expected in enumerate(scores):
        measures = [measure for report in explain(rows.slice(number, 1), FilterPlan()) for measure in report.measures]
        found = {measure.score: measure.value for measure in measures}
        assert {name: found[name] for name in FILTER_SCORE.names[len(FILE_COLUMNS) :]}.items() <= expected.items()


def test_filters_that_the_plan_does_not_use_show_what_they_would_find(rows_of: Callable[..., pa.RecordBatch]) -> None:
    address = b"# ada.l@" + b"initech.io\n"
    reports = {report.stage: report for report in explain(rows_of([("Python", CODE + address)]), FilterPlan())}
    assert reports["personal_data"].verdict == KEPT
    (found,) = reports["personal_data"].measures
    assert (found.value, found.limit) == ("1 email", "redact")
    assert [measure.limit for measure in reports["opt_out"].measures] == ["none of 0 names"]
    for stage in ("comments_language", "contamination"):
        assert (reports[stage].verdict, reports[stage].measures) == (KEPT, ())


def test_limits_are_those_of_the_language_and_the_settings(rows_of: Callable[..., pa.RecordBatch]) -> None:
    settings = FilterSettings(limits={"SQL": {"max_digit_share": 0.125}}, max_size_bytes=77, switched_off=("markup",))
    explained = explain(rows_of([("SQL", b"SELECT 1;\n")]), FilterPlan(settings))
    reports = {report.stage: report for report in explained}
    assert {measure.score: measure.limit for measure in reports["numbers"].measures}["digit_share"] == "at most 0.125"
    assert reports["size"].measures[0].limit == "at most 77"
    assert reports["markup"].verdict == SWITCHED_OFF
    assert LIMITS["SQL"].max_digit_share != 0.125


def test_the_language_of_comments_is_explained_where_one_is_wanted(rows_of: Callable[..., pa.RecordBatch]) -> None:
    pytest.importorskip("py3langid", reason="the extra comments-language is not installed")
    plan = FilterPlan(FilterSettings(limits={"*": {"max_other_language_share": 0.25}}), comments_language="en")
    report = next(
        report for report in explain(rows_of([("Python", CODE)]), plan) if report.stage == "comments_language"
    )
    assert [(measure.score, measure.value, measure.limit) for measure in report.measures] == [
        ("mostly", None, "en"),
        ("other_share", None, "at most 0.25 not in en"),
    ]


def test_benchmarks_are_explained_where_there_are_any(rows_of: Callable[..., pa.RecordBatch]) -> None:
    text = "def middle(values):\n    ordered = sorted(values)\n    return ordered[len(ordered) // 2] if ordered else None\n"
    plan = FilterPlan(benchmarks=index_benchmarks(["Set/7"], [text]))
    last = explain(rows_of([("Python", text.encode())]), plan)[-1]
    assert (last.stage, last.verdict, last.measures[0].value) == ("contamination", DROPPED, 1.0)
    assert [measure.limit for measure in last.measures] == ["less than 0.5", "less than 0.45"]


def test_of_a_filter_that_fails_the_error_is_shown(
    rows_of: Callable[..., pa.RecordBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "FILTERS", with_failing(FILTERS, "numbers"))
    reports = {report.stage: report for report in explain(rows_of([("Python", CODE + b"boom = 1\n")]), FilterPlan())}
    assert (reports["numbers"].reason, reports["numbers"].detail) == ("filter_failed", "ZeroDivisionError")
    assert [measure.value for measure in reports["numbers"].measures] == [None, None]
    assert reports["repetition"].verdict == "kept"
