"""[score] of a configuration: the model that judges the examples, and what differs from the model's own settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.score.verdict_limits import LimitTable

NO_MODEL = "none"
TINY_MODEL = "tiny"


@dataclass(frozen=True)
class ScoreSection:
    """[score]; `find_scoring` makes `ScoreSettings` of it and of what the model itself says.

    Raises ValueError, naming the value and what was expected, for what `ScoreSettings` and `LimitTable` refuse.
    """

    model: str = TINY_MODEL
    """`none`, `tiny`, a folder, a GGUF file or a Hugging Face id."""
    revision: str | None = None
    """Branch, tag or commit of the id."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    layouts: tuple[str, ...] | None = None
    """`psm`, `spm` or both; None for those that the model was trained on: psm for `tiny`, both for others."""
    context_tokens: int | None = None
    """Most tokens of prefix and suffix that the model is shown; None for what the model's own file says, or else for all
    that it reads."""
    limits: dict[str, dict[str, Any]] = field(default_factory=dict)
    """[score.limits.multi_line], [score.limits.multi_line.languages.Python]: limits that differ from the model's own."""
    actions: dict[str, str] = field(default_factory=dict)
    """`drop` or `label`, by the reason of a verdict; what is not given is `ScoreSettings`' default."""
    accelerator: str | None = None
    """Beam's hint for engines that grant one; None for a GPU unless the model is `tiny`, empty for none."""
    min_ram: str = "8GB"
    """Beam's hint of the memory that a worker needs."""

    def __post_init__(self) -> None:
        """Raises ValueError for what scoring could not be done with, whatever the model."""
        layouts = ScoreSettings.layouts if self.layouts is None else self.layouts
        ScoreSettings(layouts, LimitTable().with_changes(self.limits), self.actions, self.context_tokens)
