"""Which sites of a file become examples.

Sampling is local to a file, so that it streams: a file has slots by its length; a slot draws category and kind against
the weights, then lines in a drawn order until one of them gives a site. Where no line does, the next kind by weight is
tried. All draws come from content, slot and seed.
"""

from collections import Counter
from collections.abc import Iterator
from math import ceil, gcd

from transforms.split.draws import Draws
from transforms.split.empty import after_statement
from transforms.split.multi_line import block_body, rest_of_block, siblings
from transforms.split.neutral_hole import NOT_NEUTRAL, Hole, are_neutral, hole_of, needs_neutral_hole
from transforms.split.parser import BudgetedParser
from transforms.split.settings import KINDS, SplitSettings
from transforms.split.single_line import blank_line, token_to_eol
from transforms.split.site import Refused, Site, check_no_free_copy
from transforms.split.syntax import ParsedFile
from transforms.split.worth import check_context

# Lines tried for one kind before the next kind's turn; a small file is tried in full.
MAX_TRIES = 32
# Where a tree has errors, small changes change it far away: after so many holes that were not neutral no more are tried.
MAX_FAILED_HOLES = 1
# Bytes of suffix that the free-copy check looks at: 20 lines of code and more.
_NEAR_BYTES = 8_192


def sample_sites(
    file: ParsedFile, parser: BudgetedParser, content_id: str, settings: SplitSettings
) -> tuple[list[Site], Counter[str]]:
    """The sites drawn from a file, in order of slots, and how often each reason refused a candidate."""
    sampler = _Sampler(file, parser, settings)
    slots = min(settings.max_slots, ceil(len(file.lines) / settings.lines_per_slot))
    draws = [Draws(content_id, slot, settings.seed) for slot in range(slots)]
    drawn = [sampler.draw(stream) for stream in draws]
    failed = sampler.not_neutral([site for site in drawn if site is not None])
    sampler.check_each = True
    sites = [sampler.draw(stream) if site in failed else site for stream, site in zip(draws, drawn, strict=True)]
    return [site for site in sites if site is not None], sampler.refusals


class _Sampler:
    """Draws the sites of one file; no place is taken twice."""

    def __init__(self, file: ParsedFile, parser: BudgetedParser, settings: SplitSettings) -> None:
        self.file = file
        self.parser = parser
        self.settings = settings
        self.refusals: Counter[str] = Counter()
        self.taken: set[tuple[int, int]] = set()
        self.absent: set[str] = set()
        """Kinds that no line tried for an earlier slot gave: the file is taken not to have them."""
        self.check_each = False
        """Whether each site is asked for its neutral hole when drawn, not all at once afterwards."""

    def draw(self, draws: Draws) -> Site | None:
        """A site for one slot: of the kind drawn, or of the next one that the file has; None where it has none."""
        for _category, kind in _kinds_by_preference(draws, self.settings):
            if kind in self.absent:
                continue
            for row in _rows(len(self.file.lines), draws):
                if self.file.lines.first_visible(row) < 0:
                    continue
                try:
                    site = _site_on(self.file, kind, row, draws, self.settings)
                    self._check(site)
                except Refused as refused:
                    self.refusals[str(refused)] += 1
                    continue
                self.taken.add(_place(self.file, site))
                return site
            self.absent.add(kind)
        return None

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


def _kinds_by_preference(draws: Draws, settings: SplitSettings) -> Iterator[tuple[str, str]]:
    """A drawn category and kind, then the others: kinds of the same category by weight, then categories by weight."""
    drawn = _weighted({category: settings.category_weights.get(category, 0.0) for category in KINDS}, draws)
    categories = sorted(KINDS, key=lambda category: (category != drawn, -settings.category_weights.get(category, 0.0)))
    for category in categories:
        if settings.category_weights.get(category, 0.0) <= 0:
            continue
        weights = {kind: settings.kind_weights.get(kind, 0.0) for kind in KINDS[category]}
        first = _weighted(weights, draws)
        for kind in sorted(weights, key=lambda kind: (kind != first, -weights[kind])):
            if weights[kind] > 0:
                yield category, kind


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


def _site_on(file: ParsedFile, kind: str, row: int, draws: Draws, settings: SplitSettings) -> Site:
    match kind:
        case "after_statement":
            return after_statement(file, row, draws)
        case "token_to_eol":
            return token_to_eol(file, row, draws)
        case "blank_line":
            return blank_line(file, row, draws)
        case "block_body":
            return block_body(file, row, draws, settings.limits)
        case "rest_of_block":
            return rest_of_block(file, row, draws, settings.limits)
        case "siblings":
            return siblings(file, row, draws, settings.limits)
    raise AssertionError(f"no splitter for kind {kind!r}")
