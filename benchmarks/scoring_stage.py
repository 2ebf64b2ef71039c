"""What the Beam stage costs over the bare scorer, and which planted garbage a model's verdicts reject.

    python -m benchmarks.scoring_stage --model PATH DIR
    python -m benchmarks.scoring_stage --model PATH --rows 2000 --planted 1000 --calibrate 0.02 DIR

(as a module, from the root of the repository). DIR is a folder of examples that `stackfim build` wrote. Rows are drawn
evenly from its shards. Times are CPU seconds of this process, with one thread.

Overhead compares the scorer alone, given the rows 256 at a time; the pure function around it (columns, verdicts, diagnostics
with their sample of shifted ends); and the Beam stage, minus its time for batches without rows (start and loading). They take
turns, and the shortest of `--repeat` times counts.

Garbage is judged by the model's own limits or, with `--calibrate`, by limits that doubt that share of every other good row;
the rest of the good rows show how many the limits doubt.
Planted rows keep prefix and suffix; their middle is random characters or a block of base64, as long as the true one and at
least 24 characters. How well a score (nll, or the probability of end-of-text at the end) tells shuffled lines, truncated
middles and ends shifted by one line from the true rows is given as AUC: 1 is always, 0.5 is guessing.
"""

from __future__ import annotations

import argparse
import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import psutil
import pyarrow as pa
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from stackfim.model.scorer import ScoredRow, Scorer
from stackfim.pipeline.config.score_section import ScoreSection
from stackfim.pipeline.config.scoring_model import find_scoring
from stackfim.pipeline.folder.shards import example_files, read_examples
from stackfim.schemas.example import CATEGORIES, EMPTY, EXAMPLE, MULTI_LINE
from stackfim.schemas.layout import PSM
from stackfim.schemas.rejection import no_rejections
from stackfim.schemas.scored import score_column
from stackfim.transforms.draws import Draws
from stackfim.transforms.score.batch import ROWS_AT_A_TIME, score_examples
from stackfim.transforms.score.calibrate import Calibration
from stackfim.transforms.score.model_spec import ModelSpec
from stackfim.transforms.score.score_settings import DEFAULT_ACTIONS, LABEL, ScoreSettings
from stackfim.transforms.score.shifted import shifted_end
from stackfim.transforms.score.transform import ScoreExamples
from stackfim.transforms.score.verdict import ACCEPT
from stackfim.transforms.score.verdict_limits import LimitTable
from stackfim.transforms.shard_batch import ShardBatch

LEAST_GARBAGE_CHARS = 24
LAYOUT = PSM

Parts = tuple[str, str, str]


def main() -> None:
    """Run the benchmark and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", required=True, help="checkpoint, as `stackfim score` takes it")
    parser.add_argument("--rows", type=int, default=2000, help="good rows")
    parser.add_argument("--planted", type=int, default=1000, help="rows of each kind of garbage")
    parser.add_argument(
        "--calibrate", type=float, metavar="SHARE", help="take limits from the rows instead of the model's own"
    )
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-overhead", action="store_true")
    parser.add_argument("--no-garbage", action="store_true")
    options = parser.parse_args()
    scoring = find_scoring(ScoreSection(model=options.model, layouts=(LAYOUT,)), 0)
    assert scoring is not None
    spec = scoring.model
    settings = replace(scoring.settings, actions=dict.fromkeys(DEFAULT_ACTIONS, LABEL))
    scorer = spec.load_scorer((LAYOUT,), 1, settings.context_tokens)
    rows = drawn_examples(options.folder, options.rows)
    print(f"{rows.num_rows:,} examples, {len(set(rows.column('language').to_pylist()))} languages")
    if not options.no_overhead:
        print_overhead(rows, spec, scorer, settings, options.repeat)
    if not options.no_garbage:
        print_garbage(rows, scorer, settings, options.planted, options.calibrate)


def drawn_examples(folder: Path, count: int) -> pa.RecordBatch:
    """The `count` examples with the lowest draws by id, or all of them (stackfim.schemas.example.EXAMPLE)."""
    kept: list[tuple[int, pa.RecordBatch]] = []
    for path in example_files(folder):
        for batch in read_examples(path, EXAMPLE.names):
            draws = [Draws("benchmark", example_id).next() for example_id in batch.column("example_id").to_pylist()]
            kept += [(draw, batch.slice(row, 1)) for row, draw in enumerate(draws)]
        kept = sorted(kept, key=lambda pair: pair[0])[:count]
        # A slice would keep the memory of its whole batch.
        kept = [(draw, row.take(pa.array([0]))) for draw, row in kept]
    return pa.concat_batches([row for _, row in kept])


def print_overhead(rows: pa.RecordBatch, spec: ModelSpec, scorer: Scorer, settings: ScoreSettings, repeat: int) -> None:
    """Print what the stage costs in addition to the scorer."""
    parts = parts_of(rows)

    def bare() -> None:
        for start in range(0, len(parts), ROWS_AT_A_TIME):
            scorer.score(parts[start : start + ROWS_AT_A_TIME])

    # Copies, since a slice that is pickled into the graph is as large as its batch.
    starts = range(0, rows.num_rows, ROWS_AT_A_TIME)
    batches = [rows.take(pa.array(range(at, min(at + ROWS_AT_A_TIME, rows.num_rows)))) for at in starts]

    def core() -> None:
        for batch in batches:
            score_examples(batch, scorer, settings)

    def start() -> None:
        run_stage([batch.take(pa.array([], pa.int64())) for batch in batches], spec, settings)

    def stage() -> None:
        run_stage(batches, spec, settings)

    bare()
    start()
    before = psutil.Process().memory_info().rss
    turns = [[cpu_seconds(run) for run in (bare, core, stage, start)] for _ in range(repeat)]
    scorer_s, core_s, stage_s, fixed = map(min, zip(*turns, strict=True))
    took = {
        "the scorer alone": scorer_s,
        "with columns, verdicts, diagnostics": core_s,
        "as a Beam stage": stage_s - fixed,
    }
    for name, seconds in took.items():
        print(
            f"{name:<40}{seconds:>9.1f} s{1e3 * seconds / rows.num_rows:>9.2f} ms per row"
            f"{seconds / took['the scorer alone'] - 1:>9.1%}"
        )
    grown = psutil.Process().memory_info().rss - before
    print(f"start of the stage, model included: {fixed:.1f} s; memory grown by {grown / 1e6:.0f} MB over all")


def run_stage(batches: list[pa.RecordBatch], spec: ModelSpec, settings: ScoreSettings) -> None:
    """Run the stage in a pipeline of its own, in this process."""
    shard = [
        ShardBatch(0, number, number == len(batches) - 1, batch, no_rejections())
        for number, batch in enumerate(batches)
    ]
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _ = (
            pipeline
            | beam.Create([0])
            | beam.FlatMap(lambda _: shard).with_output_types(ShardBatch)
            | ScoreExamples(spec, settings, threads=1)
            | beam.Map(lambda batch: batch.rows.num_rows)
        )


def cpu_seconds(run: Callable[[], None]) -> float:
    """CPU seconds of a run, user and system, of all threads of this process."""
    started = time.process_time()
    run()
    return time.process_time() - started


def print_garbage(
    rows: pa.RecordBatch, scorer: Scorer, settings: ScoreSettings, planted: int, share: float | None
) -> None:
    """Print how many good rows and how much garbage is rejected, and how well scores show subtler damage."""
    good_rows = rows
    if share is not None:
        calibration = Calibration()
        calibration.add(score_examples(rows.take(pa.array(range(0, rows.num_rows, 2))), scorer, settings).examples)
        limits = LimitTable().with_changes(calibration.limits(share, min_rows=200))
        settings = replace(settings, limits=limits)
        good_rows = rows.take(pa.array(range(1, rows.num_rows, 2)))
    good = score_examples(good_rows, scorer, settings).examples.to_pylist()
    tables = {"good rows": by_category(good, lambda row: row["verdict"] != ACCEPT)}
    for name, garbage in (("random characters", random_characters), ("base64 block", base64_block)):
        spoilt = [with_middle(row, garbage(row)) for row in rows.to_pylist() if row["category"] != EMPTY][:planted]
        batch = pa.RecordBatch.from_pylist(spoilt, schema=EXAMPLE)
        found = score_examples(batch, scorer, settings).examples.to_pylist()
        tables[name] = by_category(found, lambda row: row["verdict"] != ACCEPT)
    print_table("rejected", tables, "{:.1%}".format)
    true = {row["example_id"]: row[score_column(LAYOUT)] for row in good if row[score_column(LAYOUT)] is not None}
    found_aucs: dict[str, dict[str, float]] = {}
    for name, spoil, score, sign in (
        ("shuffled lines, by nll", shuffled_lines, "nll", 1),
        ("truncated, by p_eot_end", truncated, "p_eot_end", -1),
        ("truncated, by nll", truncated, "nll", 1),
        ("end shifted, by p_eot_end", shifted, "p_eot_end", -1),
    ):
        pairs = list(spoilt_pairs(good, true, spoil, scorer, planted))
        found_aucs[name] = aucs(
            [(row["category"], sign * other[score], sign * own[score]) for row, own, other in pairs]
        )
    print_table("AUC against the true rows", found_aucs, "{:.3f}".format)


def parts_of(rows: pa.RecordBatch) -> list[Parts]:
    """Prefix, middle and suffix of every row."""
    return list(zip(*(rows.column(name).to_pylist() for name in ("prefix", "middle", "suffix")), strict=True))


def with_middle(row: dict[str, Any], middle: str) -> dict[str, Any]:
    """The row with another middle; its other labels stay."""
    return {**row, "middle": middle}


def random_characters(row: dict[str, Any]) -> str:
    """Printable ASCII, each character equally likely."""
    draws = Draws("random characters", row["example_id"])
    return "".join(chr(33 + draws.below(94)) for _ in range(max(len(row["middle"]), LEAST_GARBAGE_CHARS)))


def base64_block(row: dict[str, Any]) -> str:
    """Random bytes in base64, in lines of 76 characters as in MIME."""
    draws = Draws("base64", row["example_id"])
    size = max(len(row["middle"]), LEAST_GARBAGE_CHARS) * 3 // 4
    text = base64.b64encode(bytes(draws.below(256) for _ in range(size))).decode()
    return "\n".join(text[start : start + 76] for start in range(0, len(text), 76))


def shuffled_lines(row: dict[str, Any]) -> Parts | None:
    """The lines of the middle in another order; None for fewer than three different lines."""
    lines = row["middle"].split("\n")
    if row["category"] != MULTI_LINE or len(set(lines)) < 3:
        return None
    draws = Draws("shuffled", row["example_id"])
    mixed = list(lines)
    while mixed == lines:
        mixed = [line for _, line in sorted((draws.next(), line) for line in lines)]
    return row["prefix"], "\n".join(mixed), row["suffix"]


def truncated(row: dict[str, Any]) -> Parts | None:
    """The middle cut inside its last line, without the rest; None for a last line of fewer than 8 characters."""
    body = row["middle"].rstrip()
    last = len(body) - body.rfind("\n") - 1
    if len(body[len(body) - last :].strip()) < 8:
        return None
    cut = 3 + Draws("truncated", row["example_id"]).below(last - 6)
    return row["prefix"], body[: len(body) - cut], row["suffix"]


def shifted(row: dict[str, Any]) -> Parts | None:
    """The end one line earlier or later, as in the diagnostics."""
    if row["category"] == EMPTY or row["newline_owner"] == "none":
        return None
    return shifted_end(row["example_id"], (row["prefix"], row["middle"], row["suffix"]), 0)


def spoilt_pairs(
    good: list[dict[str, Any]],
    true: dict[str, dict[str, Any]],
    spoil: Callable[[dict[str, Any]], Parts | None],
    scorer: Scorer,
    planted: int,
) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Rows that `spoil` can spoil, with the true score of each and that of the spoilt one."""
    chosen = [(row, parts) for row in good if row["example_id"] in true and (parts := spoil(row))][:planted]
    found: list[ScoredRow] = []
    for start in range(0, len(chosen), ROWS_AT_A_TIME):
        found += scorer.score([parts for _, parts in chosen[start : start + ROWS_AT_A_TIME]])
    for (row, _), scored in zip(chosen, found, strict=True):
        score = scored.scores[LAYOUT]
        if score is not None:
            values = {"nll": score.nll, "p_eot_end": score.p_eot_end}
            yield row, true[row["example_id"]], values


def aucs(pairs: list[tuple[str, float, float]]) -> dict[str, float]:
    """By category, the chance that the value of a spoilt row is above that of a true one.

    `pairs` are category, spoilt value and true value.
    """
    areas: dict[str, float] = {}
    for category in (*CATEGORIES, "all"):
        chosen = [(spoilt, true) for found, spoilt, true in pairs if category in (found, "all")]
        if chosen:
            spoilt, true = (np.array(side)[:, None] for side in zip(*chosen, strict=True))
            areas[category] = float(((spoilt > true.T) + (spoilt == true.T) / 2).mean())
    return areas


def by_category(rows: list[dict[str, Any]], holds: Callable[[dict[str, Any]], bool]) -> dict[str, float]:
    """The share of rows for which `holds` is true, by category and for all."""
    shares = {}
    for category in (*CATEGORIES, "all"):
        chosen = [row for row in rows if category in (row["category"], "all")]
        if chosen:
            shares[category] = sum(map(holds, chosen)) / len(chosen)
    return shares


def print_table(title: str, tables: dict[str, dict[str, float]], number: Callable[[float], str]) -> None:
    """Print the tables, one line each, with a column for each category."""
    columns = (*CATEGORIES, "all")
    print(f"\n{title:<36}" + "".join(f"{column:>14}" for column in columns))
    for name, values in tables.items():
        cells = (number(values[column]) if column in values else "" for column in columns)
        print(f"{name:<36}" + "".join(f"{cell:>14}" for cell in cells))


if __name__ == "__main__":
    main()
