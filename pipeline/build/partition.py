"""Train or validation, for whole repositories or whole files, in order of a hash until a share of the files is reached.

With MIN_REPOSITORIES or more a repository is in one partition as a whole; with fewer, a file is. Which groups are in validation
is decided once for a run, from how many files of each group stay. What is added up for that is bounded: beyond MAX_GROUPS
groups the lowest bits of the hashes are left out, so that neighbours count as one group, in whichever order parts are added up.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.schemas.manifest import BY_FILE, BY_REPOSITORY, UNDIVIDED, PartitionRule
from stackfim.schemas.record import Count, Record

MIN_REPOSITORIES = 20
"""From how many repositories on each is in one partition as a whole."""
MAX_GROUPS = 1 << 18
MAX_REPOSITORY_SHARE = 0.1
"""A repository with more of the files than this, and than validation is to have, is in train: it would be most of validation."""
_MAX_PENDING = 32

GROUP_HASHES = pa.schema(
    [pa.field("repository_hash", pa.uint64(), nullable=False), pa.field("file_hash", pa.uint64(), nullable=False)]
)


class Partitioning(Record):
    """Which files are in validation."""

    rule: PartitionRule
    """What is in one partition as a whole; `none` where all files are in train."""
    ignored_bits: Count = 0
    """How many of the lowest bits of a hash do not count."""
    last: Count = 0
    """The highest hash in validation, without the ignored bits."""
    too_large: tuple[Count, ...] = ()
    """Hashes, without the ignored bits, up to `last` that are in train all the same."""

    def in_validation(self, rows: pa.RecordBatch) -> npt.NDArray[np.bool_]:
        """Which rows are in validation; shape (rows,). They need the columns `repository` and `source_id`."""
        if self.rule == UNDIVIDED:
            return np.zeros(rows.num_rows, np.bool_)
        hashes = group_hashes(rows.column("repository" if self.rule == BY_REPOSITORY else "source_id"))
        keys = hashes.to_numpy() >> np.uint64(self.ignored_bits)
        chosen: npt.NDArray[np.bool_] = (keys <= self.last) & ~np.isin(keys, np.array(self.too_large, np.uint64))
        return chosen


@dataclass(frozen=True, eq=False)
class GroupFiles:
    """How many files each group has."""

    keys: npt.NDArray[np.uint64]
    """Hashes of the groups without the ignored bits, ascending; (groups,)."""
    files: npt.NDArray[np.int64]
    """Files of each; (groups,)."""
    ignored_bits: int = 0


@dataclass(frozen=True, eq=False)
class FileTally:
    """How many files there are by repository and by content."""

    repositories: GroupFiles
    contents: GroupFiles


def group_hash(name: str) -> int:
    """63 bits of a name, which is what Beam's integers hold."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def group_hashes(names: pa.Array) -> pa.Array:
    """The hash of each name; uint64."""
    found = names.to_pylist()
    hashes = {name: group_hash(name) for name in dict.fromkeys(found)}
    return pa.array([hashes[name] for name in found], pa.uint64())


def file_hashes(repositories: pa.Array, source_ids: pa.Array) -> pa.RecordBatch:
    """GROUP_HASHES of files, of which each has a repository and the id of the bytes read."""
    return pa.RecordBatch.from_arrays([group_hashes(repositories), group_hashes(source_ids)], schema=GROUP_HASHES)


def tally_files(hashes: pa.RecordBatch) -> FileTally:
    """The tally of some files (GROUP_HASHES)."""
    ones = np.ones(hashes.num_rows, np.int64)
    repositories, contents = (GroupFiles(column.to_numpy(), ones) for column in hashes.columns)
    return FileTally(_added([repositories]), _added([contents]))


def added(tallies: Iterable[FileTally]) -> FileTally:
    """The tally of all files of `tallies`."""
    found = list(tallies)
    return FileTally(_added([tally.repositories for tally in found]), _added([tally.contents for tally in found]))


def _added(parts: list[GroupFiles]) -> GroupFiles:
    ignored = max((part.ignored_bits for part in parts), default=0)
    keys = [part.keys >> np.uint64(ignored - part.ignored_bits) for part in parts]
    files = np.concatenate([np.zeros(0, np.int64), *(part.files for part in parts)])
    distinct, places = np.unique(np.concatenate([np.zeros(0, np.uint64), *keys]), return_inverse=True)
    while len(distinct) > MAX_GROUPS:
        ignored += 1
        distinct, coarser = np.unique(distinct >> np.uint64(1), return_inverse=True)
        places = coarser[places]
    # Whole numbers below 2^53 are exact in the weights' floating point.
    sums = np.bincount(places, files, len(distinct)).astype(np.int64)
    return GroupFiles(distinct, sums, ignored)


def choose(tally: FileTally, share: float) -> Partitioning:
    """The partitioning of the files of a tally, of which `share` (0 to 0.5) and no less is to be in validation.

    Neither partition is without files, unless there is no second file or `share` is 0.
    """
    repositories, contents = tally.repositories, tally.contents
    total = int(contents.files.sum())
    if share <= 0 or len(contents.keys) < 2:
        return Partitioning(rule=UNDIVIDED)
    if len(repositories.keys) < MIN_REPOSITORIES:
        place = min(_reached(contents.files, share * total), len(contents.keys) - 2)
        return Partitioning(rule=BY_FILE, ignored_bits=contents.ignored_bits, last=int(contents.keys[place]))
    fits = repositories.files <= max(MAX_REPOSITORY_SHARE, share) * total
    place = _reached(np.where(fits, repositories.files, 0), share * total)
    return Partitioning(
        rule=BY_REPOSITORY,
        ignored_bits=repositories.ignored_bits,
        last=int(repositories.keys[place]),
        too_large=tuple(map(int, repositories.keys[: place + 1][~fits[: place + 1]])),
    )


def _reached(files: npt.NDArray[np.int64], wanted: float) -> int:
    """The first place up to which there are at least as many files as wanted, and one; else the last that has any."""
    sums = np.cumsum(files)
    return int(np.searchsorted(sums, min(max(wanted, 1), sums[-1])))


class ChoosePartitions(beam.CombineFn):
    """The partitioning of a run from the tallies of its shards."""

    def __init__(self, share: float) -> None:
        """`share` of the files is to be in validation."""
        self._share = share

    def create_accumulator(self) -> list[FileTally]:
        """No tallies."""
        return []

    def add_input(self, accumulator: list[FileTally], element: FileTally) -> list[FileTally]:
        """With one tally more; a few are kept, since adding takes as long for one as for many."""
        accumulator = [*accumulator, element]
        return accumulator if len(accumulator) < _MAX_PENDING else self.compact(accumulator)

    def merge_accumulators(self, accumulators: Iterable[list[FileTally]]) -> list[FileTally]:
        """One tally."""
        merged: list[FileTally] = []
        for accumulator in accumulators:
            merged = [added([*merged, *accumulator])]
        return merged

    def compact(self, accumulator: list[FileTally]) -> list[FileTally]:
        """One tally, to be sent."""
        return [added(accumulator)]

    def extract_output(self, accumulator: list[FileTally]) -> Partitioning:
        """The choice."""
        return choose(added(accumulator), self._share)
