"""What every worker knows of a run. Plain values: they travel in the graph."""

from dataclasses import dataclass

import pyarrow as pa

from stackfim.pipeline.folder.fingerprints import FingerprintFiles
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.scored import SCORED
from stackfim.transforms.dedup.dedup_settings import DedupSettings


@dataclass(frozen=True)
class RunContext:
    """What every worker knows of a run."""

    storage: Storage
    resume_key: str
    """Of place, configuration and version: with a shard's own locator, what complete shards must have been made for."""
    shard_count: int
    validation_share: float
    progress_folder: str | None
    """Where processes of this machine report how far they are; None for an engine elsewhere."""
    dedup: DedupSettings | None
    """None where only exact copies go."""
    fingerprints: FingerprintFiles
    filter_scores: bool = False
    """Whether every file's filter scores are written."""
    scored: bool = False
    """Whether a model scores the examples."""

    @property
    def example_schema(self) -> pa.Schema:
        """Columns of the examples that the run writes."""
        return SCORED if self.scored else EXAMPLE
