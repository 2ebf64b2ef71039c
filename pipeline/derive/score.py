"""`stackfim score`: the shards of a data set scored by a model, judged, and written again.

Each shard becomes one shard of the same name, written under a temporary name and renamed, so that a run that broke off
goes on where it was and ends with the same bytes.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from stackfim.pipeline.config.run_config import UsageError
from stackfim.pipeline.config.scoring_model import Scoring, scoring_threads
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.manifest import BrokenPromise, stackfim_version
from stackfim.pipeline.folder.parquet_shard import parquet_shard
from stackfim.pipeline.folder.shards import example_files, read_examples
from stackfim.pipeline.folder.storage import Storage, complete
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.scored import SCORED
from stackfim.transforms.score.batch import FILE_KEY, emptied_files, score_examples
from stackfim.transforms.score.diagnostics import PREFIX, summary
from stackfim.transforms.score.model_spec import ModelSpec
from stackfim.transforms.score.score_settings import ScoreSettings

if TYPE_CHECKING:
    from stackfim.model.scorer import Scorer

SCORING = "scoring.json"


@dataclass(frozen=True)
class _Task:
    """One shard to score."""

    path: Path
    name: str
    """Its path below `data/`."""
    sha256: str
    out: Storage
    model: ModelSpec
    settings: ScoreSettings
    threads: int
    asked: str
    """What the scores depend on beside the rows, as JSON text."""


def score_folder(folder: Path, out: str, scoring: Scoring, workers: int) -> dict[str, Any]:
    """Scores all shards of `folder` into `out` and gives what `scoring.json` says.

    Raises UsageError for a folder without shards, and for an `out` that holds something else; BrokenPromise when a file
    that had examples neither has some left nor is among the rejections.
    """
    files = example_files(folder)
    base = folder / "data" if (folder / "data").is_dir() else folder
    storage = Storage(out)
    names = [path.relative_to(base).as_posix() for path in files]
    digests = {name: Storage(str(base)).sha256(name) for name in names}
    asked = {"version": stackfim_version(), "settings": scoring.recorded(), "source": digests}
    known, begun = storage.read_json(SCORING), storage.read_json(paths.RUN)
    for other in (known, begun):
        if other is not None and {name: other.get(name) for name in asked} != asked:
            raise UsageError(
                f"{out}: holds a scoring of other shards, or with another model or other settings; choose another --out"
            )
    if known is not None and all(storage.size(file["path"]) == file["size_bytes"] for file in known["files"]):
        return known
    if known is None and begun is None and storage.files():
        raise UsageError(f"{out}: holds files that are no scoring ({storage.files()[0]}, ...); choose an empty --out")
    storage.remove_temporary()
    storage.write_json(paths.RUN, asked)
    workers = min(workers, len(files))
    text = json.dumps([asked["version"], asked["settings"]], sort_keys=True)
    rest = (storage, scoring.model, scoring.settings, scoring_threads(workers), text)
    tasks = [_Task(path, name, digests[name], *rest) for path, name in zip(files, names, strict=True)]
    counts: Counter[str] = Counter()
    written: list[dict[str, Any]] = []
    for marker in _run(tasks, workers):
        counts.update(marker["counts"])
        written += marker["files"]
    said = asked | {
        "counts": {name: count for name, count in sorted(counts.items()) if not name.startswith(PREFIX)},
        "diagnostics": summary(counts),
        "files": sorted(written, key=lambda file: file["path"]),
    }
    storage.write_bytes(paths.CARD, _card(said).encode())
    storage.write_json(SCORING, said)
    storage.remove(paths.WORK)
    return said


def scoring_workers() -> int:
    """Processes to score with: one a core, or one where a GPU does the work."""
    import torch

    return 1 if torch.cuda.is_available() else os.cpu_count() or 1


def _run(tasks: list[_Task], workers: int) -> Iterator[dict[str, Any]]:
    if workers == 1:
        yield from map(_score, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_score, tasks)


@lru_cache(maxsize=1)
def _scorer(model: ModelSpec, layouts: tuple[str, ...], threads: int, context_tokens: int | None) -> "Scorer":
    # One a process: shards come one after another.
    return model.load_scorer(layouts, threads, context_tokens)


def _score(task: _Task) -> dict[str, Any]:
    """Scores one shard, unless it is complete for the same bytes and settings; gives its marker."""
    storage, path = task.out, f"{paths.WORK}/done/{task.name}.json"
    key = _key(task)
    known = complete(storage, path, key)
    if known is not None:
        return known
    counts: Counter[str] = Counter()
    before: list[pa.RecordBatch] = []
    after: list[pa.RecordBatch] = []
    settings = task.settings
    with ExitStack() as stack:
        examples = stack.enter_context(parquet_shard(storage, f"data/{task.name}", SCORED))
        dropped = stack.enter_context(parquet_shard(storage, f"rejections/score-{Path(task.name).name}", REJECTION))
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
        # A file's examples may be in two batches, but not in two shards.
        emptied = emptied_files(_joined(before), _joined(after))
        dropped.add(emptied)
    assert examples.record is not None
    assert dropped.record is not None
    files_in, files_left = _distinct(before), _distinct(after)
    if files_in != files_left + emptied.num_rows:
        raise BrokenPromise(
            f"{task.path}: {files_in} files gave examples, {files_left} are left, {emptied.num_rows} not"
        )
    counts.update(
        {
            "examples": examples.rows,
            "files_in": files_in,
            "files_with_examples": files_left,
            "files_rejected": emptied.num_rows,
        }
    )
    marker = {
        "key": key,
        "counts": dict(sorted(counts.items())),
        "files": [examples.record.as_dict(), dropped.record.as_dict()],
    }
    storage.write_json(path, marker)
    return marker


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    empty = pa.RecordBatch.from_pylist([], schema=pa.schema([EXAMPLE.field(name) for name in FILE_KEY]))
    return pa.concat_batches([empty.cast(empty.schema), *(batch.cast(empty.schema) for batch in batches)])


def _distinct(batches: list[pa.RecordBatch]) -> int:
    joined = pa.Table.from_batches([_joined(batches)])
    return joined.group_by(list(FILE_KEY)).aggregate([]).num_rows


def _key(task: _Task) -> str:
    """What a scored shard was made for: the shard's bytes, the model and the settings."""
    return hashlib.sha256(json.dumps([task.sha256, task.asked]).encode()).hexdigest()


def _card(said: dict[str, Any]) -> str:
    """README.md of the scored data, so that `load_dataset` finds the partitions."""
    counts, settings = said["counts"], said["settings"]
    partitions = [
        partition
        for partition in paths.PARTITIONS
        if any(Path(file["path"]).name.startswith(f"{partition}-") for file in said["files"])
    ]
    lines = ["---", "configs:", "- config_name: default", "  data_files:"]
    for partition in partitions or ["train"]:
        lines += [
            f"  - split: {partition}",
            f"    path: data/{partition}-*.parquet" if partitions else "    path: data/*.parquet",
        ]
    lines += ["---", "# Fill-in-the-middle examples, scored", ""]
    lines += [
        f"By stackfim {said['version']} with the model `{settings['model']}`; {SCORING} has limits, counts and distributions.",
        f"{counts['examples']:,} of {counts['examples_in']:,} examples are left.",
        "",
        "| Verdict | Examples | |",
        "|---|---:|---|",
    ]
    for prefix, where in (("verdict:", "in `data/`"), ("rejected:example:", "in `rejections/`")):
        found = [(name.removeprefix(prefix), count) for name, count in counts.items() if name.startswith(prefix)]
        lines += [f"| {name} | {count:,} | {where} |" for name, count in found]
    return "\n".join([*lines, ""])
