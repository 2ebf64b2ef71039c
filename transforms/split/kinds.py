"""All kinds of examples in one table; the record of each stands in the module that finds its sites."""

from stackfim.schemas.example import EMPTY, MULTI_LINE, RANDOM_SPAN, SINGLE_LINE
from stackfim.transforms.split.compound import COMPOUND, LINE_AND_BLOCK
from stackfim.transforms.split.empty import AFTER_ENTER, AFTER_STATEMENT
from stackfim.transforms.split.empty_places import BETWEEN_DEFINITIONS, CLOSED_PAIR, INSIDE_TEXT
from stackfim.transforms.split.inner_line import BEFORE_CLOSERS, INNER_NODE, MID_TOKEN
from stackfim.transforms.split.multi_line import BLOCK_BODY, REST_OF_BLOCK, SIBLINGS
from stackfim.transforms.split.pair import ACCEPT_THEN_STOP
from stackfim.transforms.split.random_span import UNIFORM_SPAN
from stackfim.transforms.split.single_line import BLANK_LINE, TOKEN_TO_EOL
from stackfim.transforms.split.site import Kind

CATEGORY_WEIGHTS = {EMPTY: 12.0, SINGLE_LINE: 43.0, MULTI_LINE: 35.0, RANDOM_SPAN: 10.0}
"""How often each category is drawn, unless a run says otherwise."""

_KINDS: tuple[Kind, ...] = (
    AFTER_STATEMENT,
    AFTER_ENTER,
    INSIDE_TEXT,
    CLOSED_PAIR,
    ACCEPT_THEN_STOP,
    BETWEEN_DEFINITIONS,
    TOKEN_TO_EOL,
    MID_TOKEN,
    BLANK_LINE,
    BEFORE_CLOSERS,
    INNER_NODE,
    BLOCK_BODY,
    REST_OF_BLOCK,
    SIBLINGS,
    COMPOUND,
    LINE_AND_BLOCK,
    UNIFORM_SPAN,
)

KIND_BY_NAME: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
"""The kinds by name, in the order in which draws go through them."""
KINDS_BY_CATEGORY: dict[str, tuple[Kind, ...]] = {
    category: tuple(kind for kind in _KINDS if kind.category == category) for category in CATEGORY_WEIGHTS
}
"""The kinds of each category, in the same order."""
