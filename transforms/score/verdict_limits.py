"""Limits that verdicts are made by: absolute values for each category, and others for single languages.

A model has its own limits in `stackfim.json` beside its weights; `stackfim calibrate` writes them, and the configuration of
a run takes precedence. The defaults suit Refact-1.6B, whose authors drop examples with a loss above 3.0 from fine-tuning
(`filter_loss_threshold`, smallcloudai/refact).
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
    """The limits of one category.

    A limit that no score can exceed switches its reason off: an infinite `max_nll`, a least probability of 0, a highest
    one of 1, a `trivial_nll` of 0.
    """

    max_nll: float = 3.0
    """The most nats per token; a middle above it is `unlikely`."""
    max_nll_long: float = math.inf
    """A second such limit for middles of at least `long_tokens`, since a mean over many tokens varies less."""
    long_tokens: int = 16
    trivial_nll: float = 0.02
    """A middle of at least `trivial_tokens` with fewer nats per token is `trivial`: the model knows it by heart."""
    trivial_tokens: int = 32
    max_p_eot_early: float = 0.9
    """The highest probability of end-of-text at a line end inside the middle; above it there is a `premature_stop`."""
    min_p_eot_end: float = 0.001
    """The least probability of end-of-text at the middle's end; below it the model `never_stops` there."""
    min_p_eot_start: float = 0.01
    """The same for an empty middle; below it the model is sure that text follows, and silence is `broken_empty`."""

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
        """The limits that a category uses, in words."""
        return ", ".join(f"{name} {getattr(self, name):g}" for name in USED[category])


NAMES = tuple(limit.name for limit in fields(Limits))

# A random span ends at no particular place, so no model can be expected to know where.
DEFAULTS: dict[str, Limits] = {
    category: Limits(max_p_eot_early=1.0, min_p_eot_end=0.0) if category == RANDOM_SPAN else Limits()
    for category in CATEGORIES
}

USED = {
    category: ("min_p_eot_start",) if category == EMPTY else tuple(name for name in NAMES if name != "min_p_eot_start")
    for category in CATEGORIES
}
"""The limits that each category uses; only one for empty middles, whose scores are all the same number."""


@dataclass(frozen=True)
class LimitTable:
    """Limits by category, and by category and language where they differ."""

    categories: Mapping[str, Limits] = field(default_factory=lambda: dict(DEFAULTS))
    languages: Mapping[str, Mapping[str, Limits]] = field(default_factory=dict)
    """By category, then by language."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the category, for one that does not exist or is missing."""
        if set(self.categories) != set(CATEGORIES):
            raise ValueError(f"limits: categories are {', '.join(self.categories)}, expected {', '.join(CATEGORIES)}")
        for category in self.languages:
            _check_category(category)

    def of(self, category: str, language: str) -> Limits:
        """The limits of a row of this category and language."""
        return self.languages.get(category, {}).get(language, self.categories[category])

    def with_changes(self, changes: Mapping[str, Any]) -> LimitTable:
        """The table with some values changed.

        `changes` maps a category to values by the name of the limit, with such values by language under the key
        `languages`. The value of a category holds for its languages too, unless `changes` has one for the language.
        Raises ValueError for an unknown name or a wrong value.
        """
        categories = dict(self.categories)
        languages = {category: dict(found) for category, found in self.languages.items()}
        for category, values in changes.items():
            _check_category(category)
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
        """The table as JSON values that `with_changes` takes; each category has only the limits that it uses."""
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
"""The key among the limits of a category that holds those of single languages."""

UNLIMITED = 1e9
"""Written for infinity, for which JSON has no number."""


def _check_category(category: str) -> None:
    if category not in CATEGORIES:
        raise ValueError(f"limits.{category}: no such category{known_names(category, CATEGORIES)}")


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
