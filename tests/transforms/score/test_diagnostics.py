"""What a run reports of its scores is what its rows have, however they are divided into parts."""

import json
from collections import Counter
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.schemas.layout import LAYOUTS
from stackfim.schemas.scored import score_column
from stackfim.transforms.score.batch import ScoredBatch
from stackfim.transforms.score.diagnostics import lines, stop_tallies, summary, tallies
from stackfim.transforms.score.histogram import NLL, PROBABILITY


@pytest.fixture(scope="module")
def report(scored: ScoredBatch) -> dict[str, Any]:
    return summary(scored.counts)


def test_distributions_are_those_of_the_rows(scored: ScoredBatch, report: dict[str, Any]) -> None:
    rows = scored.examples.to_pylist()
    for layout in LAYOUTS:
        for group in ("category", "kind", "language"):
            labels = {row[group] for row in rows if row[score_column(layout)] is not None}
            for metric, scale in (("nll", NLL), ("p_eot_end", PROBABILITY)):
                found = report["distributions"][layout][metric][group]
                assert set(found) == labels
                for label, values in found.items():
                    exact = [
                        row[score_column(layout)][metric]
                        for row in rows
                        if row[group] == label and row[score_column(layout)] is not None
                    ]
                    assert values["rows"] == len(exact)
                    for name, share in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9)):
                        wanted = np.sort(exact)[max(0, int(np.ceil(share * len(exact))) - 1)]
                        distance = scale.index(np.array(values[name])) - scale.index(np.array(wanted))
                        assert abs(int(distance)) <= 1, (label, name)


def test_verdicts_and_layouts_are_counted(scored: ScoredBatch, report: dict[str, Any]) -> None:
    rows = scored.examples.to_pylist()
    wanted = Counter((row["category"], row["verdict"]) for row in rows)
    assert {
        (category, name): count for category, found in report["verdicts"].items() for name, count in found.items()
    } == (wanted)
    pairs = [(row["score_psm"]["nll"], row["score_spm"]["nll"]) for row in rows if row["score_psm"] is not None]
    assert report["layouts"]["rows"] == len(pairs)
    assert report["layouts"]["psm_likelier"] == sum(psm < spm for psm, spm in pairs)
    assert report["layouts"]["spm_likelier"] == sum(psm > spm for psm, spm in pairs)
    median = np.median([psm - spm for psm, spm in pairs])
    assert report["layouts"]["nll_psm_less_spm"]["p50"] == pytest.approx(median, abs=0.05)


def test_drawn_ends_were_scored_in_each_layout(report: dict[str, Any]) -> None:
    for layout in LAYOUTS:
        assert set(report["stop"][layout]) <= {"all", "single_line", "multi_line"}
        whole = report["stop"][layout]["all"]
        assert 0 < whole["pairs"] <= 2 * 16
        assert whole["pairs"] == sum(found["pairs"] for name, found in report["stop"][layout].items() if name != "all")
        assert sum(row["places"] for row in whole["reliability"]) == 2 * whole["pairs"]


@settings(max_examples=5)
@given(st.lists(st.integers(1, 400), max_size=4), st.randoms(use_true_random=False))
def test_parts_in_any_order_add_up_to_the_whole(scored: ScoredBatch, cuts: list[int], random: Random) -> None:
    rows = scored.examples
    edges = sorted({0, rows.num_rows, *(cut for cut in cuts if cut < rows.num_rows)})
    parts = [tallies(rows.slice(start, stop - start), LAYOUTS) for start, stop in pairwise(edges)]
    random.shuffle(parts)
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    assert summary(total) == summary(tallies(rows, LAYOUTS))


def test_a_model_that_knows_ends_has_an_auc_near_one_and_a_guessing_one_a_half() -> None:
    draw = np.random.default_rng(0)
    guesses = draw.uniform(0.01, 0.99, (2, 2000))
    knowing = summary(stop_tallies([("multi_line", "psm", 0.9, 0.1)] * 20))["stop"]["psm"]["all"]
    guessing = summary(stop_tallies([("multi_line", "psm", *pair) for pair in guesses.T.tolist()]))["stop"]["psm"][
        "all"
    ]
    mistaken = summary(stop_tallies([("multi_line", "psm", 0.1, 0.9)] * 20))["stop"]["psm"]["all"]
    assert (knowing["auc"], mistaken["auc"]) == (1.0, 0.0)
    assert guessing["auc"] == pytest.approx(0.5, abs=0.03)
    assert knowing["reliability"] == [
        {"p_eot": pytest.approx(0.1, abs=0.01), "places": 20, "true_ends": 0.0},
        {"p_eot": pytest.approx(0.9, abs=0.01), "places": 20, "true_ends": 1.0},
    ]


def test_one_layout_is_compared_with_none(scored: ScoredBatch) -> None:
    found = summary(tallies(scored.examples, ("psm",)))
    assert set(found["distributions"]) == {"psm"}
    assert "layouts" not in found


def test_names_of_other_tallies_are_passed_over_and_nothing_is_said_of_nothing() -> None:
    nothing = summary({"refused:too_long": 4, "examples": 2})
    assert nothing == {"verdicts": {}, "distributions": {}, "stop": {}}
    assert lines(nothing) == []


def test_it_is_told_as_json_and_in_a_line_a_category(report: dict[str, Any], scored: ScoredBatch) -> None:
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    found = lines(report)
    assert len(found) == 2 * len(pa.compute.unique(scored.examples.column("category")))
    assert any(line.startswith("psm multi_line: nll p10 ") and "AUC" in line for line in found)
