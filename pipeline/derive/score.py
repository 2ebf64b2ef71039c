"""`stackfim score`: the shards of a data set scored by a model, judged, and written again.

Each shard becomes one shard of the same name (stackfim.pipeline.derive.shard_by_shard).
"""

import os
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from stackfim.pipeline.config.scoring_model import Scoring, scoring_threads
from stackfim.pipeline.derive.shard_by_shard import Derivation, Made, all_files, total_counts
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.card import scoring_card
from stackfim.pipeline.folder.counts import PARTITION, BrokenPromise
from stackfim.pipeline.folder.manifest import stackfim_version
from stackfim.pipeline.folder.parquet_shard import parquet_shard
from stackfim.pipeline.folder.prepare import Request
from stackfim.pipeline.folder.shards import example_shards, read_examples
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.derived import ScoringReport
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.scored import SCORED
from stackfim.transforms.score.batch import FILE_KEY, emptied_files, score_examples
from stackfim.transforms.score.diagnostics import PREFIX, summary
from stackfim.transforms.score.model_spec import ModelSpec
from stackfim.transforms.score.score_settings import ScoreSettings

if TYPE_CHECKING:
    from stackfim.model.scorer import Scorer


_COPIED_BYTES = 1 << 20


@dataclass(frozen=True)
class _Task:
    """One shard to score."""

    path: Path
    name: str
    """Its path below `data/`."""
    out: Storage
    model: ModelSpec
    settings: ScoreSettings
    threads: int


def score_folder(folder: Path, out: str, scoring: Scoring, workers: int) -> ScoringReport:
    """Scores all shards of `folder` into `out`; the report that is in its `scoring.json`.

    Raises UsageError for a folder without shards, and for an `out` that holds something else; BrokenPromise when a file
    that had examples neither has some left nor is among the rejections.
    """
    shards = example_shards(folder)
    request = Request.of(
        {
            "version": stackfim_version(),
            "settings": scoring.recorded(),
            "source": {shard.name: shard.sha256 for shard in shards},
        }
    )
    target = Storage(out)
    derivation = Derivation(Storage(str(folder)), target, paths.SCORED, ScoringReport, request)
    if (finished := derivation.finished()) is not None:
        return finished
    with derivation.begun():
        model = (scoring.model, scoring.settings, scoring_threads(min(workers, len(shards))))
        tasks = {shard.name: _Task(shard.path, shard.name, target, *model) for shard in shards}
        markers = derivation.run(_score, tasks, workers)
        run = Storage(str(folder))
        copies = {path: _Copy(run, path, target) for path in run.files(paths.FINGERPRINTS)}
        markers += derivation.run(_copy, copies, workers)
        counts = total_counts(markers)
        report = ScoringReport(
            **request.settings,
            run_key=request.run_key,
            counts={name: count for name, count in counts.items() if not name.startswith(PREFIX)},
            diagnostics=summary(counts),
            files=all_files(markers),
        )
        return derivation.close(report, scoring_card(report))


@dataclass(frozen=True)
class _Copy:
    """A file with the fingerprints of a run: later runs are compared with its scored examples as with itself."""

    run: Storage
    path: str
    out: Storage


def _copy(task: _Copy) -> Made:
    with task.run.open(task.path) as stream, task.out.create(task.path) as new:
        while block := stream.read(_COPIED_BYTES):
            new.write(block)
    return Made((new.record,), {})


def scoring_workers() -> int:
    """The number of processes to score with: one for each core, or a single one where a GPU does the work."""
    import torch

    return 1 if torch.cuda.is_available() else os.cpu_count() or 1


@lru_cache(maxsize=1)
def _scorer(model: ModelSpec, layouts: tuple[str, ...], threads: int, context_tokens: int | None) -> "Scorer":
    # A process scores one shard after another: it loads the model once.
    return model.load_scorer(layouts, threads, context_tokens)


def _score(task: _Task) -> Made:
    counts: Counter[str] = Counter()
    before: list[pa.RecordBatch] = []
    after: list[pa.RecordBatch] = []
    settings = task.settings
    with ExitStack() as stack:
        examples = stack.enter_context(parquet_shard(task.out, paths.derived_data(task.name), SCORED))
        rejections = paths.derived_rejections("score", task.name)
        dropped = stack.enter_context(parquet_shard(task.out, rejections, REJECTION))
        for batch in read_examples(task.path, EXAMPLE.names):
            scorer = _scorer(task.model, settings.layouts, task.threads, settings.context_tokens)
            scored = score_examples(batch, scorer, settings)
            examples.add(scored.examples)
            dropped.add(scored.rejections)
            counts.update(scored.counts)
            counts["examples_in"] += batch.num_rows
            counts.update(f"verdict:{verdict}" for verdict in scored.examples.column("verdict").to_pylist())
            counts.update(f"rejected:example:{reason}" for reason in scored.rejections.column("reason").to_pylist())
            before.append(batch.select(list(FILE_KEY)))
            after.append(scored.examples.select(list(FILE_KEY)))
        # The examples of a file may be in two batches, but not in two shards.
        emptied = emptied_files(_joined(before), _joined(after))
        dropped.add(emptied)
    counts.update({"examples": examples.rows, f"{PARTITION}:{paths.partition_of(task.name)}": examples.rows})
    counts.update(_files_accounted(task, before, after, emptied.num_rows))
    return Made((examples.record, dropped.record), counts)


def _files_accounted(
    task: _Task, before: list[pa.RecordBatch], after: list[pa.RecordBatch], rejected: int
) -> dict[str, int]:
    """Files that had examples, have some left, and were rejected. Raises BrokenPromise when these do not add up."""
    files_in, files_left = _distinct(before), _distinct(after)
    if files_in != files_left + rejected:
        raise BrokenPromise(
            f"{task.path}: {files_in} files gave examples, but {files_left} have some left and {rejected} were rejected"
        )
    return {"files_in": files_in, "files_with_examples": files_left, "files_rejected": rejected}


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    empty = pa.RecordBatch.from_pylist([], schema=pa.schema([EXAMPLE.field(name) for name in FILE_KEY]))
    return pa.concat_batches([empty.cast(empty.schema), *(batch.cast(empty.schema) for batch in batches)])


def _distinct(batches: list[pa.RecordBatch]) -> int:
    joined = pa.Table.from_batches([_joined(batches)])
    return int(joined.group_by(list(FILE_KEY)).aggregate([]).num_rows)
