"""Train or validation: a repository as a whole, by a hash of its name alone.

Repositories whose hash is below a limit are in validation, and so is the one with the lowest hash of all, so that validation
is never empty where it is wanted.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

HIGHEST_HASH = 2**63 - 1

REPOSITORY_HASHES = pa.schema([pa.field("repository_hash", pa.uint64(), nullable=False)])


def repository_hash(repository: str) -> int:
    """63 bits of a repository's name, which is what Beam's integers hold."""
    return int.from_bytes(hashlib.blake2b(repository.encode("utf-8"), digest_size=8).digest(), "big") >> 1


def repository_hashes(repositories: pa.Array) -> pa.RecordBatch:
    """REPOSITORY_HASHES: the hash of each row's repository."""
    names = repositories.to_pylist()
    hashes = {name: repository_hash(name) for name in dict.fromkeys(names)}
    return pa.RecordBatch.from_arrays(
        [pa.array([hashes[name] for name in names], pa.uint64())], schema=REPOSITORY_HASHES
    )


def lowest_hash(hashes: Iterable[int]) -> int:
    """The lowest hash; HIGHEST_HASH where there is none."""
    return min(hashes, default=HIGHEST_HASH)


def in_validation(repositories: list[str], share: float, lowest: int) -> npt.NDArray[np.bool_]:
    """Which rows are in the validation partition; shape (rows,). `lowest` is the lowest hash of the run's repositories."""
    hashes = {repository: repository_hash(repository) for repository in dict.fromkeys(repositories)}
    limit = share * 2.0**63
    chosen = [hashes[name] < limit or (share > 0 and hashes[name] == lowest) for name in repositories]
    return np.array(chosen, np.bool_)
