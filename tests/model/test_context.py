"""The context that fits: whole lines, nearest to the cursor, never more than the budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.model.context import fit_context
from stackfim.model.tokenizer import Tokenizer

LINES = st.lists(st.text(st.sampled_from("ab  (é\t1"), max_size=12), max_size=12)
TEXTS = st.builds(lambda lines, end: end.join(lines), LINES, st.sampled_from(["\n", "\r\n"]))


def texts(tokenizer: Tokenizer, fitted: tuple[Sequence[int], Sequence[int]]) -> tuple[str, str]:
    return tokenizer.decode(fitted[0]), tokenizer.decode(fitted[1])


def test_what_fits_stays_whole(tokenizer: Tokenizer) -> None:
    prefix, suffix = "a\nb\nc", "d\ne"
    whole = (tokenizer.encode(prefix), tokenizer.encode(suffix))
    assert fit_context(tokenizer, prefix, suffix, len(whole[0]) + len(whole[1])) == whole


@settings(max_examples=400, deadline=None)
@given(TEXTS, TEXTS, st.integers(-3, 80))
def test_whole_lines_nearest_to_the_cursor_stay(tokenizer: Tokenizer, prefix: str, suffix: str, budget: int) -> None:
    cursor_line, first_line = prefix[prefix.rfind("\n") + 1 :], suffix[: suffix.find("\n") + 1] or suffix
    fitted = fit_context(tokenizer, prefix, suffix, budget)
    if fitted is None:
        assert len(tokenizer.encode(cursor_line)) + len(tokenizer.encode(first_line)) > budget
        return
    assert len(fitted[0]) + len(fitted[1]) <= budget
    head, tail = texts(tokenizer, fitted)
    assert prefix.endswith(head)
    assert suffix.startswith(tail)
    cut = len(prefix) - len(head)
    assert cut == 0 or prefix[cut - 1] == "\n"
    assert tail == suffix or tail.endswith("\n")
    assert head.endswith(cursor_line)
    assert tail.startswith(first_line)
    assert fitted == (tokenizer.encode(head), tokenizer.encode(tail))


def test_each_side_gets_half_when_both_are_long(tokenizer: Tokenizer) -> None:
    text = "value = other\n" * 100
    fitted = fit_context(tokenizer, text, text, 200)
    assert fitted is not None
    line = len(tokenizer.encode("value = other\n"))
    assert 100 - line <= len(fitted[0]) <= 100
    assert 100 - line <= len(fitted[1]) <= 100 + line


def test_what_one_side_leaves_over_is_the_other_s(tokenizer: Tokenizer) -> None:
    text, line = "value = other\n" * 100, len(tokenizer.encode("value = other\n"))
    for prefix, suffix in ((text, "x\n"), ("x\n", text)):
        fitted = fit_context(tokenizer, prefix, suffix, 200)
        assert fitted is not None
        assert 200 - line < len(fitted[0]) + len(fitted[1]) <= 200


def test_a_long_cursor_line_takes_from_the_suffix(tokenizer: Tokenizer) -> None:
    cursor_line = "f(" * 80
    fitted = fit_context(tokenizer, "above\n" + cursor_line, "x\n" * 200, len(tokenizer.encode(cursor_line)) + 8)
    assert fitted is not None
    head, tail = texts(tokenizer, fitted)
    assert head.endswith(cursor_line)
    assert tail.startswith("x\n")


def test_a_long_first_line_of_the_suffix_takes_from_the_prefix(tokenizer: Tokenizer) -> None:
    first_line = "f(" * 80 + "\n"
    fitted = fit_context(tokenizer, "x\n" * 200, first_line + "below\n", len(tokenizer.encode(first_line)) + 8)
    assert fitted is not None
    head, tail = texts(tokenizer, fitted)
    assert tail.startswith(first_line)
    assert head.startswith("x\n")


def test_a_cut_that_costs_a_token_costs_a_line(definition: dict[str, Any]) -> None:
    # In this vocabulary a line break merges with the next one only where a blank follows: "\n\n " is one token, "\n\n" two.
    alphabet = {token: number for token, number in definition["model"]["vocab"].items() if len(token) == 1}
    model = {**definition["model"], "merges": [["Ċ", "Ġ"], ["Ċ", "ĊĠ"]], "vocab": {**alphabet, "ĊĠ": 2000, "ĊĊĠ": 2001}}
    tokenizer = Tokenizer({**definition, "model": model})
    assert [tokenizer.decode([number]) for number in tokenizer.encode("a\n\n  b")] == ["a", "\n\n ", " ", "b"]
    fitted = fit_context(tokenizer, "", "a\n\n  b", 2)
    assert fitted is not None
    assert texts(tokenizer, fitted) == ("", "a\n")


def test_lone_carriage_returns_and_odd_separators_end_no_line(tokenizer: Tokenizer) -> None:
    prefix = "first\r second\u2028 third\x0c fourth " * 10
    assert fit_context(tokenizer, prefix, "", 20) is None
