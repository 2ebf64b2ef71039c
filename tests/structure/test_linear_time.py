"""No expression that looks for secrets, personal data or licenses takes more than linear time: a file that is made for it stalls no run."""

import ast
import dataclasses
import importlib
import math
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.structure.attack_strings import attacks
from tests.structure.import_graph import product_modules

LARGEST = 1 << 17
"""Bytes of the largest text. What grows faster than it should shows long before the largest file."""
CHECKED = tuple(
    "stackfim.transforms.filters." + name
    for name in ("secret", "private_keys", "url_passwords", "named_secrets", "email_addresses", "ip_addresses", "code_text",
                 "redaction", "license_header")
)  # fmt: skip
"""The modules whose expressions are checked: those that read whole files byte by byte."""
NOTICEABLE_S = 0.05
"""Times below this say nothing of how they grow; an expression that stays below it up to the largest file is quick."""
STEEPEST = 1.6
"""The time of a linear expression grows with the first power of the size of its text, that of a quadratic one with the second."""
AT_A_PLACE = frozenset({"match", "fullmatch"})
_NAMES_BEFORE = "stackfim.transforms.filters.named_secrets."
SHORT_ONLY = {
    "stackfim.transforms.filters.email_addresses._LOGIN_BEFORE": 160,
    _NAMES_BEFORE + "_ASSIGNED": 128,
    _NAMES_BEFORE + "_BY_BLANK": 128,
}
"""Expressions that are only ever given a text of at most so many characters, by module and name."""


def compiled(root: Path) -> Iterator[tuple[str, str, re.Pattern[Any]]]:
    """Module, name and expression of every expression that a module of the product compiles, in tables and records too."""
    seen: set[tuple[str | bytes, int]] = set()
    for module in sorted(product_modules(root)):
        if not module.startswith(CHECKED):
            continue
        for name, value in vars(importlib.import_module(module)).items():
            for pattern in _patterns(value, 0):
                if (pattern.pattern, pattern.flags) not in seen:
                    seen.add((pattern.pattern, pattern.flags))
                    yield module, name, pattern


def _patterns(value: Any, depth: int) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4:
        parts: list[Any] = []
        if isinstance(value, dict):
            parts = list(value.values())
        elif isinstance(value, (tuple, list, frozenset)):
            parts = list(value)
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            parts = [getattr(value, field.name) for field in dataclasses.fields(value)]
        for part in parts:
            yield from _patterns(part, depth + 1)


def methods_by_name(root: Path) -> dict[str, set[str]]:
    """Which methods of expressions the product calls on each name or attribute."""
    used: dict[str, set[str]] = {}
    for path in product_modules(root).values():
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Attribute):
                owner = node.value
                while isinstance(owner, ast.Subscript):
                    owner = owner.value
                name = (
                    owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
                )
                used.setdefault(name, set()).add(node.attr)
    return used


def steepest_growth(call: Callable[[str], object], before: str, pump: str, ending: str, largest: int) -> float:
    """The power of its size that the time for a text grows with, from where it can be measured; 0 for a quick expression.

    Short texts grow in small steps, so that one that takes exponential time is found before it takes minutes.
    """
    copies, last_copies, last = 2, 1, 0.0
    while copies * len(pump) <= largest:
        text = before + pump * copies + ending
        spent = _spent(call, text)
        if last >= NOTICEABLE_S / 8 and spent >= NOTICEABLE_S:
            # A disturbance is no growth: the better of two tries counts.
            return math.log(min(spent, _spent(call, text)) / last) / math.log(copies / last_copies)
        last_copies, last = copies, spent
        copies = copies + 1 if copies < 64 else copies * 2
    return 0.0


def _spent(call: Callable[[str], object], text: str) -> float:
    started = time.thread_time()
    call(text)
    return time.thread_time() - started


def slow_attacks(pattern: re.Pattern[Any], method: str, largest: int = LARGEST) -> list[str]:
    """The attacks on an expression that take more than linear time."""

    def call(text: str) -> object:
        return getattr(pattern, method)(text.encode("latin-1") if isinstance(pattern.pattern, bytes) else text)

    return [
        f"{before[:40]!r} + n * {pump[:40]!r} + {ending!r}: time grows with the power {growth:.1f} of n"
        for before, pump, ending in attacks(pattern)
        if (growth := steepest_growth(call, before, pump, ending, largest)) >= STEEPEST
    ]


@pytest.mark.slow
def test_every_expression_takes_linear_time(root: Path) -> None:
    used = methods_by_name(root)
    slow = []
    for module, name, pattern in compiled(root):
        methods = used.get(name, set()) or used.get("pattern", set())
        method = (
            "match"
            if methods & AT_A_PLACE and not methods & {"search", "finditer", "findall", "sub", "subn", "split"}
            else "search"
        )
        found = slow_attacks(pattern, method, SHORT_ONLY.get(f"{module}.{name}", LARGEST))
        slow += [f"{module}.{name} ({method}): {attack}" for attack in found[:2]]
    assert not slow, "\n".join(slow)


@pytest.mark.parametrize(
    "expression", [r"(?:\w+\s?)+!", r"(a|a)*b", r"^(?:\W|copyright[^.]{0,80})*licen", r"\w+@\w+\.de", r"a.*b.*c.*d!"]
)
def test_an_expression_that_takes_more_than_linear_time_is_found(expression: str) -> None:
    assert slow_attacks(re.compile(expression), "search", 1 << 16)


@pytest.mark.parametrize("expression", [r"[a-z]{1,20}@", r"(?<!\w)\w++@\w", r"//[^\n]*", r"\"(?:\\.|[^\"\\])*+\"?"])
def test_a_linear_expression_is_not(expression: str) -> None:
    assert slow_attacks(re.compile(expression), "search") == []
