"""Scores on demand and explanations: what they say is what the filters do."""

import pyarrow as pa
import pytest

from stackfim.schemas.filter_score import FILTER_SCORE
from stackfim.transforms.filters import chain
from stackfim.transforms.filters.chain import FILTERS, FilterSettings, filter_rows
from stackfim.transforms.filters.contamination import index_benchmarks
from stackfim.transforms.filters.explain import DROPPED, SWITCHED_OFF, explain
from stackfim.transforms.filters.quality_limits import LIMITS, limits_of
from stackfim.transforms.filters.scores import BOUNDS, quality_scores

CODE = b"def f(x):\n    return x + 1\n"
TABLE = b"x = [\n" + b"    1, 2, 3, 4, 5,\n" * 90 + b"]\n"


def test_every_score_is_held_against_something_that_there_is() -> None:
    assert list(BOUNDS) == FILTER_SCORE.names[4:]
    settings = vars(FilterSettings())
    for bounds in BOUNDS.values():
        assert bounds.stage in FILTERS
        for name in filter(None, (bounds.minimum, bounds.maximum)):
            assert name in settings or hasattr(limits_of("Python"), name)


def test_every_limit_of_the_table_has_its_score() -> None:
    named = {name for bounds in BOUNDS.values() for name in (bounds.minimum, bounds.maximum)}
    # The language of comments is measured only where one is asked for.
    assert set(vars(limits_of("Python"))) - {"max_other_language_share"} <= named


def test_moving_a_threshold_over_stored_scores_drops_what_a_run_with_it_drops(rows_of, sources, installed) -> None:
    files = [(file.language, file.content) for file in (*sources, *installed)]
    files += [("Python", TABLE), ("HTML", b"<p></p>\n" * 30), ("JSON", b"{}"), ("Python", b"# x\n" * 300)]
    rows = rows_of(files)
    scores = quality_scores(rows)
    assert scores.schema.equals(FILTER_SCORE)
    for name, value in (("max_digit_share", 0.05), ("max_comment_share", 0.3), ("min_logic_lines", 20)):
        score, bounds = next((score, b) for score, b in BOUNDS.items() if name in (b.minimum, b.maximum))
        values = scores.column(score).to_pylist()
        beyond = [v is not None and (v > value if name.startswith("max") else v < value) for v in values]
        settings = FilterSettings(
            limits={"*": {name: value}}, switched_off=tuple(stage for stage in FILTERS if stage != bounds.stage)
        )
        _, rejected = filter_rows(rows, settings)
        dropped = {row["path"] for row in rejected.to_pylist()}
        expected = {path for path, is_beyond in zip(rows.column("path").to_pylist(), beyond, strict=True) if is_beyond}
        if name == "max_comment_share":  # not judged below 512 bytes
            assert dropped <= expected
        else:
            assert expected <= dropped
        assert dropped


def test_scores_that_do_not_apply_are_null(rows_of) -> None:
    rows = rows_of([("Python", CODE), ("HTML", b"<p>text</p>"), ("Python", b"\xff"), ("Fortran", CODE)])
    python, html, broken, fortran = quality_scores(rows).to_pylist()
    assert python["text_chars"] is None
    assert html["text_chars"] == 4
    assert (python["logic_lines"], fortran["logic_lines"]) == (2, None)
    assert [name for name in BOUNDS if broken[name] is not None] == ["size_bytes"]


def test_a_score_that_cannot_be_measured_is_null_and_takes_no_other_along(
    rows_of, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stackfim.transforms.filters import scores as module

    def shaky(rows: pa.RecordBatch) -> tuple[list[int]]:
        if b"boom" in rows.column("content").to_pylist():
            raise RecursionError
        return ([7] * rows.num_rows,)

    monkeypatch.setattr(module, "_MEASURES", (*module._MEASURES, (("logic_lines",), shaky)))
    found = quality_scores(rows_of([("Python", b"fine"), ("Python", b"boom"), ("Python", b"good")]))
    assert found.column("logic_lines").to_pylist() == [7, None, 7]


@pytest.mark.parametrize(
    ("content", "stages"),
    [
        (CODE, []),
        (b"// SPDX-License-Identifier: GPL-2.0\n" + TABLE, ["numbers", "repetition"]),
        (b"\xff" + TABLE, ["encoding"]),
        (b"", ["size"]),
    ],
)
def test_the_first_drop_is_the_one_on_record_and_the_others_are_told_too(rows_of, content: bytes, stages: list) -> None:
    row = rows_of([("Python", content)])
    reports = explain(row, FilterSettings())
    assert [report.stage for report in reports] == list(FILTERS)
    dropped = [report for report in reports if report.verdict == DROPPED]
    _, rejected = filter_rows(row, FilterSettings())
    on_record = [(rejection["stage"], rejection["reason"], rejection["detail"]) for rejection in rejected.to_pylist()]
    assert [(report.stage, report.reason, report.detail) for report in dropped[:1]] == on_record
    assert set(stages) <= {report.stage for report in dropped}
    for report in reports:
        for measure in report.measures:
            assert measure.score


def test_limits_are_those_of_the_language_and_the_settings(rows_of) -> None:
    settings = FilterSettings(limits={"SQL": {"max_digit_share": 0.125}}, max_size_bytes=77, switched_off=("markup",))
    reports = {report.stage: report for report in explain(rows_of([("SQL", b"SELECT 1;\n")]), settings)}
    assert {measure.score: measure.limit for measure in reports["numbers"].measures}["digit_share"] == "at most 0.125"
    assert reports["size"].measures[0].limit == "at most 77"
    assert reports["markup"].verdict == SWITCHED_OFF
    assert LIMITS["SQL"].max_digit_share != 0.125


def test_benchmarks_are_explained_where_there_are_any(rows_of) -> None:
    text = "def middle(values):\n    ordered = sorted(values)\n    return ordered[len(ordered) // 2] if ordered else None\n"
    last = explain(rows_of([("Python", text.encode())]), FilterSettings(), index_benchmarks(["Set/7"], [text]))[-1]
    assert (last.stage, last.verdict, last.measures[0].value) == ("contamination", DROPPED, 1.0)


def test_a_filter_that_fails_is_told_by_its_error(rows_of, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(rows: pa.RecordBatch, settings: FilterSettings) -> dict:
        raise ZeroDivisionError

    monkeypatch.setitem(chain.FILTERS, "numbers", broken)
    reports = {report.stage: report for report in explain(rows_of([("Python", CODE)]), FilterSettings())}
    assert (reports["numbers"].reason, reports["numbers"].detail) == ("filter_failed", "ZeroDivisionError")
    assert reports["repetition"].verdict == "kept"
