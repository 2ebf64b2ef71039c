"""What is left of prefix and suffix: whole lines nearest to the cursor, as many as fit."""

from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.transforms.render.budget import Characters, Measure, fit, lines_at_cursor
from stackfim.transforms.render.tokens import TextEncoder

LINES = st.lists(st.text(st.sampled_from("ab  (é\t1漢"), max_size=12), max_size=10)
TEXTS = st.builds(lambda lines, end: end.join(lines), LINES, st.sampled_from(["\n", "\r\n", "\n\n"]))


class Estimate(Characters):
    """Sizes that are too low by a part, as of a tokenizer whose places to cut are not known."""

    def size(self, piece: str) -> int:
        return len(piece) * 2 // 3


@pytest.fixture(scope="session", params=["characters", "gpt2", "qwen", "sentencepiece"])
def measure(request: pytest.FixtureRequest, definition: Callable[[str], str]) -> Measure:
    return Characters() if request.param == "characters" else TextEncoder(definition(request.param))


def test_what_fits_stays_whole(measure: Measure) -> None:
    prefix, suffix = "a\nb\nc", "d\ne"
    assert fit(prefix, suffix, measure.total(prefix) + measure.total(suffix), measure) == (prefix, suffix)


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
    cut = fit(prefix, suffix, room, measure)
    if cut is None:
        assert measure.total(cursor_line) + measure.total(first_line) > room
        return
    head, tail = cut
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
    cut = fit(prefix, suffix, room, Characters())
    if cut is None:
        return
    head, tail = cut
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
        cut = fit(row["prefix"], row["suffix"], 700, measure)
        if cut is not None and whole > 700:
            used += measure.total(cut[0]) + measure.total(cut[1])
            cut_rows += 1
    assert cut_rows > 40
    assert used > 0.96 * 700 * cut_rows


def test_each_side_gets_half_when_both_are_long(measure: Measure) -> None:
    text = "value = other\n" * 100
    line = measure.total("value = other\n")
    cut = fit(text, text, 20 * line, measure)
    assert cut is not None
    head, tail = map(measure.total, cut)
    assert 10 * line <= head + line <= 11 * line + line
    assert 9 * line <= tail <= 11 * line + line


def test_what_one_side_leaves_over_is_the_other_s(measure: Measure) -> None:
    text, line = "value = other\n" * 100, measure.total("value = other\n")
    for prefix, suffix in ((text, "x\n"), ("x\n", text)):
        cut = fit(prefix, suffix, 20 * line, measure)
        assert cut is not None
        assert len(min(cut, key=len)) == 2
        assert 18 * line < measure.total(cut[0]) + measure.total(cut[1]) <= 20 * line


def test_a_long_line_at_the_cursor_takes_from_the_other_side(measure: Measure) -> None:
    long = "f(" * 80
    size = measure.total(long)
    head, tail = fit("above\n" + long, "x\n" * 200, size + 12, measure) or ("", "")
    assert head.endswith(long)
    assert tail.startswith("x\n")
    head, tail = fit("x\n" * 200, long + "\nbelow\n", size + 12, measure) or ("", "")
    assert tail.startswith(long + "\n")
    assert head.startswith("x\n")


def test_lone_carriage_returns_and_odd_separators_end_no_line(measure: Measure) -> None:
    assert fit("first\r second\u2028 third\x0c fourth " * 10, "", 20, measure) is None


def test_a_total_above_the_sum_is_respected() -> None:
    text = "line\n" * 10
    cut = fit(text, text, 60, Characters(), lambda head, tail: len(head) + len(tail) + 7)
    assert cut is not None
    assert len(cut[0]) + len(cut[1]) + 7 <= 60
    assert fit("abc", "", 9, Characters(), lambda head, tail: len(head) + 7) is None
