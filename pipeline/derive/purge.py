"""`stackfim purge`: a data set, a run or its scored examples, without the rows of named repositories and owners.

Their files become rejections of the stage `purge`, whether they had given examples or had been removed as duplicates; so do
files that were removed as copies of one of theirs, since a removal names the file that stays. Each shard of the run is
written again under its name (stackfim.pipeline.derive.shard_by_shard).
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from stackfim.pipeline.config.list_files import opt_out_record, read_opt_outs
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.derive.shard_by_shard import Derivation, Made, all_files, total_counts
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.attribution import repository_urls, write_attribution
from stackfim.pipeline.folder.card import run_card, scoring_card
from stackfim.pipeline.folder.counts import PARTITION, accounted, by_prefix, example_counts, rejected_counts
from stackfim.pipeline.folder.manifest import read_manifest, stackfim_version
from stackfim.pipeline.folder.parquet_shard import parquet_shard
from stackfim.pipeline.folder.prepare import Request
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.derived import ScoringReport
from stackfim.schemas.manifest import Manifest
from stackfim.schemas.record import FileRecord, RecordMismatch
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
_SourceFile = tuple[str, str, str]
"""Repository, path and content id."""
_Gone = tuple[_SourceFile, str]
"""A source file that leaves, and the reason."""


@dataclass(frozen=True)
class _Task:
    """One shard of a run."""

    folder: Storage
    out: Storage
    files: tuple[str, ...]
    """Paths of its files, but for `rejections`."""
    rejections: str | None
    """Path of the file that takes the new rejections; None where there can be none."""
    names: frozenset[str]


def purge_folder(folder: str, opt_out: str, out: str, workers: int) -> Manifest | ScoringReport:
    """Writes the data set of `folder` without the names of the file `opt_out` into `out`; the new report.

    Raises UsageError for a folder that is neither a finished run nor a scoring, and for an `out` that holds something else;
    BrokenPromise when a row was lost or doubled.
    """
    names = read_opt_outs(opt_out)
    source, target = Storage(folder), Storage(out)
    report = _finished(source)
    if isinstance(report, ScoringReport):
        return _purge_scoring(source, target, report, names, workers)
    return _purge_run(source, target, report, names, workers)


def _purge_run(source: Storage, target: Storage, manifest: Manifest, names: frozenset[str], workers: int) -> Manifest:
    """Purges a run."""
    purged = [*manifest.configuration.get("purged", []), opt_out_record(names)]
    # The run key of the folder stands for its files: they depend on nothing else.
    request = Request.of({"version": stackfim_version(), "purged_run_key": manifest.run_key, "purged": purged})
    derivation = Derivation(source, target, paths.RUN, Manifest, request)
    if (finished := derivation.finished()) is not None:
        return finished
    with derivation.begun():
        markers = derivation.run(_purge, _tasks(source, target, manifest, names), workers)
        files = all_files(markers)
        data = [file.path for file in files if file.path.startswith(f"{paths.DATA}/")]
        configuration = manifest.configuration | {"purged": purged}
        urls = repository_urls(manifest.source, configuration.get("repository_url"))
        attribution = write_attribution(target, data, urls)
        changed = {
            "version": stackfim_version(),
            "run_key": request.run_key,
            "configuration": configuration,
            **accounted(manifest.counts["files_in"], total_counts(markers)),
            "files": tuple(sorted((*files, attribution), key=lambda file: file.path)),
        }
        report = Manifest(**(dict(manifest) | changed))
        return derivation.close(report, run_card(report))


def _purge_scoring(
    source: Storage, target: Storage, scoring: ScoringReport, names: frozenset[str], workers: int
) -> ScoringReport:
    """The same for scored examples. The diagnostics stay those of all that was scored."""
    settings = scoring.settings | {"purged": [*scoring.settings.get("purged", []), opt_out_record(names)]}
    request = Request.of({"version": stackfim_version(), "settings": settings, "source": scoring.source})
    derivation = Derivation(source, target, paths.SCORED, ScoringReport, request)
    if (finished := derivation.finished()) is not None:
        return finished
    with derivation.begun():
        tasks: dict[str, _Task] = {}
        for file in scoring.files:
            if not file.path.startswith(f"{paths.REJECTIONS}/"):
                name = file.path.removeprefix(f"{paths.DATA}/")
                rejections = paths.derived_rejections("score", name) if name != file.path else None
                tasks[file.path] = _Task(source, target, (file.path,), rejections, names)
        markers = derivation.run(_purge, tasks, workers)
        report = ScoringReport(
            **request.settings,
            run_key=request.run_key,
            counts=_scoring_counts(total_counts(markers)),
            diagnostics=scoring.diagnostics,
            files=all_files(markers),
        )
        return derivation.close(report, scoring_card(report))


def files_taken_out(report: Manifest | ScoringReport) -> int:
    """How many files were purged because their repository or its owner is on a list."""
    if isinstance(report, ScoringReport):
        return report.counts.get("files_purged", 0)
    return report.rejected.get(f"file:{STAGE}:{OPTED_OUT}", 0)


def _scoring_counts(total: Mapping[str, int]) -> dict[str, int]:
    """The counts of a scoring from those of its rows and rejections."""
    dropped = Counter[str]()
    for name, count in by_prefix(total, "rejected:example:").items():
        dropped[f"rejected:example:{name.partition(':')[2]}"] += count
    rejected = sum(by_prefix(total, "rejected:file:").values())
    kept = {name: count for name, count in total.items() if name.partition(":")[0] in ("verdict", PARTITION)}
    examples, files = total.get("examples", 0), total.get("files_with_examples", 0)
    return dict(
        sorted(
            (
                kept
                | dropped
                | {"examples": examples, "examples_in": examples + dropped.total()}
                | {"files_purged": total.get(f"rejected:file:{STAGE}:{OPTED_OUT}", 0)}
                | {"files_with_examples": files, "files_rejected": rejected, "files_in": files + rejected}
            ).items()
        )
    )


def _finished(storage: Storage) -> Manifest | ScoringReport:
    try:
        report = storage.read_record(paths.SCORING, ScoringReport) or read_manifest(storage)
    except RecordMismatch as error:
        raise UsageError(
            f"{storage.root}: expected the folder of a finished run or of scored examples ({error})"
        ) from error
    if wrong := storage.missing(report.files):
        raise UsageError(f"{storage.root}: {wrong[0]} is missing or changed ({len(wrong)} files)")
    return report


def _tasks(source: Storage, target: Storage, manifest: Manifest, names: frozenset[str]) -> dict[str, _Task]:
    shards = len(manifest.locators)
    by_shard: dict[int, list[str]] = {index: [] for index in range(shards)}
    for file in manifest.files:
        if file.path != paths.ATTRIBUTION:
            by_shard[paths.shard_of(file.path)].append(file.path)
    tasks: dict[str, _Task] = {}
    for index, files in by_shard.items():
        rejected = paths.rejections("split", index, shards)
        others = tuple(path for path in files if path != rejected)
        tasks[f"purged-{index:05d}"] = _Task(source, target, others, rejected, names)
    return tasks


def _purge(task: _Task) -> Made:
    """One shard without the names."""
    counts: Counter[str] = Counter()
    gone: list[_Gone] = []
    written = [_without(task, path, counts, gone) for path in task.files]
    if task.rejections is not None:
        written.append(_with_rejections(task, task.rejections, counts, gone))
    return Made(tuple(file for file in written if file is not None), counts)


def _without(task: _Task, path: str, counts: Counter[str], gone: list[_Gone]) -> FileRecord | None:
    """Writes one file without the rows that leave, and adds the source files that leave to `gone`.

    None for a file of examples of which none is left.
    """
    kind = path.partition("/")[0]
    files: set[_SourceFile] = set()
    with ExitStack() as stack:
        file = pq.ParquetFile(stack.enter_context(task.folder.open(path)))
        # The schema with its metadata: fingerprints have their settings there.
        shard = stack.enter_context(parquet_shard(task.out, path, file.schema_arrow, keep_empty=kind != paths.DATA))
        for batch in file.iter_batches(_BATCH_ROWS):
            batch = batch.cast(file.schema_arrow)
            if kind != paths.REJECTIONS:
                batch = batch.filter(pa.array(_kept(batch, kind, task.names, gone), pa.bool_()))
            shard.add(batch)
            counts.update(_counts(kind, batch))
            if kind == paths.DATA:
                files.update(_files(batch))
    if kind == paths.DATA:
        counts.update({"files_with_examples": len(files), f"{PARTITION}:{paths.partition_of(path)}": shard.rows})
    return None if shard.is_discarded else shard.record


def _files(batch: pa.RecordBatch) -> list[_SourceFile]:
    """The source file of every row."""
    return list(zip(*(batch.column(name).to_pylist() for name in _FILE), strict=True))


def _counts(kind: str, batch: pa.RecordBatch) -> Mapping[str, int]:
    """What the manifest counts of a batch; but not files, of which the examples may lie in two batches."""
    if kind == paths.DATA:
        counts = example_counts(batch)
        del counts["files_with_examples"]
        return counts + Counter(examples=batch.num_rows)
    if kind == paths.REMOVALS:
        methods = Counter(f"removed:{method}" for method in batch.column("method").to_pylist())
        return methods + Counter(removed=batch.num_rows)
    return rejected_counts(batch) if kind == paths.REJECTIONS else {}


def _kept(batch: pa.RecordBatch, kind: str, names: frozenset[str], gone: list[_Gone]) -> list[bool]:
    """Which rows stay. For those that leave, their source files are added to `gone`.

    Each removal is a file of its own. Examples are not: only the first of several from one file adds it.
    """
    opted = opted_out(batch.column("repository").to_pylist(), names)
    copies = [False] * len(opted)
    if kind == paths.REMOVALS:
        copies = opted_out(batch.column("kept_repository").to_pylist(), names)
    if kind in (paths.DATA, paths.REMOVALS):
        for file, own, copy in zip(_files(batch), opted, copies, strict=True):
            reason = OPTED_OUT if own else KEPT_COPY
            if (own or copy) and (kind == paths.REMOVALS or not gone or gone[-1] != (file, reason)):
                gone.append((file, reason))
    return [not (own or copy) for own, copy in zip(opted, copies, strict=True)]


def _with_rejections(task: _Task, path: str, counts: Counter[str], gone: list[_Gone]) -> FileRecord:
    """Writes the rejections of the shard's second pass, and one for each source file that leaves."""
    columns = [pa.array([file[place] for file, _ in gone], pa.string()) for place in range(len(_FILE))]
    rows = pa.RecordBatch.from_arrays(columns, names=list(_FILE))
    reasons = [reason for _, reason in gone]
    added = rejections(FILE, STAGE, reasons, rows, [_DETAILS[reason] for reason in reasons])
    with ExitStack() as stack:
        file = pq.ParquetFile(stack.enter_context(task.folder.open(path)))
        shard = stack.enter_context(parquet_shard(task.out, path, file.schema_arrow))
        for batch in (*file.iter_batches(_BATCH_ROWS), added):
            shard.add(batch.cast(file.schema_arrow))
            counts.update(rejected_counts(batch))
    return shard.record
