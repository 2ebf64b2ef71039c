"""Band keys, packing, buckets and star edges, compared with plain dictionaries."""

import random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.dedup.bands import ENTRY, Buckets, band_keys, find_buckets, pack, scope_hashes, star_edges

# Few different values, so that bands often agree.
SIGNATURES = st.lists(st.lists(st.integers(0, 1), min_size=6, max_size=6), max_size=8).map(
    lambda rows: np.array(rows, np.uint32).reshape(len(rows), 6)
)


def bucket_lists(buckets: Buckets) -> list[list[int]]:
    return [part.tolist() for part in np.split(buckets.documents, buckets.offsets[1:-1])] if len(buckets) else []


@given(SIGNATURES, st.sampled_from([(3, 2), (2, 3), (6, 1), (1, 6), (2, 2)]), st.data())
def test_keys_are_equal_exactly_where_scope_band_and_its_rows_are(
    signatures: npt.NDArray[np.uint32], shape: tuple[int, int], data: st.DataObject
) -> None:
    bands, rows = shape
    names = data.draw(st.lists(st.sampled_from(["Python", "Go"]), min_size=len(signatures), max_size=len(signatures)))
    keys = band_keys(signatures, bands, rows, scope_hashes(names))
    assert keys.shape == (len(signatures), bands)
    assert keys.dtype == np.uint64
    assert (keys < 2**63).all()
    assert (keys >> np.uint64(55) == np.arange(bands, dtype=np.uint64)).all()
    meanings: dict[int, tuple[str, int, tuple[int, ...]]] = {}
    for document, name in enumerate(names):
        for band in range(bands):
            meaning = (name, band, tuple(signatures[document, band * rows : (band + 1) * rows].tolist()))
            assert meanings.setdefault(int(keys[document, band]), meaning) == meaning
    assert len(set(meanings.values())) == len(meanings)


def test_the_highest_band_keeps_the_key_below_2_to_63() -> None:
    keys = band_keys(np.full((1, 256), 2**32 - 1, np.uint32), 256, 1)
    assert int(keys.max()) < 2**63
    assert len(np.unique(keys)) == 256


def test_without_scopes_all_documents_may_meet() -> None:
    keys = band_keys(np.zeros((2, 4), np.uint32), 2, 2)
    assert keys[0].tolist() == keys[1].tolist()


def test_scope_hashes_depend_on_the_name_alone() -> None:
    assert scope_hashes(["Go", "Python", "Go"]).tolist() == scope_hashes(["Go", "Python", "Go", "C"]).tolist()[:3]
    assert len(set(scope_hashes(["Go", "Python", "C", ""]).tolist())) == 4


def test_band_keys_never_change() -> None:
    """Keys of stored signatures meet those of a later run."""
    keys = band_keys(np.arange(8, dtype=np.uint32).reshape(2, 4), 2, 2, scope_hashes(["Python", "Go"]))
    assert keys.tolist() == [[20116341188905269, 45745916243318143], [15009136493785908, 58966785403672681]]


ENTRIES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)))


@given(ENTRIES, st.randoms(use_true_random=False), st.integers(1, 4))
def test_buckets_are_the_documents_of_each_repeated_key_in_any_order_of_blocks(
    entries: list[tuple[int, int]], shuffler: random.Random, blocks: int
) -> None:
    expected: dict[int, set[int]] = {}
    for key, document in entries:
        expected.setdefault(key, set()).add(document)
    shuffler.shuffle(entries)
    buckets = find_buckets([np.array(part, ENTRY) for part in np.array_split(np.array(entries, ENTRY), blocks)])
    assert bucket_lists(buckets) == [sorted(expected[key]) for key in sorted(expected) if len(expected[key]) > 1]


@given(st.integers(0, 30), st.integers(1, 5), st.integers(1, 9), st.data())
def test_packing_keeps_every_occupied_entry_once_and_a_bucket_in_one_partition(
    documents: int, bands: int, partitions: int, data: st.DataObject
) -> None:
    keys = np.array(
        data.draw(st.lists(st.integers(0, 2**63 - 1), min_size=documents * bands, max_size=documents * bands)),
        np.uint64,
    ).reshape(documents, bands)
    occupied = np.array(data.draw(st.lists(st.booleans(), min_size=documents, max_size=documents)), bool)
    ids = np.arange(documents, dtype=np.uint64) + np.uint64(7 << 32)
    packed = pack(keys, ids, occupied, partitions)
    assert [index for index, _ in packed] == sorted({index for index, _ in packed})
    for index, entries in packed:
        assert len(entries)
        assert (entries["key"] % np.uint64(partitions) == index).all()
    found = sorted((int(key), int(document)) for _, entries in packed for key, document in entries.tolist())
    assert found == sorted((int(key), int(ids[d])) for d in range(documents) if occupied[d] for key in keys[d])


def test_a_bucket_of_n_gives_n_minus_1_edges_to_its_smallest() -> None:
    buckets = Buckets(np.array([3, 8, 9, 2, 8, 3, 9], np.uint64), np.array([0, 3, 5, 7]))
    assert star_edges(buckets).tolist() == [(8, 2), (8, 3), (9, 3)]


@given(st.lists(st.lists(st.integers(0, 20), min_size=2, max_size=5, unique=True).map(sorted), max_size=6))
def test_edges_go_from_larger_to_smaller_and_do_not_repeat(lists: list[list[int]]) -> None:
    documents = np.array([document for bucket in lists for document in bucket], np.uint64)
    edges = star_edges(Buckets(documents, np.cumsum([0, *map(len, lists)])))
    assert sorted(edges.tolist()) == sorted({(document, bucket[0]) for bucket in lists for document in bucket[1:]})


def test_an_entry_and_an_edge_are_sixteen_bytes() -> None:
    assert ENTRY.itemsize == 16
    assert star_edges(find_buckets([])).dtype.itemsize == 16


def test_wrong_input_says_what_was_expected() -> None:
    signatures = np.zeros((2, 10), np.uint32)
    with pytest.raises(ValueError, match="3 bands of 4 rows need signatures of 12 values, got 10"):
        band_keys(signatures, 3, 4)
    with pytest.raises(ValueError, match="bands is from 1 to 256, got 0"):
        band_keys(signatures, 0, 4)
    with pytest.raises(ValueError, match=r"one scope for each document, shape \(2,\), got \(3,\)"):
        band_keys(signatures, 2, 4, np.zeros(3, np.uint64))
    with pytest.raises(ValueError, match="partitions is from 1 to 65536, got 0"):
        pack(np.zeros((1, 1), np.uint64), np.zeros(1, np.uint64), np.ones(1, bool), 0)
    with pytest.raises(ValueError, match="expected one id and one mark for each document"):
        pack(np.zeros((1, 1), np.uint64), np.zeros(2, np.uint64), np.ones(1, bool), 1)
