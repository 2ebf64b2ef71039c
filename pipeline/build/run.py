"""A run from start to end: check, list, resume, run the graph, close."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console

from stackfim.pipeline.build.against import reference_files
from stackfim.pipeline.build.beam_options import Engine
from stackfim.pipeline.config.run_config import SKIP, RunConfig
from stackfim.pipeline.config.scoring_model import Scoring, find_scoring, scoring_threads
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.attribution import repository_urls, write_attribution
from stackfim.pipeline.folder.card import run_card
from stackfim.pipeline.folder.fingerprints import FingerprintFiles, ReferenceFile
from stackfim.pipeline.folder.lock import locked, refuse_used
from stackfim.pipeline.folder.manifest import key_of_run, make_manifest, stackfim_version, versions
from stackfim.pipeline.folder.markers import FilteredMarker, complete
from stackfim.pipeline.folder.prepare import ANOTHER, Request, begin, clear, finished_report, refuse_clearing
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.sources import Shard, Source, SourceOptions, open_source
from stackfim.schemas.manifest import Manifest
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.filters.filter_settings import FilterPlan

if TYPE_CHECKING:
    from stackfim.pipeline.build.graph import Plan, ScorePlan


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    manifest: Manifest | None
    """All settings and counts; None for a dry run."""
    already_done: bool
    """Whether the folder held this very run, complete."""
    seconds: float


@dataclass(frozen=True)
class Inputs:
    """What a run reads, found and checked before anything is written."""

    source: Source
    shards: list[Shard]
    references: tuple[ReferenceFile, ...]
    against: dict[str, Source]
    """Sources of the reference files that are to be made, by path."""
    filters: FilterPlan
    scoring: Scoring | None
    identity: dict[str, Any]
    """What the manifest says of the input."""


def build(
    spec: str, out: str, config: RunConfig, workers: int, engine: Engine, console: Console, *, overwrite: bool
) -> Outcome:
    """Makes the data set of `spec` in `out`, or goes on with it.

    Raises UsageError and SourceError before anything is written, and BrokenPromise when rows were lost.
    """
    from stackfim.pipeline.build.engine import progress_folder, run_graph
    from stackfim.pipeline.build.repartition import fill_partitions

    started = time.monotonic()
    storage = Storage(out if "://" in out else os.path.abspath(out))
    if not engine.is_local and storage.is_local and not engine.is_dry_run:
        raise UsageError(
            f"--out {out}: the workers of {engine.runner} cannot reach it; expected a URL such as gs://BUCKET/FOLDER"
        )
    inputs = find_inputs(spec, config, storage)
    run_key = run_key_of(inputs.identity, inputs.shards, config, inputs.scoring)
    resume_key = resume_key_of(inputs.identity, len(inputs.shards), config, inputs.scoring)
    if engine.is_dry_run:
        with progress_folder(storage, engine) as folder:
            plan = make_plan(inputs, storage, config, resume_key, workers, engine, folder)
            run_graph(plan, engine, workers, console, None)
        return Outcome(None, False, time.monotonic() - started)
    request = _request(run_key, resume_key, config, inputs.scoring)
    finished = _known(storage, request, config, overwrite=overwrite)
    if finished is not None:
        return Outcome(finished, True, time.monotonic() - started)
    with locked(storage):
        _begin(storage, request, overwrite=overwrite)
        with progress_folder(storage, engine) as folder:
            plan = make_plan(inputs, storage, config, resume_key, workers, engine, folder)
            run_graph(plan, engine, workers, console, _known_rows(plan, inputs.shards))
        fill_partitions(plan.context)
        return Outcome(_finish(inputs, storage, config, run_key), False, time.monotonic() - started)


def find_inputs(spec: str, config: RunConfig, storage: Storage) -> Inputs:
    """What a run of `config` reads. Raises UsageError and SourceError for what cannot be used."""
    source = open_source(spec, options=source_options(config, storage))
    filters = config.filter_plan()
    shards = source.shards(*config.row_limit())
    files, against, compared = reference_files(config.against, storage, config.dedup_settings() or DedupSettings())
    scoring = find_scoring(config.score, config.seed)
    identity = {"spec": spec, **source.identity()} | ({"against": compared} if compared else {})
    return Inputs(source, shards, files, against, filters, scoring, identity)


def source_options(config: RunConfig, out: Storage) -> SourceOptions:
    """How the source of a run is read: without the folder that the run writes, which may lie in it."""
    return SourceOptions(
        columns=config.columns,
        work_tree=config.worktree,
        needs_licenses=not config.filters.allow_missing_licenses,
        leave_out=out.full_path("") if out.is_local else "",
    )


def resume_key_of(identity: dict[str, Any], shard_count: int, config: RunConfig, scoring: Scoring | None) -> str:
    """SHA-256 of all that rows depend on but the bytes of the source, 64 hex digits.

    A run that broke off is resumed when a file of its source was repaired: each shard depends on its own file.
    """
    place = {name: value for name, value in identity.items() if name not in ("digest", "size_bytes", "files")}
    parts = [stackfim_version(), versions(config), place, shard_count, config.recorded()]
    parts += [scoring.recorded()] if scoring is not None else []
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def run_key_of(identity: dict[str, Any], shards: list[Shard], config: RunConfig, scoring: Scoring | None = None) -> str:
    """SHA-256 of all that the rows depend on, 64 hex digits."""
    locators = [shard.locator for shard in shards]
    recorded = scoring.recorded() if scoring is not None else None
    return key_of_run(stackfim_version(), versions(config), identity, locators, config.recorded(), recorded)


def _request(run_key: str, resume_key: str, config: RunConfig, scoring: Scoring | None) -> Request:
    return Request(
        run_key=run_key,
        resume_key=resume_key,
        settings={
            "version": stackfim_version(),
            "configuration": config.recorded(),
            "versions": versions(config),
            "scoring": {"settings": scoring.recorded()} if scoring is not None else None,
        },
    )


def _known(storage: Storage, request: Request, config: RunConfig, *, overwrite: bool) -> Manifest | None:
    """The manifest of a folder that holds this very run, complete; None where there is work to do.

    Raises UsageError for a folder that holds something else, unless `overwrite` was asked for, and for one that another
    process writes to.
    """
    refuse_used(storage)
    if overwrite:
        refuse_clearing(storage, paths.RUN, Manifest)
        return None
    manifest = finished_report(storage, paths.RUN, Manifest, request, f"{ANOTHER}, or --overwrite to replace it")
    if manifest is None:
        return None
    if wrong := storage.missing(manifest.files):
        raise UsageError(
            f"{storage.root}: complete, but {wrong[0]} is missing or changed ({len(wrong)} files); --overwrite makes it anew"
        )
    if not config.keep_work:
        storage.remove(paths.WORK)
    return manifest


def _begin(storage: Storage, request: Request, *, overwrite: bool) -> None:
    """Makes the locked folder ready to be written."""
    if overwrite:
        clear(storage, paths.RUN, Manifest)
    elif finished_report(storage, paths.RUN, Manifest, request) is not None:
        raise UsageError(f"--out {storage.root}: another process has just made it; give the command again")
    begin(storage, paths.RUN, request)


def make_plan(
    inputs: Inputs,
    storage: Storage,
    config: RunConfig,
    resume_key: str,
    workers: int,
    engine: Engine,
    progress_folder: str | None,
) -> Plan:
    """What is to be done: shards whose first pass is complete are left out of it, unless the run is a dry one."""
    from stackfim.pipeline.build.graph import Plan
    from stackfim.pipeline.build.readers import ShardTask
    from stackfim.pipeline.build.run_context import RunContext
    from stackfim.pipeline.build.shard_keys import filtered_key

    context = RunContext(
        storage=storage,
        resume_key=resume_key,
        shard_count=len(inputs.shards),
        validation_share=config.validation_share,
        progress_folder=progress_folder,
        dedup=config.dedup_settings(),
        fingerprints=FingerprintFiles(storage, inputs.references),
        filter_scores=config.filters.scores,
        scored=inputs.scoring is not None,
    )
    filtered = {
        shard.index
        for shard in ([] if engine.is_dry_run else inputs.shards)
        if complete(storage, paths.filtered_marker(shard.index), FilteredMarker, filtered_key(context, shard.locator))
    }
    # Big shards first: the local runner divides them once and for all.
    to_filter = sorted(
        (shard for shard in inputs.shards if shard.index not in filtered),
        key=lambda shard: (-(shard.size_bytes or 0), shard.index),
    )
    return Plan(
        source=inputs.source,
        context=context,
        to_filter=[ShardTask(shard.index, shard.locator) for shard in to_filter],
        filtered=sorted(filtered),
        filters=inputs.filters,
        split=config.split_settings(),
        version=stackfim_version(),
        against=inputs.against,
        score=_score_plan(inputs.scoring, workers, engine),
        skips_bad_shards=config.on_bad_shard == SKIP,
    )


def _score_plan(scoring: Scoring | None, workers: int, engine: Engine) -> ScorePlan | None:
    """How the graph scores: on this machine all processes together take its cores, elsewhere the engine has the hints."""
    from stackfim.pipeline.build.graph import ScorePlan

    if scoring is None:
        return None
    threads = scoring_threads(workers) if engine.is_local else None
    return ScorePlan(scoring.model, scoring.settings, threads, {} if engine.is_local else scoring.hints)


def _known_rows(plan: Plan, shards: list[Shard]) -> int | None:
    """How many rows the shards to filter have; None where that of one is not known."""
    to_filter = {task.shard for task in plan.to_filter}
    rows = [shard.rows for shard in shards if shard.index in to_filter]
    known = [count for count in rows if count is not None]
    return sum(known) if len(known) == len(rows) else None


def _finish(inputs: Inputs, storage: Storage, config: RunConfig, run_key: str) -> Manifest:
    """Writes what the run says of itself. The manifest comes last: a folder that has one is complete."""
    urls = repository_urls(inputs.identity, config.repository_url)
    attribution = write_attribution(storage, storage.files(paths.DATA), urls)
    manifest = make_manifest(storage, run_key, inputs.identity, inputs.shards, config, attribution, inputs.scoring)
    storage.write_bytes(paths.CARD, run_card(manifest).encode())
    storage.write_record(paths.MANIFEST, manifest)
    if not config.keep_work:
        storage.remove(paths.WORK)
    return manifest
