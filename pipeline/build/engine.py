"""Running the graph: on this machine with progress and a watch over the workers, elsewhere with the engine's own means."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from rich.console import Console

from stackfim.pipeline.build.beam_options import Engine
from stackfim.pipeline.build.graph import Plan, add_to
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.local.memory import giving_back_memory
from stackfim.pipeline.local.progress import Progress
from stackfim.pipeline.local.runner import local_runner
from stackfim.pipeline.local.workers import end_children, launching, noticing_dead_workers


@contextmanager
def progress_folder(storage: Storage, engine: Engine) -> Iterator[str | None]:
    """Where the processes of this machine report how far they are; None for an engine elsewhere."""
    if not engine.is_local:
        yield None
    elif storage.is_local:
        yield storage.full_path(f"{paths.WORK}/progress")
    else:
        with tempfile.TemporaryDirectory(prefix="stackfim-") as folder:
            yield folder


def run_graph(plan: Plan, engine: Engine, workers: int, console: Console, known_rows: int | None) -> None:
    """Builds the graph of `plan` and runs it to its end; a dry run only builds it.

    `known_rows`: how many rows the shards to filter have, None where it is not known; only progress depends on it.
    Raises WorkerDied when a process of this machine was killed, and what the engine raises.
    """
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    if engine.is_local:
        _run_here(plan, workers, console, known_rows)
        return
    result = _graph(plan, engine.runner, PipelineOptions(engine.flags)).run()
    if not engine.is_dry_run:
        result.wait_until_finish()


def _run_here(plan: Plan, workers: int, console: Console, known_rows: int | None) -> None:
    context = plan.context
    assert context.progress_folder is not None
    progress = Progress(console, context.progress_folder, context.shard_count, len(plan.filtered), known_rows)
    with launching():
        pipeline = _graph(plan, local_runner(workers), PipelineOptions([], direct_num_workers=workers))
        try:
            with giving_back_memory(), progress, noticing_dead_workers():
                pipeline.run().wait_until_finish()
        except BaseException:
            # Beam's threads would wait for workers for ever.
            end_children()
            raise


def _graph(plan: Plan, runner: object, options: PipelineOptions) -> beam.Pipeline:
    pipeline = beam.Pipeline(runner=runner, options=options)
    add_to(pipeline, plan)
    return pipeline
