"""Conversations of several turns, as `messages` (role, content) and as ShareGPT's `conversations` (from, value) have them.

The last question and its answer are what is learned; the turns before them are its context.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stackfim.schemas.mixed import ASSISTANT, SYSTEM, USER

TURN_COLUMNS = ("messages", "conversations", "conversation")
"""Columns of turns, of which the first that a source has counts."""

_ROLES = {
    **dict.fromkeys(("system", "developer"), SYSTEM),
    **dict.fromkeys(("user", "human", "prompter"), USER),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "model", "bing", "bard", "claude"), ASSISTANT),
}
"""What data sets call the three roles."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side says."""

    role: str
    """`system`, `user` or `assistant`."""
    content: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer, with what came before."""

    before: tuple[Turn, ...]
    """Turns of system, user and assistant; a system turn comes first, then questions and answers alternate."""
    question: str
    answer: str


def last_exchange(value: Any) -> Exchange | None:
    """The last question of a user that is answered, with all turns before it; None where there is none.

    `value` is a list of turns, or that list as JSON text. It is read up to the first turn that is none of the three
    roles, such as a call of a tool, or has something other than text. Turns of one side in a row are one turn, and answers
    before the first question are left out.
    """
    turns: list[Turn] = []
    for turn in _readable(value):
        if turns and turns[-1].role == turn.role:
            turns[-1] = Turn(turn.role, f"{turns[-1].content}\n\n{turn.content}")
        elif turn.role == USER or (turn.role == SYSTEM and not turns) or (turn.role == ASSISTANT and _asks(turns)):
            turns.append(turn)
    while turns and turns[-1].role != ASSISTANT:
        turns.pop()
    if not turns:
        return None
    *before, question, answer = turns
    return Exchange(tuple(before), question.content, answer.content)


def _asks(turns: Sequence[Turn]) -> bool:
    return bool(turns) and turns[-1].role == USER


def _readable(value: Any) -> Iterator[Turn]:
    """The turns up to the first that cannot be read."""
    for turn in _list_of(value):
        if not isinstance(turn, Mapping):
            return
        role = _ROLES.get(str(turn.get("role") or turn.get("from") or "").lower())
        content = _text(turn.get("content", turn.get("value")))
        if role is None or content is None:
            return
        yield Turn(role, content)


def _list_of(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    return value if isinstance(value, list) else []


def _text(content: Any) -> str | None:
    """The text of a turn: a string, or a list of parts that are all text; None for anything else, and for no text."""
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
        texts = [part for part in parts if isinstance(part, str)]
        content = "".join(texts) if len(texts) == len(parts) else None
    return content if isinstance(content, str) and content.strip() else None
