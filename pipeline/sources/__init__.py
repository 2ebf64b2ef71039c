"""Where rows come from: `hf://`, `parquet:` and `code:`, one module each, one interface.

A source lists its shards once, in the launcher; each worker then reads a shard from its locator alone. A locator is a
small JSON text that names files, parts and what identifies their bytes (size and time, or a blob id), never a token.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import pyarrow as pa

BATCH_ROWS = 1_000
BATCH_BYTES = 16 << 20
SHARD_BYTES = 64 << 20


class SourceError(ValueError):
    """The source cannot be used as asked: not found, no access, not a source. The message says what was expected."""


class SourceUnavailable(RuntimeError):
    """The source stopped answering and retries did not help."""


@dataclass(frozen=True)
class Shard:
    """A part of a source that one worker reads in order; becomes one output shard in each partition."""

    index: int
    locator: str
    """JSON; the same bytes of input give the same locator, changed input another one."""
    rows: int | None
    """Number of rows, where known."""
    size_bytes: int | None
    """Size of the content (or of its part of the file), where known."""


class SourceBatch(NamedTuple):
    """What a source reads: rows, and what it could not make a row of."""

    rows: pa.RecordBatch
    """stackfim.schemas.source.ROW; at most BATCH_ROWS rows and, beyond one row, BATCH_BYTES of content."""
    rejections: pa.RecordBatch
    """stackfim.schemas.rejection.REJECTION, stage `read`; may be empty."""


class Source(Protocol):
    """A place that rows are read from. Pickles small, holds no secret."""

    def identity(self) -> dict[str, Any]:
        """What the manifest says of the input: kind, place and the revision that was pinned. JSON values, no token."""

    def shards(self, limit: int | None = None) -> list[Shard]:
        """The shards, in a fixed order, that hold the first `limit` rows (all without a limit).

        Raises SourceError when there is nothing to read, or no access.
        """

    def read(self, locator: str) -> Iterator[SourceBatch]:
        """The rows of a shard, in order. Raises SourceUnavailable when it cannot be read to its end."""


def open_source(spec: str, columns: Mapping[str, str] | None = None) -> Source:
    """The source that `spec` names; `columns` maps columns of stackfim.schemas.source.ROW to the source's own.

    Raises SourceError for a specification that is none of the three.
    """
    scheme, separator, rest = spec.partition(":")
    mapping = dict(columns or {})
    if separator and rest:
        if scheme == "hf":
            from stackfim.pipeline.sources.hub import HubSource

            return HubSource.from_spec(spec, mapping)
        if scheme == "parquet":
            from stackfim.pipeline.sources.parquet import ParquetSource

            return ParquetSource(rest, mapping)
        if scheme == "code":
            from stackfim.pipeline.sources.code.source import CodeSource

            return CodeSource(rest)
    raise SourceError(
        f"{spec!r} is not a source; expected hf://datasets/ORG/NAME[@REVISION][/SUBFOLDER], parquet:FOLDER-OR-GLOB "
        "or code:FOLDER"
    )
