"""Real rows scored by a real network: columns, verdicts, and what becomes of rows that are dropped."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stackfim.model.scorer import Scorer
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.layout import LAYOUTS
from stackfim.schemas.scored import SCORED, score_column
from stackfim.transforms.score.batch import ScoredBatch, emptied_files, score_examples
from stackfim.transforms.score.model_spec import ModelSpec
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.score.verdict import REASONS
from stackfim.transforms.score.verdict_limits import LimitTable

# The small network's own scale: each reason is given to some rows and none to all.
LIMITS = LimitTable().with_changes(
    {
        "single_line": {"max_nll": 8.6, "min_p_eot_end": 5e-5},
        "multi_line": {"max_nll": 8.55, "max_p_eot_early": 1.5e-3, "min_p_eot_end": 5e-5},
        "random_span": {"max_nll": 8.6, "trivial_nll": 8.4, "trivial_tokens": 10},
        "empty": {"min_p_eot_start": 3e-4},
    }
)


def parts(rows: pa.RecordBatch) -> list[tuple[str, str, str]]:
    return list(zip(*(rows.column(name).to_pylist() for name in ("prefix", "middle", "suffix")), strict=True))


def close(value: float | None) -> Any:
    """A score as another packing may give it."""
    return value if value is None else pytest.approx(value, rel=1e-3, abs=1e-3)


def test_columns_hold_what_the_scorer_says(examples: pa.RecordBatch, scored: ScoredBatch, scorer: Scorer) -> None:
    assert scored.examples.schema.equals(SCORED)
    assert scored.examples.select(EXAMPLE.names).equals(examples)
    chosen = list(range(0, examples.num_rows, 9))
    found = scorer.score(parts(examples.take(pa.array(chosen))))
    for row, expected in zip(scored.examples.take(pa.array(chosen)).to_pylist(), found, strict=True):
        assert row["tokens"] == expected.tokens == len(scorer.tokenizer.encode(row["middle"]))
        for layout in LAYOUTS:
            wanted = expected.scores[layout]
            stored = row[score_column(layout)]
            assert (stored is None) == (wanted is None)
            if wanted is not None:
                assert stored == {name: close(value) for name, value in asdict(wanted).items()}
        assert row["verdict"].startswith("unscored:") == (expected.reason is not None)


def test_a_layout_that_was_not_asked_for_is_null(examples: pa.RecordBatch, checkpoint: Path) -> None:
    only_spm = ModelSpec(str(checkpoint)).load_scorer(("spm",), threads=1)
    found = score_examples(examples.slice(0, 20), only_spm, ScoreSettings(("spm",), LIMITS))
    assert found.examples.column("score_psm").null_count == found.examples.num_rows
    assert found.examples.column("score_spm").null_count < found.examples.num_rows


@pytest.mark.parametrize("size", [1, 7, 60])
def test_verdicts_and_scores_do_not_depend_on_batches(
    examples: pa.RecordBatch, scored: ScoredBatch, scorer: Scorer, size: int
) -> None:
    rows = examples.slice(0, 60)
    settings = ScoreSettings(LAYOUTS, LIMITS)
    whole = score_examples(rows, scorer, settings)
    found = [score_examples(rows.slice(start, size), scorer, settings) for start in range(0, 60, size)]
    joined = pa.concat_batches([part.examples for part in found])
    assert joined.column("example_id").equals(whole.examples.column("example_id"))
    assert joined.column("verdict").equals(whole.examples.column("verdict"))
    assert (
        pa.concat_batches([part.rejections for part in found])
        .column("reason")
        .equals(whole.rejections.column("reason"))
    )
    for one, other in zip(joined.to_pylist(), whole.examples.to_pylist(), strict=True):
        for layout in LAYOUTS:
            score = other[score_column(layout)]
            assert one[score_column(layout)] == (score and {name: close(value) for name, value in score.items()})


def test_the_same_rows_give_the_same_bits(examples: pa.RecordBatch, scorer: Scorer, labelling: ScoreSettings) -> None:
    one, other = (score_examples(examples.slice(0, 40), scorer, labelling) for _ in range(2))
    assert one.examples.equals(other.examples)
    assert one.counts == other.counts


def test_every_row_is_kept_or_rejected_with_its_reason(
    examples: pa.RecordBatch, scored: ScoredBatch, scorer: Scorer
) -> None:
    found = score_examples(examples, scorer, ScoreSettings(LAYOUTS, LIMITS))
    kept, dropped = found.examples.to_pylist(), found.rejections.to_pylist()
    assert len(kept) + len(dropped) == examples.num_rows
    reasons = Counter(row["reason"] for row in dropped)
    assert set(reasons) == set(REASONS)
    assert {row["verdict"].partition(":")[0] for row in kept} == {"accept", "unscored"}
    assert {(row["unit"], row["stage"]) for row in dropped} == {("example", "score")}
    by_id = {row["example_id"]: row for row in examples.to_pylist()}
    for row in dropped:
        example = by_id[row["detail"].split()[1].rstrip(":")]
        assert (row["repository"], row["path"]) == (example["repository"], example["path"])
        assert "nll" in row["detail"]
        assert example["middle"].strip() not in row["detail"] or len(example["middle"].strip()) < 8
    # With the action `label` the scores are the same, and the rows stay with their verdict.
    few = examples.slice(0, 40)
    dropping, labelling = (
        ScoreSettings(LAYOUTS, LIMITS),
        ScoreSettings(LAYOUTS, LIMITS, dict.fromkeys(REASONS, "label")),
    )
    one, other = (score_examples(few, scorer, settings) for settings in (dropping, labelling))
    assert one.rejections.num_rows > other.rejections.num_rows == 0
    assert [row for row in other.examples.to_pylist() if row["verdict"] not in REASONS] == one.examples.to_pylist()
    assert [row for row in other.examples.column("verdict").to_pylist() if row in REASONS] == (
        one.rejections.column("reason").to_pylist()
    )


def test_a_row_that_the_model_cannot_hold_is_kept_and_says_why(examples: pa.RecordBatch, scorer: Scorer) -> None:
    rows = examples.slice(0, 3).to_pylist()
    rows[0]["middle"] = "\n".join(f"value_{number} = {number * 7919}" for number in range(400))
    rows[1]["prefix"] = "x" * 3 + "0123456789 " * 400
    batch = pa.RecordBatch.from_pylist(rows, schema=EXAMPLE)
    found = score_examples(batch, scorer, ScoreSettings(LAYOUTS, LIMITS)).examples.to_pylist()
    assert [row["verdict"] for row in found[:2]] == ["unscored:middle_too_long", "unscored:cursor_lines_too_long"]
    assert all(row[score_column(layout)] is None for row in found[:2] for layout in LAYOUTS)
    assert found[0]["tokens"] > 384
    dropping = ScoreSettings(LAYOUTS, LIMITS, {"unscored": "drop"})
    reasons = score_examples(batch, scorer, dropping).rejections.column("reason").to_pylist()
    assert reasons[:2] == ["unscored:middle_too_long", "unscored:cursor_lines_too_long"]


def test_older_scores_are_replaced(scored: ScoredBatch, scorer: Scorer, labelling: ScoreSettings) -> None:
    rows = scored.examples.slice(0, 10)
    wrong = rows.set_column(rows.schema.get_field_index("verdict"), SCORED.field("verdict"), pa.array(["x"] * 10))
    again = score_examples(wrong, scorer, labelling)
    assert again.examples.column("verdict").equals(rows.column("verdict"))


def test_files_without_an_example_left_are_rejected_once(examples: pa.RecordBatch) -> None:
    paths = sorted(set(examples.column("path").to_pylist()))
    gone = set(paths[::3])
    after = examples.filter(pa.array([path not in gone for path in examples.column("path").to_pylist()]))
    found = emptied_files(examples, after).to_pylist()
    assert [row["path"] for row in found] == list(
        dict.fromkeys(path for path in examples.column("path").to_pylist() if path in gone)
    )
    assert {(row["unit"], row["stage"], row["reason"]) for row in found} == {("file", "score", "no_example_left")}
    assert emptied_files(examples, examples).num_rows == 0
    assert emptied_files(examples, examples.slice(0, 0)).num_rows == len(paths)


def test_a_batch_without_rows_is_one_still(examples: pa.RecordBatch, scorer: Scorer, labelling: ScoreSettings) -> None:
    found = score_examples(examples.slice(0, 0), scorer, labelling)
    assert found.examples.schema.equals(SCORED)
    assert (found.examples.num_rows, found.rejections.num_rows, sum(found.counts.values())) == (0, 0, 0)
