"""What a source is: it lists its shards once, in the launcher, and a worker reads a shard from its locator alone.

A locator is a small JSON text that names files, parts and what identifies their bytes (size and time, or a blob id); it
never holds a token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


BATCH_ROWS = 1_000
BATCH_BYTES = 16 << 20
SHARD_BYTES = 64 << 20


class SourceError(ValueError):
    """The source cannot be used: not found, no access, not a source. The message says what was expected."""


class SourceUnavailable(RuntimeError):
    """The source stopped answering, and retries did not help."""


@dataclass(frozen=True)
class Shard:
    """A part of a source that one worker reads in order; it becomes one output shard in each partition."""

    index: int
    locator: str
    """JSON; the same bytes of input give the same locator, changed input gives another one."""
    rows: int | None
    """Number of rows; None where it is not known without reading."""
    size_bytes: int | None
    """Size of the content, or of the shard's part of the file; None where it is not known."""


@dataclass(frozen=True)
class SourceOptions:
    """How a source is read; what does not concern a kind of source is passed over."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Columns of stackfim.schemas.source.ROW to the source's own, or to constants (`=VALUE`)."""
    work_tree: bool = False
    """Whether files of git work trees are those on the disk, without a revision, instead of those of the commit."""
    needs_licenses: bool = True
    """Whether a source without a column of licenses is refused."""
    leave_out: str = ""
    """Path of a folder that is not read, such as the one that the run writes."""


class SourceBatch(NamedTuple):
    """Rows that were read, and rejections for what could not become a row."""

    rows: pa.RecordBatch
    """stackfim.schemas.source.ROW; at most BATCH_ROWS rows and BATCH_BYTES of content, or one larger row."""
    rejections: pa.RecordBatch
    """stackfim.schemas.rejection.REJECTION with stage `read`; may be empty."""


class Source(Protocol):
    """A place that rows are read from. It is small when pickled and holds no secret."""

    def identity(self) -> dict[str, Any]:
        """What the manifest says about the input: its kind, place and pinned revision. JSON values, no token."""

    def shards(self, limit: int | None = None, seed: int | None = None) -> list[Shard]:
        """The shards that hold `limit` rows (all rows without a limit), in a fixed order.

        They are the first rows, or with a seed those of shards and files that are drawn by a hash. Raises SourceError when
        there is nothing to read, or no access.
        """

    def read(self, locator: str) -> Iterator[SourceBatch]:
        """The rows of a shard, in order. Raises SourceUnavailable when it cannot be read to its end."""
