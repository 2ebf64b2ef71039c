"""What the splitter is asked for: mix, limits, context and seed. Plain data that travels as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from schemas.example import EMPTY, MULTI_LINE, SINGLE_LINE
from transforms.split.empty import AFTER_STATEMENT
from transforms.split.multi_line import BLOCK_BODY, REST_OF_BLOCK, SIBLINGS, MultiLineLimits
from transforms.split.single_line import BLANK_LINE, TOKEN_TO_EOL

KINDS: dict[str, tuple[str, ...]] = {
    EMPTY: (AFTER_STATEMENT,),
    SINGLE_LINE: (TOKEN_TO_EOL, BLANK_LINE),
    MULTI_LINE: (BLOCK_BODY, REST_OF_BLOCK, SIBLINGS),
}
"""The kinds of each category."""


@dataclass(frozen=True)
class SplitSettings:
    """Weights are relative: they need not add up to anything."""

    category_weights: dict[str, float] = field(
        default_factory=lambda: {EMPTY: 12.0, SINGLE_LINE: 43.0, MULTI_LINE: 35.0}
    )
    kind_weights: dict[str, float] = field(
        default_factory=lambda: {
            AFTER_STATEMENT: 25.0,
            TOKEN_TO_EOL: 40.0,
            BLANK_LINE: 15.0,
            BLOCK_BODY: 25.0,
            REST_OF_BLOCK: 25.0,
            SIBLINGS: 20.0,
        }
    )
    limits: MultiLineLimits = field(default_factory=MultiLineLimits)
    max_slots: int = 8
    """Most examples of one file."""
    lines_per_slot: int = 40
    """A file has one example for so many lines, rounded up."""
    context_bytes: int = 16_000
    """Size of prefix, middle and suffix together, in whole lines around the cursor; 0 for whole files."""
    seed: int = 0

    def to_json(self) -> str:
        """The settings as JSON text, keys in a fixed order."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> SplitSettings:
        """The settings that `to_json` wrote."""
        values = json.loads(text)
        return cls(**{**values, "limits": MultiLineLimits(**values["limits"])})
