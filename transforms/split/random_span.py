"""Uniform character spans, as StarCoder, Code Llama and DeepSeek-Coder made their examples.

Models trained on structured middles alone fail at spans that follow no structure (AST-FIM), so a mix needs some of these.
"""

from stackfim.schemas.example import RANDOM_SPAN
from stackfim.transforms.draws import Draws
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.single_line import statement_type
from stackfim.transforms.split.site import NEWLINE_IN_MIDDLE, NEWLINE_IN_SUFFIX, NO_NEWLINE, Kind, Refused, Site
from stackfim.transforms.split.syntax import ParsedFile


def random_span(file: ParsedFile, _line: int, draws: Draws, limits: MultiLineLimits) -> Site:
    """1 to `limits.max_chars` characters from any character of the file on, both drawn uniformly, whatever the line.

    Raises Refused for spans with nothing visible or more lines than the limits allow.
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
        UNIFORM_SPAN,
        start,
        end,
        node_type=statement_type(file, start),
        newline_owner=_owner(file, end),
        bracket_delta=file.bracket_delta(start, end),
    )


def _whole(content: bytes, offset: int) -> int:
    """The start of the character that holds byte `offset`; a CRLF counts as one character."""
    while offset and content[offset] & 0xC0 == 0x80:
        offset -= 1
    return offset - 1 if offset and content[offset - 1 : offset + 1] == b"\r\n" else offset


def _owner(file: ParsedFile, end: int) -> str:
    """Which side holds the line break of the span's last line; none where visible text follows the span on that line."""
    if file.content[end - 1 : end] == b"\n":
        return NEWLINE_IN_MIDDLE
    line = file.lines.line_of(end) if end < len(file.content) else len(file.lines) - 1
    blank = not file.content[end : file.lines.end(line)].strip()
    return NEWLINE_IN_SUFFIX if blank and file.lines.line_break(line) else NO_NEWLINE


UNIFORM_SPAN = Kind("random_span", RANDOM_SPAN, weight=1.0, needs_statements=False, find=random_span)
