"""What is left of prefix and suffix: whole lines nearest to the cursor, as many as fit."""

from collections.abc import Callable
from typing import Protocol

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.transforms.render.budget import Characters, Side, first_lines, fit, last_lines, lines_at_cursor
from stackfim.transforms.render.token_side import TokenSide
from stackfim.transforms.render.tokens import TextEncoder

LINES = st.lists(st.text(st.sampled_from("ab  (é\t1漢"), max_size=12), max_size=10)
TEXTS = st.builds(lambda lines, end: end.join(lines), LINES, st.sampled_from(["\n", "\r\n", "\n\n"]))


class Measure(Protocol):
    """Makes sides of one kind."""

    def side(self, text: str, *, is_prefix: bool) -> Side: ...

    def total(self, text: str) -> int: ...


class CharacterMeasure:
    def side(self, text: str, *, is_prefix: bool) -> Side:
        return Characters(text)

    def total(self, text: str) -> int:
        return len(text)


class TokenMeasure:
    def __init__(self, encoder: TextEncoder) -> None:
        self.encoder = encoder

    def side(self, text: str, *, is_prefix: bool) -> Side:
        return TokenSide(text, self.encoder, self.encoder.total, is_prefix=is_prefix)

    def total(self, text: str) -> int:
        return self.encoder.total(text)


class Estimate(CharacterMeasure):
    """Sizes of pieces that are too low by a third, as of a tokenizer whose places to cut are not known."""

    def pieces(self, text: str) -> list[str]:
        return text.splitlines(keepends=True)

    def size(self, piece: str) -> int:
        return len(piece) * 2 // 3

    def side(self, text: str, *, is_prefix: bool) -> Side:
        return TokenSide(text, self, len, is_prefix=is_prefix)


def cut(measure: Measure, prefix: str, suffix: str, room: int) -> tuple[str, str] | None:
    return fit(measure.side(prefix, is_prefix=True), measure.side(suffix, is_prefix=False), room)


@pytest.fixture(scope="session", params=["characters", "gpt2", "qwen", "sentencepiece"])
def measure(request: pytest.FixtureRequest, definition: Callable[[str], str]) -> Measure:
    if request.param == "characters":
        return CharacterMeasure()
    return TokenMeasure(TextEncoder(definition(request.param)))


def test_what_fits_stays_whole(measure: Measure) -> None:
    prefix, suffix = "a\nb\nc", "d\ne"
    assert cut(measure, prefix, suffix, measure.total(prefix) + measure.total(suffix)) == (prefix, suffix)


@settings(max_examples=100)
@given(prefix=TEXTS, suffix=TEXTS, room=st.integers(-3, 80))
def test_whole_lines_nearest_to_the_cursor_stay(measure: Measure, prefix: str, suffix: str, room: int) -> None:
    check_whole_lines(measure, prefix, suffix, room)


@settings(max_examples=100)
@given(prefix=TEXTS, suffix=TEXTS, room=st.integers(-3, 80))
def test_sizes_that_are_too_low_are_made_up_for(prefix: str, suffix: str, room: int) -> None:
    check_whole_lines(Estimate(), prefix, suffix, room)


def check_whole_lines(measure: Measure, prefix: str, suffix: str, room: int) -> None:
    cursor_line, first_line = lines_at_cursor(prefix, suffix)
    found = cut(measure, prefix, suffix, room)
    if found is None:
        assert measure.total(cursor_line) + measure.total(first_line) > room
        return
    head, tail = found
    assert measure.total(head) + measure.total(tail) <= room
    assert prefix.endswith(head)
    assert suffix.startswith(tail)
    assert head == prefix or prefix[: len(prefix) - len(head)].endswith("\n")
    assert tail == suffix or tail.endswith("\n")
    assert head.endswith(cursor_line)
    assert tail.startswith(first_line)


@settings(max_examples=100)
@given(prefix=TEXTS, suffix=TEXTS, room=st.integers(0, 80))
def test_not_one_more_line_of_either_side_fits(prefix: str, suffix: str, room: int) -> None:
    found = cut(CharacterMeasure(), prefix, suffix, room)
    if found is None:
        return
    head, tail = found
    left = room - len(head) - len(tail)
    lines_left = prefix[: len(prefix) - len(head)].split("\n"), suffix[len(tail) :].split("\n")
    if tail != suffix:
        assert len(lines_left[1][0]) + ("\n" in suffix[len(tail) :]) > left
    if head != prefix and tail == suffix:
        assert len(lines_left[0][-2]) + 1 > left


def test_real_texts_use_the_room(measure: Measure, rows: pa.RecordBatch) -> None:
    used = cut_rows = 0
    for row in rows.select(["prefix", "suffix"]).slice(0, 100).to_pylist():
        whole = measure.total(row["prefix"]) + measure.total(row["suffix"])
        found = cut(measure, row["prefix"], row["suffix"], 700)
        if found is not None and whole > 700:
            used += measure.total(found[0]) + measure.total(found[1])
            cut_rows += 1
    assert cut_rows > 40
    assert used > 0.96 * 700 * cut_rows


def test_each_side_gets_half_when_both_are_long(measure: Measure) -> None:
    text = "value = other\n" * 100
    line = measure.total("value = other\n")
    found = cut(measure, text, text, 20 * line)
    assert found is not None
    head, tail = map(measure.total, found)
    assert 10 * line <= head + line <= 11 * line + line
    assert 9 * line <= tail <= 11 * line + line


def test_what_one_side_leaves_over_is_the_other_s(measure: Measure) -> None:
    text, line = "value = other\n" * 100, measure.total("value = other\n")
    for prefix, suffix in ((text, "x\n"), ("x\n", text)):
        found = cut(measure, prefix, suffix, 20 * line)
        assert found is not None
        assert len(min(found, key=len)) == 2
        assert 18 * line < measure.total(found[0]) + measure.total(found[1]) <= 20 * line


def test_a_long_line_at_the_cursor_takes_from_the_other_side(measure: Measure) -> None:
    long = "f(" * 80
    size = measure.total(long)
    head, tail = cut(measure, "above\n" + long, "x\n" * 200, size + 12) or ("", "")
    assert head.endswith(long)
    assert tail.startswith("x\n")
    head, tail = cut(measure, "x\n" * 200, long + "\nbelow\n", size + 12) or ("", "")
    assert tail.startswith(long + "\n")
    assert head.startswith("x\n")


def test_lone_carriage_returns_and_odd_separators_end_no_line(measure: Measure) -> None:
    assert cut(measure, "first\r second\u2028 third\x0c fourth " * 10, "", 20) is None


def test_a_size_above_that_of_the_pieces_is_respected() -> None:
    class Costly(Estimate):
        def side(self, text: str, *, is_prefix: bool) -> Side:
            return TokenSide(text, self, lambda part: len(part) + 7, is_prefix=is_prefix)

    text = "line\n" * 10
    found = cut(Costly(), text, text, 60)
    assert found is not None
    assert 60 - 5 < len(found[0]) + len(found[1]) + 14 <= 60
    assert cut(Costly(), "abc", "", 16) is None
    assert cut(Costly(), "abc", "", 17) == ("abc", "")


@given(text=TEXTS, chars=st.integers(0, 60))
def test_whole_lines_within_a_number_of_characters(text: str, chars: int) -> None:
    lines = text.splitlines(keepends=True)
    last, first = last_lines(text, chars), first_lines(text, chars)
    from_line = ["".join(lines[number:]) for number in range(len(lines) + text.endswith("\n"))]
    to_line = ["".join(lines[:number]) for number in range(1, len(lines) + 1)]
    assert last == next((part for part in from_line if len(part) <= chars), from_line[-1] if from_line else "")
    assert first == next((part for part in to_line[::-1] if len(part) <= chars), to_line[0] if to_line else "")
