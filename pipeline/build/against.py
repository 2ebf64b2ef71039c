"""`--against`: what an earlier run kept, or any source of rows, whose near-duplicates leave this run."""

import hashlib
import json
from typing import Any

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.fingerprints import ReferenceFile, signature_settings, stored_settings
from stackfim.pipeline.folder.manifest import read_manifest
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.sources import Source, open_source, scheme_of
from stackfim.schemas.derived import ScoringReport
from stackfim.schemas.record import RecordMismatch
from stackfim.transforms.dedup.dedup_settings import DedupSettings


def reference_files(
    specs: tuple[str, ...], own: Storage, settings: DedupSettings
) -> tuple[tuple[ReferenceFile, ...], dict[str, Source], list[dict[str, Any]]]:
    """The reference files of each of `specs`, the sources of those that are to be made, and what the manifest says of them.

    A spec is the folder of a finished run or of its scored examples, or a source such as `parquet:FOLDER`. Raises UsageError
    for a folder that is neither, is this run's own, has no fingerprints, or has some of other settings; SourceError for a source
    that cannot be read.
    """
    files: list[ReferenceFile] = []
    sources: dict[str, Source] = {}
    identities: list[dict[str, Any]] = []
    for spec in specs:
        if scheme_of(spec) is not None:
            source = open_source(spec)
            for shard in source.shards():
                path = paths.against(len(files))
                sources[path] = source
                files.append(ReferenceFile(own, path, shard.locator))
            identities.append(source.identity())
            continue
        storage = Storage(spec)
        try:
            report = storage.read_record(paths.SCORING, ScoringReport) or read_manifest(storage)
        except RecordMismatch as error:
            raise UsageError(
                f"--against {spec}: expected the folder of a finished run, or parquet:FOLDER-OR-FILE ({error})"
            ) from error
        if storage.full_path("") == own.full_path(""):
            raise UsageError(f"--against {spec}: the folder of this run itself; expected that of an earlier one")
        kept = [file for file in report.files if file.path.startswith(f"{paths.FINGERPRINTS}/")]
        if not kept:
            raise UsageError(f"--against {spec}: that run kept no fingerprints; expected {paths.FINGERPRINTS}/ in it")
        wanted = signature_settings(settings)
        for file in kept:
            if storage.missing([file]):
                raise UsageError(f"--against {spec}: {file.path} is missing or changed")
            if (found := stored_settings(storage, file.path)) != wanted:
                raise UsageError(f"--against {spec}: its signatures were made with {found}; this run has {wanted}")
            files.append(ReferenceFile(storage, file.path))
        digest = hashlib.sha256(json.dumps([file.sha256 for file in kept]).encode()).hexdigest()
        identities.append({"kind": "run", "run_key": report.run_key, "digest": digest})
    return tuple(files), sources, identities
