"""Fingerprints in files: written beside the survivors, looked up by deduplication, and left for later runs.

The fingerprints of a shard of this run are in a work file, in the order of its survivors. A reference shard is a file in the
`fingerprints/` of an earlier run, or one that is made here from the rows of `--against`.
"""

import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.parquet_shard import parquet_shard
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.fingerprint import REFERENCE, SETTINGS, SIGNATURE
from stackfim.schemas.record import FileRecord
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.dedup.near import signature_batch
from stackfim.transforms.dedup.order import FINGERPRINT, REFERENCE_SHARD
from stackfim.transforms.dedup.transform import Block, ShardFiles
from stackfim.transforms.record_batches import single_batch


@dataclass(frozen=True)
class ReferenceFile:
    """A parquet file (stackfim.schemas.fingerprint.REFERENCE) of files that stay whatever they are similar to."""

    storage: Storage
    path: str
    locator: str | None = None
    """Shard of a source of `--against` that the file is made from; None for a file that an earlier run left."""


@dataclass(frozen=True)
class FingerprintFiles:
    """Where the fingerprints of each shard are. It travels in the graph, so it holds plain values."""

    storage: Storage
    references: tuple[ReferenceFile, ...] = ()

    def for_deduplication(self) -> ShardFiles:
        """The functions that deduplication reads and writes with."""
        return ShardFiles(self.signatures, self.contents, self.write_blocks, self.read_block)

    def named(self, shard: int) -> pa.RecordBatch:
        """The fingerprints (stackfim.transforms.dedup.order.FINGERPRINT) of a complete shard, in order of rows."""
        if shard >= REFERENCE_SHARD:
            table = self._reference(shard, ["content_id", "repository", "path"])
            unknown = pa.nulls(table.num_rows, pa.int64())
            table = table.append_column("stars", unknown).append_column("forks", unknown)
        else:
            table = _read(self.storage, paths.survivors(shard), ["content_id", "stars", "forks", "repository", "path"])
        count = table.num_rows
        table = table.append_column(FINGERPRINT.field("shard"), pa.array(np.full(count, shard, np.int32)))
        table = table.append_column(FINGERPRINT.field("row"), pa.array(np.arange(count)))
        return single_batch(table.select(FINGERPRINT.names).cast(FINGERPRINT))

    def signatures(self, shard: int, rows: pa.Array, names: list[str]) -> pa.RecordBatch:
        """Some columns of some rows of a shard: `names` are of `shingles` (their number), `signature` and `language`."""
        if shard >= REFERENCE_SHARD:
            table = self._reference(shard, names)
        else:
            own = [name for name in names if name in SIGNATURE.names]
            table = _read(self.storage, paths.signatures(shard), own)
            if "language" in names:
                languages = _read(self.storage, paths.survivors(shard), ["language"])
                table = table.append_column("language", languages.column("language"))
        return single_batch(table.select(names).take(rows))

    def contents(self, shard: int, rows: pa.Array) -> pa.Array:
        """The contents of rows of a shard of this run; `rows` ascends. Only row groups that hold one of them are read."""
        wanted = rows.to_numpy()
        parts: list[pa.Array] = []
        with self.storage.open(paths.survivors(shard)) as stream:
            file = pq.ParquetFile(stream)
            offset = 0
            for group in range(file.num_row_groups):
                count = file.metadata.row_group(group).num_rows
                inside = wanted[(wanted >= offset) & (wanted < offset + count)] - offset
                if len(inside):
                    column = file.read_row_group(group, columns=["content"]).column("content")
                    parts += column.take(pa.array(inside)).chunks
                offset += count
        return pa.concat_arrays(parts) if parts else pa.array([], pa.binary())

    def write_blocks(self, name: str, shard: int, batches: list[pa.RecordBatch]) -> list[Block]:
        """Writes batches to a work file as one Arrow IPC stream after another, so that each can be read alone."""
        path = paths.blocks(name, shard)
        blocks: list[Block] = []
        with self.storage.create(path) as new:
            for batch in batches:
                start = new.tell()
                with pa.ipc.new_stream(new, batch.schema) as stream:
                    stream.write_batch(batch)
                blocks.append((path, start, new.tell() - start))
        return blocks

    def read_block(self, block: Block) -> pa.RecordBatch:
        """One batch of a work file, by a single request where the storage is remote."""
        with pa.ipc.open_stream(self.storage.read_range(*block)) as stream:
            return stream.read_next_batch()

    def _reference(self, shard: int, columns: list[str]) -> pa.Table:
        file = self.references[shard - REFERENCE_SHARD]
        return _read(file.storage, file.path, columns)


def write_reference(storage: Storage, path: str, rows: list[pa.RecordBatch], settings: DedupSettings) -> FileRecord:
    """Writes batches as stackfim.schemas.fingerprint.REFERENCE. Where they have no signatures, these are made of `content`."""
    with parquet_shard(storage, path, _with_settings(settings)) as file:
        for batch in rows:
            if "signature" not in batch.schema.names:
                made = signature_batch(batch.column("content"), settings)
                names = [name for name in REFERENCE.names if name not in SIGNATURE.names]
                columns = [*(batch.column(name) for name in names), *made.select(SIGNATURE.names).columns]
                batch = pa.RecordBatch.from_arrays(columns, names=[*names, *SIGNATURE.names])
            file.add(batch.select(REFERENCE.names).cast(_with_settings(settings)))
    return file.record


def signature_settings(settings: DedupSettings) -> str:
    """The settings that two signatures must share to be compared, as JSON."""
    return json.dumps({"ngram": settings.ngram, "permutations": settings.permutations, "seed": settings.seed})


def stored_settings(storage: Storage, path: str) -> str | None:
    """The signature settings in a file's metadata; None for a file without fingerprints."""
    with storage.open(path) as stream:
        found = (pq.read_schema(stream).metadata or {}).get(SETTINGS)
    return found.decode() if found is not None else None


def _with_settings(settings: DedupSettings) -> pa.Schema:
    return REFERENCE.with_metadata({SETTINGS: signature_settings(settings).encode()})


def _read(storage: Storage, path: str, columns: list[str]) -> pa.Table:
    with storage.open(path) as stream:
        return pq.read_table(stream, columns=columns)
