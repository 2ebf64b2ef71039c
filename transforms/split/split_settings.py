"""What the splitter is asked for: mix, limits, context and seed. Plain data that travels as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from stackfim.schemas.example import EMPTY, MULTI_LINE, RANDOM_SPAN, SINGLE_LINE
from stackfim.transforms.split.compound import COMPOUND, LINE_AND_BLOCK
from stackfim.transforms.split.edit_operations import (
    CLOSER,
    CUT_TO_EOF,
    EARLIER_DEFINITIONS,
    IN_PROGRESS,
    LATER_SIBLINGS,
    LATER_STATEMENTS,
    WHITESPACE,
)
from stackfim.transforms.split.empty import AFTER_ENTER, AFTER_STATEMENT
from stackfim.transforms.split.empty_places import BETWEEN_DEFINITIONS, CLOSED_PAIR, INSIDE_TEXT
from stackfim.transforms.split.error_share import MAX_ERROR_SHARE
from stackfim.transforms.split.inner_line import BEFORE_CLOSERS, INNER_NODE, MID_TOKEN
from stackfim.transforms.split.multi_line import BLOCK_BODY, REST_OF_BLOCK, SIBLINGS
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.pair import ACCEPT_THEN_STOP
from stackfim.transforms.split.single_line import BLANK_LINE, TOKEN_TO_EOL

KINDS: dict[str, tuple[str, ...]] = {
    EMPTY: (AFTER_STATEMENT, AFTER_ENTER, INSIDE_TEXT, CLOSED_PAIR, ACCEPT_THEN_STOP, BETWEEN_DEFINITIONS),
    SINGLE_LINE: (TOKEN_TO_EOL, MID_TOKEN, BLANK_LINE, BEFORE_CLOSERS, INNER_NODE),
    MULTI_LINE: (BLOCK_BODY, REST_OF_BLOCK, SIBLINGS, COMPOUND, LINE_AND_BLOCK),
    RANDOM_SPAN: (RANDOM_SPAN,),
}
"""The kinds of each category."""


@dataclass(frozen=True)
class HalfWrittenSettings:
    """How many contexts are half-written, and how. Weights are relative."""

    share: float = 0.4
    """Share of the examples, random spans aside, whose context is to be half-written."""
    operation_weights: dict[str, float] = field(
        default_factory=lambda: {
            LATER_SIBLINGS: 20.0,
            CUT_TO_EOF: 20.0,
            LATER_STATEMENTS: 15.0,
            IN_PROGRESS: 10.0,
            EARLIER_DEFINITIONS: 10.0,
            CLOSER: 10.0,
            WHITESPACE: 8.0,
        }
    )
    count_weights: tuple[float, ...] = (60.0, 30.0, 10.0)
    """Weights of one operation, two, three, ... in one context."""


@dataclass(frozen=True)
class SplitSettings:
    """Weights are relative: they need not add up to anything."""

    category_weights: dict[str, float] = field(
        default_factory=lambda: {EMPTY: 12.0, SINGLE_LINE: 43.0, MULTI_LINE: 35.0, RANDOM_SPAN: 10.0}
    )
    kind_weights: dict[str, float] = field(
        default_factory=lambda: {
            AFTER_STATEMENT: 25.0,
            AFTER_ENTER: 10.0,
            INSIDE_TEXT: 15.0,
            CLOSED_PAIR: 10.0,
            ACCEPT_THEN_STOP: 30.0,
            BETWEEN_DEFINITIONS: 10.0,
            TOKEN_TO_EOL: 40.0,
            MID_TOKEN: 25.0,
            BLANK_LINE: 15.0,
            BEFORE_CLOSERS: 12.0,
            INNER_NODE: 8.0,
            BLOCK_BODY: 25.0,
            REST_OF_BLOCK: 25.0,
            SIBLINGS: 20.0,
            COMPOUND: 15.0,
            LINE_AND_BLOCK: 15.0,
            RANDOM_SPAN: 1.0,
        }
    )
    limits: MultiLineLimits = field(default_factory=MultiLineLimits)
    max_slots: int = 8
    """Most places of one file; each `accept_then_stop` comes with its partner, one example more."""
    lines_per_slot: int = 40
    """A file has one place for so many lines, rounded up."""
    context_bytes: int = 16_000
    """Size of prefix, middle and suffix together, in whole lines around the cursor; 0 for whole files."""
    half_written: HalfWrittenSettings = field(default_factory=HalfWrittenSettings)
    max_error_share: float = MAX_ERROR_SHARE
    """Share of a file in syntax errors, up to which it stays where its extension is shared by languages."""
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
