"""Settings of the splitter: which examples are made of a file, how large they are, and the seed. They travel as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from stackfim.transforms.setting_checks import expect_number, expect_weight, expect_weights, expect_whole, shown
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
    """How many contexts are half-written, and how. Weights are relative; an operation without one is not used.

    Raises ValueError, naming the value and what was expected, when one is wrong.
    """

    share: float = 0.4
    """Share of the examples, random spans aside, whose context is half-written."""
    operation_weights: dict[str, float] = field(
        default_factory=lambda: {name: operation.weight for name, operation in OPERATIONS.items()}
    )
    count_weights: tuple[float, ...] = (60.0, 30.0, 10.0)
    """Weights of doing one operation, two, three, ... in one context."""

    def __post_init__(self) -> None:
        """Raises ValueError for a share or a weight that cannot be, and for an operation that there is not."""
        expect_number("share", self.share, 1.0)
        expect_weights("operation_weights", self.operation_weights, OPERATIONS, "edit operation")
        for number, weight in enumerate(self.count_weights):
            expect_weight(f"count_weights[{number}]", weight)
        if not any(self.count_weights):
            raise ValueError(f"count_weights has at least one weight above 0, got {shown(list(self.count_weights))}")


@dataclass(frozen=True)
class ExampleSettings:
    """Which examples are made of a file, and how many.

    Weights are relative: they need not add up to anything, and what has no weight is not made. Raises ValueError, naming
    the value and what was expected, when one is wrong.
    """

    category_weights: dict[str, float] = field(default_factory=lambda: dict(CATEGORY_WEIGHTS))
    kind_weights: dict[str, float] = field(
        default_factory=lambda: {name: kind.weight for name, kind in KIND_BY_NAME.items()}
    )
    limits: MultiLineLimits = field(default_factory=MultiLineLimits)
    max_slots: int = 8
    """Most places in one file; each `accept_then_stop` comes with its partner, which is one example more."""
    lines_per_slot: int = 40
    """A file has one place per this many lines, rounded up."""
    half_written: HalfWrittenSettings = field(default_factory=HalfWrittenSettings)
    max_error_share: float = MAX_ERROR_SHARE
    """Share of a file in syntax errors up to which it stays, where several languages share its extension."""

    def __post_init__(self) -> None:
        """Raises ValueError for a value that is out of range, and for a category or a kind that there is not."""
        expect_weights("category_weights", self.category_weights, KINDS, "category")
        kinds = [kind for kinds in KINDS.values() for kind in kinds]
        expect_weights("kind_weights", self.kind_weights, kinds, "kind")
        expect_whole("max_slots", self.max_slots, 1)
        expect_whole("lines_per_slot", self.lines_per_slot, 1)
        expect_number("max_error_share", self.max_error_share, 1.0)


@dataclass(frozen=True)
class SplitSettings(ExampleSettings):
    """All that the splitter's output depends on beside the file; raises ValueError as `ExampleSettings` does."""

    context_bytes: int = 16_000
    """Size of prefix, middle and suffix together, in whole lines around the cursor; 0 for whole files."""
    seed: int = 0
    """Another seed draws other examples."""

    def __post_init__(self) -> None:
        """Raises ValueError for a value that is out of range, and for a category or a kind that there is not."""
        super().__post_init__()
        expect_whole("context_bytes", self.context_bytes, 0)
        expect_whole("seed", self.seed, 0)

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
