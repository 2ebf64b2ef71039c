"""Limits that verdicts are made by: absolute values for each category, and others for single languages.

A model has its own: they lie beside its weights as `stackfim.json`, `stackfim calibrate` writes them, and a run's
configuration wins over both. The defaults hold for Refact-1.6B: its authors drop what has a loss above 3.0 from
fine-tuning (`filter_loss_threshold`, smallcloudai/refact).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from stackfim.schemas.example import CATEGORIES, EMPTY, RANDOM_SPAN
from stackfim.transforms.setting_checks import expect_number, known_names, shown


@dataclass(frozen=True)
class Limits:
    """Limits of one category; raises ValueError, naming the value and what was expected, when one is wrong.

    A limit that no score can break switches its reason off: an infinite `max_nll`, probabilities of 0 (least) and 1
    (most), a `trivial_nll` of 0.
    """

    max_nll: float = 3.0
    """Most nats a token: above it a middle is `unlikely`."""
    max_nll_long: float = math.inf
    """The same of a middle of `long_tokens` or more, beside `max_nll`: the mean over many tokens varies less."""
    long_tokens: int = 16
    trivial_nll: float = 0.02
    """Below so many nats a token a middle of `trivial_tokens` or more is `trivial`: the model knows it by heart."""
    trivial_tokens: int = 32
    max_p_eot_early: float = 0.9
    """Highest probability of end-of-text at a line end inside the middle: above it is a `premature_stop`."""
    min_p_eot_end: float = 0.001
    """Least probability of end-of-text at the middle's end: below it the model `never_stops` there."""
    min_p_eot_start: float = 0.01
    """The same of an empty middle: below it the model is sure that text follows, and silence is `broken_empty`."""

    def __post_init__(self) -> None:
        """Raises ValueError for a limit that is no number, out of range, or not whole where it counts tokens."""
        for name in ("max_nll", "max_nll_long", "trivial_nll"):
            expect_number(name, getattr(self, name))
        for name in ("max_p_eot_early", "min_p_eot_end", "min_p_eot_start"):
            expect_number(name, getattr(self, name), 1.0)
        for name in ("long_tokens", "trivial_tokens"):
            value = getattr(self, name)
            expect_number(name, value, 2**31)
            if value != int(value):
                raise ValueError(f"{name} is a whole number, got {shown(value)}")

    def to_text(self, category: str) -> str:
        """The limits that a category uses, for a person."""
        return ", ".join(f"{name} {getattr(self, name):g}" for name in USED[category])


NAMES = tuple(limit.name for limit in fields(Limits))

# The end of a random span is nowhere in particular, and no model is to know it.
DEFAULTS: dict[str, Limits] = {
    category: Limits(max_p_eot_early=1.0, min_p_eot_end=0.0) if category == RANDOM_SPAN else Limits()
    for category in CATEGORIES
}

USED = {
    category: ("min_p_eot_start",) if category == EMPTY else tuple(name for name in NAMES if name != "min_p_eot_start")
    for category in CATEGORIES
}
"""The limits that verdicts of a category ask for: of an empty middle all scores are one number."""


@dataclass(frozen=True)
class LimitTable:
    """Limits by category, and by category and language where they differ."""

    categories: Mapping[str, Limits] = field(default_factory=lambda: dict(DEFAULTS))
    languages: Mapping[str, Mapping[str, Limits]] = field(default_factory=dict)
    """By category, then by language."""

    def of(self, category: str, language: str) -> Limits:
        """The limits of a row."""
        return self.languages.get(category, {}).get(language, self.categories[category])

    def with_changes(self, changes: Mapping[str, Any]) -> LimitTable:
        """The table with other values over it.

        `changes` maps a category to values by name of the limit, and `languages` in it to such values by language. A
        value for a category holds for its languages too, unless `changes` has one for the language. Raises ValueError
        for a name that there is not, or a value that cannot be.
        """
        categories = dict(self.categories)
        languages = {category: dict(found) for category, found in self.languages.items()}
        for category, values in changes.items():
            if category not in CATEGORIES:
                raise ValueError(f"limits.{category}: no such category{known_names(category, CATEGORIES)}")
            place = f"limits.{category}"
            own = {name: value for name, value in _mapping(values, place).items() if name != LANGUAGES}
            categories[category] = _changed(categories[category], own, place)
            known = {language: _changed(limits, own, place) for language, limits in languages.get(category, {}).items()}
            for language, given in _mapping(values.get(LANGUAGES, {}), f"{place}.{LANGUAGES}").items():
                before = known.get(language, categories[category])
                known[language] = _changed(before, given, f"{place}.{LANGUAGES}.{language}")
            if known:
                languages[category] = known
        return LimitTable(categories, languages)

    def to_json(self) -> dict[str, Any]:
        """The table as JSON values that `with_changes` takes; only the limits that a category uses."""
        return {
            category: _used(category, self.categories[category])
            | (
                {LANGUAGES: {name: _used(category, found) for name, found in sorted(self.languages[category].items())}}
                if self.languages.get(category)
                else {}
            )
            for category in CATEGORIES
        }


LANGUAGES = "languages"
"""Key of the limits of single languages among those of a category."""

UNLIMITED = 1e9
"""Stands for infinity where JSON has no word for it."""


def _used(category: str, limits: Limits) -> dict[str, Any]:
    values = asdict(limits)
    return {name: min(values[name], UNLIMITED) for name in USED[category]}


def _changed(limits: Limits, values: Mapping[str, Any], place: str) -> Limits:
    for name in _mapping(values, place):
        if name not in NAMES:
            raise ValueError(f"{place}.{name}: no such limit{known_names(name, NAMES)}")
    try:
        return replace(limits, **values)
    except ValueError as error:
        raise ValueError(f"{place}.{error}") from None


def _mapping(values: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise ValueError(f"{place} is a table of limits, got {shown(values)}")
    return values
