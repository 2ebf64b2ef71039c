"""Deduplication by the Beam transform gives what comparing by hand gives, whatever the shards, partitions and order."""

import functools
import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.pipeline.folder.fingerprints import FingerprintFiles
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.fingerprint import SIGNATURE
from stackfim.schemas.removal import EXACT, METHODS, NEAR, NEAR_ESTIMATED
from stackfim.schemas.source import ROW
from stackfim.transforms.dedup.dedup_settings import GLOBAL, DedupSettings
from stackfim.transforms.dedup.exact import LOCATED_REMOVAL
from stackfim.transforms.dedup.in_memory import find_removals
from stackfim.transforms.dedup.near import (
    EDGES,
    TOTALS,
    add_totals,
    bucket_edges,
    document_ids,
    members_by_shard,
    oversized,
    pack_bands,
    signature_batch,
    signature_matrix,
)
from stackfim.transforms.dedup.order import FINGERPRINT, REFERENCE_SHARD
from stackfim.transforms.dedup.shingles import shingle_sets
from stackfim.transforms.dedup.transform import RemoveDuplicates, ShardFiles

DEFAULT = DedupSettings()


class File(NamedTuple):
    """A file to deduplicate; `name` is its path and differs from all others."""

    name: str
    content: bytes
    language: str = "Python"
    stars: int | None = None
    reference: bool = False

    @property
    def content_id(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.content) + self.content).hexdigest()

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Its place in the total order, best first."""
        return not self.reference, -(-1 if self.stars is None else self.stars), self.name


class Removal(NamedTuple):
    kept: str
    similarity: float
    method: str


@dataclass(frozen=True)
class Shelf:
    """Shards in memory, read in the way of those of a run."""

    shards: dict[int, list[File]]
    settings: DedupSettings

    def signatures(self, shard: int, rows: pa.Array, names: list[str]) -> pa.RecordBatch:
        files = [self.shards[shard][row] for row in rows.to_pylist()]
        made = signature_batch(pa.array([file.content for file in files], pa.binary()), self.settings)
        languages = pa.array([file.language for file in files], pa.string())
        found = pa.RecordBatch.from_arrays([languages, *made.columns], names=["language", *made.schema.names])
        return found.select(names)

    def contents(self, shard: int, rows: pa.Array) -> pa.Array:
        if shard >= REFERENCE_SHARD:
            raise AssertionError("reference files have no contents")
        return pa.array([self.shards[shard][row].content for row in rows.to_pylist()], pa.binary())

    def named(self, shard: int) -> tuple[int, pa.RecordBatch]:
        rows = [
            {"content_id": file.content_id, "stars": file.stars, "forks": None, "repository": "owner/name"}
            | {"path": file.name, "shard": shard, "row": row}
            for row, file in enumerate(self.shards[shard])
        ]
        return shard, pa.RecordBatch.from_pylist(rows, schema=FINGERPRINT)


def save(folder: str, shard: int, removals: pa.RecordBatch) -> None:
    """Writes a result to a file of its own, from which the test can read what a worker gave."""
    name = hashlib.sha1(repr(removals.to_pylist()).encode()).hexdigest()
    pq.write_table(pa.Table.from_batches([removals]), f"{folder}/{shard}-{name}.parquet")


def arranged(files: Sequence[File], shards: int) -> dict[int, list[File]]:
    """The files given to shards in turn, reference files to reference shards."""
    result: dict[int, list[File]] = {shard: [] for shard in range(shards)}
    for place, file in enumerate(files):
        result.setdefault(place % shards + (REFERENCE_SHARD if file.reference else 0), []).append(file)
    return result


class Deduplicate(Protocol):
    """Runs the transform over files; name of a removed file: Removal."""

    def __call__(
        self, files: Sequence[File], chosen: DedupSettings | None = DEFAULT, shards: int = 2, partitions: int = 5
    ) -> dict[str, Removal]: ...


@pytest.fixture(scope="session")
def deduplicate(tmp_path_factory: pytest.TempPathFactory) -> Deduplicate:

    def run(
        files: Sequence[File], chosen: DedupSettings | None = DEFAULT, shards: int = 2, partitions: int = 5
    ) -> dict[str, Removal]:
        folder = tmp_path_factory.mktemp("removals")
        shelf = Shelf(arranged(files, shards), chosen or DEFAULT)
        work = FingerprintFiles(Storage(str(tmp_path_factory.mktemp("blocks"))))
        shard_files = ShardFiles(shelf.signatures, shelf.contents, work.write_blocks, work.read_block)
        pipeline = beam.Pipeline(runner=FnApiRunner())
        _ = (
            pipeline
            | beam.Create([shelf.named(shard) for shard in shelf.shards], reshuffle=False).with_output_types(
                tuple[int, pa.RecordBatch]
            )
            | RemoveDuplicates(chosen, shard_files, partitions)
            | "Save" >> beam.MapTuple(functools.partial(save, str(folder)))
        )
        pipeline.run().wait_until_finish()
        found = read_removals(folder, shelf)
        if not any(file.reference for file in files):
            assert in_memory(files, chosen) == found, "the same without Beam"
        return found

    return run


def in_memory(files: Sequence[File], chosen: DedupSettings | None) -> dict[str, Removal]:
    """What the same steps find without Beam."""
    rows = pa.RecordBatch.from_pylist(
        [
            {"content": file.content, "language": file.language, "repository": "owner/name", "path": file.name}
            | {"revision": "", "licenses": [], "stars": file.stars, "forks": None}
            | {"source_id": file.content_id, "content_id": file.content_id}
            for file in files
        ],
        schema=ROW,
    )
    removals = find_removals(rows, chosen).to_pylist()
    assert [row["row"] for row in removals] == sorted(row["row"] for row in removals)
    assert all(files[row["row"]].name == row["path"] for row in removals)
    return {row["path"]: Removal(row["kept_path"], row["similarity"], row["method"]) for row in removals}


def read_removals(folder: Path, shelf: Shelf) -> dict[str, Removal]:
    """The removals by name. Each has the shard and row of its file and the content of the kept file."""
    by_name = {file.name: file for files in shelf.shards.values() for file in files}
    found: dict[str, Removal] = {}
    for path in folder.iterdir():
        table = pq.read_table(path)
        assert table.schema.equals(LOCATED_REMOVAL)
        for row in table.to_pylist():
            assert int(path.name.partition("-")[0]) == row["shard"]
            removed, kept = shelf.shards[row["shard"]][row["row"]], by_name[row["kept_path"]]
            assert (row["path"], row["content_id"]) == (removed.name, removed.content_id)
            assert row["kept_content_id"] == row["cluster_id"] == kept.content_id
            assert row["method"] in METHODS
            assert removed.name not in found
            found[removed.name] = Removal(kept.name, row["similarity"], row["method"])
    return found


def naive_shingles(content: bytes, ngram: int) -> set[tuple[bytes, ...]]:
    """The set of word n-grams in plain Python; the words of these tests are short."""
    words = re.findall(rb"[A-Za-z0-9_\x80-\xff]+", content)
    if len(words) < ngram:
        return {tuple(words)} if words else set()
    return set(zip(*(words[place:] for place in range(ngram)), strict=False))


def naive_jaccard(left: File, right: File, ngram: int = 5) -> float:
    first, second = naive_shingles(left.content, ngram), naive_shingles(right.content, ngram)
    return len(first & second) / len(first | second) if first | second else 0.0


def datasketch_signature(file: File, chosen: DedupSettings) -> npt.NDArray[np.uint32]:
    sketch = MinHash(num_perm=chosen.permutations, seed=chosen.seed, hashfunc=int, scheme="affine32")
    sketch.update_batch(shingle_sets(pa.array([file.content], pa.binary()), chosen.ngram)[0].tolist())
    values: npt.NDArray[np.uint32] = sketch.hashvalues
    return values


def share_a_band(left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32], chosen: DedupSettings) -> bool:
    equal = (left == right)[: chosen.bands * chosen.rows].reshape(chosen.bands, chosen.rows)
    return bool(equal.all(axis=1).any())


class Comparison:
    """Files compared two by two, without Beam, batches or indices."""

    def __init__(self, files: Sequence[File], chosen: DedupSettings) -> None:
        self.chosen = chosen
        self.rows = {file.name: datasketch_signature(file, chosen) for file in files}
        self.has_words = {file.name for file in files if naive_shingles(file.content, chosen.ngram)}
        self.component = {file.name: place for place, file in enumerate(files)}
        for place, one in enumerate(files):
            for other in files[:place]:
                if not (one.reference and other.reference) and self.meet(one, other):
                    self._join(self.component[one.name], self.component[other.name])

    def meet(self, one: File, other: File) -> bool:
        """Whether two files share a band."""
        in_scope = self.chosen.scope == GLOBAL or one.language == other.language
        both = {one.name, other.name} <= self.has_words
        return in_scope and both and share_a_band(self.rows[one.name], self.rows[other.name], self.chosen)

    def similarity(self, best: File, other: File) -> float:
        """Exact within a component, estimated for a reference file, 0 where the files are not compared."""
        if self.component[best.name] != self.component[other.name]:
            return 0.0
        if best.reference:
            equal = self.rows[best.name] == self.rows[other.name]
            return float(equal.mean()) if self.meet(best, other) else 0.0
        return naive_jaccard(best, other, self.chosen.ngram)

    def _join(self, old: int, new: int) -> None:
        self.component = {name: new if label == old else label for name, label in self.component.items()}


def by_hand(files: Sequence[File], chosen: DedupSettings) -> dict[str, Removal]:
    """All removals: exact copies first, then every two files compared, best first."""
    order = sorted(files, key=lambda file: file.rank)
    first_of: dict[str, File] = {}
    for file in order:
        first_of.setdefault(file.content_id, file)
    left = [file for file in order if file.reference or first_of[file.content_id] is file]
    comparison = Comparison(left, chosen)
    removed: dict[str, Removal] = {}
    for best in left:
        for other in left:
            in_order = best.rank < other.rank and not other.reference
            if in_order and not {best.name, other.name} & removed.keys():
                similarity = comparison.similarity(best, other)
                if similarity >= chosen.threshold:
                    removed[other.name] = Removal(best.name, similarity, NEAR_ESTIMATED if best.reference else NEAR)
    copies = {}
    for file in order:
        first = first_of[file.content_id]
        if file is not first and not file.reference:
            copies[file.name] = removed.get(first.name, Removal(first.name, 1.0, EXACT))
    return removed | copies


def words(seed: int, count: int) -> list[str]:
    generator = random.Random(seed)
    return [f"w{generator.randrange(400)}" for _ in range(count)]


def edited(seed: int, count: int, edits: int, edit_seed: int) -> bytes:
    """The text of family `seed` with some words changed."""
    text = words(seed, count)
    generator = random.Random(edit_seed)
    for _ in range(edits):
        text[generator.randrange(count)] = f"e{generator.randrange(1000)}"
    return " ".join(text).encode()


@st.composite
def families(draw: st.DrawFn) -> list[File]:
    """Families of near copies: some equal, some like many others, some like few, in two languages, some of them references."""
    generator = random.Random(draw(st.integers(0, 2**32)))
    files = []
    for number in range(draw(st.integers(0, 60))):
        family, count = generator.randrange(5), generator.choice([60, 120])
        content = edited(family, count, generator.randrange(5), generator.randrange(3))
        name = f"{generator.randrange(10)}-{number}.py"
        language = generator.choice(["Python", "Python", "Python", "Ruby"])
        files.append(File(name, content, language, generator.choice([None, 0, 5, 70]), generator.randrange(6) == 0))
    return files


@given(
    families(), st.integers(1, 4), st.integers(1, 9), st.sampled_from(["language", GLOBAL]), st.sampled_from([0.5, 0.7])
)
@settings(max_examples=7)
def test_removals_are_those_of_comparing_by_hand(
    deduplicate: Deduplicate, files: list[File], shards: int, partitions: int, scope: str, threshold: float
) -> None:
    """Few examples of many files: a run of Beam takes a second, however little it has to do."""
    chosen = replace(DEFAULT, scope=scope, threshold=threshold)
    assert deduplicate(files, chosen, shards, partitions) == by_hand(files, chosen)


@pytest.fixture(scope="module")
def real_files(library_sources: list[bytes]) -> list[File]:
    """Real sources, near copies of them with other stars, exact copies of both, and files with hardly a word."""
    originals = library_sources[:30]
    near = [content.replace(b"self", b"this", 3) + b"\n# one more line at the end\n" for content in originals]
    files = [File(f"a/{number}", content, stars=number % 3) for number, content in enumerate(originals)]
    files += [File(f"b/{number}", content, stars=number % 4) for number, content in enumerate(near)]
    files += [File(f"c/{number}", content) for number, content in enumerate(originals[:8] + near[:8])]
    return files + [File(f"d/{number}", content) for number, content in enumerate([b"", b"", b"x", b"\n"])]


@pytest.fixture(scope="module")
def real_removals(deduplicate: Deduplicate, real_files: list[File]) -> dict[str, Removal]:
    return deduplicate(real_files)


def test_real_files_every_removal_names_a_kept_file_like_it(
    real_files: list[File], real_removals: dict[str, Removal]
) -> None:
    by_name = {file.name: file for file in real_files}
    assert {removal.method for removal in real_removals.values()} == {EXACT, NEAR}
    assert sum(removal.method == NEAR for removal in real_removals.values()) > 20
    for name, removal in real_removals.items():
        assert removal.kept not in real_removals
        removed, kept = by_name[name], by_name[removal.kept]
        assert kept.rank < removed.rank or removal.method == NEAR
        if removal.method == EXACT:
            assert removed.content == kept.content
            assert removal.similarity == 1.0
        else:
            sets = [set(shingle_sets(pa.array([file.content]))[0].tolist()) for file in (removed, kept)]
            assert removal.similarity == len(sets[0] & sets[1]) / len(sets[0] | sets[1]) >= 0.7


def test_real_files_what_stays_is_different_unless_no_band_is_shared(
    real_files: list[File], real_removals: dict[str, Removal]
) -> None:
    kept = [file for file in real_files if file.name not in real_removals]
    assert len({file.content for file in kept}) == len(kept)
    sets = [set(shingle_sets(pa.array([file.content]))[0].tolist()) for file in kept]
    rows = [datasketch_signature(file, DEFAULT) for file in kept]
    for place, own in enumerate(sets):
        for other in range(place):
            if own and len(own & sets[other]) / len(own | sets[other]) >= 0.7:
                assert not share_a_band(rows[place], rows[other], DEFAULT), (kept[place].name, kept[other].name)


@pytest.mark.parametrize(("shards", "partitions", "seed"), [(1, 1, 1), (7, 64, 2), (3, 2, 3)])
def test_shards_partitions_and_order_change_nothing(
    deduplicate: Deduplicate,
    real_files: list[File],
    real_removals: dict[str, Removal],
    shards: int,
    partitions: int,
    seed: int,
) -> None:
    order = random.Random(seed).sample(real_files, len(real_files))
    assert deduplicate(order, shards=shards, partitions=partitions) == real_removals


BASE = edited(7, 200, 0, 0)
CLOSE = edited(7, 200, 2, 1)  # two words of two hundred changed: ten of 196 shingles


def test_copies_of_a_near_duplicate_follow_it(deduplicate: Deduplicate) -> None:
    files = [
        File("best", BASE, stars=9),
        File("like", CLOSE, stars=5),
        File("copy", CLOSE),
        File("other", b"a b c d e f"),
    ]
    similarity = naive_jaccard(files[0], files[1])
    assert 0.7 < similarity < 1.0
    expected = Removal("best", similarity, NEAR)
    assert deduplicate(files) == {"like": expected, "copy": expected}


def test_reference_files_remove_and_are_never_removed(deduplicate: Deduplicate) -> None:
    files = [
        File("old/one", BASE, reference=True),
        File("old/two", BASE, reference=True),
        File("old/three", CLOSE, reference=True),
        File("new/copy", BASE, stars=1_000),
        File("new/near", edited(7, 200, 1, 2), stars=1_000),
        File("new/other", edited(8, 200, 0, 0)),
    ]
    found = deduplicate(files)
    assert set(found) == {"new/copy", "new/near"}
    assert found["new/copy"] == Removal("old/one", 1.0, EXACT)
    near = found["new/near"]
    assert near.method == NEAR_ESTIMATED
    assert near.kept in ("old/one", "old/three")
    kept = next(file for file in files if file.name == near.kept)
    equal = datasketch_signature(files[4], DEFAULT) == datasketch_signature(kept, DEFAULT)
    assert near.similarity == equal.mean() == pytest.approx(naive_jaccard(files[4], kept), abs=0.1)


def test_reference_files_alone_remove_nothing(deduplicate: Deduplicate) -> None:
    assert deduplicate([File(str(number), BASE, reference=True) for number in range(4)]) == {}


def test_a_file_like_one_that_a_reference_file_removed_is_compared_with_what_stays(deduplicate: Deduplicate) -> None:
    """Reference A removes B; C, which is like B but not like A, stays."""
    text = words(3, 300)
    reference, between, far = (" ".join(text[start : start + 200]).encode() for start in (0, 25, 50))
    files = [File("a", reference, reference=True), File("b", between, stars=9), File("c", far)]
    assert naive_jaccard(files[1], files[2]) > 0.7 > naive_jaccard(files[0], files[2])
    found = deduplicate(files)
    assert set(found) == {"b"}
    assert found["b"].kept == "a"


def test_components_that_are_too_large_are_estimated_and_say_so(deduplicate: Deduplicate) -> None:
    files = [
        File("best", BASE, stars=9),
        File("like", CLOSE),
        File("x", edited(9, 80, 0, 0), stars=1),
        File("y", edited(9, 80, 1, 0)),
    ]
    sizes = [len(naive_shingles(file.content, 5)) for file in files]
    between = replace(DEFAULT, exact_shingles=sizes[0] + sizes[1] - 1)
    found = deduplicate(files, between)
    assert set(found) == {"like", "y"}
    assert found["like"].method == NEAR_ESTIMATED
    equal = datasketch_signature(files[0], DEFAULT) == datasketch_signature(files[1], DEFAULT)
    assert found["like"].similarity == equal.mean()
    assert found["y"] == Removal("x", naive_jaccard(files[2], files[3]), NEAR)
    exact = deduplicate(files, replace(DEFAULT, exact_shingles=sizes[0] + sizes[1]))
    assert {removal.method for removal in exact.values()} == {NEAR}
    none = deduplicate(files, replace(DEFAULT, exact_shingles=0))
    assert {removal.method for removal in none.values()} == {NEAR_ESTIMATED}


def test_languages_are_kept_apart_unless_the_scope_is_global(deduplicate: Deduplicate) -> None:
    files = [File("a", BASE, "C"), File("b", CLOSE, "C++"), File("c", BASE, "Objective-C")]
    assert deduplicate(files) == {"c": Removal("a", 1.0, EXACT)}
    assert set(deduplicate(files, replace(DEFAULT, scope=GLOBAL))) == {"b", "c"}


def test_a_language_is_the_same_by_any_of_its_names(deduplicate: Deduplicate) -> None:
    files = [File("a", BASE, "Python"), File("b", CLOSE, "python"), File("c", edited(7, 200, 1, 5), "Klingon")]
    assert set(deduplicate(files)) == {"b"}


def test_without_settings_only_exact_copies_are_removed(deduplicate: Deduplicate) -> None:
    files = [File("a", BASE), File("b", CLOSE), File("c", BASE)]
    assert deduplicate(files, None) == {"c": Removal("a", 1.0, EXACT)}


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        pytest.param([], {}, id="no file"),
        pytest.param([b"", b"", b"\n", b"{ }", b"{}"], {"1": Removal("0", 1.0, EXACT)}, id="no word"),
        pytest.param([b"a b", b"a\n b", b"a b c", b"b a"], {"1": Removal("0", 1.0, NEAR)}, id="under five words"),
        pytest.param([b"x " * 4, b"x " * 5, b"x " * 900, b"x, " * 70_000], {"2": Removal("1", 1.0, NEAR), "3": Removal("1", 1.0, NEAR)}, id="one word"),
        pytest.param([b"A" * 300, b"A" * 301], {}, id="one word longer than the cap"),
    ],
)  # fmt: skip
def test_files_with_hardly_a_word(
    deduplicate: Deduplicate, contents: list[bytes], expected: dict[str, Removal]
) -> None:
    assert deduplicate([File(str(number), content) for number, content in enumerate(contents)]) == expected


def test_one_huge_file(deduplicate: Deduplicate) -> None:
    text = [f"v{number % 30_001}" for number in range(160_000)]
    changed = text[:80_000] + ["changed"] + text[80_001:]
    files = [File(name, " ".join(part).encode()) for name, part in (("a", text), ("b", changed), ("c", text[:30_001]))]
    assert len(files[0].content) > 900_000
    assert deduplicate(files) == {
        "b": Removal("a", naive_jaccard(files[0], files[1]), NEAR),
        "c": Removal("a", naive_jaccard(files[0], files[2]), NEAR),
    }


def test_signatures_are_those_of_datasketch_and_counts_those_of_the_shingles() -> None:
    files = [File("a", BASE), File("b", b""), File("c", b"two words")]
    made = signature_batch(pa.array([file.content for file in files]), DEFAULT)
    assert made.schema.names == SIGNATURE.names
    assert made.column("shingles").to_pylist() == [len(naive_shingles(file.content, 5)) for file in files]
    rows = signature_matrix(made.column("signature"), 252)
    assert (rows == [datasketch_signature(file, DEFAULT) for file in files]).all()
    with pytest.raises(ValueError, match="expected signatures of 256 values, got 756 values for 3 files"):
        signature_matrix(made.column("signature"), 256)


def test_edges_touch_this_run_and_members_come_by_shard() -> None:
    made = signature_batch(pa.array([BASE, b"", BASE, CLOSE]), DEFAULT)
    rows = pa.RecordBatch.from_arrays([pa.array([4, 5, 6, 9]), *made.columns], names=["row", *made.schema.names])

    def edges(*shards: int) -> pa.RecordBatch:
        blocks = [block for shard in shards for _, block in pack_bands(shard, rows, ["C"] * 4, DEFAULT, 1)]
        assert all(block.num_rows == 3 * 36 for block in blocks)  # the empty file is in no band
        return bucket_edges(blocks)

    assert edges(REFERENCE_SHARD, REFERENCE_SHARD + 1).num_rows == 0
    members = dict(members_by_shard(edges(REFERENCE_SHARD, 2)))
    assert list(members) == [2, REFERENCE_SHARD]
    for batch in members.values():
        assert batch.column("row").to_pylist() == [4, 6, 9]
        assert set(batch.column("component").to_pylist()) == {int(document_ids(2, np.array([4]))[0])}
        assert all(batch.column("has_reference").to_pylist())
    ((shard, own),) = members_by_shard(edges(3))
    assert shard == 3
    assert not any(own.column("has_reference").to_pylist())
    assert list(members_by_shard(pa.RecordBatch.from_pylist([], schema=EDGES))) == []


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 100)), max_size=6), max_size=4), st.integers(0, 200)
)
def test_totals_add_up_and_those_above_the_limit_are_oversized(parts: list[list[tuple[int, int]]], limit: int) -> None:
    rows = [[{"component": component, "shingles": shingles} for component, shingles in part] for part in parts]
    totals = add_totals([pa.RecordBatch.from_pylist(part, schema=TOTALS) for part in rows])
    expected: dict[int, int] = {}
    for component, shingles in (pair for part in parts for pair in part):
        expected[component] = expected.get(component, 0) + shingles
    assert totals.to_pylist() == [{"component": key, "shingles": expected[key]} for key in sorted(expected)]
    large = oversized(totals, replace(DEFAULT, exact_shingles=limit))
    assert large.column("component").to_pylist() == [key for key in sorted(expected) if expected[key] > limit]
