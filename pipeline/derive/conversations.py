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
from stackfim.schemas.rejection import EXAMPLE, rejections
from stackfim.transforms.draws import Draws
from stackfim.transforms.filters.contamination import BenchmarkIndex
from stackfim.transforms.mix.conversation import check_columns, conversations, query_of
from stackfim.transforms.mix.filters import STAGE, ChatLimits, filter_conversations
from stackfim.transforms.mix.template import Template, TemplateRefuses, family_chat, tokenizer_chat
from stackfim.transforms.mix.turns import Turn
from stackfim.transforms.render.collision import forbidden
from stackfim.transforms.render.families import family_named
from stackfim.transforms.render.tokens import TextEncoder

DRAWN = pa.schema([*MIXED, pa.field("draw", pa.uint64(), nullable=False)])
"""A row of a mixture with the number that decides whether it is taken, uint64."""

_HUB = "hf://datasets/"
_CONFIG = "tokenizer_config.json"


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
    """Text of a tokenizer_config.json whose chat template is used; None for the family's own chat format."""
    family: str
    """The model family that the conversations are rendered for."""


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
    rejections: tuple[pa.RecordBatch, ...]
    """stackfim.schemas.rejection.REJECTION: of the filters, then of the template."""
    counts: Counter[str]
    """`chat_rows` that were read, `chat_kept`, and `rejected:reason`."""


def check_license(name: str, allowed: Collection[str]) -> None:
    """Raises UsageError for a license of all conversations that is not allowed, so that none could be used."""
    if name and name.lower() not in allowed:
        raise UsageError(f"--chat-license {name}: expected one that the configuration's `licenses` allow")


def find_chat_template(family: str, tokenizer: Path, given: Path | None) -> str | None:
    """The text of the tokenizer_config.json whose chat template is used; None for a family with a chat format of its own.

    It is the one that is `given`, or that of the tokenizer's folder. Raises UsageError for a file that cannot be read, and
    where there is no template at all.
    """
    if given is not None:
        return _template_text(given)
    if family_named(family).chat is not None:
        return None
    beside = (tokenizer if tokenizer.is_dir() else tokenizer.parent) / _CONFIG
    text = _template_text(beside) if beside.is_file() else ""
    if not text or "chat_template" not in json.loads(text):
        raise UsageError(
            f"--format {family}: there is no chat format for it, and {beside} has no chat_template; "
            f"expected --chat-template FILE, the {_CONFIG} of the chat model"
        )
    return text


def _template_text(path: Path) -> str:
    """The text of a tokenizer_config.json, with the template that newer ones have in a file beside it."""
    try:
        text = path.read_text("utf-8")
        values = json.loads(text)
        beside = path.parent / "chat_template.jinja"
        if isinstance(values, dict) and "chat_template" not in values and beside.is_file():
            return json.dumps(values | {"chat_template": beside.read_text("utf-8")}, sort_keys=True)
    except (OSError, ValueError) as error:
        raise UsageError(f"--chat-template {path}: expected a {_CONFIG} ({error})") from error
    if not isinstance(values, dict):
        raise UsageError(f"--chat-template {path}: expected a {_CONFIG}, an object with a chat_template")
    return text


def chat_template(chat: ChatSource, tokenizer_json: str) -> Template:
    """The template that conversations are rendered with. Raises UsageError for one that cannot be used."""
    family = family_named(chat.family)
    if chat.tokenizer_config is None:
        assert family.chat is not None
        return family_chat(family.chat)
    try:
        return tokenizer_chat(chat.tokenizer_config, TextEncoder(tokenizer_json).begin_tokens(family.begin))
    except ValueError as error:
        raise UsageError(f"--chat-template: {error}") from error


def find_files(chat: ChatSource) -> ChatFiles:
    """The files of the source that `chat` names.

    Raises UsageError where there are none, and, before any of them is read, where their columns show that no conversation
    could be used.
    """
    spec = chat.spec
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
        if not found:
            raise ValueError(f"no parquet file; expected {_HUB}ORG/NAME, a folder, a glob or a file of *.parquet")
        _check_columns(filesystem, min(found), chat.default_license)
        digest = None if on_hub else _digest(filesystem, sorted(found))
    except Exception as error:  # the libraries below fsspec have error types of their own
        raise UsageError(f"--chat {spec}: {error}") from error
    return ChatFiles(spec, filesystem, tuple(sorted(found)), name, digest)


def _check_columns(filesystem: Any, path: str, default_license: str) -> None:
    """Raises ValueError for a file in no known format, or without licenses where none is given for all rows."""
    with filesystem.open(path, "rb") as stream:
        names = pq.read_schema(stream).names
    check_columns(names)
    if "license" not in names and not default_license:
        raise ValueError("there is no column license, and rows without a license are left out; expected --chat-license")


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
    encoder = TextEncoder(tokenizer_json)
    read = [batch for path in files.paths for batch in _read(files, path, chat.default_license)]
    if not read:
        raise UsageError(f"--chat {chat.spec}: no row; expected at least one")
    rows = pa.Table.from_batches(read, CONVERSATION).combine_chunks().to_batches()[0]
    sentinels = forbidden(chat.family, encoder.control_tokens)
    kept, rejected = filter_conversations(rows, chat.limits, chat.allowed_licenses, sentinels, chat.benchmarks)
    counter = _Counter(tokenizer_json, len(encoder.begin_tokens(family_named(chat.family).begin)))
    rendered, refused = _rendered(kept, template, counter, seed)
    reasons = Counter([*rejected.column("reason").to_pylist(), *refused.column("reason").to_pylist()])
    if not rendered.num_rows:
        told = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())
        raise UsageError(f"--chat {chat.spec}: of {rows.num_rows:,} conversations none may be used ({told})")
    counts = Counter({"chat_rows": rows.num_rows, "chat_kept": rendered.num_rows})
    counts.update({f"rejected:{reason}": count for reason, count in reasons.items()})
    return Conversations(rendered, (rejected, refused), counts)


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


class _Counter:
    """Counts the tokens of a prompt and its completion, with the begin tokens that the tokenizer puts first."""

    def __init__(self, tokenizer_json: str, begin_tokens: int) -> None:
        self._tokenizer = tokenizers.Tokenizer.from_str(tokenizer_json)
        self._begin_tokens = begin_tokens

    def __call__(self, text: str) -> int:
        return self._begin_tokens + len(self._tokenizer.encode(text, add_special_tokens=False))


def _rendered(
    kept: pa.RecordBatch, template: Template, counter: _Counter, seed: int
) -> tuple[pa.Table, pa.RecordBatch]:
    """The rendered conversations (DRAWN), and rejections of those that the template refuses."""
    rows = []
    refused: dict[int, str] = {}
    for number, row in enumerate(kept.to_pylist()):
        before = [Turn(**turn) for turn in row["before"]]
        try:
            prompt, completion = template(before, query_of(row["instruction"], row["code"]), row["response"])
        except TemplateRefuses as error:
            refused[number] = str(error)
            continue
        example_id = hashlib.blake2b(row["content_id"].encode(), digest_size=8).hexdigest()
        rows.append(
            {
                "source": CHAT,
                "example_id": example_id,
                "prompt": prompt,
                "completion": completion,
                "tokens": counter(prompt + completion),
                "language": row["language"],
                "repository": row["repository"],
                "licenses": [row["license"]],
                "draw": draw(example_id, seed),
            }
        )
    gone = kept.select(["repository", "path", "content_id"]).take(pa.array(list(refused), pa.int64()))
    reasons = ["template_refuses"] * len(refused)
    return pa.Table.from_pylist(rows, DRAWN), rejections(EXAMPLE, STAGE, reasons, gone, list(refused.values()))
