"""What flows through the graph: a batch of rows of one shard, with the rejections of rows dropped from it so far.

Rejections travel with their batch, so that one writer commits a shard's rows and rejections together, and as many files
come out as went in, whatever is retried.
"""

import json
from dataclasses import dataclass, field, replace

import pyarrow as pa
from apache_beam.coders import Coder, registry

from stackfim.schemas.rejection import concatenate

_SIZE_BYTES = 8


@dataclass(frozen=True)
class ShardBatch:
    """A batch of one shard. The batches of a shard are numbered from 0; the last one is marked and may be empty."""

    shard: int
    sequence: int
    last: bool
    rows: pa.RecordBatch
    rejections: pa.RecordBatch
    """stackfim.schemas.rejection.REJECTION."""
    counts: dict[str, int] = field(default_factory=dict)
    """How often something happened that leaves no row, such as the refusal of a site."""

    def with_rows(
        self, rows: pa.RecordBatch, rejections: pa.RecordBatch, counts: dict[str, int] | None = None
    ) -> "ShardBatch":
        """The batch after a step, with the rows that it leaves and with its rejections and counts added."""
        return replace(
            self,
            rows=rows,
            rejections=concatenate([self.rejections, rejections]),
            counts={
                name: self.counts.get(name, 0) + (counts or {}).get(name, 0)
                for name in sorted({*self.counts, *(counts or {})})
            },
        )


class RecordBatchCoder(Coder):
    """An Arrow IPC stream with lz4: compact, and a slice holds only its own rows (a pickle holds the whole buffer).

    The stream is compressed as a whole, not buffer by buffer: for a batch of a few rows it is mostly schema and padding,
    and shuffles hold tens of thousands of those.
    """

    def encode(self, value: pa.RecordBatch) -> bytes:
        """The size of the batch's IPC stream, then the stream, compressed."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, value.schema) as writer:
            writer.write_batch(value)
        stream = sink.getvalue()
        compressed: bytes = pa.compress(stream, "lz4", asbytes=True)
        return int(stream.size).to_bytes(_SIZE_BYTES, "little") + compressed

    def decode(self, encoded: bytes) -> pa.RecordBatch:
        """The batch that `encode` was given."""
        size = int.from_bytes(encoded[:_SIZE_BYTES], "little")
        with pa.ipc.open_stream(pa.decompress(memoryview(encoded)[_SIZE_BYTES:], size, "lz4")) as reader:
            return reader.read_next_batch()

    def estimate_size(self, value: pa.RecordBatch) -> int:
        """Bytes in memory; without this Beam would encode samples to measure them."""
        return int(value.nbytes)

    def is_deterministic(self) -> bool:
        """The same batch gives the same bytes."""
        return True


class ShardBatchCoder(Coder):
    """A JSON header and the two batches, each preceded by its length."""

    _batches = RecordBatchCoder()

    def encode(self, value: ShardBatch) -> bytes:
        """Header, rows, rejections."""
        header = json.dumps([value.shard, value.sequence, value.last, value.counts]).encode()
        parts = [header, self._batches.encode(value.rows), self._batches.encode(value.rejections)]
        return b"".join(len(part).to_bytes(_SIZE_BYTES, "little") + part for part in parts)

    def decode(self, encoded: bytes) -> ShardBatch:
        """The batch that `encode` was given."""
        parts: list[bytes] = []
        position = 0
        while position < len(encoded):
            start = position + _SIZE_BYTES
            position = start + int.from_bytes(encoded[position:start], "little")
            parts.append(encoded[start:position])
        shard, sequence, last, counts = json.loads(parts[0])
        return ShardBatch(shard, sequence, last, self._batches.decode(parts[1]), self._batches.decode(parts[2]), counts)

    def estimate_size(self, value: ShardBatch) -> int:
        """Bytes in memory."""
        return int(value.rows.nbytes + value.rejections.nbytes)

    def is_deterministic(self) -> bool:
        """The same batch gives the same bytes."""
        return True


registry.register_coder(pa.RecordBatch, RecordBatchCoder)
registry.register_coder(ShardBatch, ShardBatchCoder)
