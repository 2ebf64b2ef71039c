"""Edits are recorded so that undoing them restores the original byte for byte, and show whether a context can be repaired."""

import random
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stackfim.transforms.split.edit_script import (
    PREFIX,
    SUFFIX,
    Change,
    Edit,
    EditScript,
    is_irreparable,
)
from stackfim.transforms.split.site import Refused
from stackfim.transforms.verify.row_invariants import undone as undone_by_the_verifier

# White space of several kinds beside visible characters of one to four bytes, few enough for texts to repeat themselves.
LETTERS = "aab(é日𝒳 \n\t\u00a0\u2028\u0085\x1c\r\n"
TEXTS = st.text(st.sampled_from(LETTERS), max_size=40)


Context = tuple[str, str, str, str, str, list[tuple[str, Change]]]
"""The text before a context, its prefix, middle and suffix, the text after it, and changes of each side in bytes."""


@st.composite
def contexts(draw: st.DrawFn) -> Context:
    """A context with changes of its two sides."""
    before, prefix, middle, suffix, after = (draw(TEXTS) for _ in range(5))
    changes = []
    starts = {PREFIX: before, SUFFIX: before + prefix + middle}
    for _ in range(draw(st.integers(0, 6))):
        side, text = draw(st.sampled_from([(PREFIX, prefix), (SUFFIX, suffix)]))
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(start + 12, len(text))))
        inserted = draw(st.one_of(st.just(""), st.text(st.sampled_from(LETTERS), max_size=4)))
        if start < end or inserted:
            first = len(starts[side].encode())
            first_byte, last_byte = (first + len(text[:place].encode()) for place in (start, end))
            changes.append((side, Change(first_byte, last_byte, inserted.encode())))
    return before, prefix, middle, suffix, after, changes


def scripted(context: Context) -> tuple[EditScript, bytes, list[tuple[str, Change]]]:
    """The script of a context, the content, and the changes that the script accepted."""
    before, prefix, middle, suffix, after, changes = context
    content = (before + prefix + middle + suffix + after).encode()
    start, cursor, end_of_middle, end = accumulate(len(text.encode()) for text in (before, prefix, middle, suffix))
    script = EditScript(content, start, cursor, end_of_middle, end)
    taken = []
    for _, change in changes:
        try:
            script.add("kind", change)
        except (Refused, ValueError):
            continue
        # Without a middle an insertion at the cursor is one of the prefix.
        taken.append((script.edits[-1].side, change))
    return script, content, taken


def visible(text: str) -> str:
    return "".join(letter for letter in text if not letter.isspace())


def applied(text: bytes, edits: list[Edit]) -> bytes:
    """A side after edits, each of which fits where it says."""
    for edit in edits:
        end = edit.offset + len(edit.removed)
        assert text[edit.offset : end] == edit.removed
        text = text[: edit.offset] + edit.inserted + text[end:]
    return text


def cannot_be_repaired(original: str, prefix: str, suffix: str) -> bool:
    """The definition, letter by letter."""
    whole, head, tail = visible(original), visible(prefix), visible(suffix)
    return not any(
        whole == head + whole[len(head) : len(head) + length] + tail
        for length in range(max(len(whole) - len(head), 0) + 1)
    )


@given(contexts())
def test_undoing_gives_the_original(context: Context) -> None:
    script, _, _ = scripted(context)
    row = {"prefix": script.prefix.decode(), "middle": context[2], "suffix": script.suffix.decode()}
    edits = [edit.row() for edit in script.edits]
    assert undone_by_the_verifier({**row, "edits": edits}) == tuple(text.encode() for text in context[1:4])
    for side, text, edited in ((PREFIX, context[1], script.prefix), (SUFFIX, context[3], script.suffix)):
        of_side = [edit for edit in script.edits if edit.side == side]
        assert applied(text.encode(), of_side) == edited
        backwards = [edit._replace(removed=edit.inserted, inserted=edit.removed) for edit in reversed(of_side)]
        assert applied(edited, backwards) == text.encode()


@given(contexts())
@example(("", "", "", "aa", "", [(PREFIX, Change(0, 0, b"a")), (SUFFIX, Change(1, 2))]))
def test_the_order_of_edits_does_not_change_the_text(context: Context) -> None:
    """Edits are given in bytes of the content, so the text is the same as if all were made at once."""
    script, content, taken = scripted(context)
    for side, edited in ((PREFIX, script.prefix), (SUFFIX, script.suffix)):
        text, position = b"", len(context[0].encode())
        end = position + len(context[1].encode())
        if side == SUFFIX:
            position = end + len(context[2].encode())
            end = position + len(context[3].encode())
        for change in sorted(change for of_side, change in taken if of_side == side):
            text += content[position : change.start] + change.inserted
            position = change.end
        assert edited == text + content[position:end]


@given(contexts(), st.integers(0, 6))
def test_the_last_edits_can_be_taken_back(context: Context, count: int) -> None:
    script, _, taken = scripted(context)
    count = min(count, len(taken))
    script.undo_last(count)
    fewer, _, _ = scripted((*context[:5], taken[: len(taken) - count]))
    assert (script.prefix, script.suffix, script.edits) == (fewer.prefix, fewer.suffix, fewer.edits)


@given(contexts())
def test_whether_a_context_can_be_repaired_is_told_as_defined(context: Context) -> None:
    script, _, _ = scripted(context)
    original = "".join(context[1:4])
    wanted = cannot_be_repaired(original, script.prefix.decode(), script.suffix.decode())
    assert script.is_irreparable(original.encode()) == wanted
    assert is_irreparable(original.encode(), script.prefix, script.suffix) == wanted


@given(TEXTS, TEXTS, TEXTS)
def test_texts_of_any_origin_are_told_as_defined(original: str, prefix: str, suffix: str) -> None:
    assert is_irreparable(original.encode(), prefix.encode(), suffix.encode()) == cannot_be_repaired(
        original, prefix, suffix
    )


@pytest.mark.parametrize("seed", range(200))
def test_long_texts_that_differ_late_are_told_as_defined(seed: int) -> None:
    """Differences beyond the bytes that are compared first, in texts that repeat themselves."""
    draw = random.Random(seed)
    original = "".join(draw.choice(["ab ", "ab\n", "é", "(  "]) for _ in range(400))
    cut = draw.randrange(1, len(original) - 1)
    prefix, suffix = original[:cut], original[cut:]
    for _ in range(draw.randrange(3)):
        at = draw.randrange(len(prefix))
        prefix = prefix[:at] + draw.choice(["", " ", "b"]) + prefix[at + draw.randrange(3) :]
        at = draw.randrange(len(suffix)) if suffix else 0
        suffix = suffix[:at] + draw.choice(["", "\n", "b"]) + suffix[at + draw.randrange(3) :]
    wanted = cannot_be_repaired(original, prefix, suffix)
    assert is_irreparable(original.encode(), prefix.encode(), suffix.encode()) == wanted


def test_long_gaps_of_white_space_are_no_difference() -> None:
    gap = b" \n" * 2_000
    original = b"ab" + gap + b"cd" + gap + b"ef" + gap + b"gh"
    assert not is_irreparable(original, b"abcd", b"efgh")
    assert not is_irreparable(original, b"abcd" + gap, b"h")
    assert is_irreparable(original, b"abc" + gap + b"e", b"gh")
    assert is_irreparable(original, b"ab", b"cgh")


def test_prefix_and_suffix_may_not_overlap_in_the_original() -> None:
    assert not is_irreparable(b"aaa", b"aa", b"a")
    assert is_irreparable(b"aaa", b"aa", b"aa")
    assert not is_irreparable(b"a b", b"a \n\n", b"\tb")
    assert is_irreparable(b"a b", b"a c", b"b")


@given(contexts())
def test_changes_that_meet_are_refused(context: Context) -> None:
    """No byte is changed twice, and no insertion stands at the edge of another change, where its place would be open."""
    _, _, taken = scripted(context)
    for index, (_, change) in enumerate(taken):
        for _, other in taken[:index]:
            apart = change.end < other.start or other.end < change.start
            both_delete = change.start < change.end and other.start < other.end
            assert apart or (both_delete and (change.end == other.start or other.end == change.start))


@pytest.mark.parametrize(
    "change",
    [Change(1, 3), Change(7, 9), Change(4, 5), Change(3, 6), Change(5, 7), Change(2, 2), Change(3, 2), Change(8, 10)],
    ids=str,
)
def test_what_is_no_edit_of_a_side_raises(change: Change) -> None:
    """The content is `0123456789`, the context bytes 2 to 8, the middle 4 to 6."""
    script = EditScript(b"0123456789", 2, 4, 6, 8)
    with pytest.raises(ValueError, match="kind: Change.*, expected an edit within bytes [26] to [48]"):
        script.add("kind", change)
    assert (script.prefix, script.suffix, script.edits) == (b"23", b"67", [])
