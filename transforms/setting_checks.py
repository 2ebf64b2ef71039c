"""Checks of settings, for the `__post_init__` of the dataclasses that hold them.

Every message begins with the name of the field, then says what the value has to be and what it was. A configuration puts
the name of the section before it: "dedup.ngram is a whole number from 1 to 64, got 0".
"""

import difflib
import math
from collections.abc import Collection, Mapping

LARGEST_INT = 2**63 - 1
"""Counts and sizes go into 64-bit columns."""
_LONGEST_VALUE = 120


def expect_whole(name: str, value: object, least: int, most: int = LARGEST_INT) -> None:
    """Raises ValueError unless the value is an int from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        is_too_large = isinstance(value, int) and value > most
        bound = f" to {most}" if most < LARGEST_INT or is_too_large else ""
        raise ValueError(f"{name} is a whole number from {least}{bound}, got {shown(value)}")


def expect_number(name: str, value: object, most: float = math.inf, *, above_0: bool = False) -> None:
    """Raises ValueError unless the value is a number from 0, or above 0, to `most`."""
    is_in_range = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
    if not is_in_range or (above_0 and value == 0):
        if above_0:
            expected = "above 0" if most == math.inf else f"above 0 and at most {most:g}"
        else:
            expected = "0 or more" if most == math.inf else f"from 0 to {most:g}"
        raise ValueError(f"{name} is a number, {expected}, got {shown(value)}")


def expect_choice(name: str, value: object, choices: Collection[str]) -> None:
    """Raises ValueError unless the value is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} is one of {', '.join(choices)}, got {shown(value)}")


def expect_weights(name: str, weights: Mapping[str, float], known: Collection[str], what: str) -> None:
    """Raises ValueError unless the weights have known names, are finite numbers from 0, and are not all 0.

    `what` is the word for a name, such as `category`.
    """
    for key, weight in weights.items():
        if key not in known:
            raise ValueError(f"{name}.{key}: no such {what}{known_names(key, known)}")
        expect_weight(f"{name}.{key}", weight)
    if not any(weights.values()):
        raise ValueError(f"{name} has at least one weight above 0, got {shown(dict(weights))}")


def expect_weight(name: str, weight: object) -> None:
    """Raises ValueError unless the weight is a finite number from 0."""
    expect_number(name, weight)
    if weight == math.inf:
        raise ValueError(f"{name} is a finite number, got inf")


def known_names(name: str, known: Collection[str]) -> str:
    """The end of a message on a name that is not known: the nearest known one, if any is near, and all of them."""
    near = difflib.get_close_matches(name, known, 1)
    suggestion = f" (did you mean {near[0]}?)" if near else ""
    return f"{suggestion}; expected one of {', '.join(known)}"


def shown(value: object) -> str:
    """A value for a message: long ones are cut."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
