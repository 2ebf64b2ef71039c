"""Uniform character spans, as StarCoder, Code Llama and DeepSeek-Coder made their examples.

The floor that mixes of structure alone lack: models trained without them fail at spans that follow no structure (AST-FIM).
"""

from stackfim.schemas.example import RANDOM_SPAN
from stackfim.transforms.draws import Draws
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.single_line import statement_type
from stackfim.transforms.split.site import NEWLINE_IN_MIDDLE, NEWLINE_IN_SUFFIX, NO_NEWLINE, Refused, Site
from stackfim.transforms.split.syntax import ParsedFile


def random_span(file: ParsedFile, _row: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """From any character of the file, for 1 to `limits.max_chars` characters; uniform in both, whatever the row.

    Raises Refused for spans with nothing visible or of more rows than the limits allow.
    """
    content = file.content
    start = _whole(content, draws.below(len(content)))
    length = 1 + draws.below(min(limits.max_chars, len(content) - start))
    # No character has more than four bytes.
    text = content[start : start + 4 * length].decode("utf-8", "ignore")[:length]
    end = start + len(text.encode())
    if content[end - 1 : end + 1] == b"\r\n":
        end -= 1
        text = text[:-1]
    if text.count("\n") >= limits.max_lines:
        raise Refused("over_the_cap")
    if not text.strip():
        raise Refused("blank_edge")
    return Site(
        RANDOM_SPAN,
        RANDOM_SPAN,  # the only kind of its category
        start,
        end,
        node_type=statement_type(file, start),
        newline_owner=_owner(file, end),
        bracket_delta=file.bracket_delta(start, end),
    )


def _whole(content: bytes, offset: int) -> int:
    """The start of the character that holds byte `offset`; the LF of a CRLF is not parted from its CR."""
    while offset and content[offset] & 0xC0 == 0x80:
        offset -= 1
    return offset - 1 if offset and content[offset - 1 : offset + 1] == b"\r\n" else offset


def _owner(file: ParsedFile, end: int) -> str:
    """Who holds the line break of the span's last line; nobody where visible text stands after the span on that line."""
    if file.content[end - 1 : end] == b"\n":
        return NEWLINE_IN_MIDDLE
    row = file.lines.row_of(end) if end < len(file.content) else len(file.lines) - 1
    blank = not file.content[end : file.lines.end(row)].strip()
    return NEWLINE_IN_SUFFIX if blank and file.lines.line_break(row) else NO_NEWLINE
