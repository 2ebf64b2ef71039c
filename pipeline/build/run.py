"""A run from start to end: check, list, resume, run the graph, close."""

import hashlib
import json
import logging
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from stackfim.pipeline.folder import paths
from stackfim.pipeline.build.against import reference_files
from stackfim.pipeline.folder.attribution import write_attribution
from stackfim.pipeline.build.beam_options import Engine
from stackfim.pipeline.config.run_config import RunConfig, UsageError
from stackfim.pipeline.folder.fingerprints import FingerprintFiles, ReferenceFile
from stackfim.pipeline.folder.manifest import dataset_card, make_manifest, stackfim_version, versions
from stackfim.pipeline.local.memory import bound_memory, giving_back_memory
from stackfim.pipeline.config.scoring_model import Scoring, find_scoring, scoring_threads
from stackfim.pipeline.sources import Shard, Source, open_source
from stackfim.pipeline.folder.storage import Storage, complete
from stackfim.pipeline.local.workers import end_children, mark_launcher, noticing_dead_workers
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.filters.contamination import BenchmarkIndex


class RunFailed(RuntimeError):
    """The run did not end; the message says why and what to do."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    manifest: dict[str, Any] | None
    """None for a dry run."""
    already_done: bool
    seconds: float


def build(
    spec: str, out: str, config: RunConfig, workers: int, engine: Engine, console: Console, *, overwrite: bool
) -> Outcome:
    """Makes the data set of `spec` in `out`, or goes on with it.

    Raises UsageError and SourceError before anything is written, RunFailed when the run broke off, and BrokenPromise
    when rows were lost.
    """
    started = time.monotonic()
    bound_memory()
    source = open_source(spec, config.columns)
    storage = Storage(out if "://" in out else os.path.abspath(out))
    if not engine.is_local and storage.is_local and not engine.is_dry_run:
        raise UsageError(
            f"--out {out}: the workers of {engine.runner} cannot reach it; expected a URL such as gs://BUCKET/FOLDER"
        )
    config.filter_settings()
    benchmarks = config.benchmark_texts()
    shards = source.shards(config.limit)
    files, against, compared = reference_files(config.against, storage, config.dedup_settings() or DedupSettings())
    scoring = find_scoring(config.score, config.seed)
    inputs = _Inputs(source, shards, files, against, benchmarks, scoring)
    identity = {"spec": spec, **source.identity()} | ({"against": compared} if compared else {})
    run_key = run_key_of(identity, shards, config, scoring)
    if engine.is_dry_run:
        with _progress_folder(storage, engine) as folder:
            _run_graph(inputs, storage, config, run_key, workers, engine, console, folder)
        return Outcome(None, False, time.monotonic() - started)
    finished = _prepare(storage, run_key, config, scoring, overwrite=overwrite)
    if finished is not None:
        return Outcome(finished, True, time.monotonic() - started)
    with _progress_folder(storage, engine) as folder:
        _run_graph(inputs, storage, config, run_key, workers, engine, console, folder)
    attribution = write_attribution(storage, storage.files("data"), repository_urls(identity, config.repository_url))
    manifest = make_manifest(storage, run_key, identity, shards, config, attribution, scoring)
    storage.write_bytes(paths.CARD, dataset_card(manifest).encode())
    # The manifest comes last: a folder that has one is complete.
    storage.write_json(paths.MANIFEST, manifest)
    if not config.keep_work:
        storage.remove(paths.WORK)
    return Outcome(manifest, False, time.monotonic() - started)


def run_key_of(
    identity: dict[str, Any], shards: list[Shard], config: RunConfig, scoring: Scoring | None = None
) -> str:
    """SHA-256 of all that the rows depend on, 64 hex digits."""
    parts = [stackfim_version(), versions(config), identity, [shard.locator for shard in shards], config.recorded()]
    parts += [scoring.recorded()] if scoring is not None else []
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def repository_urls(identity: dict[str, Any], pattern: str | None) -> Callable[[str], str | None]:
    """The address of a repository of a source, None where it is not known. The Stack's names are those of GitHub."""
    if pattern is None and str(identity.get("dataset", "")).startswith("bigcode/the-stack"):
        pattern = "https://github.com/{repository}"
    return lambda repository: pattern.replace("{repository}", repository) if pattern is not None else None


def _prepare(
    storage: Storage, run_key: str, config: RunConfig, scoring: Scoring | None, *, overwrite: bool
) -> dict[str, Any] | None:
    """Makes the folder ready; gives the manifest when it holds this very run, complete.

    Raises UsageError for a folder that holds something else, unless `overwrite` was asked for.
    """
    manifest, begun = storage.read_json(paths.MANIFEST), storage.read_json(paths.RUN)
    if overwrite and (manifest is not None or begun is not None):
        for path in (
            paths.MANIFEST,
            paths.CARD,
            paths.ATTRIBUTION,
            paths.WORK,
            "data",
            "rejections",
            "removals",
            paths.FINGERPRINTS,
        ):
            storage.remove(path)
        manifest = begun = None
    if manifest is not None and manifest.get("run_key") == run_key:
        wrong = [file["path"] for file in manifest["files"] if storage.size(file["path"]) != file["size_bytes"]]
        if not wrong:
            if not config.keep_work:
                storage.remove(paths.WORK)
            return manifest
        raise UsageError(
            f"{storage.root}: complete, but {wrong[0]} is missing or changed ({len(wrong)} files); --overwrite makes it anew"
        )
    current = {"run_key": run_key, "configuration": config.recorded(), "versions": versions(config)}
    current |= {"scoring": scoring.recorded()} if scoring is not None else {}
    for kind, other in (("a finished", manifest), ("an unfinished", begun)):
        if other is not None and other.get("run_key") != run_key:
            raise UsageError(
                f"{storage.root}: holds {kind} run of {_difference(other, current)}; "
                "choose another --out, or --overwrite to replace it"
            )
    if manifest is None and begun is None and storage.files():
        raise UsageError(
            f"{storage.root}: holds files that are no run of stackfim ({storage.files()[0]}, ...); choose an empty --out"
        )
    storage.remove_temporary()
    storage.write_json(paths.RUN, current)
    return None


def _difference(other: dict[str, Any], current: dict[str, Any]) -> str:
    """In words, what differs between two runs."""
    theirs = other.get("configuration")
    theirs = json.loads(theirs) if isinstance(theirs, str) else theirs or {}
    changed = [
        f"{name} = {json.dumps(theirs.get(name))[:60]} (now {json.dumps(value)[:60]})"
        for name, value in current["configuration"].items()
        if theirs.get(name) != value
    ]
    if other.get("versions") != current["versions"]:
        changed.append("other versions")
    theirs = other.get("scoring")
    theirs = json.loads(theirs)["settings"] if isinstance(theirs, str) else theirs
    if theirs != current.get("scoring"):
        changed.append("another model, or other limits or actions of its verdicts")
    return ", ".join(changed) or "another input"


@dataclass(frozen=True)
class _Inputs:
    """What a run reads."""

    source: Source
    shards: list[Shard]
    references: tuple[ReferenceFile, ...]
    against: dict[str, Source]
    benchmarks: BenchmarkIndex | None
    scoring: Scoring | None


@contextmanager
def _progress_folder(storage: Storage, engine: Engine) -> Iterator[str | None]:
    """Where the processes of this machine tell how far they are; None for an engine elsewhere."""
    if not engine.is_local:
        yield None
    elif storage.is_local:
        yield storage.full_path(f"{paths.WORK}/progress")
    else:
        with tempfile.TemporaryDirectory(prefix="stackfim-") as folder:
            yield folder


def _run_graph(
    inputs: _Inputs,
    storage: Storage,
    config: RunConfig,
    run_key: str,
    workers: int,
    engine: Engine,
    console: Console,
    folder: str | None,
) -> None:
    """`folder` is that of `_progress_folder`."""
    mark_launcher()
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from stackfim.pipeline.build.graph import Plan, add_to
    from stackfim.pipeline.build.shard_keys import RunContext, filtered_key
    from stackfim.pipeline.local.progress import Progress

    source, shards = inputs.source, inputs.shards
    files = FingerprintFiles(storage, inputs.references)
    context = RunContext(
        storage,
        run_key,
        len(shards),
        config.validation_share,
        folder,
        config.dedup_settings(),
        files,
        config.filters.scores,
        inputs.scoring is not None,
    )
    filtered = (
        []
        if engine.is_dry_run
        else [
            shard.index
            for shard in shards
            if complete(storage, paths.filtered_marker(shard.index), filtered_key(context, shard.locator)) is not None
        ]
    )
    # Big shards first: the local runner divides them once and for all.
    todo = sorted(
        (shard for shard in shards if shard.index not in set(filtered)),
        key=lambda shard: (-(shard.size_bytes or 0), shard.index),
    )
    tasks = [(shard.index, len(shards), shard.locator) for shard in todo]
    plan = Plan(
        source,
        context,
        tasks,
        filtered,
        config.filter_settings(),
        config.split_settings(),
        stackfim_version(),
        inputs.against,
        inputs.benchmarks,
        config.pii,
        _score_plan(inputs.scoring, workers, engine),
    )
    if engine.is_local:
        runner: Any = _local_runner(workers)
        options = PipelineOptions([], direct_num_workers=workers)
    else:
        runner, options = engine.runner, PipelineOptions(engine.flags)
    pipeline = beam.Pipeline(runner=runner, options=options)
    add_to(pipeline, plan)
    if folder is None:
        result = pipeline.run()
        if not engine.is_dry_run:
            result.wait_until_finish()
        return
    known_rows = (
        sum(shard.rows for shard in todo if shard.rows is not None)
        if all(shard.rows is not None for shard in todo)
        else None
    )
    try:
        progress = Progress(console, folder, len(shards), len(filtered), known_rows)
        with giving_back_memory(), progress, noticing_dead_workers():
            pipeline.run().wait_until_finish()
    except BaseException:
        # Beam's threads would wait for workers for ever.
        end_children()
        raise


def _score_plan(scoring: Scoring | None, workers: int, engine: Engine) -> Any:
    """How the graph scores: on this machine all processes together take its cores, elsewhere the engine has the hints."""
    from stackfim.pipeline.build.graph import ScorePlan

    if scoring is None:
        return None
    threads = scoring_threads(workers) if engine.is_local else None
    return ScorePlan(scoring.model, scoring.settings, threads, {} if engine.is_local else scoring.hints)


def _local_runner(workers: int) -> Any:
    """Beam's runner inside this process, or with worker processes of ours: it multiplies what one process does."""
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner
    from apache_beam.transforms.environments import SubprocessSDKEnvironment

    if workers == 1:
        return FnApiRunner()
    command = f"exec {shlex.quote(sys.executable)} -P -m stackfim.pipeline.local.worker"
    return FnApiRunner(default_environment=SubprocessSDKEnvironment.from_command_string(command))
