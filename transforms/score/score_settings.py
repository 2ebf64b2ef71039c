"""Settings of the scoring: layouts, limits, and what is done with the rows that break one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stackfim.schemas.layout import LAYOUTS, PSM
from stackfim.transforms.score.verdict import REASONS, UNSCORED, action_key
from stackfim.transforms.score.verdict_limits import LimitTable
from stackfim.transforms.setting_checks import expect_choice, expect_whole, known_names

DROP = "drop"
LABEL = "label"
ACTIONS = (DROP, LABEL)

DEFAULT_ACTIONS: dict[str, str] = {**dict.fromkeys(REASONS, DROP), UNSCORED: LABEL}
"""A row that the model cannot read is no worse for it, so it is labelled; all others are dropped."""


@dataclass(frozen=True)
class ScoreSettings:
    """Settings of scoring."""

    layouts: tuple[str, ...] = (PSM,)
    """The layouts in which the model is asked; the better score decides."""
    limits: LimitTable = field(default_factory=LimitTable)
    actions: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_ACTIONS))
    """`drop` or `label` by reason, `unscored` being one; reasons that are missing have their default."""
    context_tokens: int | None = None
    """The most tokens of prefix and suffix that the model is shown; None for as many as it reads."""
    seed: int = 0
    """Draws the rows whose shifted ends are scored too (stackfim.transforms.score.shifted)."""

    def __post_init__(self) -> None:
        """Raises ValueError for layouts, a number of tokens, reasons or actions that there are not."""
        if not self.layouts or set(self.layouts) - set(LAYOUTS) or len(set(self.layouts)) != len(self.layouts):
            raise ValueError(f"layouts are some of {', '.join(LAYOUTS)}, each once, got {list(self.layouts)}")
        if self.context_tokens is not None:
            expect_whole("context_tokens", self.context_tokens, 1)
        for reason, action in self.actions.items():
            if reason not in DEFAULT_ACTIONS:
                raise ValueError(f"actions.{reason}: no such reason{known_names(reason, DEFAULT_ACTIONS)}")
            expect_choice(f"actions.{reason}", action, ACTIONS)

    def drops(self, verdict: str) -> bool:
        """Whether rows with a verdict become rejections."""
        reason = action_key(verdict)
        return self.actions.get(reason, DEFAULT_ACTIONS.get(reason, LABEL)) == DROP

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ScoreSettings:
        """The settings that `to_json` gave; other members of `values` are ignored. Raises ValueError for wrong ones."""
        limits = LimitTable().with_changes(values["limits"])
        return cls(tuple(values["layouts"]), limits, dict(values["actions"]), values["context_tokens"], values["seed"])

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON values: what scored rows depend on beside the model."""
        return {
            "layouts": list(self.layouts),
            "limits": self.limits.to_json(),
            "actions": {reason: self.actions.get(reason, action) for reason, action in DEFAULT_ACTIONS.items()},
            "context_tokens": self.context_tokens,
            "seed": self.seed,
        }
