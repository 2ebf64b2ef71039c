"""The second half of a pair: once a middle has been written, silence is right.

`(P, M, S)` gives `(P+M, "", S)`: M is written, now stop. Both halves have one context and one group.
"""

from stackfim.schemas.example import EMPTY, RANDOM_SPAN
from stackfim.transforms.split.empty import check_complete, check_next_indent, unit_ending_at
from stackfim.transforms.split.empty_places import check_no_error, is_finished
from stackfim.transforms.split.single_line import statement_type
from stackfim.transforms.split.site import CLOSERS, NEWLINE_IN_MIDDLE, Kind, Refused, Site
from stackfim.transforms.split.syntax import ParsedFile


def accept_then_stop(file: ParsedFile, partner: Site) -> Site:
    """The cursor at the end of `partner`'s middle, which is not empty.

    Raises Refused unless the end proves that nothing has to follow: a statement ends there; or a finished token stands
    before it, and after it the rest of the line, or a closer on the next one.
    """
    if partner.kind.category in (EMPTY, RANDOM_SPAN):
        raise Refused("no_partner")
    if partner.newline_owner == NEWLINE_IN_MIDDLE:
        raise Refused("line_break_in_middle")
    end = partner.end
    path = file.path(end - 1)
    check_no_error(path, file)
    if file.in_multi_line_token(path, end):
        raise Refused("inside_multi_line_token")
    line = file.lines.line_of(end - 1)
    if file.lines.last_visible(line) == end:
        _check_end_of_line(file, line, end)
    elif not is_finished(file, path[-1]):
        raise Refused("dangling")
    return Site(
        ACCEPT_THEN_STOP,
        end,
        end,
        node_type=statement_type(file, end - 1),
        newline_owner=partner.newline_owner,
        partner=partner,
    )


def _check_end_of_line(file: ParsedFile, line: int, end: int) -> None:
    """Refuse the end of a line after which more has to follow."""
    path = file.path(end - 1)
    try:
        unit = unit_ending_at(file, path, end)
    except Refused:
        # Inside a statement of several lines: only its closers may follow.
        later = file.lines.next_visible_line(line)
        closed = later is not None and file.content[file.lines.first_visible(later)] in CLOSERS
        if not closed or not is_finished(file, path[-1]):
            raise Refused("dangling") from None
        return
    statement = check_complete(file, unit, end)
    check_next_indent(file, line, statement.start_point.row)


ACCEPT_THEN_STOP = Kind("accept_then_stop", EMPTY, weight=30.0, needs_statements=True, find=None)
