"""`stackfim purge`: a data set without the rows of named repositories and owners.

Files of theirs become rejections of the stage `purge`, whatever they were before, and so do files that were removed as
copies of one of theirs: what a removal names stays. Each shard is written under a temporary name and renamed, so that a
run that broke off goes on where it was. The folder that is read stays as it is.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stackfim.pipeline.build.run import repository_urls
from stackfim.pipeline.config.list_files import opt_out_record, read_opt_outs
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.attribution import write_attribution
from stackfim.pipeline.folder.counts import EXAMPLE_COUNTS, example_counts, rejected_counts
from stackfim.pipeline.folder.manifest import BrokenPromise, dataset_card, stackfim_version
from stackfim.pipeline.folder.parquet_shard import parquet_shard
from stackfim.pipeline.folder.storage import FileRecord, Storage, complete
from stackfim.schemas.manifest import ManifestMismatch, check_manifest
from stackfim.schemas.rejection import FILE, rejections
from stackfim.transforms.filters.opt_out import opted_out

STAGE = "purge"
OPTED_OUT = "opted_out"
KEPT_COPY = "kept_copy_opted_out"
_DETAILS = {
    OPTED_OUT: "taken out on request: the repository or its owner is on the opt-out list",
    KEPT_COPY: "a copy of a file that was taken out on request",
}
_BATCH_ROWS = 1_000
_FILE = ("repository", "path", "content_id")
_Gone = tuple[tuple[str, str, str], str]
"""Repository, path and content id of a source file, and the reason for which it goes."""


@dataclass(frozen=True)
class _Task:
    """One shard of a run: its files, and the one that takes the new rejections."""

    index: int
    folder: Storage
    out: Storage
    files: tuple[tuple[str, str], ...]
    """Path and SHA-256 of each."""
    rejections: str
    names: frozenset[str]
    record: str
    """What is taken out and by which version, as JSON: a shard is complete for this alone."""


def purge_folder(folder: str, opt_out: str, out: str, workers: int) -> dict[str, Any]:
    """Writes the data set of `folder` without the names of the file `opt_out` into `out`; gives the new manifest.

    Raises UsageError for a folder that is no finished run, and for an `out` that holds something else.
    """
    names = read_opt_outs(opt_out)
    source, target = Storage(folder), Storage(out)
    if source.full_path("") == target.full_path(""):
        raise UsageError(f"--out {out}: the folder that is read; expected another one")
    manifest = _finished(source)
    configuration = json.loads(manifest["configuration"])
    configuration["purged"] = [*configuration.get("purged", []), opt_out_record(names)]
    asked = {"version": stackfim_version(), "run_key": manifest["run_key"], "purged": configuration["purged"]}
    known, begun = target.read_json(paths.MANIFEST), target.read_json(paths.RUN)
    run_key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    if isinstance(known, dict) and known.get("run_key") == run_key:
        return known
    if known is not None or (begun is not None and begun != asked) or (begun is None and target.files()):
        raise UsageError(f"{out}: holds something else ({target.files()[0]}, ...); choose an empty --out")
    target.remove_temporary()
    target.write_json(paths.RUN, asked)
    counts: Counter[str] = Counter()
    written: list[dict[str, Any]] = []
    for marker in _run(_tasks(source, target, manifest, names, json.dumps(asked, sort_keys=True)), workers):
        counts.update(marker["counts"])
        written += marker["files"]
    data = sorted(file["path"] for file in written if file["path"].startswith("data/"))
    urls = repository_urls(json.loads(manifest["source"]), configuration.get("repository_url"))
    written.append(write_attribution(target, data, urls).as_dict())
    purged = _manifest(manifest, counts, written) | {
        "version": stackfim_version(),
        "run_key": run_key,
        "configuration": json.dumps(configuration, sort_keys=True),
    }
    target.write_bytes(paths.CARD, dataset_card(check_manifest(purged)).encode())
    # The manifest comes last: a folder that has one is complete.
    target.write_json(paths.MANIFEST, purged)
    target.remove(paths.WORK)
    return purged


def _finished(storage: Storage) -> dict[str, Any]:
    try:
        manifest = check_manifest(storage.read_json(paths.MANIFEST))
    except ManifestMismatch as error:
        raise UsageError(f"{storage.root}: expected the folder of a finished run ({error})") from error
    wrong = [file["path"] for file in manifest["files"] if storage.size(file["path"]) != file["size_bytes"]]
    if wrong:
        raise UsageError(f"{storage.root}: {wrong[0]} is missing or changed ({len(wrong)} files)")
    return manifest


def _tasks(
    source: Storage, target: Storage, manifest: dict[str, Any], names: frozenset[str], record: str
) -> list[_Task]:
    shards = len(manifest["locators"])
    by_shard: dict[int, list[tuple[str, str]]] = {index: [] for index in range(shards)}
    for file in manifest["files"]:
        if file["path"] != paths.ATTRIBUTION:
            by_shard[paths.shard_of(file["path"])].append((file["path"], file["sha256"]))
    return [
        _Task(index, source, target, tuple(files), paths.rejections("split", index, shards), names, record)
        for index, files in by_shard.items()
    ]


def _run(tasks: list[_Task], workers: int) -> Iterator[dict[str, Any]]:
    if workers == 1 or len(tasks) == 1:
        yield from map(_purge, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_purge, tasks)


def _purge(task: _Task) -> dict[str, Any]:
    """Writes one shard without the names, unless it is complete for the same bytes and names; gives its marker."""
    path = f"{paths.WORK}/done/purged-{task.index:05d}.json"
    key = hashlib.sha256(json.dumps([task.files, task.record]).encode()).hexdigest()
    known = complete(task.out, path, key)
    if known is not None:
        return known
    counts: Counter[str] = Counter()
    gone: list[_Gone] = []
    files = [_without(task, file, counts, gone) for file, _ in task.files if file != task.rejections]
    files.append(_with_rejections(task, counts, gone))
    marker = {"key": key, "counts": dict(sorted(counts.items())), "files": [file.as_dict() for file in files]}
    task.out.write_json(path, marker)
    return marker


def _without(task: _Task, path: str, counts: Counter[str], gone: list[_Gone]) -> FileRecord:
    """One file without the rows that go; the source files that went are added to `gone`."""
    kind, _, name = path.partition("/")
    with ExitStack() as stack:
        file = pq.ParquetFile(stack.enter_context(task.folder.open(path)))
        # The schema with its metadata: fingerprints name their settings there.
        shard = stack.enter_context(parquet_shard(task.out, path, file.schema_arrow))
        files: set[tuple[str, str, str]] = set()
        for batch in file.iter_batches(_BATCH_ROWS):
            batch = batch.cast(file.schema_arrow)
            keep = [True] * batch.num_rows
            if kind != "rejections":
                keep = _kept(batch, kind, task.names, gone)
                batch = batch.filter(pa.array(keep))
            shard.add(batch)
            if kind == "data":
                files.update(zip(*(batch.column(key).to_pylist() for key in _FILE), strict=True))
                counts.update(example_counts(batch))
                counts.update({f"partition:{name.partition('-')[0]}": batch.num_rows, "examples": batch.num_rows})
            elif kind == "removals":
                counts.update(f"removed:{method}" for method in batch.column("method").to_pylist())
                counts["removed"] += batch.num_rows
            elif kind == "rejections":
                counts.update(rejected_counts(batch))
    if kind == "data":
        # Counted batch by batch above; a file's examples may lie in two.
        counts["files"] += len(files)
    assert shard.record is not None
    return shard.record


def _kept(batch: pa.RecordBatch, kind: str, names: frozenset[str], gone: list[_Gone]) -> list[bool]:
    """Which rows stay. Every removal is a file that went, of examples only those of another file than the one before."""
    left = opted_out(batch.column("repository").to_pylist(), names)
    copies = [False] * len(left)
    if kind == "removals":
        copies = opted_out(batch.column("kept_repository").to_pylist(), names)
    if kind in ("data", "removals"):
        files = zip(*(batch.column(name).to_pylist() for name in _FILE), strict=True)
        for file, own, copy in zip(files, left, copies, strict=True):
            reason = OPTED_OUT if own else KEPT_COPY
            if (own or copy) and (kind == "removals" or not gone or gone[-1] != (file, reason)):
                gone.append((file, reason))
    return [not (own or copy) for own, copy in zip(left, copies, strict=True)]


def _with_rejections(task: _Task, counts: Counter[str], gone: list[_Gone]) -> FileRecord:
    """The rejections of the shard's second pass, and one for each file that is gone."""
    columns = [pa.array([file[place] for file, _ in gone], pa.string()) for place in range(len(_FILE))]
    rows = pa.RecordBatch.from_arrays(columns, names=list(_FILE))
    reasons = [reason for _, reason in gone]
    added = rejections(FILE, STAGE, reasons, rows, [_DETAILS[reason] for reason in reasons])
    with ExitStack() as stack:
        file = pq.ParquetFile(stack.enter_context(task.folder.open(task.rejections)))
        shard = stack.enter_context(parquet_shard(task.out, task.rejections, file.schema_arrow))
        for batch in (*file.iter_batches(_BATCH_ROWS), added):
            shard.add(batch.cast(file.schema_arrow))
            counts.update(rejected_counts(batch))
    assert shard.record is not None
    return shard.record


def _manifest(manifest: dict[str, Any], counts: Counter[str], files: list[dict[str, Any]]) -> dict[str, Any]:
    """The manifest with what the shards count now. Raises BrokenPromise when the counts do not add up."""
    rejected = {name.removeprefix("rejected:"): count for name, count in counts.items() if name.startswith("rejected:")}
    dropped = sum(count for name, count in rejected.items() if name.startswith("file:"))
    totals = {
        "files_in": manifest["counts"]["files_in"],
        "files_rejected": dropped,
        "files_removed": counts["removed"],
        "files_with_examples": counts["files"],
        "examples": counts["examples"],
        "examples_rejected": sum(rejected.values()) - dropped,
    }
    if totals["files_in"] != dropped + totals["files_removed"] + totals["files_with_examples"]:
        raise BrokenPromise(f"files in are not files with examples, rejected and removed: {totals}")
    examples = {
        name: count for name, count in counts.items() if name.partition(":")[0] in (*EXAMPLE_COUNTS, "partition")
    }
    removed = {name.removeprefix("removed:"): count for name, count in counts.items() if name.startswith("removed:")}
    return manifest | {
        "counts": totals,
        "rejected": dict(sorted(rejected.items())),
        "removed": dict(sorted(removed.items())),
        "examples": dict(sorted(examples.items())),
        "files": sorted(files, key=lambda file: file["path"]),
    }
