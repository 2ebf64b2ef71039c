"""Batches of a shard: what a step leaves of one, and what a shuffle gives back of it."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.schemas.rejection import FILE, REJECTION, no_rejections, rejections
from stackfim.transforms.record_batches import single_batch
from stackfim.transforms.shard_batch import RecordBatchCoder, ShardBatch, ShardBatchCoder

SCHEMA = pa.schema([pa.field("path", pa.string()), pa.field("content", pa.binary())])


def rows_of(contents: list[bytes | None]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [{"path": str(place), "content": content} for place, content in enumerate(contents)], schema=SCHEMA
    )


def rejected(*paths: str) -> pa.RecordBatch:
    named = pa.RecordBatch.from_pydict({name: list(paths) for name in ("repository", "path", "content_id")})
    return rejections(FILE, "size", ["oversized"] * len(paths), named, ["9; expected at most 8"] * len(paths))


CONTENTS = st.lists(st.one_of(st.none(), st.binary(max_size=300)), max_size=12)


@given(CONTENTS, st.integers(0, 12), st.integers(0, 12))
def test_a_batch_comes_out_of_a_shuffle_as_it_went_in(contents: list[bytes | None], start: int, count: int) -> None:
    batch = rows_of(contents).slice(start, count)
    decoded = RecordBatchCoder().decode(RecordBatchCoder().encode(batch))
    assert decoded.equals(batch)
    assert decoded.schema.equals(SCHEMA, check_metadata=True)


@given(CONTENTS, st.integers(0, 2**31), st.booleans(), st.dictionaries(st.text(max_size=9), st.integers(0, 2**62)))
def test_a_batch_of_a_shard_keeps_its_place_and_counts(
    contents: list[bytes | None], number: int, last: bool, counts: dict[str, int]
) -> None:
    batch = ShardBatch(number, number + 1, last, rows_of(contents), rejected("a", "b"), counts)
    decoded = ShardBatchCoder().decode(ShardBatchCoder().encode(batch))
    assert decoded == batch
    assert decoded.rejections.schema.equals(REJECTION, check_metadata=True)


def test_a_slice_is_as_small_as_its_rows() -> None:
    batch = rows_of([bytes(range(256)) * 40] * 1_000)
    whole, part = (len(RecordBatchCoder().encode(each)) for each in (batch, batch.slice(500, 1)))
    assert part < whole / 20


def test_a_step_replaces_rows_and_adds_rejections_and_counts() -> None:
    batch = ShardBatch(3, 1, True, rows_of([b"a", b"b"]), rejected("x"), {"refused": 2, "redacted": 1})
    after = batch.with_rows(rows_of([b"b"]), rejected("y"), {"refused": 5, "new": 1})
    assert (after.shard, after.sequence, after.last) == (3, 1, True)
    assert after.rows.column("content").to_pylist() == [b"b"]
    assert after.rejections.column("path").to_pylist() == ["x", "y"]
    assert after.counts == {"refused": 7, "redacted": 1, "new": 1}


@pytest.mark.parametrize("parts", [0, 1, 3])
def test_a_table_becomes_one_batch(parts: int) -> None:
    batch = single_batch(pa.Table.from_batches([rows_of([b"x"])] * parts, SCHEMA))
    assert batch.num_rows == parts
    assert batch.schema.equals(SCHEMA)


def test_batches_without_rows_or_rejections_are_kept() -> None:
    batch = ShardBatch(0, 0, True, rows_of([]), no_rejections())
    assert ShardBatchCoder().decode(ShardBatchCoder().encode(batch)) == batch
