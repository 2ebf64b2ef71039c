"""Which sites of a file become examples.

Sampling is local to a file, so that files can be streamed. A file has slots by its length. A slot draws a category and a
kind by their weights, then lines in a drawn order until one of them gives a site. Where no line does, the next kind of the
category by weight is tried. A slot whose category the file does not have gives nothing, so that the mix holds; only where
that is so for all slots of a file, one of them takes the next category by weight. All draws come from content, slot and seed.

A slot that draws `accept_then_stop` draws a site with a middle too, and gives both halves of the pair: the middle is one
more example. The weights by which categories are drawn compensate for that.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from math import ceil, gcd

from stackfim.schemas.example import EMPTY, MULTI_LINE, SINGLE_LINE
from stackfim.transforms.draws import Draws
from stackfim.transforms.split.kinds import CATEGORY_WEIGHTS, KIND_BY_NAME, KINDS_BY_CATEGORY
from stackfim.transforms.split.neutral_hole import NOT_NEUTRAL, Hole, are_neutral, hole_of, needs_neutral_hole
from stackfim.transforms.split.pair import accept_then_stop
from stackfim.transforms.split.parser import BudgetedParser
from stackfim.transforms.split.site import Finder, Kind, Refused, Site, check_no_free_copy
from stackfim.transforms.split.split_settings import SplitSettings
from stackfim.transforms.split.syntax import ParsedFile
from stackfim.transforms.split.worth import check_context

# Lines tried for one kind before the next kind has its turn; all lines of a small file are.
MAX_TRIES = 32
# In a tree with errors a small change has effects far away: after this many holes that were not neutral, no more are tried.
MAX_FAILED_HOLES = 1
# Bytes of the suffix that the check for a free copy looks at: more than 20 lines of code.
_NEAR_BYTES = 8_192

# How much more often than requested a category is drawn, since short files, data and markup may not have it: measured on
# 30,000 files of 39 languages.
_SCARCITY = {EMPTY: 1.05, MULTI_LINE: 1.09}

# The categories of the other half of a pair.
_PARTNERS = (SINGLE_LINE, MULTI_LINE)


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
    """Draws the sites of one file; takes no place twice."""

    def __init__(self, file: ParsedFile, parser: BudgetedParser, settings: SplitSettings) -> None:
        self.file = file
        self.parser = parser
        self.settings = settings
        self.refusals: Counter[str] = Counter()
        self.taken: set[tuple[int, int]] = set()
        self.weights = _compensated(draw_weights(settings))
        self.absent: set[str] = set()
        """Names of kinds that no line tried for an earlier slot gave: the file is taken not to have them."""
        if not file.language.has_statements:
            self.absent.update(name for name, kind in KIND_BY_NAME.items() if kind.needs_statements)
        self.absent_in_pairs: set[str] = set()
        """Names of kinds that no line tried gave together with the silence after them."""
        self.check_each = False
        """Whether the neutral hole of each site is checked when it is drawn, not for all sites together afterwards."""

    def draw(self, draws: Draws, *, any_category: bool = False) -> list[Site]:
        """The site or the pair for one slot: of the kind drawn, or of the next kind in its category that the file has.

        Empty where the file has none; with `any_category` the other categories follow the drawn one, by weight.
        """
        for kind in _kinds_by_preference(draws, self.settings, self.weights, any_category=any_category):
            if kind.name in self.absent:
                continue
            sites = self._pair(draws) if kind.find is None else self._first(kind.find, draws)
            if sites:
                self.taken.update(_place(self.file, site) for site in sites)
                return sites
            self.absent.add(kind.name)
        return []

    def _pair(self, draws: Draws) -> list[Site]:
        """A site with a middle after which silence is right, and that silence; empty where the file has none."""
        partners = _only(self.settings.category_weights, _PARTNERS)
        for kind in _kinds_by_preference(draws, self.settings, partners, any_category=True):
            if kind.find is not None and kind.name not in self.absent and kind.name not in self.absent_in_pairs:
                sites = self._first(kind.find, draws, paired=True)
                if sites:
                    return sites
                self.absent_in_pairs.add(kind.name)
        return []

    def _first(self, find: Finder, draws: Draws, *, paired: bool = False) -> list[Site]:
        """The site on the first line, in a drawn order, that gives one; with `paired` also the silence after it."""
        for line in _drawn_lines(len(self.file.lines), draws):
            if self.file.lines.first_visible(line) < 0:
                continue
            try:
                site = find(self.file, line, draws, self.settings.limits)
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
        """Those of `sites` whose hole is not neutral.

        Holes of different blocks share a parse, and have one each if that fails. Two holes of one block never share one:
        side by side they could hide each other.
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
        neutral = are_neutral(self.file.lines, self.file.tree, self.parser, holes)
        if not neutral and len(holes) == 1 and not self.check_each:
            self.refusals[NOT_NEUTRAL] += 1
        return neutral


def _place(file: ParsedFile, site: Site) -> tuple[int, int]:
    """A site's offsets, without the line break that its middle may hold."""
    return site.start, site.start + len(file.content[site.start : site.end].rstrip())


def draw_weights(settings: SplitSettings) -> dict[str, float]:
    """Weights of the categories for one draw, such that all examples, partners of pairs included, come in the mix requested.

    If a share e of the examples is EMPTY and a share a of these is in pairs, a draw gives 1 / (1 - ae) examples; SINGLE_LINE
    and MULTI_LINE are drawn less often by as much as the partners add to them.
    """
    weights = _only(settings.category_weights, CATEGORY_WEIGHTS)
    kinds = _weights_of(KINDS_BY_CATEGORY[EMPTY], settings)
    total, partners = sum(weights.values()), sum(weights[category] for category in _PARTNERS)
    if not (partners > 0 and sum(kinds.values()) > 0):
        return weights
    # The type is stated for mypyc, which otherwise takes the sum for an integer.
    in_pairs: float = sum(weight for name, weight in kinds.items() if KIND_BY_NAME[name].find is None)
    share = in_pairs / sum(kinds.values()) * weights[EMPTY] / total
    left = max(1 - share * total / partners, 0.0)
    return {category: weight * (left if category in _PARTNERS else 1.0) for category, weight in weights.items()}


def _compensated(weights: dict[str, float]) -> dict[str, float]:
    """Weights of the categories for one draw, raised for those that some files do not have."""
    return {category: weight * _SCARCITY.get(category, 1.0) for category, weight in weights.items()}


def _only(weights: dict[str, float], names: Iterable[str]) -> dict[str, float]:
    return {name: weights.get(name, 0.0) for name in names}


def _weights_of(kinds: tuple[Kind, ...], settings: SplitSettings) -> dict[str, float]:
    return {kind.name: settings.kind_weights.get(kind.name, 0.0) for kind in kinds}


def _kinds_by_preference(
    draws: Draws, settings: SplitSettings, categories: dict[str, float], *, any_category: bool
) -> Iterator[Kind]:
    """The kinds of a drawn category, a drawn one first, then by weight; with `any_category` then those of the others."""
    if not sum(categories.values()) > 0:
        return
    drawn = _weighted(categories, draws)
    others = sorted(set(categories) - {drawn}, key=lambda category: (-categories[category], category))
    for category in [drawn, *(others if any_category else [])]:
        weights = _weights_of(KINDS_BY_CATEGORY[category], settings)
        if categories[category] <= 0 or not sum(weights.values()) > 0:
            continue
        first = _weighted(weights, draws)
        for name in sorted(weights, key=lambda name: (name != first, -weights[name])):
            if weights[name] > 0:
                yield KIND_BY_NAME[name]


def _weighted(weights: dict[str, float], draws: Draws) -> str:
    point = draws.uniform() * sum(weights.values())
    for name, weight in weights.items():
        point -= weight
        if point < 0:
            return name
    return next(reversed(weights))


def _drawn_lines(count: int, draws: Draws) -> Iterator[int]:
    """Up to MAX_TRIES different numbers below `count`, in a drawn order: steps of a drawn stride coprime to `count`."""
    position, stride = draws.below(count), draws.below(count) or 1
    while gcd(stride, count) != 1:
        stride += 1
    for _ in range(min(count, MAX_TRIES)):
        yield position
        position = (position + stride) % count
