"""Settings of the splitter: mix, limits, context and seed. Plain data that travels as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from stackfim.transforms.split.edit_operations import OPERATIONS
from stackfim.transforms.split.error_share import MAX_ERROR_SHARE
from stackfim.transforms.split.kinds import CATEGORY_WEIGHTS, KIND_BY_NAME, KINDS_BY_CATEGORY
from stackfim.transforms.split.multi_line_limits import MultiLineLimits

KINDS: dict[str, tuple[str, ...]] = {
    category: tuple(kind.name for kind in kinds) for category, kinds in KINDS_BY_CATEGORY.items()
}
"""The names of the kinds of each category."""


@dataclass(frozen=True)
class HalfWrittenSettings:
    """How many contexts are half-written, and how. Weights are relative."""

    share: float = 0.4
    """Share of the examples, random spans aside, whose context is half-written."""
    operation_weights: dict[str, float] = field(
        default_factory=lambda: {name: operation.weight for name, operation in OPERATIONS.items()}
    )
    count_weights: tuple[float, ...] = (60.0, 30.0, 10.0)
    """Weights of doing one operation, two, three, ... in one context."""


@dataclass(frozen=True)
class SplitSettings:
    """How examples are drawn from a file. Weights are relative: they need not add up to anything."""

    category_weights: dict[str, float] = field(default_factory=lambda: dict(CATEGORY_WEIGHTS))
    kind_weights: dict[str, float] = field(
        default_factory=lambda: {name: kind.weight for name, kind in KIND_BY_NAME.items()}
    )
    limits: MultiLineLimits = field(default_factory=MultiLineLimits)
    max_slots: int = 8
    """Most slots of one file; each `accept_then_stop` comes with its partner, one more example."""
    lines_per_slot: int = 40
    """Lines of a file for each of its slots, rounded up."""
    context_bytes: int = 16_000
    """Most bytes of prefix, middle and suffix together, in whole lines around the cursor; 0 for whole files."""
    half_written: HalfWrittenSettings = field(default_factory=HalfWrittenSettings)
    max_error_share: float = MAX_ERROR_SHARE
    """Largest share of a file that may lie in syntax errors where its extension is one of several languages."""
    seed: int = 0

    def to_json(self) -> str:
        """The settings as JSON text, keys in a fixed order."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> SplitSettings:
        """The settings that `to_json` wrote."""
        values = json.loads(text)
        half_written = values["half_written"] | {"count_weights": tuple(values["half_written"]["count_weights"])}
        return cls(
            **values
            | {"limits": MultiLineLimits(**values["limits"]), "half_written": HalfWrittenSettings(**half_written)}
        )
