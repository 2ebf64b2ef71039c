"""Conversations of several turns in the forms that data sets have them."""

import json
from typing import Any

import pytest

from stackfim.transforms.mix.turns import Exchange, Turn, last_exchange


def turns(*texts: str, roles: tuple[str, str] = ("user", "assistant")) -> list[dict[str, Any]]:
    """Turns as `messages` have them: a question, its answer, and so on."""
    return [{"role": roles[number % 2], "content": text} for number, text in enumerate(texts)]


def sharegpt(*texts: str, roles: tuple[str, str] = ("human", "gpt")) -> list[dict[str, Any]]:
    """The same as ShareGPT has them."""
    return [{"from": roles[number % 2], "value": text} for number, text in enumerate(texts)]


TWO = Exchange((Turn("user", "q1"), Turn("assistant", "a1")), "q2", "a2")


@pytest.mark.parametrize(
    "value",
    [
        turns("q1", "a1", "q2", "a2"),
        sharegpt("q1", "a1", "q2", "a2"),
        sharegpt("q1", "a1", "q2", "a2", roles=("user", "chatgpt")),
        turns("q1", "a1", "q2", "a2", roles=("User", "model")),
        json.dumps(turns("q1", "a1", "q2", "a2")),
        turns("q1", "a1", "q2", "a2", "q3"),
        [{"from": "gpt", "value": "Welcome"}, *sharegpt("q1", "a1", "q2", "a2")],
        [*turns("q1", "a1", "q2", "a2", "q3"), {"role": "tool", "content": "42"}, *turns("q4", "a4")],
        [*turns("q1", "a1", "q2", "a2", "q3"), {"role": "assistant", "content": None, "tool_calls": []}],
        [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in
         (("user", "q1"), ("assistant", "a1"), ("user", "q2"), ("assistant", "a2"))],
        [dict(turn, **{"from": None, "value": None}) for turn in turns("q1", "a1", "q2", "a2")],
    ],
)  # fmt: skip
def test_the_last_answered_question_is_found_with_what_came_before(value: object) -> None:
    assert last_exchange(value) == TWO


def test_a_system_turn_comes_first_and_turns_of_one_side_are_one() -> None:
    value = [{"role": "system", "content": "Be brief."}, *turns("q1", "a1")]
    assert last_exchange(value) == Exchange((Turn("system", "Be brief."),), "q1", "a1")
    assert last_exchange([{"role": "developer", "content": "Be brief."}, *turns("q", "a")]) == Exchange(
        (Turn("system", "Be brief."),), "q", "a"
    )
    assert last_exchange([*turns("q1"), *turns("q2", "a")]) == Exchange((), "q1\n\nq2", "a")
    # A system turn in between belongs to no side that a template could put there.
    assert last_exchange([*turns("q1", "a1"), {"role": "system", "content": "x"}, *turns("q2", "a2")]) == TWO


@pytest.mark.parametrize(
    "value",
    [
        None, [], "", "{", "[1]", 5, turns("q"), [{"role": "assistant", "content": "a"}], turns("q", " "),
        [{"role": "system", "content": "s"}], [{"content": "q"}], [None],
        [{"role": "user", "content": [{"type": "image", "url": "x"}]}, {"role": "assistant", "content": "a"}],
    ],
)  # fmt: skip
def test_what_has_no_answered_question_gives_nothing(value: object) -> None:
    assert last_exchange(value) is None
