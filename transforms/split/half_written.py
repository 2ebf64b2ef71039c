"""Half-written contexts: what stands around a middle while the file is being written.

Code on the internet is finished, code in an editor is not. One to three edit operations leave out, break off or disturb
code around a middle. They are recorded, so that undoing them restores the original, and they never touch the middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

from stackfim.schemas.example import RANDOM_SPAN
from stackfim.transforms.draws import Draws
from stackfim.transforms.split.declarations import lost_declaration, names_in
from stackfim.transforms.split.edit_operations import OPERATIONS, Operation
from stackfim.transforms.split.edit_places import Place, open_bounds
from stackfim.transforms.split.edit_script import PREFIX, Edit, EditScript, is_irreparable
from stackfim.transforms.split.site import Refused, Site, check_no_free_copy
from stackfim.transforms.split.split_settings import HalfWrittenSettings
from stackfim.transforms.split.syntax import ParsedFile
from stackfim.transforms.split.worth import check_context

# The lines of the suffix that the check for a free copy looks at, and one more.
_NEAR_LINES = 21
# A prefix of more bytes is context enough.
_SHORT_BYTES = 1_024


@dataclass(frozen=True)
class HalfWritten:
    """A prefix and a suffix, what was done to them, and whether writing at the cursor can repair it."""

    prefix: bytes
    suffix: bytes
    edits: list[dict[str, Any]]
    """Rows of schemas.example.EDIT in the order in which they were made; an insertion at the cursor (`Site.typed`) comes last."""
    half_written: bool
    """Whether an operation edited the context; an insertion at the cursor does not count."""
    irreparable: bool

    @property
    def open_ended(self) -> bool:
        """Whether something visible was left out and the context is not irreparable: there is simply more to write."""
        left_out = any(edit["removed"].strip() for edit in self.edits)
        return left_out and not self.irreparable


def half_write(
    file: ParsedFile, site: Site, start: int, end: int, draws: Draws, settings: HalfWrittenSettings
) -> HalfWritten:
    """The context of a site, bytes [start, end) of the content in whole lines; half-written in a drawn share of cases.

    `draws` is a stream of the site's own. An operation gives way to another if it finds nothing to do, or would delete the
    only declaration of a name in the middle, or would leave the middle's last line right below it. What makes the middle's
    end true stays (see `edit_places.open_bounds`), so the site's `stop_reason` holds in both texts. A site with a partner is
    edited only as both halves allow; `around_partner` gives the other half.
    """
    script = EditScript(file.content, start, site.start, site.end, end)
    if site.kind.category != RANDOM_SPAN and draws.uniform() < settings.share:
        _edit(file, site, start, end, script, draws, settings)
    edits = [edit.row() for edit in script.edits]
    if site.typed:
        edits.append(Edit(PREFIX, site.kind.name, len(script.prefix), b"", site.typed).row())
    irreparable = bool(edits) and script.is_irreparable(file.content[start:end])
    return HalfWritten(script.prefix + site.typed, script.suffix, edits, bool(script.edits), irreparable)


def around_partner(file: ParsedFile, partner: Site, start: int, end: int, context: HalfWritten) -> HalfWritten:
    """The context of the half of a pair that has a middle, with the edits of `context`, that of its silent half."""
    prefix = context.prefix[: len(context.prefix) - (partner.end - partner.start)]
    irreparable = context.irreparable and is_irreparable(file.content[start:end], prefix, context.suffix)
    return replace(context, prefix=prefix, irreparable=irreparable)


def _edit(
    file: ParsedFile, site: Site, start: int, end: int, script: EditScript, draws: Draws, settings: HalfWrittenSettings
) -> None:
    """Do as many operations as are drawn, or as many as find something to do."""
    written = site.partner or site
    before, after = open_bounds(file, site, start, end)
    if written is not site:
        before = min(before, open_bounds(file, written, start, end)[0])
    place = Place(file, site, start, before, after, end, script)
    wanted = 1 + _weighted(list(settings.count_weights), draws)
    # Without statements there are no declarations either.
    names = names_in(file.content[written.start : written.end]) if file.language.blocks else frozenset()
    drawn = _drawn(settings.operation_weights, draws)
    order = list(OPERATIONS.values())
    first = sorted(islice(drawn, wanted), key=order.index)
    done = 0
    last_resorts: list[Operation] = []
    for operation in chain(first, drawn):
        if done == wanted:
            return
        if operation.is_last_resort and operation not in first:
            last_resorts.append(operation)
        else:
            done += _operate(operation, place, written, names, draws)
    for operation in last_resorts:
        if done:
            return
        done += _operate(operation, place, written, names, draws)


def _operate(operation: Operation, place: Place, written: Site, names: frozenset[bytes], draws: Draws) -> bool:
    """Do one operation, or leave the script as it was; whether it was done. `written` is the site with the middle."""
    file, script = place.file, place.script
    middle = written.start, written.end
    done = 0
    try:
        changes = operation.changes(place, draws)
        if (
            names
            and lost_declaration(file, names, middle, (place.start, place.end), script.changes, changes) is not None
        ):
            raise Refused("only_declaration")
        for change in changes:
            script.add(operation.name, change)
            done += 1
        if written.end > written.start and any(change.start >= written.end for change in changes):
            near = b"\n".join(script.suffix.split(b"\n", _NEAR_LINES)[:_NEAR_LINES])
            check_no_free_copy(file.content[middle[0] : middle[1]].decode("utf-8"), near.decode("utf-8"))
        if len(script.prefix) < _SHORT_BYTES:
            check_context(script.prefix + script.suffix, len(script.prefix), len(script.prefix))
    except Refused:
        script.undo_last(done)
        return False
    return True


def _drawn(weights: dict[str, float], draws: Draws) -> Iterator[Operation]:
    """All operations with a weight above 0 in a drawn order, heavier ones sooner; each is drawn when it is needed."""
    left = {name: weights[name] for name in OPERATIONS if weights.get(name, 0.0) > 0}
    while left:
        name = list(left)[_weighted(list(left.values()), draws)]
        del left[name]
        yield OPERATIONS[name]


def _weighted(weights: list[float], draws: Draws) -> int:
    """A drawn index, by weight."""
    point = draws.uniform() * sum(weights)
    for index, weight in enumerate(weights):
        point -= weight
        if point < 0:
            return index
    return len(weights) - 1
