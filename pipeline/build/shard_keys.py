"""What every worker knows of a run, and what a shard of each pass was made for: the keys of its markers."""

import hashlib
import json
from dataclasses import dataclass

import pyarrow as pa

from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.fingerprints import FingerprintFiles
from stackfim.pipeline.folder.markers import FilteredMarker
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.scored import SCORED
from stackfim.transforms.dedup.dedup_settings import DedupSettings


@dataclass(frozen=True)
class RunContext:
    """What every worker needs to know of the run. Plain values: it travels in the graph."""

    storage: Storage
    run_key: str
    """Of input, configuration and version: what complete shards must have been made for."""
    shards: int
    validation_share: float
    progress_folder: str | None
    dedup: DedupSettings | None
    files: FingerprintFiles
    filter_scores: bool = False
    """Whether every file's filter scores are written."""
    scored: bool = False
    """Whether a model scores the examples."""

    @property
    def example_schema(self) -> pa.Schema:
        """Columns of the examples that the run writes."""
        return SCORED if self.scored else EXAMPLE


def filtered_key(context: RunContext, locator: str) -> str:
    """What a shard of pass A was made for."""
    return hashlib.sha256(json.dumps([context.run_key, locator]).encode()).hexdigest()


def split_key(context: RunContext, shard: int, lowest: int) -> str:
    """What a shard of pass B is made for: its survivors, its removals (written before) and what decides the partitions."""
    storage = context.storage
    marker = storage.read_record(paths.filtered_marker(shard), FilteredMarker)
    removals = storage.sha256(paths.removals(shard, context.shards))
    made_for = [marker.key, marker.survivors] if marker is not None else [None, None]
    parts = [*made_for, context.shards, lowest, removals]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


HIGHEST_HASH = 2**63 - 1


def repository_hash(repository: str) -> int:
    """63 bits of a repository's name (what Beam's integers hold): they decide its partition."""
    return int.from_bytes(hashlib.blake2b(repository.encode("utf-8"), digest_size=8).digest(), "big") >> 1
