"""[score] of a configuration: the model that judges the examples, and what differs from the model's own settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from stackfim.transforms.languages import LANGUAGES as KNOWN_LANGUAGES
from stackfim.transforms.languages import language_name
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.score.verdict_limits import LANGUAGES, LimitTable
from stackfim.transforms.setting_checks import known_names

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
        for category, limits in self.limits.items():
            for language in _keys(limits.get(LANGUAGES)):
                if language_name(language) != language:  # a row has the table's own name
                    place = f"limits.{category}.{LANGUAGES}.{language}"
                    raise ValueError(f"{place}: no such language{known_names(language, tuple(KNOWN_LANGUAGES))}")
        ScoreSettings(layouts, LimitTable().with_changes(self.limits), self.actions, self.context_tokens)


def _keys(table: object) -> list[str]:
    """The keys of a table; none of a value of another kind, which `LimitTable` refuses."""
    return list(table) if isinstance(table, dict) else []
