"""Which files are in validation: whole repositories or whole files, by a hash, until a share of the files is reached."""

import itertools
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.pipeline.build import partition
from stackfim.pipeline.build.partition import (
    ChoosePartitions,
    FileTally,
    Partitioning,
    added,
    choose,
    file_hashes,
    group_hash,
    tally_files,
)

SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=60)
SHARES = st.one_of(st.just(0.01), st.floats(0.0, 0.5))


def files_of(sizes: list[int]) -> pa.RecordBatch:
    """Files of repositories of these sizes."""
    names = [f"owner/{number}" for number, size in enumerate(sizes) for _ in range(size)]
    return pa.RecordBatch.from_pydict(
        {"repository": names, "source_id": [f"{number:040x}" for number in range(len(names))]}
    )


def tally_of(files: pa.RecordBatch) -> FileTally:
    return tally_files(file_hashes(files.column("repository"), files.column("source_id")))


def chosen(sizes: list[int], share: float = 0.01) -> tuple[Partitioning, list[bool]]:
    files = files_of(sizes)
    partitioning = choose(tally_of(files), share)
    return partitioning, partitioning.in_validation(files).tolist()


@given(SIZES, SHARES)
def test_neither_partition_is_empty_unless_there_is_one_file_or_no_share(sizes: list[int], share: float) -> None:
    partitioning, validation = chosen(sizes, share)
    if share == 0 or sum(sizes) == 1:
        assert partitioning.rule == "none"
        assert not any(validation)
    else:
        assert partitioning.rule == ("repository" if len(sizes) >= 20 else "file")
        assert 0 < sum(validation) < len(validation)


@given(st.lists(st.integers(1, 9), min_size=20, max_size=200), SHARES.filter(bool))
def test_repositories_follow_each_other_by_hash_until_the_share_of_the_files_is_reached(
    sizes: list[int], share: float
) -> None:
    files = files_of(sizes)
    partitioning = choose(tally_of(files), share)
    validation = partitioning.in_validation(files).tolist()
    inside = {name for name, is_in in zip(files.column("repository").to_pylist(), validation, strict=True) if is_in}
    order = sorted((f"owner/{number}" for number in range(len(sizes))), key=group_hash)
    fits = [name for name in order if sizes[int(name[6:])] <= max(0.1, share) * sum(sizes)]
    assert inside == set(fits[: len(inside)])
    sums = list(itertools.accumulate(sizes[int(name[6:])] for name in fits))
    reached = next(
        (place for place, files_so_far in enumerate(sums) if files_so_far >= share * sum(sizes)), len(fits) - 1
    )
    assert len(inside) == reached + 1


def test_a_repository_with_most_of_the_files_is_never_validation() -> None:
    for giant in range(25):
        sizes = [9_000 if number == giant else 40 for number in range(25)]
        validation = np.array(chosen(sizes)[1])
        assert 99 <= validation.sum() <= 140


def test_fewer_repositories_than_20_are_parted_by_file() -> None:
    partitioning, validation = chosen([1_000])
    assert partitioning.rule == "file"
    assert sum(validation) == 10


def test_a_lone_file_is_in_train() -> None:
    assert chosen([1]) == (Partitioning(rule="none"), [False])
    assert chosen([]) == (Partitioning(rule="none"), [])


@given(SIZES, st.integers(1, 9), st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_shards_or_their_order(
    sizes: list[int], shards: int, draw: random.Random
) -> None:
    files = files_of(sizes)
    rows = list(range(files.num_rows))
    draw.shuffle(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partition, "MAX_GROUPS", 16)
        patch.setattr(partition, "_MAX_PENDING", 2)
        combine = ChoosePartitions(0.2)
        accumulators = [combine.create_accumulator() for _ in range(shards)]
        for row in rows:
            place = draw.randrange(shards)
            accumulators[place] = combine.add_input(accumulators[place], tally_of(files.slice(row, 1)))
        found = combine.extract_output(combine.merge_accumulators(accumulators))
        assert found == choose(tally_of(files), 0.2)


def test_what_is_added_up_is_bounded_and_the_share_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition, "MAX_GROUPS", 1_000)
    files = files_of([3] * 10_000)
    tally = added([tally_of(files.slice(start, 5_000)) for start in range(0, 30_000, 5_000)])
    assert len(tally.repositories.keys) <= 1_000
    assert len(tally.contents.keys) <= 1_000
    assert tally.repositories.files.sum() == 30_000
    partitioning = choose(tally, 0.01)
    assert partitioning.rule == "repository"
    validation = partitioning.in_validation(files)
    assert 300 <= validation.sum() <= 400
    assert all(len(set(validation[start : start + 3])) == 1 for start in range(0, 30_000, 3))
