"""Which documents stay and which are removed: what stars promise for any documents, and the whole chain on real files."""

import dataclasses

import numpy as np
import numpy.typing as npt
import pyarrow as pa
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


def plain_stars(documents: list[set[int]], threshold: float) -> dict[int, tuple[int, float]]:
    """Removed document: (kept document, similarity), by comparing all pairs."""
    removed: dict[int, tuple[int, float]] = {}
    for best in range(len(documents)):
        for other in range(best + 1, len(documents)):
            union = documents[best] | documents[other]
            similarity = len(documents[best] & documents[other]) / len(union) if union else 0.0
            if best not in removed and other not in removed and similarity >= threshold:
                removed[other] = (best, similarity)
    return removed


def removals(stars: Stars) -> dict[int, tuple[int, float]]:
    return {int(document): (int(stars.kept[document]), float(stars.similarity[document])) for document in stars.removed}


@given(SETS, THRESHOLDS)
def test_stars_are_those_of_the_definition(documents: list[set[int]], threshold: float) -> None:
    stars = take_stars(ShingleIndex(as_sets(documents), threshold))
    assert removals(stars) == plain_stars(documents, threshold)
    assert stars.exact
    assert len(stars) == len(documents)


@given(SETS, THRESHOLDS)
def test_what_stays_is_different_and_what_is_removed_is_like_what_stays(
    documents: list[set[int]], threshold: float
) -> None:
    sets = as_sets(documents)
    stars = take_stars(ShingleIndex(sets, threshold))
    stays = np.setdiff1d(np.arange(len(documents)), stars.removed)
    assert set(stars.kept.tolist()) == set(stays.tolist())
    assert (stars.similarity[stays] == 1.0).all()
    assert (stars.similarity[stars.removed] >= threshold).all()
    assert (stars.kept[stars.removed] < stars.removed).all()
    assert jaccard(sets, stars.removed, stars.kept[stars.removed]).tolist() == stars.similarity[stars.removed].tolist()
    left, right = np.triu_indices(len(stays), 1)
    assert (jaccard(sets, stays[left], stays[right]) < threshold).all()


def test_a_document_at_the_end_of_a_chain_stays_when_it_differs_from_the_best() -> None:
    chain = [set(range(start, start + 20)) for start in range(0, 60, 3)]  # neighbours 17 / 23 = 0.74, next ones 0.54
    stars = take_stars(ShingleIndex(as_sets(chain), 0.7))
    assert stars.removed.tolist() == list(range(1, 20, 2))
    assert (stars.kept[1::2] == np.arange(0, 19, 2)).all()


def test_documents_without_shingles_all_stay() -> None:
    stars = take_stars(ShingleIndex(as_sets([set(), set(), {1}]), 0.1))
    assert len(stars.removed) == 0
    assert len(take_stars(ShingleIndex(as_sets([]), 0.5))) == 0


def test_two_thousand_files_with_one_license_header_are_kept_apart() -> None:
    random = np.random.default_rng(5)
    header = np.arange(120, dtype=np.uint32)
    bodies = [np.unique(random.integers(1000, 2**32, 100, dtype=np.uint32)) for _ in range(2000)]
    values = [np.concatenate((header, body)) for body in bodies]
    sets = ShingleSets(np.concatenate(values), offsets_of(np.array([len(part) for part in values])))
    stars = take_stars(ShingleIndex(sets, 0.7))
    assert len(stars.removed) == 0


def test_two_thousand_copies_leave_the_best() -> None:
    values = np.tile(np.arange(300, dtype=np.uint32), 2000)
    stars = take_stars(ShingleIndex(ShingleSets(values, np.arange(2001) * 300), 1.0))
    assert (stars.kept == 0).all()
    assert (stars.similarity == 1.0).all()


@given(SETS)
@settings(deadline=None)
def test_components_that_are_too_large_are_estimated_and_say_so(documents: list[set[int]]) -> None:
    sets = as_sets(documents)
    total = len(sets.values)
    rows = signatures(sets, permutations(252))
    chosen = DedupSettings(exact_shingles=total)
    assert settle(sets, rows, chosen).exact
    assert not settle(None, rows, chosen).exact
    if total:
        estimated = settle(sets, rows, dataclasses.replace(chosen, exact_shingles=total - 1))
        assert not estimated.exact
        assert (estimated.similarity[estimated.removed] >= 0.7).all()
        assert (estimated.kept[estimated.kept] == estimated.kept).all()
        equal = (rows[estimated.removed] == rows[estimated.kept[estimated.removed]]).mean(axis=1)
        assert np.allclose(equal, estimated.similarity[estimated.removed])


def chain_removals(
    documents: list[bytes],
    names: list[str],
    ids: npt.NDArray[np.uint64],
    ranks: npt.NDArray[np.int64],
    partitions: int,
    batch: int,
) -> dict[int, tuple[int, float]]:
    """The whole chain as a pipeline runs it, in batches; id of a removed document: (id of the kept one, similarity)."""
    chosen = DedupSettings()
    parts: list[tuple[int, npt.NDArray[np.void]]] = []
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
    for component in np.split(components.documents, components.offsets[1:-1]):
        members = np.array([place[int(document_id)] for document_id in component])
        members = members[np.argsort(ranks[members])]
        stars = settle(sets.take(members), rows[members], chosen)
        for document, (kept, similarity) in removals(stars).items():
            found[int(ids[members[document]])] = (int(ids[members[kept]]), similarity)
    return found


def test_the_whole_chain_on_real_files(library_sources: list[bytes]) -> None:
    """Near copies are removed, in any order of input, batches and partitions; other languages are left alone."""
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
