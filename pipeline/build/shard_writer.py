"""Collecting the batches of a shard in its files.

A shard's batches come in order, since reading and writing are one fused stage; a writer that sees another order fails
rather than write half a shard.
"""

from collections import Counter
from contextlib import ExitStack
from typing import NamedTuple

import apache_beam as beam
import pyarrow as pa

from stackfim.pipeline.build.run_context import RunContext
from stackfim.pipeline.folder.parquet_shard import ParquetShard, parquet_shard
from stackfim.transforms.shard_batch import ShardBatch


class ShardFile(NamedTuple):
    """A parquet file that a writer makes of every shard."""

    path: str
    schema: pa.Schema
    group_by_batch: bool = False
    """Whether each batch is a row group of its own."""
    compression: str = "zstd"
    keep_empty: bool = True
    """Whether there is a file where there are no rows."""


class ShardWriter(beam.DoFn):
    """Opens the files of a shard with its first batch and closes them with its last; a subclass says which files."""

    def __init__(self, context: RunContext) -> None:
        """For the run of `context`."""
        self._context = context
        self._next: tuple[int, int] | None = None
        self._files: dict[str, ParquetShard] = {}
        self._counts: Counter[str] = Counter()

    def files_of(self, shard: int) -> dict[str, ShardFile]:
        """The files of a shard, by a name."""
        raise NotImplementedError

    def _receive(self, batch: ShardBatch) -> None:
        """Makes `self._files` those of the batch's shard. Raises RuntimeError when batches do not come in order."""
        expected = (batch.shard, 0) if self._next is None else self._next
        if (batch.shard, batch.sequence) != expected:
            raise RuntimeError(
                f"batch {batch.sequence} of shard {batch.shard} came where batch {expected[1]} of shard {expected[0]} "
                "was expected: the engine did not keep reading and writing in one stage"
            )
        self._next = None if batch.last else (batch.shard, batch.sequence + 1)
        if batch.sequence == 0:
            self._stack = ExitStack()
            self._counts = Counter()
            self._files = {
                name: self._stack.enter_context(
                    parquet_shard(
                        self._context.storage,
                        file.path,
                        file.schema,
                        group_by_batch=file.group_by_batch,
                        compression=file.compression,
                        keep_empty=file.keep_empty,
                    )
                )
                for name, file in self.files_of(batch.shard).items()
            }

    def _close(self) -> None:
        """Completes the files; they have records then."""
        self._stack.close()

    def finish_bundle(self) -> None:
        """A bundle holds whole shards: raises RuntimeError where one is not complete."""
        if self._next is not None:
            raise RuntimeError(f"the bundle ended before batch {self._next[1]} of shard {self._next[0]}")
