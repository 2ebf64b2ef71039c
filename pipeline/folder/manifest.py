"""The manifest of a finished run, made from the markers of its shards, and read again."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from stackfim.pipeline.config.run_config import RunConfig
from stackfim.pipeline.config.scoring_model import Scoring
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.counts import PARTITION, BrokenPromise, accounted, by_prefix
from stackfim.pipeline.folder.markers import FilteredMarker, SplitMarker
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.sources import Shard
from stackfim.schemas.manifest import FORMAT, UNDIVIDED, Manifest, PartitionRule, ScoringSummary
from stackfim.schemas.record import FileRecord, RecordMismatch
from stackfim.transforms.languages import grammar_versions
from stackfim.transforms.score.diagnostics import summary

_LIBRARIES = ("apache-beam", "datasketch", "numpy", "pyarrow", "tree-sitter", "license-expression")


def stackfim_version() -> str:
    """Version of the installed distribution."""
    return version("stackfim")


def versions(config: RunConfig) -> dict[str, str]:
    """Versions of the libraries and grammars that the rows of a run depend on, by distribution."""
    return {library: version(library) for library in _LIBRARIES} | grammar_versions(config.grammars)


def read_manifest(storage: Storage) -> Manifest:
    """The manifest of a finished run. Raises RecordMismatch for a folder without one, or with one of another format."""
    manifest = storage.read_record(paths.MANIFEST, Manifest)
    if manifest is None:
        raise RecordMismatch(f"there is no {paths.MANIFEST}")
    return manifest


def key_of_run(
    version: str,
    versions: Mapping[str, str],
    source: Mapping[str, Any],
    locators: Sequence[str],
    configuration: Mapping[str, Any],
    scoring: Mapping[str, Any] | None,
) -> str:
    """SHA-256 of all that the rows of a run depend on, as its manifest records it; 64 hex digits."""
    parts = [version, dict(versions), dict(source), list(locators), dict(configuration)]
    parts += [dict(scoring)] if scoring is not None else []
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def key_of_manifest(manifest: Manifest) -> str:
    """The run key that follows from what a manifest records."""
    scoring = manifest.scoring.settings if manifest.scoring is not None else None
    return key_of_run(
        manifest.version, manifest.versions, manifest.source, manifest.locators, manifest.configuration, scoring
    )


def make_manifest(
    storage: Storage,
    run_key: str,
    identity: dict[str, Any],
    shards: list[Shard],
    config: RunConfig,
    attribution: FileRecord,
    scoring: Scoring | None = None,
) -> Manifest:
    """The manifest of a run whose shards are all complete.

    Raises BrokenPromise when the files that came in are not those that gave examples, were rejected or were removed.
    """
    counts: Counter[str] = Counter()
    unsupported: Counter[str] = Counter()
    rules: set[PartitionRule] = set()
    files = [attribution]
    for shard in shards:
        first = storage.read_record(paths.filtered_marker(shard.index), FilteredMarker)
        second = storage.read_record(paths.split_marker(shard.index), SplitMarker)
        if first is None or second is None:
            raise BrokenPromise(f"shard {shard.index} has no marker although the run ended")
        counts.update(first.counts)
        counts.update(second.counts)
        counts.update({f"{PARTITION}:{name}": rows for name, rows in second.rows.items()})
        rules.add(second.partitioned_by)
        unsupported.update(first.unsupported_languages)
        files += [file for file in first.files if not file.path.startswith(f"{paths.WORK}/")]
        files += second.files
    if len(rules) > 1:
        raise BrokenPromise(f"shards were partitioned by {' and by '.join(sorted(rules))}, expected one rule")
    scored = ScoringSummary(settings=scoring.recorded(), diagnostics=summary(counts)) if scoring is not None else None
    return Manifest(
        format=FORMAT,
        version=stackfim_version(),
        versions=versions(config),
        run_key=run_key,
        source=identity,
        locators=tuple(shard.locator for shard in shards),
        configuration=config.recorded(),
        **accounted(counts["rows_in"], counts),
        partitioned_by=rules.pop() if rules else UNDIVIDED,
        relabelled=by_prefix(counts, "relabelled:"),
        redacted=by_prefix(counts, "redacted:"),
        refused=by_prefix(counts, "refused:"),
        unsupported_languages=dict(sorted(unsupported.items())),
        scoring=scored,
        files=tuple(sorted(files, key=lambda file: file.path)),
    )
