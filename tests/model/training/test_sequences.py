"""Examples as training sequences: who is held out, what a batch holds, and continuing where it stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.model.ends import line_ends, line_too_many
from stackfim.model.prompt import FimPrompt
from stackfim.model.tokenizer import Tokenizer
from stackfim.model.training.sequences import (
    Batch,
    Example,
    Position,
    SequenceSettings,
    TrainingDataError,
    batches,
    is_held_out,
    read_examples,
    rendered,
    seen_examples,
)

names = st.text(st.characters(codec="ascii", min_codepoint=33, exclude_characters="/"), min_size=1, max_size=12)


@given(names, names, names, st.integers(0, 99), st.floats(0, 1))
def test_forks_and_releases_are_on_one_side(one: str, other: str, name: str, seed: int, share: float) -> None:
    assert is_held_out(f"{one}/{name}", share, seed) == is_held_out(f"{other}/{name.upper()}", share, seed)


def test_about_the_share_is_held_out_and_a_seed_holds_out_others() -> None:
    held_out = [{n for n in range(5000) if is_held_out(f"owner/name{n}", 0.1, seed)} for seed in (0, 1)]
    assert [len(numbers) / 5000 for numbers in held_out] == pytest.approx([0.1, 0.1], abs=0.02)
    assert len(held_out[0] & held_out[1]) < 100
    assert not any(is_held_out(f"name{n}", 0.0, 0) for n in range(100))


def test_no_project_is_trained_on_and_held_out(run_folder: Callable[..., Path]) -> None:
    folder = run_folder({"Java": "someone/project", "Go": "other/Project", "Lua": "other/thing"}, validation=["Lua"])
    partitions = read_examples(folder, held_out_share=0.3, held_out_seed=5)
    assert len(partitions.train) + len(partitions.held_out) == 195
    assert 0.1 < len(partitions.held_out) / 195 < 0.6
    sides = [
        {example.repository.rsplit("/")[-1].lower() for example in side}
        for side in (partitions.train, partitions.held_out)
    ]
    assert not sides[0] & sides[1]
    assert "thing" in sides[1]
    both = read_examples(folder, held_out_share=0.0, held_out_seed=0)
    assert {example.language for example in both.held_out} == {"Lua"}


def test_a_fork_of_what_the_run_validates_on_is_not_trained_on(run_folder: Callable[..., Path]) -> None:
    folder = run_folder({"Java": "someone/project", "Go": "other/project"}, validation=["Java"])
    partitions = read_examples(folder, held_out_share=0.0, held_out_seed=0)
    assert {example.language for example in partitions.held_out} == {"Java", "Go"}


def test_other_licenses_and_other_folders_are_refused(run_folder: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match=r"no manifest\.json, expected a finished folder"):
        read_examples(tmp_path, held_out_share=0.1, held_out_seed=0)
    with pytest.raises(TrainingDataError, match=r"made with licenses='ours\.txt', expected 'permissive'"):
        read_examples(run_folder(licenses="ours.txt"), held_out_share=0.1, held_out_seed=0)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(TrainingDataError, match="configuration is missing"):
        read_examples(tmp_path, held_out_share=0.1, held_out_seed=0)
    with pytest.raises(TrainingDataError, match="no examples to train on"):
        read_examples(run_folder(), held_out_share=1.0, held_out_seed=0)


def test_long_contexts_are_cut_to_whole_lines(run_folder: Callable[..., Path]) -> None:
    folder = run_folder()
    shard = next((folder / "data").glob("train-*"))
    table = pq.read_table(shard).slice(0, 3)
    prefixes = ["line of it\n" * 900 + "  x", "y" * 9000, "a\n" + "z" * 9000]
    suffixes = ["end\n" + "line of it\n" * 900, "y" * 9000, "z" * 9000 + "\nb\n"]
    for name, texts in (("prefix", prefixes), ("suffix", suffixes)):
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), pa.array(texts))
    pq.write_table(table, shard)
    one, two, three = read_examples(folder, held_out_share=0.0, held_out_seed=0).train
    assert one.prefix == "line of it\n" * 372 + "  x"
    assert one.suffix == "end\n" + "line of it\n" * 372
    assert (two.prefix, two.suffix) == (prefixes[1], suffixes[1])
    assert (three.prefix, three.suffix) == ("z" * 9000, "z" * 9000 + "\n")


SETTINGS = SequenceSettings(batch_tokens=900, shortest_context=30, longest_context=256, longest=256)


def test_batches_hold_whole_examples_of_both_layouts(own_examples: list[Example], tokenizer: Tokenizer) -> None:
    layouts = set()
    for position, batch in batches(own_examples, tokenizer, SETTINGS):
        if position.epoch:
            break
        assert len(batch.input_ids) == len(batch.targets) == len(batch.weights) == sum(batch.segments) <= 900
        ends = np.cumsum(batch.segments)
        for size, end in zip(batch.segments, ends, strict=True):
            ids, targets = (part[end - size : end].tolist() for part in (batch.input_ids, batch.targets))
            # After a middle's end there may be the line that would be one too many.
            true_end = targets.index(0) + 1
            assert true_end < SETTINGS.longest
            ids, targets = ids[:true_end], targets[:true_end]
            assert targets == [*ids[1:], 0]
            layouts.add("psm" if ids[0] == 1 else "spm")
            parts = re.split("<fim_prefix>|<fim_suffix>|<fim_middle>", tokenizer.decode(ids))[1:]
            prefix, suffix, middle = parts if ids[0] == 1 else (parts[1], parts[0], parts[2])
            assert any(
                example.middle == middle and example.prefix.endswith(prefix) and example.suffix.startswith(suffix)
                for example in own_examples
            )
    assert layouts == {"psm", "spm"}


def test_middles_and_their_end_count_more_and_sentinels_nothing(
    own_examples: list[Example], tokenizer: Tokenizer
) -> None:
    for _, batch in islice(batches(own_examples, tokenizer, SETTINGS), 10):
        for size, end in zip(batch.segments, np.cumsum(batch.segments), strict=True):
            targets, weights = batch.targets[end - size : end].tolist(), batch.weights[end - size : end].tolist()
            begin, true_end = targets.index(2) + 1, targets.index(0)
            before = [0.0 if target in (1, 2, 3) else SETTINGS.context_weight for target in targets[:begin]]
            assert weights[:begin] == before
            assert weights[begin:true_end] == [SETTINGS.middle_weight] * (true_end - begin)
            assert weights[true_end] == SETTINGS.end_weight
            assert set(weights[true_end + 1 :]) <= {0.0}


def test_where_a_middle_does_not_end_is_shown_too(own_examples: list[Example], tokenizer: Tokenizer) -> None:
    early, late = 0, 0
    by_middle = {example.middle: example for example in own_examples}
    for _, batch in islice(batches(own_examples, tokenizer, SETTINGS), 20):
        for size, end in zip(batch.segments, np.cumsum(batch.segments), strict=True):
            ids, targets = (part[end - size : end].tolist() for part in (batch.input_ids, batch.targets))
            no_ends = batch.no_end_weights[end - size : end]
            begin, true_end = ids.index(2) + 1, targets.index(0)
            middle = tokenizer.decode(ids[begin : true_end + 1])
            assert no_ends[:begin].tolist() == [0.0] * begin
            assert no_ends[true_end] == 0.0
            places = [begin + count - 1 for count in line_ends(tokenizer, ids[begin : true_end + 1])]
            assert no_ends[:true_end].nonzero()[0].tolist() == places
            assert all(no_ends[place] == SETTINGS.line_end_weight for place in places)
            early += len(places)
            if true_end + 1 < size:
                late += 1
                assert no_ends[-1] == SETTINGS.later_end_weight
                assert tokenizer.decode(ids[begin:]) == line_too_many(by_middle[middle].row)
    assert early > 50
    assert late > 30


def test_contexts_are_short_and_long(own_examples: list[Example], tokenizer: Tokenizer) -> None:
    drawn = islice(batches(own_examples, tokenizer, SETTINGS), 40)
    sizes = [targets.index(2) for _, batch in drawn for targets in _targets(batch)]
    assert min(sizes) < 40
    assert max(sizes) > 200
    assert sum(size < 90 for size in sizes) > len(sizes) / 4


def test_lines_at_the_cursor_are_kept_where_the_drawn_context_is_too_short(
    own_examples: list[Example], tokenizer: Tokenizer
) -> None:
    example = replace(own_examples[0], prefix="above\n" + "x = 1 + " * 20, middle="2", suffix="\nbelow\n" * 40)
    head, tail, middle = (tokenizer.encode(text) for text in (example.prefix, example.suffix, example.middle))
    prompt_psm = FimPrompt(tokenizer, "psm")
    cursor = tokenizer.encode("x = 1 + " * 20)
    found = rendered(example, (head, tail, middle), tokenizer, prompt_psm, 30, 256)
    assert found is not None
    prompt, completion = found
    assert completion == [*tokenizer.encode("2"), 0]
    assert prompt[prompt.index(3) - len(cursor) : prompt.index(3)] == cursor
    assert len(cursor) > 30
    assert len(prompt) <= 2 * 2 * 30 + 3 + len(cursor)
    assert rendered(example, (head, tail, middle), tokenizer, prompt_psm, 30, len(cursor)) is None


def _targets(batch: Batch) -> list[list[int]]:
    return [part.tolist() for part in np.split(batch.targets, np.cumsum(batch.segments)[:-1])]


def test_any_position_goes_on_with_the_same_batches(own_examples: list[Example], tokenizer: Tokenizer) -> None:
    count = 60  # into the second pass
    whole = list(islice(batches(own_examples, tokenizer, SETTINGS), count))
    assert whole[-1][0].epoch >= 1
    for number in (1, 17, 45):
        rest = islice(batches(own_examples, tokenizer, SETTINGS, whole[number][0]), count - number)
        for (position, batch), (expected_position, expected) in zip(rest, whole[number:], strict=True):
            assert position == expected_position
            assert np.array_equal(batch.input_ids, expected.input_ids)
            assert np.array_equal(batch.weights, expected.weights)
            assert np.array_equal(batch.no_end_weights, expected.no_end_weights)


def test_another_seed_and_another_pass_have_another_order(own_examples: list[Example], tokenizer: Tokenizer) -> None:
    first = [next(batches(own_examples, tokenizer, SequenceSettings(seed=seed)))[1] for seed in (0, 1)]
    again = next(batches(own_examples, tokenizer, SequenceSettings(), Position(epoch=1)))[1]
    assert not np.array_equal(first[0].input_ids[:50], first[1].input_ids[:50])
    assert not np.array_equal(first[0].input_ids[:50], again.input_ids[:50])


def test_what_was_seen_are_the_chunks_that_were_begun(own_examples: list[Example]) -> None:
    many = own_examples * 6  # 1,170: chunks of 512, 512 and 146
    assert [len(seen_examples(many, SETTINGS, Position(0, chunk))) for chunk in (0, 1, 2)] == [512, 1024, 1170]
    assert len(seen_examples(many, SETTINGS, Position(1, 0))) == 1170
