"""What stays and what goes: the promises of stars on any documents, and the whole chain on real files."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.transforms.dedup.bands import band_keys, find_buckets, pack, scope_hashes, star_edges
from stackfim.transforms.dedup.components import find_components, spanning_forest
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.dedup.shingles import ShingleSets, shingle_sets
from stackfim.transforms.dedup.signatures import permutations, signatures
from stackfim.transforms.dedup.similarity import ShingleIndex, jaccard
from stackfim.transforms.dedup.stars import Stars, settle, take_stars
from stackfim.transforms.ragged import offsets_of

# Documents of a small vocabulary, some of them copies of others with a word or two changed.
BASE = st.sets(st.integers(0, 15), max_size=12)
SETS = st.lists(BASE, max_size=4).flatmap(
    lambda bases: st.lists(
        st.tuples(st.sampled_from(bases or [set()]), st.sets(st.integers(0, 18), max_size=2)).map(
            lambda pair: pair[0] ^ pair[1]
        ),
        max_size=9,
    )
)
THRESHOLDS = st.sampled_from([0.3, 0.5, 0.7, 1.0])


def as_sets(documents: list[set[int]]) -> ShingleSets:
    values = np.array([value for document in documents for value in sorted(document)], np.uint32)
    return ShingleSets(values, offsets_of(np.array([len(document) for document in documents], np.int64)))


def reference_stars(documents: list[set[int]], ranks: list[int], threshold: float) -> dict[int, tuple[int, float]]:
    """Removed document: (kept document, similarity), by comparing all pairs."""
    removed: dict[int, tuple[int, float]] = {}
    order = sorted(range(len(documents)), key=ranks.__getitem__)
    for place, best in enumerate(order):
        for other in order[place + 1 :]:
            union = documents[best] | documents[other]
            similarity = len(documents[best] & documents[other]) / len(union) if union else 0.0
            if best not in removed and other not in removed and similarity >= threshold:
                removed[other] = (best, similarity)
    return removed


def removals(stars: Stars) -> dict[int, tuple[int, float]]:
    return {int(document): (int(stars.kept[document]), float(stars.similarity[document])) for document in stars.removed}


@given(SETS, THRESHOLDS, st.data())
def test_stars_are_those_of_the_definition(documents, threshold, data):
    ranks = data.draw(st.permutations(range(len(documents))))
    stars = take_stars(ShingleIndex(as_sets(documents), threshold), np.array(ranks, np.int64))
    assert removals(stars) == reference_stars(documents, ranks, threshold)
    assert stars.exact
    assert len(stars) == len(documents)


@given(SETS, THRESHOLDS, st.data())
def test_what_stays_is_different_and_what_goes_is_like_what_stays(documents, threshold, data):
    ranks = np.array(data.draw(st.permutations(range(len(documents)))), np.int64)
    sets = as_sets(documents)
    stars = take_stars(ShingleIndex(sets, threshold), ranks)
    stays = np.setdiff1d(np.arange(len(documents)), stars.removed)
    assert set(stars.kept.tolist()) == set(stays.tolist())
    assert (stars.similarity[stays] == 1.0).all()
    assert (stars.similarity[stars.removed] >= threshold).all()
    assert (ranks[stars.kept[stars.removed]] < ranks[stars.removed]).all()
    assert jaccard(sets, stars.removed, stars.kept[stars.removed]).tolist() == stars.similarity[stars.removed].tolist()
    left, right = np.triu_indices(len(stays), 1)
    assert (jaccard(sets, stays[left], stays[right]) < threshold).all()


@given(SETS, THRESHOLDS, st.data())
def test_the_order_of_the_documents_changes_nothing(documents, threshold, data):
    count = len(documents)
    ranks = np.array(data.draw(st.permutations(range(count))), np.int64)
    order = np.array(data.draw(st.permutations(range(count))), np.int64)
    plain = take_stars(ShingleIndex(as_sets(documents), threshold), ranks)
    shuffled = take_stars(ShingleIndex(as_sets([documents[place] for place in order]), threshold), ranks[order])
    assert removals(plain) == {
        int(order[removed]): (int(order[kept]), value) for removed, (kept, value) in removals(shuffled).items()
    }


def test_chains_do_not_carry_away_what_is_different():
    chain = [set(range(start, start + 20)) for start in range(0, 60, 3)]  # neighbours 17 / 23 = 0.74, next ones 0.54
    stars = take_stars(ShingleIndex(as_sets(chain), 0.7), np.arange(len(chain)))
    assert stars.removed.tolist() == list(range(1, 20, 2))
    assert (stars.kept[1::2] == np.arange(0, 19, 2)).all()


def test_reference_documents_stay_and_remove_others():
    documents = [set(range(10)), set(range(10)), set(range(9)), set(range(50, 60)), set(range(10))]
    reference = np.array([False, False, True, False, True])
    stars = take_stars(ShingleIndex(as_sets(documents), 0.7), np.array([0, 1, 3, 4, 2]), reference)
    assert removals(stars) == {0: (4, 1.0), 1: (4, 1.0)}


def test_documents_without_shingles_all_stay():
    stars = take_stars(ShingleIndex(as_sets([set(), set(), {1}]), 0.1), np.arange(3))
    assert len(stars.removed) == 0
    assert len(take_stars(ShingleIndex(as_sets([]), 0.5), np.arange(0))) == 0


def test_two_thousand_files_with_one_license_header_are_kept_apart():
    random = np.random.default_rng(5)
    header = np.arange(120, dtype=np.uint32)
    bodies = [np.unique(random.integers(1000, 2**32, 100, dtype=np.uint32)) for _ in range(2000)]
    values = [np.concatenate((header, body)) for body in bodies]
    sets = ShingleSets(np.concatenate(values), offsets_of(np.array([len(part) for part in values])))
    stars = take_stars(ShingleIndex(sets, 0.7), random.permutation(2000))
    assert len(stars.removed) == 0


def test_two_thousand_copies_leave_the_best():
    values = np.tile(np.arange(300, dtype=np.uint32), 2000)
    ranks = np.random.default_rng(6).permutation(2000)
    stars = take_stars(ShingleIndex(ShingleSets(values, np.arange(2001) * 300), 1.0), ranks)
    assert (stars.kept == np.argmin(ranks)).all()
    assert (stars.similarity == 1.0).all()


@given(SETS, st.data())
@settings(deadline=None)
def test_too_large_components_are_estimated_and_say_so(documents, data):
    ranks = np.array(data.draw(st.permutations(range(len(documents)))), np.int64)
    sets = as_sets(documents)
    total = len(sets.values)
    rows = signatures(sets, permutations(252))
    chosen = DedupSettings(exact_shingles=total)
    assert settle(sets, rows, ranks, chosen).exact
    assert not settle(None, rows, ranks, chosen).exact
    if total:
        estimated = settle(sets, rows, ranks, dataclasses.replace(chosen, exact_shingles=total - 1))
        assert not estimated.exact
        assert (estimated.similarity[estimated.removed] >= 0.7).all()
        assert (estimated.kept[estimated.kept] == estimated.kept).all()
        equal = (rows[estimated.removed] == rows[estimated.kept[estimated.removed]]).mean(axis=1)
        assert np.allclose(equal, estimated.similarity[estimated.removed])


def test_wrong_input_says_what_was_expected():
    index = ShingleIndex(as_sets([{1}, {2}, {3}]), 0.5)
    with pytest.raises(ValueError, match="all different, got 4 more than once"):
        take_stars(index, np.array([4, 1, 4]))
    with pytest.raises(ValueError, match="expected one rank and one reference mark for each document: count=3"):
        take_stars(index, np.array([1, 2]))
    with pytest.raises(ValueError, match="expected one rank and one reference mark for each document: count=3"):
        take_stars(index, np.arange(3), np.zeros(2, bool))


def chain_removals(
    documents: list[bytes], names: list[str], ids: np.ndarray, ranks: np.ndarray, partitions: int, batch: int
) -> dict[int, tuple[int, float]]:
    """The whole chain as a pipeline runs it, in batches; removed document_id: (kept document_id, similarity)."""
    chosen = DedupSettings()
    parts: list[tuple[int, np.ndarray]] = []
    for first in range(0, len(documents), batch):
        part = slice(first, first + batch)
        sets = shingle_sets(pa.array(documents[part]), chosen.ngram)
        rows = signatures(sets, permutations(chosen.permutations, chosen.seed))
        keys = band_keys(rows, chosen.bands, chosen.rows, scope_hashes(names[part]))
        parts += pack(keys, ids[part], sets.sizes > 0, partitions)
    forests = [
        spanning_forest(star_edges(find_buckets([block for index, block in parts if index == partition])))
        for partition in range(partitions)
    ]
    components = find_components(np.concatenate(forests))
    sets = shingle_sets(pa.array(documents), chosen.ngram)
    rows = signatures(sets, permutations(chosen.permutations, chosen.seed))
    place = {int(document_id): document for document, document_id in enumerate(ids)}
    found: dict[int, tuple[int, float]] = {}
    for component in np.split(components.rows, components.offsets[1:-1]):
        members = np.array([place[int(document_id)] for document_id in component])
        stars = settle(sets.take(members), rows[members], ranks[members], chosen)
        for document, (kept, similarity) in removals(stars).items():
            found[int(component[document])] = (int(component[kept]), similarity)
    return found


def test_the_whole_chain_on_real_files(library_sources):
    """Near copies of real files go, in any order of input, batches and partitions; other languages are left alone."""
    originals = library_sources[:80]
    near = [source.replace(b"self", b"this", 3) + b"\n# one more line of text at the end\n" for source in originals]
    documents = originals + near + originals[:10] + [b"", b"", b"x", b"\n"]
    names = ["Python"] * 160 + ["Cython"] * 10 + ["Python"] * 4
    ids = np.arange(len(documents), dtype=np.uint64) + np.uint64(3 << 32)
    ranks = np.arange(len(documents))
    expected = chain_removals(documents, names, ids, ranks, 16, 25)
    sets = shingle_sets(pa.array(documents))
    for removed, (kept, similarity) in expected.items():
        left, right = (np.array([document_id - (3 << 32)]) for document_id in (removed, kept))
        assert jaccard(sets, left, right)[0] == similarity >= 0.7
        assert names[left[0]] == names[right[0]]
        assert kept not in expected
    alike = jaccard(sets, np.arange(80), np.arange(80, 160)) >= 0.8
    assert np.count_nonzero(alike) > 60
    assert all(80 + document + (3 << 32) in expected for document in np.flatnonzero(alike).tolist())

    order = np.random.default_rng(1).permutation(len(documents))
    shuffled = chain_removals([documents[i] for i in order], [names[i] for i in order], ids[order], ranks[order], 3, 7)
    assert shuffled == expected
