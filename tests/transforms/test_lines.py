"""Lines end at LF or CRLF; indents compare without a tab width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.lines import Indent, Lines, compare_indents

BLANKS = " \t\r\f\v"
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(["\n", "\r\n", "\r", " ", "\t", "\x0c", "\x0b", "\u2028", "\u0085", "a", "é", "日"]),
        st.text(max_size=3),
    ),
    max_size=30,
).map("".join)
INDENTS = st.text(" \t", max_size=6).map(str.encode)


def reference(text: str) -> list[tuple[str, str]]:
    """Each line of a text and its line break, by splitting at LF alone."""
    if not text:
        return [("", "")]
    parts = text.split("\n")
    lines = [(part.removesuffix("\r"), "\r\n" if part.endswith("\r") else "\n") for part in parts[:-1]]
    return lines + ([(parts[-1], "")] if parts[-1] else [])


@given(TEXTS)
def test_lines_and_line_breaks_are_the_whole_text(text: str) -> None:
    content = text.encode()
    lines = Lines(content)
    found = [(content[lines.starts[line] : lines.end(line)], lines.line_break(line)) for line in range(len(lines))]
    assert found == [(part.encode(), line_break.encode()) for part, line_break in reference(text)]
    assert b"".join(part + line_break for part, line_break in found) == content
    assert [lines.next_start(line) for line in range(len(lines))] == [*lines.starts[1:], len(content)]


@given(TEXTS)
def test_visible_edges_are_those_of_the_line_without_blanks(text: str) -> None:
    content = text.encode()
    lines = Lines(content)
    for line, (part, _) in enumerate(reference(text)):
        first, last = lines.first_visible(line), lines.last_visible(line)
        if not part.strip(BLANKS):
            assert (first, last) == (-1, -1)
            continue
        assert content[first:last].decode() == part.strip(BLANKS)
        assert content[lines.starts[line] : first].decode().strip(BLANKS) == ""
        assert lines.indent(line).decode() == part[: len(part) - len(part.lstrip(" \t"))]


@given(TEXTS)
def test_every_byte_belongs_to_one_line_and_a_line_break_to_the_line_that_it_ends(text: str) -> None:
    content = text.encode()
    lines = Lines(content)
    for offset in range(len(content)):
        assert lines.line_of(offset) == content.count(b"\n", 0, offset)


@given(TEXTS)
def test_a_point_is_the_line_breaks_before_an_offset_and_the_bytes_since_the_last_one(text: str) -> None:
    content = text.encode()
    lines = Lines(content)
    for offset in range(len(content) + 1):
        before = content[:offset]
        assert lines.point(offset) == (before.count(b"\n"), len(before) - before.rfind(b"\n") - 1)


@given(TEXTS)
def test_the_next_visible_line_skips_blank_lines_only(text: str) -> None:
    lines = Lines(text.encode())
    visible = [line for line in range(len(lines)) if lines.first_visible(line) >= 0]
    for line in range(len(lines)):
        assert lines.next_visible_line(line) == next((later for later in visible if later > line), None)


@pytest.mark.parametrize(
    ("content", "starts"),
    [
        (b"", [0]),
        (b"\n", [0]),
        (b"a", [0]),
        (b"a\n", [0]),
        (b"a\nb", [0, 2]),
        (b"a\r\nb\r\n", [0, 3]),
        (b"a\rb\x0cc\xe2\x80\xa8d\x0b\xc2\x85", [0]),
        (b"\n\n\n", [0, 1, 2]),
    ],
)
def test_only_lf_starts_a_line(content: bytes, starts: list[int]) -> None:
    assert Lines(content).starts == starts


@pytest.mark.parametrize(
    ("indent", "base", "expected"),
    [
        (b"", b"", Indent.EQUAL),
        (b"  ", b"    ", Indent.SHALLOWER),
        (b"    ", b"  ", Indent.DEEPER),
        (b"\t", b"        ", Indent.INCOMPARABLE),
        (b"\t  ", b"\t", Indent.DEEPER),
        (b"  \t", b"\t", Indent.INCOMPARABLE),
    ],
)
def test_an_indent_is_deeper_only_if_it_begins_with_the_other(indent: bytes, base: bytes, expected: Indent) -> None:
    assert compare_indents(indent, base) is expected


@given(INDENTS, INDENTS)
def test_comparing_the_other_way_round_is_the_opposite(one: bytes, other: bytes) -> None:
    opposite = {Indent.SHALLOWER: Indent.DEEPER, Indent.DEEPER: Indent.SHALLOWER}
    found = compare_indents(one, other)
    assert compare_indents(other, one) is opposite.get(found, found)
    assert (found is Indent.EQUAL) == (one == other)


@given(st.lists(st.tuples(INDENTS, st.text("ab \t", max_size=8)), max_size=8), st.integers(0, 60))
def test_a_deep_indent_is_one_of_more_columns_than_the_limit(drawn: list[tuple[bytes, str]], limit: int) -> None:
    """A tab goes on to the next column that 8 divides, as the grammars' scanners count."""
    lines = [indent + text.encode() for indent, text in drawn]
    widths = [len(line[: len(line) - len(line.lstrip(b" \t"))].expandtabs(8)) for line in lines]
    assert Lines(b"\n".join(lines)).has_deep_indent(limit) == any(width > limit for width in widths)
