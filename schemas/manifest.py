"""The manifest of a run: `manifest.json`, one JSON object with these members.

It holds nothing that changes from one run to the next over the same input: no time, no machine, no number of workers.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic_core import from_json

from stackfim.schemas.record import Counts, JsonObject, Record, RecordMismatch, Report

FORMAT: Literal[2] = 2
"""Version of this layout."""

PartitionRule = Literal["repository", "file", "none"]
BY_REPOSITORY: Literal["repository"] = "repository"
BY_FILE: Literal["file"] = "file"
UNDIVIDED: Literal["none"] = "none"


class OtherFormat(RecordMismatch):
    """A manifest of another layout, which another version of stackfim wrote."""


class ScoringSummary(Record):
    """How the examples of a run were scored, and what the scores look like."""

    settings: JsonObject
    """The model, layouts, limits and actions."""
    diagnostics: JsonObject
    """Verdicts and distributions of the scores (stackfim.transforms.score.diagnostics.summary)."""


class Manifest(Report):
    """The manifest of a finished run."""

    format: Literal[2]
    """Version of the manifest's layout."""
    versions: dict[str, str]
    """Versions of the libraries and grammars that rows depend on."""
    source: JsonObject
    """The input: kind, place and the revision that was pinned."""
    locators: tuple[str, ...]
    """Where each input shard is, as its source names it, in order; output shard i was made from shard i."""
    configuration: JsonObject
    """All settings."""
    counts: Counts
    """Files and examples: in, rejected, removed, out."""
    rejected: Counts
    """Dropped files and examples by `unit:stage:reason`."""
    partitioned_by: PartitionRule
    """What is in one partition as a whole, train or validation: a `repository`, or a `file`; `none` without validation."""
    relabelled: Counts
    """Files that show another language than their row says, by `from>to`."""
    redacted: Counts
    """Secrets and personal data that were replaced, by kind."""
    removed: Counts
    """Duplicates by method: `exact`, `near`, `near_estimated`."""
    examples: Counts
    """Examples by `category:...`, `kind:...`, `language:...`, `stop_reason:...`, `verdict:...`, `partition:...`."""
    refused: Counts
    """Candidate places that gave no example, by reason; their slots went to other places."""
    unsupported_languages: Counts
    """Files of languages without a grammar, by language."""
    scoring: ScoringSummary | None
    """Settings of the scoring and diagnostics of the scores; null for a run without a model."""

    @classmethod
    def from_json(cls, text: bytes | str) -> Self:
        """The manifest in a JSON text. Raises OtherFormat for one of another layout, RecordMismatch for any other text."""
        try:
            members: Any = from_json(text)
        except ValueError as error:
            raise RecordMismatch(f"not JSON: {error}") from error
        if isinstance(members, dict):
            layout, version = members.get("format"), members.get("version")
            if type(layout) is int and layout != FORMAT and isinstance(version, str):
                raise OtherFormat(
                    f"the manifest has format {layout}, which stackfim {version} wrote, expected format {FORMAT}; "
                    "make the folder anew with this version"
                )
        return super().from_json(text)
