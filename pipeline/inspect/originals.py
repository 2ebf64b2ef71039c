"""The files that the rows of a folder were made from, where they are at hand: `stackfim verify` compares rows with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder.shards import read_examples
from stackfim.pipeline.sources import Shard, Source, SourceError, SourceOptions, open_source, scheme_of
from stackfim.schemas.manifest import Manifest
from stackfim.transforms.filters.actual_language import relabelled
from stackfim.transforms.filters.redaction import redact

NONE = "none"
"""A source that stands for no originals."""


@dataclass(frozen=True)
class Originals:
    """Where the original files are."""

    source: Source | None
    """None where they are not at hand."""
    locators: tuple[str, ...]
    """Where each input shard is, in order."""
    sentence: str
    """Where they come from, or why they are not at hand."""

    def of_shard(self, files: Iterable[Path]) -> "ShardOriginals | None":
        """The originals of the example files of one shard; None where they are not at hand."""
        files = tuple(files)
        number = files[0].name.split("-")[1:2]
        is_numbered = bool(number) and number[0].isdigit() and int(number[0]) < len(self.locators)
        if self.source is None or not is_numbered:
            return None
        return ShardOriginals(self.source, self.locators[int(number[0])])


@dataclass(frozen=True)
class ShardOriginals:
    """Where the original files of one shard are. It travels to worker processes."""

    source: Source
    locator: str

    def contents(self, files: Iterable[Path]) -> dict[str, bytes]:
        """Content by id of all files that the rows of `files` were made from; what was redacted is redacted again."""
        wanted: dict[str, str] = {}
        for path in files:
            for batch in read_examples(path, ["content_id", "source_id"], 10_000):
                wanted.update(zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True))
        changed = [source_id for content_id, source_id in wanted.items() if content_id != source_id]
        redacted = pa.array(changed, pa.string())
        found: dict[str, bytes] = {}
        for rows, _ in self.source.read(self.locator):
            chosen = rows.filter(pc.is_in(rows.column("source_id"), redacted))
            # The run redacted by the language that a file shows, or by its label where that filter was switched off.
            again = [redact(labelled).rows for labelled in (chosen, relabelled(chosen)[0])]
            both = pa.concat_batches([rows, *again])
            for content_id, content in zip(both.column("content_id").to_pylist(), both.column("content"), strict=True):
                if content_id in wanted:
                    found[content_id] = content.as_py()
        return found


def find_originals(manifest: Manifest | None, spec: str | None, folder: str = "") -> Originals:
    """The source of the originals: `spec`, or without one the run's own if nothing has to be downloaded.

    `folder` is the path of the run's folder on this machine, which is no part of the source; empty where it lies elsewhere.

    Raises UsageError and SourceError for a `spec` that holds other files than the run read, or cannot be read.
    """
    if spec == NONE:
        return Originals(None, (), "Originals were not asked for.")
    if manifest is None:
        return Originals(None, (), "No manifest, so the originals are not known.")
    for name, where in (
        ("spec", manifest.source),
        ("columns", manifest.configuration),
        ("limit", manifest.configuration),
    ):
        if name not in where:
            raise UsageError(f"the manifest does not record {name}, expected all settings of the run")
    chosen = spec or manifest.source["spec"]
    scheme = scheme_of(chosen)
    if spec is None and (scheme is None or scheme.is_download):
        return Originals(None, (), f"Originals would have to be downloaded; --source {chosen} does that.")
    try:
        source, shards = _listed(chosen, manifest, folder)
        locators = tuple(shard.locator for shard in shards)
    except SourceError:
        if spec is not None:
            raise
        return Originals(None, (), f"Originals are not at hand: {chosen} cannot be read.")
    if locators != manifest.locators:
        if spec is not None:
            raise UsageError(f"--source {spec}: holds other files than those that the run read")
        return Originals(None, (), f"Originals are not at hand: {chosen} has changed since the run.")
    return Originals(source, locators, f"Originals were read from {chosen}.")


def _listed(spec: str, manifest: Manifest, folder: str) -> tuple[Source, list[Shard]]:
    """The source, read as the run read it: without the run's own folder."""
    configuration = manifest.configuration
    needs_licenses = not configuration["filters"]["allow_missing_licenses"]
    options = SourceOptions(configuration["columns"], configuration.get("worktree", False), needs_licenses, folder)
    source = open_source(spec, options=options)
    limit, first = configuration["limit"], configuration.get("limit_first")
    return source, source.shards(limit or first, configuration["seed"] if limit is not None else None)
