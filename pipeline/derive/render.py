"""`stackfim render`: the shards of a data set in the prompt format of one model family, or packed to one length.

Each shard becomes one shard of the same name (stackfim.pipeline.derive.shard_by_shard).
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.derive.shard_by_shard import Derivation, Made, all_files, total_counts
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.card import rendering_card
from stackfim.pipeline.folder.counts import PARTITION
from stackfim.pipeline.folder.manifest import stackfim_version
from stackfim.pipeline.folder.parquet_shard import ParquetShard, parquet_shard
from stackfim.pipeline.folder.prepare import Request
from stackfim.pipeline.folder.shards import example_columns, example_shards, read_examples
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.derived import RenderingReport
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.rendered import PACKED, RENDERED, TOKENIZED
from stackfim.transforms.render.batch import Renderer
from stackfim.transforms.render.pack import Packer
from stackfim.transforms.render.render_settings import RenderSettings


@dataclass(frozen=True)
class _Task:
    """One shard to render."""

    path: Path
    name: str
    """Its path below `data/`."""
    out: Storage
    settings: RenderSettings
    pack_tokens: int | None
    columns: pa.Schema
    """Columns of the examples."""


def render_folder(
    folder: Path, out: str, settings: RenderSettings, pack_tokens: int | None, workers: int
) -> RenderingReport:
    """Renders all shards of `folder` into `out`; the report that is in its `rendering.json`.

    Raises UsageError for a folder without shards, and for an `out` that holds something else.
    """
    shards = example_shards(folder)
    columns = example_columns([shard.path for shard in shards])
    request = Request.of(
        {
            "version": stackfim_version(),
            "settings": json.loads(settings.to_json()),
            "pack_tokens": pack_tokens,
            "source": {shard.name: shard.sha256 for shard in shards},
        }
    )
    target = Storage(out)
    derivation = Derivation(Storage(str(folder)), target, paths.RENDERED, RenderingReport, request)
    if (finished := derivation.finished()) is not None:
        return finished
    with derivation.begun():
        tasks = {shard.name: _Task(shard.path, shard.name, target, settings, pack_tokens, columns) for shard in shards}
        markers = derivation.run(_render, tasks, workers)
        report = RenderingReport(
            **request.settings, run_key=request.run_key, counts=total_counts(markers), files=all_files(markers)
        )
        return derivation.close(report, rendering_card(report))


def read_tokenizer(path: Path) -> str:
    """The text of a `tokenizer.json`, or of the one in a folder. Raises UsageError where there is none."""
    file = path / "tokenizer.json" if path.is_dir() else path
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--tokenizer {path}: expected a tokenizer.json or a folder with one ({error})") from error


def _render(task: _Task) -> Made:
    counts: Counter[str] = Counter()
    renderer = Renderer(task.settings)
    with ExitStack() as stack:
        rendered = stack.enter_context(parquet_shard(task.out, paths.derived_data(task.name), _schema(task)))
        rejections = paths.derived_rejections("render", task.name)
        dropped = stack.enter_context(parquet_shard(task.out, rejections, REJECTION))
        make = _packed if task.pack_tokens else _rows
        for batch in make(task, renderer, dropped, counts):
            rendered.add(batch)
    counts.update({"rows": rendered.rows, f"{PARTITION}:{paths.partition_of(task.name)}": rendered.rows})
    return Made((rendered.record, dropped.record), counts)


def _rows(task: _Task, renderer: Renderer, dropped: ParquetShard, counts: Counter[str]) -> Iterator[pa.RecordBatch]:
    for batch in read_examples(task.path):
        rendered, rejections = renderer.render(batch.select(task.columns.names))
        _drop(rejections, dropped, counts)
        counts["examples"] += batch.num_rows
        counts.update(f"layout:{name}" for name in rendered.column("layout").to_pylist())
        yield rendered


def _packed(task: _Task, renderer: Renderer, dropped: ParquetShard, counts: Counter[str]) -> Iterator[pa.RecordBatch]:
    assert task.pack_tokens is not None
    packer = Packer(task.pack_tokens, renderer.end_of_text_id())
    for rendered in _rows(task, renderer, dropped, counts):
        packs, rejections = packer.add(rendered)
        _drop(rejections, dropped, counts)
        yield packs
    yield packer.finish()
    counts.update({"tokens": packer.packed_tokens, "padding_tokens": packer.padding_tokens})


def _drop(rejections: pa.RecordBatch, dropped: ParquetShard, counts: Counter[str]) -> None:
    dropped.add(rejections)
    counts.update(f"rejected:{reason}" for reason in rejections.column("reason").to_pylist())


def _schema(task: _Task) -> pa.Schema:
    if task.pack_tokens:
        return PACKED
    return pa.schema([*task.columns, *RENDERED, *(TOKENIZED if task.settings.tokenize else ())])
