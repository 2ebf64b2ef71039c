"""`stackfim render`: the shards of a data set in the prompt format of one model family, or packed to one length.

Each shard becomes one shard of the same name, written under a temporary name and renamed, so that a run that broke off
goes on where it was.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.manifest import stackfim_version
from stackfim.pipeline.folder.parquet_shard import ParquetShard, parquet_shard
from stackfim.pipeline.folder.shards import example_columns, example_files, read_examples
from stackfim.pipeline.folder.storage import Storage, complete
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.rendered import PACKED, RENDERED, TOKENIZED
from stackfim.transforms.render.batch import Renderer
from stackfim.transforms.render.pack import Packer
from stackfim.transforms.render.render_settings import RenderSettings

RENDERING = "rendering.json"


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
    """Of the examples."""


def render_folder(
    folder: Path, out: str, settings: RenderSettings, pack_tokens: int | None, workers: int
) -> dict[str, Any]:
    """Renders all shards of `folder` into `out` and gives what `rendering.json` says.

    Raises UsageError for a folder without shards, and for an `out` that holds something else.
    """
    files = example_files(folder)
    base = folder / "data" if (folder / "data").is_dir() else folder
    storage = Storage(out)
    asked = {"version": stackfim_version(), "settings": json.loads(settings.to_json()), "pack_tokens": pack_tokens}
    known, begun = storage.read_json(RENDERING), storage.read_json(paths.RUN)
    for other in (known, begun):
        if other is not None and {name: other.get(name) for name in asked} != asked:
            raise UsageError(f"{out}: holds a rendering with other settings; choose another --out")
    if known is None and begun is None and storage.files():
        raise UsageError(f"{out}: holds files that are no rendering ({storage.files()[0]}, ...); choose an empty --out")
    storage.remove_temporary()
    storage.write_json(paths.RUN, asked)
    rest = (storage, settings, pack_tokens, example_columns(files))
    tasks = [_Task(path, path.relative_to(base).as_posix(), *rest) for path in files]
    counts: Counter[str] = Counter()
    written: list[dict[str, Any]] = []
    for marker in _run(tasks, workers):
        counts.update(marker["counts"])
        written += marker["files"]
    said = asked | {"counts": dict(sorted(counts.items())), "files": sorted(written, key=lambda file: file["path"])}
    storage.write_bytes(paths.CARD, _card(said).encode())
    storage.write_json(RENDERING, said)
    storage.remove(paths.WORK)
    return said


def _run(tasks: list[_Task], workers: int) -> Iterator[dict[str, Any]]:
    if workers == 1 or len(tasks) == 1:
        yield from map(_render, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_render, tasks)


def _render(task: _Task) -> dict[str, Any]:
    """Renders one shard, unless it is complete for the same bytes and settings; gives its marker."""
    storage, path = task.out, f"{paths.WORK}/done/{task.name}.json"
    key = _key(task)
    known = complete(storage, path, key)
    if known is not None:
        return known
    counts: Counter[str] = Counter()
    renderer = Renderer(task.settings)
    with ExitStack() as stack:
        rendered = stack.enter_context(parquet_shard(storage, f"data/{task.name}", _schema(task)))
        dropped = stack.enter_context(parquet_shard(storage, f"rejections/render-{Path(task.name).name}", REJECTION))
        make = _packed if task.pack_tokens else _rows
        for batch in make(task, renderer, dropped, counts):
            rendered.add(batch)
    assert rendered.record is not None
    assert dropped.record is not None
    counts["rows"] += rendered.rows
    marker = {
        "key": key,
        "counts": dict(sorted(counts.items())),
        "files": [rendered.record.as_dict(), dropped.record.as_dict()],
    }
    storage.write_json(path, marker)
    return marker


def _rows(task: _Task, renderer: Renderer, dropped: ParquetShard, counts: Counter[str]) -> Iterator[pa.RecordBatch]:
    for batch in read_examples(task.path):
        rendered, rejections = renderer.render(batch.select(task.columns.names))
        dropped.add(rejections)
        counts.update(f"rejected:{reason}" for reason in rejections.column("reason").to_pylist())
        counts["examples"] += batch.num_rows
        counts.update(f"layout:{name}" for name in rendered.column("layout").to_pylist())
        yield rendered


def _packed(task: _Task, renderer: Renderer, dropped: ParquetShard, counts: Counter[str]) -> Iterator[pa.RecordBatch]:
    assert task.pack_tokens is not None
    packer = Packer(task.pack_tokens, renderer.end_of_text_id())
    for rendered in _rows(task, renderer, dropped, counts):
        packs, rejections = packer.add(rendered)
        dropped.add(rejections)
        counts.update(f"rejected:{reason}" for reason in rejections.column("reason").to_pylist())
        yield packs
    yield packer.finish()
    counts.update({"tokens": packer.packed_tokens, "padding_tokens": packer.padding_tokens})


def _schema(task: _Task) -> pa.Schema:
    if task.pack_tokens:
        return PACKED
    return pa.schema([*task.columns, *RENDERED, *(TOKENIZED if task.settings.tokenize else ())])


def _key(task: _Task) -> str:
    """What a rendered shard was made for: the shard's bytes, the settings and the version."""
    digest = hashlib.sha256()
    with task.path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    parts = [digest.hexdigest(), task.settings.to_json(), task.pack_tokens, stackfim_version()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def read_tokenizer(path: Path) -> str:
    """The text of a `tokenizer.json`, or of the one in a folder. Raises UsageError when there is none."""
    file = path / "tokenizer.json" if path.is_dir() else path
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--tokenizer {path}: expected a tokenizer.json or a folder with one ({error})") from error


def _card(said: dict[str, Any]) -> str:
    """README.md of the rendering, so that `load_dataset` finds the partitions."""
    counts = said["counts"]
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
    lines += ["---", "# Fill-in-the-middle examples, rendered", ""]
    lines.append(
        f"By stackfim {said['version']} in the format of `{said['settings']['family']}`; {RENDERING} has all settings."
    )
    if said["pack_tokens"]:
        share = counts.get("padding_tokens", 0) / max(counts.get("tokens", 0), 1)
        lines.append(f"Packed to {said['pack_tokens']:,} tokens a row, {share:.2%} of them padding.")
    return "\n".join([*lines, ""])
