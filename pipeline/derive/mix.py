"""`stackfim mix`: rendered examples and conversations as one data set, with a given share of conversations by tokens.

The training partition is mixed: each of its shards has its share of the conversations, and its rows are in drawn order. The
validation partition stays examples alone, which is what a completion model is measured by.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tokenizers

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.manifest import stackfim_version
from stackfim.pipeline.folder.parquet_shard import parquet_shard
from stackfim.pipeline.folder.shards import example_files, read_examples
from stackfim.pipeline.folder.storage import FileRecord, Storage
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.mixed import CHAT, CONVERSATION, FIM, MIXED
from stackfim.schemas.rejection import REJECTION
from stackfim.transforms.draws import Draws
from stackfim.transforms.filters.contamination import BenchmarkIndex
from stackfim.transforms.mix.conversation import conversations, query_of
from stackfim.transforms.mix.filters import ChatLimits, filter_conversations
from stackfim.transforms.mix.share import taken
from stackfim.transforms.mix.template import Template, refact_chat, tokenizer_chat
from stackfim.transforms.render.batch import Renderer
from stackfim.transforms.render.render_settings import RenderSettings

MIXTURE = "mixture.json"
_DRAWN = pa.field("draw", pa.uint64(), nullable=False)
_WORK_SCHEMA = pa.schema([*MIXED, _DRAWN])
_HUB = "hf://datasets/"


@dataclass(frozen=True)
class ChatSource:
    """Where conversations come from, and what is asked of them."""

    spec: str
    """`hf://datasets/ORG/NAME[@REVISION][/SUBFOLDER]`, or a folder, glob or file of parquet (`parquet:` may stand before)."""
    default_license: str
    allowed_licenses: Collection[str]
    limits: ChatLimits
    benchmarks: BenchmarkIndex | None
    tokenizer_config: str | None
    """Text of a tokenizer_config.json whose chat template is used; None for Refact's."""


def mix_folder(folder: Path, out: str, chat: ChatSource, share: float, settings: RenderSettings) -> dict[str, Any]:
    """Writes the mixture of the examples of `folder` and the conversations of `chat` to `out`; gives what `mixture.json` says.

    `settings` render the examples and must have a tokenizer. Raises UsageError for folders and sources that cannot be used.
    """
    if not settings.tokenizer_json:
        raise UsageError("--tokenizer: expected one, since shares are counted in tokens")
    files = example_files(folder)
    storage = Storage(out)
    if storage.files():
        raise UsageError(f"{out}: holds files ({storage.files()[0]}, ...); choose an empty --out")
    template = _template(chat.tokenizer_config)
    files_read, filesystem, source = _chat_files(chat.spec)
    counter = tokenizers.Tokenizer.from_str(settings.tokenizer_json)
    read = [batch for path in files_read for batch in _conversations(filesystem, path, source, chat.default_license)]
    if not read:
        raise UsageError(f"--chat {chat.spec}: no row; expected at least one")
    rows = pa.Table.from_batches(read, CONVERSATION).combine_chunks().to_batches()[0]
    marks = {token.content for token in counter.get_added_tokens_decoder().values() if token.special}
    kept, rejected = filter_conversations(rows, chat.limits, chat.allowed_licenses, marks, chat.benchmarks)
    talk = _rendered_chat(kept, template, counter, settings.seed)
    counts = Counter({"chat_rows": rows.num_rows, "chat_kept": kept.num_rows})
    counts.update(f"rejected:{reason}" for reason in rejected.column("reason").to_pylist())
    try:
        written, tokens = _write(files, storage, settings, talk, rejected, share, counts)
    except ValueError as error:
        raise UsageError(f"--share {share}: {error}") from error
    said = {
        "version": stackfim_version(),
        "chat": {"source": source, "limits": asdict(chat.limits), "default_license": chat.default_license},
        "settings": json.loads(settings.to_json()),
        "asked_share": share,
        "train_tokens": tokens,
        "chat_share": round(tokens[CHAT] / sum(tokens.values()), 6),
        "counts": dict(sorted(counts.items())),
        "files": sorted((record.as_dict() for record in written), key=lambda file: file["path"]),
    }
    storage.write_bytes(paths.CARD, _card(said).encode())
    storage.write_json(MIXTURE, said)
    storage.remove(paths.WORK)
    return said


def _template(tokenizer_config: str | None) -> Template:
    if tokenizer_config is None:
        return refact_chat
    try:
        return tokenizer_chat(tokenizer_config)
    except ValueError as error:
        raise UsageError(f"--chat-template: {error}") from error


def _chat_files(spec: str) -> tuple[list[str], Any, str]:
    """Parquet files of a source, the file system that has them, and the source's name, pinned to a commit on the Hub."""
    location = spec.removeprefix("parquet:")
    name = Path(location).name if "://" not in location else location
    try:
        if location.startswith(_HUB):
            location = name = _pinned(location)
        filesystem, root = fsspec.core.url_to_fs(location)
        if filesystem.isfile(root):
            found = [root]
        elif filesystem.isdir(root):
            found = [path for path in filesystem.find(root) if path.endswith(".parquet")]
        else:
            found = [path for path in filesystem.glob(root) if path.endswith(".parquet")]
    except Exception as error:  # the libraries below fsspec have error types of their own
        raise UsageError(f"--chat {spec}: {error}") from error
    if not found:
        raise UsageError(
            f"--chat {spec}: no parquet file; expected {_HUB}ORG/NAME, a folder, a glob or a file of *.parquet"
        )
    return sorted(found), filesystem, name


def _pinned(location: str) -> str:
    """The location of a data set on the Hub at the commit that its revision stands for."""
    from huggingface_hub import HfApi

    organisation, name, *rest = location.removeprefix(_HUB).split("/")
    name, _, revision = name.partition("@")
    commit = HfApi().dataset_info(f"{organisation}/{name}", revision=revision or None).sha
    return "/".join([f"{_HUB}{organisation}/{name}@{commit}", *rest])


def _conversations(filesystem: Any, path: str, source: str, default_license: str) -> Iterator[pa.RecordBatch]:
    with filesystem.open(path, "rb") as stream:
        first_row = 0
        try:
            for batch in pq.ParquetFile(stream).iter_batches(1_000):
                yield conversations(batch, source, first_row, default_license)
                first_row += batch.num_rows
        except (ValueError, pa.ArrowInvalid) as error:
            raise UsageError(f"--chat {path}: {error}") from error


def _rendered_chat(kept: pa.RecordBatch, template: Template, counter: tokenizers.Tokenizer, seed: int) -> pa.Table:
    """Conversations as _WORK_SCHEMA."""
    rows = []
    for row in kept.to_pylist():
        prompt, completion = template(query_of(row["instruction"], row["code"]), row["response"])
        example_id = hashlib.blake2b(row["content_id"].encode(), digest_size=8).hexdigest()
        rows.append(
            {
                "source": CHAT,
                "example_id": example_id,
                "prompt": prompt,
                "completion": completion,
                "tokens": len(counter.encode(prompt + completion, add_special_tokens=False)),
                "language": row["language"],
                "repository": row["repository"],
                "licenses": [row["license"]],
                "draw": _draw(example_id, seed),
            }
        )
    return pa.Table.from_pylist(rows, _WORK_SCHEMA)


def _draw(example_id: str, seed: int) -> int:
    return Draws("mix", example_id, seed).next()


def _write(
    files: list[Path],
    storage: Storage,
    settings: RenderSettings,
    talk: pa.Table,
    rejected: pa.RecordBatch,
    share: float,
    counts: Counter[str],
) -> tuple[list[FileRecord], dict[str, int]]:
    """Renders the examples into work files, chooses by tokens, writes the mixed shards; gives the training partition's tokens."""
    renderer = Renderer(settings)
    written: list[FileRecord] = []
    train: list[str] = []
    tokens: list[np.ndarray] = []
    draws: list[np.ndarray] = []
    with parquet_shard(storage, "rejections/mix.parquet", REJECTION) as dropped:
        dropped.add(rejected)
        for path in files:
            in_train = not path.name.startswith(f"{paths.VALIDATION}-")
            target = f"{paths.WORK}/{path.name}" if in_train else f"data/{path.name}"
            with parquet_shard(storage, target, _WORK_SCHEMA if in_train else MIXED) as shard:
                for batch in read_examples(path, EXAMPLE.names):
                    made, gone = _rendered_fim(batch, renderer, settings.seed)
                    dropped.add(gone)
                    counts.update(f"rejected:{reason}" for reason in gone.column("reason").to_pylist())
                    shard.add(made if in_train else made.select(MIXED.names))
                    if in_train:
                        tokens.append(made.column("tokens").to_numpy().astype(np.int64))
                        draws.append(made.column("draw").to_numpy())
            if in_train:
                train.append(path.name)
            else:
                written.append(_record(shard.record))
                counts["validation_rows"] += shard.rows
    written.append(_record(dropped.record))
    if not train:
        raise ValueError("no shard of the training partition")
    fim_tokens = np.concatenate([np.zeros(0, np.int64), *tokens])
    fim_draws = np.concatenate([np.zeros(0, np.uint64), *draws])
    chat_tokens = talk.column("tokens").to_numpy().astype(np.int64)
    takes_fim, takes_chat = taken(fim_tokens, fim_draws, chat_tokens, talk.column("draw").to_numpy(), share)
    chosen = talk.filter(pa.array(takes_chat))
    # Those that were chosen have the lowest draws: place and order are drawn anew.
    places = _order(chosen) % np.uint64(len(train))
    start = 0
    for number, name in enumerate(train):
        with storage.open(f"{paths.WORK}/{name}") as stream:
            rows = pq.read_table(stream, schema=_WORK_SCHEMA)
        parts = [
            rows.filter(pa.array(takes_fim[start : start + rows.num_rows])),
            chosen.filter(pa.array(places == number)),
        ]
        start += rows.num_rows
        mixed = pa.concat_tables(parts)
        mixed = mixed.take(pa.array(np.argsort(_order(mixed), kind="stable")))
        with parquet_shard(storage, f"data/{name}", MIXED) as shard:
            for batch in mixed.select(MIXED.names).cast(MIXED).to_batches(1_000):
                shard.add(batch)
        written.append(_record(shard.record))
    counts.update({"fim_rows": int(takes_fim.sum()), "chat_taken": int(takes_chat.sum())})
    return written, {FIM: int(fim_tokens[takes_fim].sum()), CHAT: int(chat_tokens[takes_chat].sum())}


def _order(rows: pa.Table) -> np.ndarray:
    """A number a row to order it by, uint64 (rows,), whatever it was chosen by."""
    return np.array([Draws("mixed order", name).next() for name in rows.column("example_id").to_pylist()], np.uint64)


def _record(record: FileRecord | None) -> FileRecord:
    assert record is not None
    return record


def _rendered_fim(batch: pa.RecordBatch, renderer: Renderer, seed: int) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Examples as _WORK_SCHEMA, and the rejections of those that cannot be rendered."""
    rendered, gone = renderer.render(batch)
    count = rendered.num_rows
    columns = {
        "source": pa.array([FIM] * count, pa.string()),
        "tokens": rendered.column("input_ids").value_lengths(),
        "draw": pa.array([_draw(name, seed) for name in rendered.column("example_id").to_pylist()], pa.uint64()),
    }
    arrays = [columns[name] if name in columns else rendered.column(name) for name in _WORK_SCHEMA.names]
    return pa.RecordBatch.from_arrays(arrays, schema=_WORK_SCHEMA), gone


def _card(said: dict[str, Any]) -> str:
    """README.md of the mixture, so that `load_dataset` finds the partitions."""
    partitions = [
        partition
        for partition in paths.PARTITIONS
        if any(f"data/{partition}-" in file["path"] for file in said["files"])
    ]
    lines = ["---", "configs:", "- config_name: default", "  data_files:"]
    for partition in partitions or ["train"]:
        lines += [
            f"  - split: {partition}",
            f"    path: data/{partition}-*.parquet" if partitions else "    path: data/*.parquet",
        ]
    lines += ["---", "# Fill-in-the-middle examples and conversations", ""]
    lines.append(
        f"By stackfim {said['version']}: {said['train_tokens'][FIM]:,} tokens of examples for `{said['settings']['family']}` and "
        f"{said['train_tokens'][CHAT]:,} of conversations from `{said['chat']['source']}` "
        f"({said['chat_share']:.2%}) in the training partition; {MIXTURE} has settings and counts."
    )
    return "\n".join([*lines, ""])
