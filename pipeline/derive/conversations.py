"""Conversations for `stackfim mix`: found on the Hub or in files, read, filtered and rendered."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import tokenizers

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.schemas.derived import ChatRecord
from stackfim.schemas.mixed import CHAT, CONVERSATION, MIXED
from stackfim.transforms.draws import Draws
from stackfim.transforms.filters.contamination import BenchmarkIndex
from stackfim.transforms.mix.conversation import conversations, query_of
from stackfim.transforms.mix.filters import ChatLimits, filter_conversations
from stackfim.transforms.mix.template import Template, refact_chat, tokenizer_chat

DRAWN = pa.schema([*MIXED, pa.field("draw", pa.uint64(), nullable=False)])
"""A row of a mixture with the number that decides whether it is taken, uint64."""

_HUB = "hf://datasets/"


@dataclass(frozen=True)
class ChatSource:
    """Where conversations come from, and what they must keep to."""

    spec: str
    """`hf://datasets/ORG/NAME[@REVISION][/SUBFOLDER]`, or a folder, glob or file of parquet (`parquet:` may stand before)."""
    default_license: str
    """License of conversations that name none; empty to leave these out."""
    allowed_licenses: Collection[str]
    """In lower case."""
    limits: ChatLimits
    benchmarks: BenchmarkIndex | None
    """Texts that no conversation may hold."""
    configuration: dict[str, Any]
    """Licenses and benchmarks as the report has them."""
    tokenizer_config: str | None
    """Text of a tokenizer_config.json whose chat template is used; None for Refact's."""


@dataclass(frozen=True)
class ChatFiles:
    """The parquet files of a source."""

    spec: str
    filesystem: Any
    paths: tuple[str, ...]
    source: str
    """Name of the source: pinned to a commit on the Hub, else that of the folder or file."""
    sha256: str | None
    """Digest of the files; None where the commit stands for them."""


@dataclass(frozen=True)
class Conversations:
    """What is left of a source."""

    rows: pa.Table
    """Rendered conversations (DRAWN)."""
    rejections: pa.RecordBatch
    """stackfim.schemas.rejection.REJECTION."""
    counts: Counter[str]
    """`chat_rows` that were read, `chat_kept`, and `rejected:reason`."""


def chat_template(chat: ChatSource) -> Template:
    """The template that conversations are rendered with. Raises UsageError for one that cannot be used."""
    if chat.tokenizer_config is None:
        return refact_chat
    try:
        return tokenizer_chat(chat.tokenizer_config)
    except ValueError as error:
        raise UsageError(f"--chat-template: {error}") from error


def find_files(spec: str) -> ChatFiles:
    """The files of the source that `spec` names. Raises UsageError where there are none."""
    location = spec.removeprefix("parquet:")
    name = Path(location).name if "://" not in location else location
    on_hub = location.startswith(_HUB)
    try:
        if on_hub:
            location = name = _pinned(location)
        filesystem, root = fsspec.core.url_to_fs(location)
        if filesystem.isfile(root):
            found = [root]
        elif filesystem.isdir(root):
            found = [path for path in filesystem.find(root) if path.endswith(".parquet")]
        else:
            found = [path for path in filesystem.glob(root) if path.endswith(".parquet")]
        digest = None if on_hub else _digest(filesystem, sorted(found))
    except Exception as error:  # the libraries below fsspec have error types of their own
        raise UsageError(f"--chat {spec}: {error}") from error
    if not found:
        raise UsageError(
            f"--chat {spec}: no parquet file; expected {_HUB}ORG/NAME, a folder, a glob or a file of *.parquet"
        )
    return ChatFiles(spec, filesystem, tuple(sorted(found)), name, digest)


def chat_record(chat: ChatSource, files: ChatFiles) -> ChatRecord:
    """What the report says of the conversations: all that decides which there are and how they are rendered."""
    config = chat.tokenizer_config
    return ChatRecord(
        source=files.source,
        sha256=files.sha256,
        limits=asdict(chat.limits),
        default_license=chat.default_license,
        template_sha256=hashlib.sha256(config.encode()).hexdigest() if config is not None else None,
        configuration=chat.configuration,
    )


def read_conversations(
    chat: ChatSource, files: ChatFiles, template: Template, tokenizer_json: str, seed: int
) -> Conversations:
    """The conversations in `files` that may be used, rendered by `template`; tokens are counted with `tokenizer_json`.

    All of them are in memory at once. Raises UsageError where there are none, or none that may be used.
    """
    counter = tokenizers.Tokenizer.from_str(tokenizer_json)
    read = [batch for path in files.paths for batch in _read(files, path, chat.default_license)]
    if not read:
        raise UsageError(f"--chat {chat.spec}: no row; expected at least one")
    rows = pa.Table.from_batches(read, CONVERSATION).combine_chunks().to_batches()[0]
    sentinels = {token.content for token in counter.get_added_tokens_decoder().values() if token.special}
    kept, rejected = filter_conversations(rows, chat.limits, chat.allowed_licenses, sentinels, chat.benchmarks)
    reasons = Counter(rejected.column("reason").to_pylist())
    if not kept.num_rows:
        told = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())
        raise UsageError(f"--chat {chat.spec}: of {rows.num_rows:,} conversations none may be used ({told})")
    counts = Counter({"chat_rows": rows.num_rows, "chat_kept": kept.num_rows})
    counts.update({f"rejected:{reason}": count for reason, count in reasons.items()})
    return Conversations(_rendered(kept, template, counter, seed), rejected, counts)


def draw(example_id: str, seed: int) -> int:
    """The number that decides whether a row is taken, 64 bits: by its id and the seed alone."""
    return Draws("mix", example_id, seed).next()


def _pinned(location: str) -> str:
    """The location of a data set on the Hub at the commit that its revision stands for."""
    from huggingface_hub import HfApi

    organisation, name, *rest = location.removeprefix(_HUB).split("/")
    name, _, revision = name.partition("@")
    commit = HfApi().dataset_info(f"{organisation}/{name}", revision=revision or None).sha
    return "/".join([f"{_HUB}{organisation}/{name}@{commit}", *rest])


def _digest(filesystem: Any, files: list[str]) -> str:
    """SHA-256 of the bytes of all files, in order."""
    digests: list[str] = []
    for path in files:
        with filesystem.open(path, "rb") as stream:
            digest = hashlib.sha256()
            while block := stream.read(1 << 20):
                digest.update(block)
        digests.append(digest.hexdigest())
    return hashlib.sha256(json.dumps(digests).encode()).hexdigest()


def _read(files: ChatFiles, path: str, default_license: str) -> Iterator[pa.RecordBatch]:
    with files.filesystem.open(path, "rb") as stream:
        first_row = 0
        try:
            for batch in pq.ParquetFile(stream).iter_batches(1_000):
                yield conversations(batch, files.source, first_row, default_license)
                first_row += batch.num_rows
        except (ValueError, pa.ArrowInvalid) as error:
            raise UsageError(f"--chat {path}: {error}") from error


def _rendered(kept: pa.RecordBatch, template: Template, counter: tokenizers.Tokenizer, seed: int) -> pa.Table:
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
                "draw": draw(example_id, seed),
            }
        )
    return pa.Table.from_pylist(rows, DRAWN)
