"""Packed examples: all are there, none is cut, none sees another, and there is hardly any padding."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.model.packing import best_fit
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.rendered import IGNORED, PACKED
from stackfim.transforms.render.batch import Renderer
from stackfim.transforms.render.pack import Packer
from stackfim.transforms.render.render_settings import RenderSettings

LENGTH = 4096
PAD = 7


@pytest.fixture(scope="session")
def tokenized(rows: pa.RecordBatch, definition: Callable[[str], str]) -> pa.RecordBatch:
    """Real examples of up to 1,024 tokens."""
    settings = RenderSettings(max_tokens=1024, tokenize=True, tokenizer_json=definition("gpt2"))
    return Renderer(settings).render(rows)[0]


def packed(batches: list[pa.RecordBatch], packer: Packer) -> pa.Table:
    return pa.Table.from_batches([*(packer.add(batch)[0] for batch in batches), packer.finish()], PACKED)


def labels_of(row: dict[str, Any]) -> list[int]:
    """What a trainer is to learn by the mask."""
    learned = zip(row["input_ids"], row["completion_mask"], strict=True)
    return [number if is_learned else IGNORED for number, is_learned in learned]


def defects(packs: pa.Table, tokenized: pa.RecordBatch, length: int) -> list[str]:
    """What is wrong with the packs of some examples."""
    wanted = {
        row["example_id"]: row for row in tokenized.select(["example_id", "input_ids", "completion_mask"]).to_pylist()
    }
    found = []
    for row in packs.to_pylist():
        names = ("input_ids", "labels", "completion_mask", "position_ids")
        if {len(row[name]) for name in names} != {length} or sum(row["seq_lengths"]) != length:
            found.append("another length")
        if row["labels"] != labels_of(row):
            found.append("labels that are not the mask's")
        end = 0
        # What is left of a row is padding, which is the last length.
        for example_id, size in zip(row["example_ids"], row["seq_lengths"], strict=False):
            begin, end = end, end + size
            example = wanted.pop(example_id, {"input_ids": [], "completion_mask": []})
            if row["input_ids"][begin:end] != example["input_ids"]:
                found.append("an example is cut, out of place, or there twice")
            if row["completion_mask"][begin:end] != example["completion_mask"]:
                found.append("another mask")
            if row["position_ids"][begin:end] != list(range(size)):
                found.append("positions do not begin at the example")
        if set(row["input_ids"][end:]) - {PAD} or any(row["completion_mask"][end:]):
            found.append("padding is to be learned")
        if row["position_ids"][end:] != list(range(length - end)):
            found.append("padding is no segment of its own")
    return [*found, *(["an example is lost"] * bool(wanted))]


@pytest.mark.parametrize("buffer_examples", [1, 10, 4096])
def test_all_examples_are_there_whole_and_apart(tokenized: pa.RecordBatch, buffer_examples: int) -> None:
    packs = packed([tokenized.slice(0, 100), tokenized.slice(100)], Packer(LENGTH, PAD, buffer_examples))
    assert defects(packs, tokenized, LENGTH) == []
    assert packs.schema.equals(PACKED)


def test_each_defect_is_seen(tokenized: pa.RecordBatch) -> None:
    packs = packed([tokenized], Packer(LENGTH, PAD))
    rows = packs.to_pylist()

    def changed(**columns: object) -> pa.Table:
        mutant = rows[0] | columns
        return pa.Table.from_pylist([mutant | {"labels": labels_of(mutant)} | columns, *rows[1:]], PACKED)

    first = rows[0]
    assert len(first["seq_lengths"]) > 1
    for name, mutant in {
        "a pack is lost": packs.slice(1),
        "a pack is there twice": pa.concat_tables([packs, packs.slice(0, 1)]),
        "an id": changed(input_ids=[*first["input_ids"][:-1], 3, 3][:LENGTH][::-1]),
        "the mask": changed(completion_mask=[True] * LENGTH),
        "labels": changed(labels=first["input_ids"]),
        "positions run on": changed(position_ids=list(range(LENGTH))),
        "seams moved": changed(
            seq_lengths=[first["seq_lengths"][0] + 1, first["seq_lengths"][1] - 1, *first["seq_lengths"][2:]]
        ),
    }.items():
        assert defects(mutant, tokenized, LENGTH), name


def test_padding_is_below_two_percent_and_reported(tokenized: pa.RecordBatch) -> None:
    packer = Packer(LENGTH, PAD)
    packs = packed([tokenized], packer)
    tokens = len(tokenized.column("input_ids").flatten())
    assert packs.num_rows > 20
    assert (packer.padding_tokens, packer.packed_tokens) == (packs.num_rows * LENGTH - tokens, packs.num_rows * LENGTH)
    # All but the one that happens to be left over: of tens of packs it is a few percent by itself.
    sizes = zip(packs["seq_lengths"].to_pylist(), packs["example_ids"].to_pylist(), strict=True)
    filled = sorted(sum(lengths[: len(examples)]) for lengths, examples in sizes)[1:]
    assert 1 - sum(filled) / (len(filled) * LENGTH) < 0.02


def test_a_bounded_buffer_costs_little(tokenized: pa.RecordBatch) -> None:
    bounded = Packer(LENGTH, PAD, 50)
    seen = [bounded.add(tokenized.slice(start, 10))[0].num_rows for start in range(0, tokenized.num_rows, 10)]
    assert sum(map(bool, seen[:20])) > 1, "packs go out before the end"
    bounded.finish()
    assert bounded.padding_tokens < 0.03 * bounded.packed_tokens


def test_the_packs_do_not_depend_on_the_batches(tokenized: pa.RecordBatch) -> None:
    whole = packed([tokenized], Packer(LENGTH, PAD, 64))
    parts = packed([tokenized.slice(start, 17) for start in range(0, tokenized.num_rows, 17)], Packer(LENGTH, PAD, 64))
    assert parts.combine_chunks().equals(whole.combine_chunks())


def test_what_is_longer_than_a_pack_is_rejected_not_cut(tokenized: pa.RecordBatch) -> None:
    packer = Packer(600, PAD)
    packs, rejected = packer.add(tokenized)
    lengths = tokenized.column("input_ids").value_lengths().to_numpy()
    assert rejected.schema.equals(REJECTION)
    assert rejected.num_rows == (lengths > 600).sum() > 0
    assert set(rejected.column("reason").to_pylist()) == {"over_pack_length"}
    kept = tokenized.filter(pa.array(lengths <= 600))
    assert defects(pa.Table.from_batches([packs, packer.finish()]), kept, 600) == []


def test_nothing_gives_nothing(tokenized: pa.RecordBatch) -> None:
    packer = Packer(LENGTH, PAD)
    assert packed([tokenized.slice(0, 0)], packer).num_rows == 0
    assert (packer.padding_tokens, packer.packed_tokens) == (0, 0)
    with pytest.raises(ValueError, match="length is 0, expected 1 or more"):
        Packer(0, PAD)


@settings(max_examples=100)
@given(lengths=st.lists(st.integers(0, 100), max_size=60), room=st.integers(1, 100))
def test_best_fit_keeps_all_and_wastes_at_most_half(lengths: list[int], room: int) -> None:
    groups = best_fit(lengths, room)
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    totals = [sum(lengths[index] for index in group) for group in groups]
    assert all(total <= room or len(group) == 1 for total, group in zip(totals, groups, strict=True))
    # Two groups that fit into one would have been one.
    if len(totals) > 1:
        assert sum(np.partition(totals, 1)[:2]) > room
