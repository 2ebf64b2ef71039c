"""What tells a secret from what is written in its place: how random it is, and placeholders, which are whole values.

A word such as `fake` stands in random data by chance, so a word inside a value says nothing. A value is a placeholder where
little is left of it once such words, runs of one character and runs of the keyboard are taken out.
"""

import math
import re
from collections import Counter

_RUNS = (
    rb"0123456789|1234567890|123456789|12345678|1234567|123456|12345|abcdefghijklmnopqrstuvwxyz|abcdefghijkl|abcdefgh|abcdef|"
    rb"qwertyuiop|qwerty|asdfgh|zxcvbn|deadbeef|cafebabe|(.)\1{3,}"
)
_WORDS = (
    rb"examples?|samples?|placeholder|dummy|fake|redacted|changeme|change|replaceme|replace|insert|yours?|here|testing|tests?|foobar|"
    rb"foo|bar|baz|lorem|ipsum|passwords?|passwd|passphrase|secrets?|tokens?|apikey|keys?|access|api|auth|oauth|credentials?|user|"
    rb"username|admin|root|guest|login|pass|pwd|postgres|mysql|redis|mongo|hunter|something|anything|value|string|invalid|valid|"
    rb"bogus|mock|not|real|none|null|this|that|some|with|the|and|for|hidden|private|public|default|demo|only|xxx|todo|fixme|"
    rb"client|server|live|prod|dev|bearer|basic|enter|input|set|add|put|goes|super|very|long|random|letmein|welcome|monkey|"
    rb"dragon|master|correct|horse|battery|staple|database|db|my|an|is|in|of|to|your"
)
_PLACEHOLDER_PART = re.compile(rb"(?i:" + _RUNS + rb"|" + _WORDS + rb")")
_DOCUMENTED = re.compile(rb"EXAMPLE(?:KEY)?$|^(?:EXAMPLE|example)[A-Za-z]*$")
_MASKED = re.compile(rb"(?<![xX*.#\-_])[xX*.#\-_]{6,}$|^[*x.]+$")
_SEPARATORS = re.compile(rb"[^A-Za-z0-9]")
PLACEHOLDER_SHARE = 0.5
"""A value is a placeholder where more than this share of its letters and digits is in words and runs of a placeholder."""


def is_placeholder(value: bytes) -> bool:
    """Whether the whole value stands for a secret: `your-token-here`, `xxxxxxxx`, `AKIAIOSFODNN7EXAMPLE`."""
    if _DOCUMENTED.search(value) or _MASKED.search(value[-200:]):
        return True
    letters = len(_SEPARATORS.sub(b"", value))
    left = len(_SEPARATORS.sub(b"", _PLACEHOLDER_PART.sub(b"", value)))
    return letters == 0 or (letters - left) > PLACEHOLDER_SHARE * letters


def entropy(value: bytes) -> float:
    """Shannon's entropy of the bytes of a value, in bits a byte."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


def is_varied(value: bytes, least_bits: float = 3.0) -> bool:
    """Whether the entropy is at least `least_bits` a byte and the value is no placeholder."""
    return entropy(value) >= least_bits and not is_placeholder(value)


def is_mixed(value: bytes) -> bool:
    """Whether it is varied and has digits and letters."""
    return is_varied(value) and any(48 <= byte <= 57 for byte in value) and any(byte >= 65 for byte in value)


def character_kinds(value: bytes) -> int:
    """How many of capitals, small letters and digits a value has."""
    return sum(
        (
            any(65 <= byte <= 90 for byte in value),
            any(97 <= byte <= 122 for byte in value),
            any(48 <= byte <= 57 for byte in value),
        )
    )


_RANDOM_SIZE = 16
_BITS_OF_16 = 3.2
_WORDLIKE = re.compile(rb"[A-Z]?[a-z]{5,}|[A-Z]{5,}")
_UNPRONOUNCEABLE = re.compile(rb"(?i:[bcdfghjklmnpqrstvwxz]{4}|\A[^aeiouy]+\Z|q[^u])")


def is_random(value: bytes) -> bool:
    """Whether a value without a known form is what a generator of keys or passwords made.

    It has letters and digits, about as many different characters as random ones have, and few of its letters are in runs
    of one case that are as long as words and could be some. Names, paths, versions and identifiers are not random.
    """
    if character_kinds(value) < 2 or not any(48 <= byte <= 57 for byte in value):
        return False
    if entropy(value) < (_BITS_OF_16 if len(value) >= _RANDOM_SIZE else math.log2(len(value)) - 0.75):
        return False
    words = sum(len(word) for word in _WORDLIKE.findall(value) if not _UNPRONOUNCEABLE.search(word))
    return words < 0.4 * len(value) and not is_placeholder(value)
