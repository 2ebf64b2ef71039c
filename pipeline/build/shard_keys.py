"""What a shard of each pass was made for: the keys of its markers. A shard is complete when its marker has the key of this run."""

import hashlib
import json

from stackfim.pipeline.build.partition import Partitioning
from stackfim.pipeline.build.run_context import RunContext
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.markers import FilteredMarker


def filtered_key(context: RunContext, locator: str) -> str:
    """What a shard of pass A is made for, 64 hex digits: the run, and where the shard's rows are."""
    return hashlib.sha256(json.dumps([context.resume_key, locator]).encode()).hexdigest()


def split_key(context: RunContext, shard: int, partitioning: Partitioning) -> str:
    """What a shard of pass B is made for, 64 hex digits: its survivors, its removals, and the partitions.

    The file of its removals must have been written before.
    """
    storage = context.storage
    marker = storage.read_record(paths.filtered_marker(shard), FilteredMarker)
    removals = storage.sha256(paths.removals(shard, context.shard_count))
    made_for = [marker.key, marker.survivors] if marker is not None else [None, None]
    parts = [*made_for, context.shard_count, partitioning.model_dump(), removals]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
