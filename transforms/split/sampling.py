"""Which sites of a file become examples.

Sampling is local to a file, so that it streams: a file has slots by its length; a slot draws category and kind against
the weights, then lines in a drawn order until one of them gives a site. Where no line does, the next kind of the category
by weight is tried. A slot whose category the file does not have gives nothing, so that the mix holds; only where all of a
file's slots would, one takes the next category by weight. All draws come from content, slot and seed.

A slot that draws `accept_then_stop` draws a site with a middle too, and gives both halves of the pair: the middle is one
example more. Categories are drawn with weights that make up for it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from math import ceil, gcd

from stackfim.schemas.example import EMPTY, MULTI_LINE, RANDOM_SPAN, SINGLE_LINE
from stackfim.transforms.draws import Draws
from stackfim.transforms.split.compound import COMPOUND, LINE_AND_BLOCK, compound, line_and_block
from stackfim.transforms.split.empty import AFTER_ENTER, AFTER_STATEMENT, after_enter, after_statement
from stackfim.transforms.split.empty_places import (
    BETWEEN_DEFINITIONS,
    CLOSED_PAIR,
    INSIDE_TEXT,
    between_definitions,
    closed_pair,
    inside_text,
)
from stackfim.transforms.split.inner_line import (
    BEFORE_CLOSERS,
    INNER_NODE,
    MID_TOKEN,
    before_closers,
    inner_node,
    mid_token,
)
from stackfim.transforms.split.multi_line import (
    BLOCK_BODY,
    REST_OF_BLOCK,
    SIBLINGS,
    block_body,
    rest_of_block,
    siblings,
)
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.neutral_hole import NOT_NEUTRAL, Hole, are_neutral, hole_of, needs_neutral_hole
from stackfim.transforms.split.pair import ACCEPT_THEN_STOP, accept_then_stop
from stackfim.transforms.split.parser import BudgetedParser
from stackfim.transforms.split.random_span import random_span
from stackfim.transforms.split.single_line import BLANK_LINE, TOKEN_TO_EOL, blank_line, token_to_eol
from stackfim.transforms.split.site import Refused, Site, check_no_free_copy
from stackfim.transforms.split.split_settings import KINDS, SplitSettings
from stackfim.transforms.split.syntax import ParsedFile
from stackfim.transforms.split.worth import check_context

# Lines tried for one kind before the next kind's turn; a small file is tried in full.
MAX_TRIES = 32
# Where a tree has errors, small changes change it far away: after so many holes that were not neutral no more are tried.
MAX_FAILED_HOLES = 1
# Bytes of suffix that the free-copy check looks at: 20 lines of code and more.
_NEAR_BYTES = 8_192

# How much more often a category is drawn than it is asked for, since some files do not have it: short ones, data and
# markup. Measured on 30,000 files of 39 languages.
_SCARCITY = {EMPTY: 1.05, MULTI_LINE: 1.09}

# The categories of which a pair's other half is.
_PARTNERS = (SINGLE_LINE, MULTI_LINE)
# The kinds of data and markup, where no tree proves that silence is right, nor where a middle stops.
_WITHOUT_STATEMENTS = (TOKEN_TO_EOL, MID_TOKEN, BEFORE_CLOSERS, RANDOM_SPAN)

Finder = Callable[[ParsedFile, int, Draws, MultiLineLimits], Site]


def _without_limits(find: Callable[[ParsedFile, int, Draws], Site]) -> Finder:
    return lambda file, row, draws, _limits: find(file, row, draws)


FINDERS: dict[str, Finder] = {
    AFTER_STATEMENT: _without_limits(after_statement),
    AFTER_ENTER: _without_limits(after_enter),
    INSIDE_TEXT: _without_limits(inside_text),
    CLOSED_PAIR: _without_limits(closed_pair),
    BETWEEN_DEFINITIONS: _without_limits(between_definitions),
    TOKEN_TO_EOL: _without_limits(token_to_eol),
    MID_TOKEN: _without_limits(mid_token),
    BLANK_LINE: _without_limits(blank_line),
    BEFORE_CLOSERS: _without_limits(before_closers),
    INNER_NODE: _without_limits(inner_node),
    BLOCK_BODY: block_body,
    REST_OF_BLOCK: rest_of_block,
    SIBLINGS: siblings,
    COMPOUND: compound,
    LINE_AND_BLOCK: line_and_block,
    RANDOM_SPAN: random_span,
}
"""What finds a site of each kind on a row; `accept_then_stop` is made of another site."""


def sample_sites(
    file: ParsedFile, parser: BudgetedParser, content_id: str, settings: SplitSettings
) -> tuple[list[Site], Counter[str]]:
    """The sites drawn from a file, in order of slots, and how often each reason refused a candidate.

    The halves of a pair follow one another, the one with a middle first.
    """
    sampler = _Sampler(file, parser, settings)
    slots = min(settings.max_slots, ceil(len(file.lines) / settings.lines_per_slot))
    draws = [Draws(content_id, slot, settings.seed) for slot in range(slots)]
    drawn = [sampler.draw(stream) for stream in draws]
    failed = sampler.not_neutral([site for sites in drawn for site in sites])
    sampler.check_each = True
    for position, stream in enumerate(draws):
        if any(site in failed for site in drawn[position]):
            drawn[position] = sampler.draw(stream)
    for stream in draws:
        if any(drawn):
            break
        drawn.append(sampler.draw(stream, any_category=True))
    return [site for sites in drawn for site in sites], sampler.refusals


class _Sampler:
    """Draws the sites of one file; no place is taken twice."""

    def __init__(self, file: ParsedFile, parser: BudgetedParser, settings: SplitSettings) -> None:
        self.file = file
        self.parser = parser
        self.settings = settings
        self.refusals: Counter[str] = Counter()
        self.taken: set[tuple[int, int]] = set()
        self.weights = _made_up(draw_weights(settings))
        self.absent: set[str | tuple[str, str]] = set()
        """Kinds, alone or as partners, that no line tried for an earlier slot gave: the file is taken not to have them."""
        if not file.language.has_statements:
            self.absent.update({*FINDERS, ACCEPT_THEN_STOP} - set(_WITHOUT_STATEMENTS))
        self.check_each = False
        """Whether each site is asked for its neutral hole when drawn, not all at once afterwards."""

    def draw(self, draws: Draws, *, any_category: bool = False) -> list[Site]:
        """The site for one slot, or the pair: of the kind drawn, or of the next in its category that the file has.

        None where it has none; with `any_category` the other categories come after the drawn one, by weight.
        """
        for kind in _kinds_by_preference(draws, self.settings, self.weights, any_category=any_category):
            if kind in self.absent:
                continue
            sites = self._pair(draws) if kind == ACCEPT_THEN_STOP else self._first(kind, draws)
            if sites:
                self.taken.update(_place(self.file, site) for site in sites)
                return sites
            self.absent.add(kind)
        return []

    def _pair(self, draws: Draws) -> list[Site]:
        """A site with a middle after which silence is right, and that silence; none where the file has none."""
        partners = _only(self.settings.category_weights, _PARTNERS)
        for kind in _kinds_by_preference(draws, self.settings, partners, any_category=True):
            if kind not in self.absent and (kind, ACCEPT_THEN_STOP) not in self.absent:
                sites = self._first(kind, draws, paired=True)
                if sites:
                    return sites
                self.absent.add((kind, ACCEPT_THEN_STOP))
        return []

    def _first(self, kind: str, draws: Draws, *, paired: bool = False) -> list[Site]:
        """The site of a kind on the first line, in a drawn order, that gives one; `paired` with the silence after it."""
        for row in _rows(len(self.file.lines), draws):
            if self.file.lines.first_visible(row) < 0:
                continue
            try:
                site = FINDERS[kind](self.file, row, draws, self.settings.limits)
                self._check(site)
                if not paired:
                    return [site]
                silence = accept_then_stop(self.file, site)
                self._check(silence)
                return [site, silence]
            except Refused as refused:
                self.refusals[str(refused)] += 1
        return []

    def _check(self, site: Site) -> None:
        if _place(self.file, site) in self.taken:
            raise Refused("taken")
        check_context(self.file.content, site.start, site.end)
        if site.end == site.start:
            return
        content = self.file.content
        suffix = content[site.end : site.end + _NEAR_BYTES].decode("utf-8", "replace")
        check_no_free_copy(content[site.start : site.end].decode("utf-8"), suffix)
        if self.check_each and self.not_neutral([site]):
            raise Refused(NOT_NEUTRAL)

    def not_neutral(self, sites: list[Site]) -> list[Site]:
        """Those of `sites` whose hole is not neutral. Holes of different blocks share a parse; if it fails, each has its own.

        Two of one block do not: side by side they could hide each other.
        """
        failed: list[Site] = []
        holes: list[tuple[Hole, Site]] = []
        for site in sites:
            if needs_neutral_hole(self.file, site):
                try:
                    holes.append((hole_of(self.file, site), site))
                except Refused:
                    failed.append(site)
        holes.sort(key=lambda pair: pair[0])
        while holes:
            group: list[tuple[Hole, Site]] = []
            rest: list[tuple[Hole, Site]] = []
            for hole, site in holes:
                apart = all(hole.start > other.end and hole.block_id != other.block_id for other, _ in group)
                (group if apart else rest).append((hole, site))
            if not self._are_neutral([hole for hole, _ in group]):
                failed += [site for hole, site in group if len(group) == 1 or not self._are_neutral([hole])]
            holes = rest
        return failed

    def _are_neutral(self, holes: list[Hole]) -> bool:
        if self.refusals[NOT_NEUTRAL] >= MAX_FAILED_HOLES and self.file.tree.root_node.has_error:
            return False
        neutral = are_neutral(self.file.content, self.file.tree, self.parser, holes)
        if not neutral and len(holes) == 1 and not self.check_each:
            self.refusals[NOT_NEUTRAL] += 1
        return neutral


def _place(file: ParsedFile, site: Site) -> tuple[int, int]:
    """A site's offsets, the line break that its middle may hold not counted."""
    return site.start, site.start + len(file.content[site.start : site.end].rstrip())


def draw_weights(settings: SplitSettings) -> dict[str, float]:
    """Weights of the categories for one draw, such that the examples, partners of pairs counted, come in the mix asked for.

    With a share a of EMPTY in pairs and e of all in EMPTY, a draw gives 1 / (1 - ae) examples; the partners among them
    are taken from what SINGLE_LINE and MULTI_LINE are drawn.
    """
    weights = _only(settings.category_weights, KINDS)
    kinds = _only(settings.kind_weights, KINDS[EMPTY])
    total, partners = sum(weights.values()), sum(weights[category] for category in _PARTNERS)
    if not (partners > 0 and sum(kinds.values()) > 0):
        return weights
    share = kinds[ACCEPT_THEN_STOP] / sum(kinds.values()) * weights[EMPTY] / total
    left = max(1 - share * total / partners, 0.0)
    return {category: weight * (left if category in _PARTNERS else 1.0) for category, weight in weights.items()}


def _made_up(weights: dict[str, float]) -> dict[str, float]:
    """Weights of the categories for one draw, such that files without some of them change the mix little."""
    return {category: weight * _SCARCITY.get(category, 1.0) for category, weight in weights.items()}


def _only(weights: dict[str, float], names: Iterable[str]) -> dict[str, float]:
    return {name: weights.get(name, 0.0) for name in names}


def _kinds_by_preference(
    draws: Draws, settings: SplitSettings, categories: dict[str, float], *, any_category: bool
) -> Iterator[str]:
    """The kinds of a drawn category, a drawn one first, then by weight; with `any_category` those of the others by weight."""
    if not sum(categories.values()) > 0:
        return
    drawn = _weighted(categories, draws)
    others = sorted(set(categories) - {drawn}, key=lambda category: (-categories[category], category))
    for category in [drawn, *(others if any_category else [])]:
        weights = _only(settings.kind_weights, KINDS[category])
        if categories[category] <= 0 or not sum(weights.values()) > 0:
            continue
        first = _weighted(weights, draws)
        for kind in sorted(weights, key=lambda kind: (kind != first, -weights[kind])):
            if weights[kind] > 0:
                yield kind


def _weighted(weights: dict[str, float], draws: Draws) -> str:
    point = draws.uniform() * sum(weights.values())
    for name, weight in weights.items():
        point -= weight
        if point < 0:
            return name
    return next(reversed(weights))


def _rows(count: int, draws: Draws) -> Iterator[int]:
    """Up to MAX_TRIES different rows below `count`, in a drawn order: steps of a drawn stride coprime to `count`."""
    position, stride = draws.below(count), draws.below(count) or 1
    while gcd(stride, count) != 1:
        stride += 1
    for _ in range(min(count, MAX_TRIES)):
        yield position
        position = (position + stride) % count
