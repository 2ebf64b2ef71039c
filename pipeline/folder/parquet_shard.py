"""One parquet file, written as its rows come, in row groups of a bounded size. A file without rows has no row group."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from stackfim.pipeline.folder.storage import NewFile, Storage
from stackfim.schemas.record import FileRecord

ROW_GROUP_ROWS = 10_000
ROW_GROUP_BYTES = 32 << 20
# Columns with few distinct values. For text a dictionary costs more than it saves.
_DICTIONARY = [
    "category", "kind", "stop_reason", "language", "repository", "path", "revision", "newline_owner", "node_type", "version",
    "unit", "stage", "reason", "method", "kept_repository", "source_id", "content_id",
]  # fmt: skip


class ParquetShard:
    """A file of one schema: `add` batches, and read `record` after the `with` block of `parquet_shard`."""

    def __init__(self, sink: NewFile, schema: pa.Schema, *, group_by_batch: bool, compression: str) -> None:
        """`sink` takes the bytes; for the other parameters see `parquet_shard`."""
        dictionary = [name for name in _DICTIONARY if name in schema.names]
        self._writer = pq.ParquetWriter(sink, schema, compression=compression, use_dictionary=dictionary or False)
        self._sink = sink
        self._schema = schema
        self._is_finished = False
        self._group_by_batch = group_by_batch
        self._pending: list[pa.RecordBatch] = []
        self._pending_rows = self._pending_bytes = 0
        self.rows = 0

    @property
    def is_discarded(self) -> bool:
        """Whether there is no file, since there were no rows."""
        return self._sink.is_discarded

    @property
    def record(self) -> FileRecord:
        """The file that was written. Raises RuntimeError before it is complete."""
        if not self._is_finished:
            raise RuntimeError(f"{self._sink.record.path} is still being written; its record is known after the block")
        return self._sink.record

    def add(self, batch: pa.RecordBatch) -> None:
        """Appends rows."""
        if not batch.num_rows:
            return
        self._pending.append(batch)
        self._pending_rows += batch.num_rows
        self._pending_bytes += batch.nbytes
        self.rows += batch.num_rows
        if self._group_by_batch or self._pending_rows >= ROW_GROUP_ROWS or self._pending_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            table = pa.Table.from_batches(self._pending, self._schema)
            self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
            self._pending, self._pending_rows, self._pending_bytes = [], 0, 0

    def finish(self) -> None:
        """Writes the rows that are still held, and the footer."""
        self._flush()
        self._writer.close()
        self._is_finished = True


@contextmanager
def parquet_shard(
    storage: Storage,
    path: str,
    schema: pa.Schema,
    *,
    group_by_batch: bool = False,
    compression: str = "zstd",
    keep_empty: bool = True,
) -> Iterator[ParquetShard]:
    """A new parquet file at `path`, which appears when the block ends without an error.

    Unless `keep_empty`, there is no file without rows: one that was at `path` before goes.

    With `group_by_batch` each batch becomes a row group of its own, so that reading gives the same batches again.
    """
    with storage.create(path) as new:
        shard = ParquetShard(new, schema, group_by_batch=group_by_batch, compression=compression)
        yield shard
        shard.finish()
        if not shard.rows and not keep_empty:
            new.discard()
