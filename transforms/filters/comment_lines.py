"""The comments of a file's head, line by line: notices of generators and license headers are looked for in them.

A notice in a string of several lines is about what the program writes, not about the program, so such strings do not count;
a docstring that no code precedes is a comment.
"""

import re
from collections.abc import Iterator

from stackfim.transforms.file_head import without_mark
from stackfim.transforms.filters.cpu_budget import check_budget
from stackfim.transforms.languages import Language, language_row
from stackfim.transforms.languages.comments import ANY_BLOCK_COMMENTS, ANY_COMMENT

_DOCSTRING = re.compile(rb"[rRuUbB]{0,2}(\"\"\"|''')")
# Where code begins a string of several lines, such as the template of what a generator writes.
_LONG_STRING = re.compile(rb"(\"\"\"|'''|`)|<<[~-]?[\"']?([A-Za-z_]\w*)")


def comment_lines(lines: list[bytes], language: str) -> Iterator[tuple[int, int, bytes]]:
    """Number, indentation in bytes and words of each line that is a comment.

    `lines` are those of a file from its start, without line breaks. A comment after code does not count. Where the markers
    of the language are not known, those of any language do.
    """
    known = language_row(language)
    markers = known.comments
    blocks: tuple[tuple[bytes, bytes], ...]
    if markers is None:
        line_marker, blocks = ANY_COMMENT, ANY_BLOCK_COMMENTS
    else:
        begins = [*markers.line, *([markers.block[0]] if markers.block else [])]
        line_marker = re.compile(b"|".join(re.escape(begin.strip()) for begin in begins))
        blocks = (markers.block,) if markers.block else ()
    end: bytes | None = None
    in_text = False
    code_seen = False
    for number, line in enumerate(lines):
        check_budget()
        text = without_mark(line) if number == 0 else line
        bare = text.lstrip()
        indent = len(text) - len(bare)
        docstring = _DOCSTRING.match(bare) if markers and markers.docstrings and not code_seen and end is None else None
        if end is not None:
            if not in_text:
                yield number, indent, bare
            if end in bare:
                end, in_text = None, False
        elif docstring:
            yield number, indent, bare[docstring.end() :]
            end = None if docstring.group(1) in bare[docstring.end() :] else docstring.group(1)
        elif line_marker.match(bare):
            yield number, indent, bare
            opened = next((block for block in blocks if bare.startswith(block[0])), None)
            if opened and opened[1] not in bare[len(opened[0]) :]:
                end = opened[1]
        elif bare:
            code_seen = True
            end = _opened_text(bare, known)
            in_text = end is not None


def _opened_text(line: bytes, language: Language) -> bytes | None:
    """The mark that ends the string of several lines that a line of code begins; None where it begins none."""
    opened: bytes | None = None
    for fence, tag in _LONG_STRING.findall(line):
        if fence in language.long_strings and opened in (None, fence):
            opened = None if opened else fence
        elif tag and opened is None and language.heredocs:
            opened = tag
    return opened
