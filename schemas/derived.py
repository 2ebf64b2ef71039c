"""What a folder that was derived from another says about itself: `rendering.json`, `scoring.json` and `mixture.json`."""

from __future__ import annotations

from stackfim.schemas.record import Counts, JsonObject, Record, Report


class DerivedReport(Report):
    """What the three have in common."""

    source: dict[str, str]
    """SHA-256 of each shard that was read, 64 hex digits, by its path below `data/`."""
    settings: JsonObject
    """All settings that the rows depend on."""
    counts: Counts
    """Rows in, rejected and out."""


class RenderingReport(DerivedReport):
    """`rendering.json`: examples in the format of one model family."""

    pack_tokens: int | None
    """Tokens of a packed row; null for a row of each example."""


class ScoringReport(DerivedReport):
    """`scoring.json`: examples with a model's scores and verdicts."""

    diagnostics: JsonObject
    """Verdicts and distributions of the scores (stackfim.transforms.score.diagnostics.summary)."""


class ChatRecord(Record):
    """Which conversations a mixture was made with."""

    source: str
    """Their data set, pinned to a commit on the Hub; elsewhere the name of the folder or file."""
    sha256: str | None
    """Digest of the files that were read, 64 hex digits; null on the Hub, where the commit says it."""
    limits: JsonObject
    """Limits that a conversation keeps to (stackfim.transforms.mix.filters.ChatLimits)."""
    default_license: str
    """License of conversations that name none; empty where these are left out."""
    template_sha256: str | None
    """Digest of the tokenizer_config.json whose chat template is used, 64 hex digits; null for the family's own chat format."""
    configuration: JsonObject
    """Licenses that are allowed, and benchmarks whose texts are left out."""


class MixtureReport(DerivedReport):
    """`mixture.json`: rendered examples and conversations in one data set."""

    chat: ChatRecord
    """Where the conversations come from."""
    asked_share: float
    """Share of conversations in the training partition, by tokens, that was asked for."""
    chat_share: float
    """Share that was reached."""
    train_tokens: Counts
    """Tokens of the training partition by source: `fim`, `chat`."""
