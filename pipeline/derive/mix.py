"""`stackfim mix`: rendered examples and conversations as one data set, with a given share of conversations by tokens.

The training partition is mixed: conversations are spread over its shards, and the rows of a shard are in drawn order. The
validation partition has examples alone, which is what a completion model is measured by.

The examples of each shard are rendered first. What is taken of them and of the conversations is decided over all shards
together, and then each shard is mixed; both are tasks of stackfim.pipeline.derive.shard_by_shard.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.derive.conversations import (
    DRAWN,
    ChatSource,
    Conversations,
    chat_record,
    chat_template,
    draw,
    find_files,
    read_conversations,
)
from stackfim.pipeline.derive.shard_by_shard import Derivation, Made, all_files, total_counts
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.card import mixture_card
from stackfim.pipeline.folder.manifest import stackfim_version
from stackfim.pipeline.folder.markers import ShardMarker
from stackfim.pipeline.folder.parquet_shard import parquet_shard
from stackfim.pipeline.folder.prepare import Request
from stackfim.pipeline.folder.shards import ExampleShard, example_shards, read_examples
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.derived import MixtureReport
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.mixed import CHAT, FIM, MIXED
from stackfim.schemas.record import FileRecord
from stackfim.schemas.rejection import REJECTION
from stackfim.transforms.draws import Draws
from stackfim.transforms.mix.share import taken
from stackfim.transforms.render.batch import Renderer
from stackfim.transforms.render.render_settings import RenderSettings

_CONVERSATIONS = "conversations"
_STAGE = "mix"
_BATCH_ROWS = 1_000


def check_share(share: float) -> None:
    """Raises UsageError for a share of conversations that leaves nothing of one source."""
    if not 0 < share < 1:
        raise UsageError(f"--share {share}: expected a share above 0 and below 1")


def mix_folder(
    folder: Path, out: str, chat: ChatSource, share: float, settings: RenderSettings, workers: int
) -> MixtureReport:
    """Writes the mixture of the examples of `folder` and the conversations of `chat` to `out`; the report in its `mixture.json`.

    `settings` render the examples and must have a tokenizer. Raises UsageError for folders and sources that cannot be used.
    """
    if not settings.tokenizer_json:
        raise UsageError("--tokenizer: expected one, since shares are counted in tokens")
    check_share(share)
    shards = example_shards(folder)
    train = [shard.name for shard in shards if _in_train(shard)]
    if not train:
        raise UsageError(f"{folder}: no shard of the training partition; expected at least one")
    template = chat_template(chat, settings.tokenizer_json)
    files = find_files(chat)
    request = Request.of(
        {
            "version": stackfim_version(),
            "settings": json.loads(settings.to_json()),
            "source": {shard.name: shard.sha256 for shard in shards},
            "chat": chat_record(chat, files).model_dump(),
            "asked_share": share,
        }
    )
    target = Storage(out)
    derivation = Derivation(Storage(str(folder)), target, paths.MIXED, MixtureReport, request)
    if (finished := derivation.finished()) is not None:
        return finished
    # Read before anything is written, since it shows only now whether there are any.
    known = derivation.marker(_CONVERSATIONS) is not None
    found = None if known else read_conversations(chat, files, template, settings.tokenizer_json, settings.seed)
    with derivation.begun():
        conversations = _conversations(derivation, found)
        tasks = {f"rendered/{shard.name}": _RenderTask(shard, target, settings) for shard in shards}
        rendered = derivation.run(_render, tasks, workers)
        plan = _plan(target, train, share)
        mixed = derivation.run(_mix, {f"mixed/{task.name}": task for task in plan.tasks}, workers)
        rejected = _write_rejections(target, [_CONVERSATIONS, *(shard.name for shard in shards)])
        counts = total_counts([conversations, *rendered])
        counts.update(plan.rows)
        written = (*all_files([*rendered, *mixed]), rejected)
        report = MixtureReport(
            **(request.settings | {"chat": chat_record(chat, files)}),
            run_key=request.run_key,
            train_tokens=plan.tokens,
            chat_share=round(plan.tokens[CHAT] / sum(plan.tokens.values()), 6),
            counts=counts,
            files=tuple(sorted(written, key=lambda file: file.path)),
        )
        return derivation.close(report, mixture_card(report))


def _in_train(shard: ExampleShard) -> bool:
    return paths.partition_of(shard.name) == paths.TRAIN


def _conversations(derivation: Derivation[MixtureReport], found: Conversations | None) -> ShardMarker:
    """The marker of the conversations, which are put aside unless that was done before; then `found` is None."""
    if found is None:
        known = derivation.marker(_CONVERSATIONS)
        if known is None:
            raise UsageError(f"--out {derivation.out.root}: has just been changed; give the command again")
        return known
    (marker,) = derivation.run(_put_aside, {_CONVERSATIONS: _PutAside(derivation.out, found)}, 1)
    return marker


@dataclass(frozen=True)
class _PutAside:
    """Conversations that wait for the examples."""

    out: Storage
    found: Conversations


def _put_aside(task: _PutAside) -> Made:
    with ExitStack() as stack:
        rows = stack.enter_context(parquet_shard(task.out, _drawn(_CONVERSATIONS), DRAWN))
        dropped = stack.enter_context(parquet_shard(task.out, _dropped(_CONVERSATIONS), REJECTION))
        for batch in task.found.rows.to_batches(_BATCH_ROWS):
            rows.add(batch)
        for rejected in task.found.rejections:
            dropped.add(rejected)
    return Made((rows.record, dropped.record), task.found.counts)


@dataclass(frozen=True)
class _RenderTask:
    """One shard of examples to render."""

    shard: ExampleShard
    out: Storage
    settings: RenderSettings


def _render(task: _RenderTask) -> Made:
    """Renders a shard: of validation as it is to be, of training into a work file that is mixed later."""
    renderer = Renderer(task.settings)
    counts: Counter[str] = Counter()
    name = task.shard.name
    target, schema = (_drawn(name), DRAWN) if _in_train(task.shard) else (paths.derived_data(name), MIXED)
    with ExitStack() as stack:
        rows = stack.enter_context(parquet_shard(task.out, target, schema))
        dropped = stack.enter_context(parquet_shard(task.out, _dropped(name), REJECTION))
        for batch in read_examples(task.shard.path, EXAMPLE.names):
            rendered, rejections = renderer.render(batch)
            rows.add(_drawn_examples(rendered, task.settings.seed).select(schema.names))
            dropped.add(rejections)
            counts.update(f"rejected:{reason}" for reason in rejections.column("reason").to_pylist())
    if not _in_train(task.shard):
        counts["validation_rows"] += rows.rows
    return Made((rows.record, dropped.record), counts)


def _drawn_examples(rendered: pa.RecordBatch, seed: int) -> pa.RecordBatch:
    """Rendered examples as DRAWN."""
    columns = {
        "source": pa.array([FIM] * rendered.num_rows, pa.string()),
        "tokens": rendered.column("input_ids").value_lengths(),
        "draw": pa.array([draw(name, seed) for name in rendered.column("example_id").to_pylist()], pa.uint64()),
    }
    arrays = [columns[name] if name in columns else rendered.column(name) for name in DRAWN.names]
    return pa.RecordBatch.from_arrays(arrays, schema=DRAWN)


@dataclass(frozen=True)
class _MixTask:
    """One shard of the training partition to mix."""

    name: str
    """Its path below `data/`."""
    out: Storage
    takes: npt.NDArray[np.bool_]
    """Which of its rendered examples are taken; (rows,)."""
    conversations: npt.NDArray[np.int64]
    """Row numbers of the conversations that go into it."""


@dataclass(frozen=True)
class _Plan:
    """What goes into the training partition."""

    tasks: tuple[_MixTask, ...]
    tokens: dict[str, int]
    """Tokens by source."""
    rows: Counter[str]
    """`fim_rows` and `chat_taken`, and what the share leaves out of both: `fim_left_out`, `chat_left_out`."""


def _plan(out: Storage, train: Sequence[str], share: float) -> _Plan:
    """Chooses rows by tokens. Raises UsageError where there are no tokens to choose from."""
    sizes: list[int] = []
    tokens: list[npt.NDArray[np.int64]] = []
    draws: list[npt.NDArray[np.uint64]] = []
    for name in train:
        found = _tokens_and_draws(out, name)
        sizes.append(len(found[0]))
        tokens.append(found[0])
        draws.append(found[1])
    fim_tokens = np.concatenate(tokens)
    chat_tokens, chat_draws = _tokens_and_draws(out, _CONVERSATIONS)
    try:
        takes_fim, takes_chat = taken(fim_tokens, np.concatenate(draws), chat_tokens, chat_draws, share)
    except ValueError as error:
        raise UsageError(f"--share {share}: {error}") from error
    chosen = np.flatnonzero(takes_chat)
    # Those that were chosen have the lowest draws: their places, as their order, are drawn anew.
    ids = _read(out, _CONVERSATIONS, ["example_id"]).column("example_id").to_pylist()
    places = _order(ids[row] for row in chosen) % np.uint64(len(train))
    parts = np.split(takes_fim, np.cumsum(sizes)[:-1])
    tasks = tuple(
        _MixTask(name, out, part, chosen[places == number])
        for number, (name, part) in enumerate(zip(train, parts, strict=True))
    )
    return _Plan(
        tasks,
        {FIM: int(fim_tokens[takes_fim].sum()), CHAT: int(chat_tokens[takes_chat].sum())},
        Counter(
            {
                "fim_rows": int(takes_fim.sum()),
                "fim_left_out": int((~takes_fim).sum()),
                "chat_taken": len(chosen),
                "chat_left_out": int((~takes_chat).sum()),
            }
        ),
    )


def _mix(task: _MixTask) -> Made:
    examples = _read(task.out, task.name).filter(pa.array(task.takes))
    conversations = _read(task.out, _CONVERSATIONS).take(pa.array(task.conversations))
    mixed = pa.concat_tables([examples, conversations])
    order = np.argsort(_order(mixed.column("example_id").to_pylist()), kind="stable")
    with parquet_shard(task.out, paths.derived_data(task.name), MIXED) as shard:
        for batch in mixed.take(pa.array(order)).select(MIXED.names).cast(MIXED).to_batches(_BATCH_ROWS):
            shard.add(batch)
    return Made((shard.record,), {})


def _order(example_ids: Iterable[str]) -> npt.NDArray[np.uint64]:
    """A number for each row, to place and order it by; uint64 (rows,). It does not depend on how the row was chosen."""
    return np.array([Draws("mixed order", name).next() for name in example_ids], np.uint64)


def _write_rejections(out: Storage, names: Iterable[str]) -> FileRecord:
    """Puts the rejections of all tasks into one file."""
    with parquet_shard(out, f"{paths.REJECTIONS}/{_STAGE}.parquet", REJECTION) as shard:
        for name in names:
            with out.open(_dropped(name)) as stream:
                for batch in pq.ParquetFile(stream).iter_batches(_BATCH_ROWS):
                    shard.add(batch.cast(REJECTION))
    return shard.record


def _tokens_and_draws(out: Storage, name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    rows = _read(out, name, ["tokens", "draw"])
    return rows.column("tokens").to_numpy().astype(np.int64), rows.column("draw").to_numpy()


def _read(out: Storage, name: str, columns: list[str] | None = None) -> pa.Table:
    """Rows (DRAWN) that wait to be mixed."""
    with out.open(_drawn(name)) as stream:
        return pq.read_table(stream, columns=columns)


def _drawn(name: str) -> str:
    return f"{paths.WORK}/drawn/{name}"


def _dropped(name: str) -> str:
    return f"{paths.WORK}/rejected/{name}"
