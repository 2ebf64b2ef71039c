"""Text of others, such as paths and languages, as it may be shown in a terminal."""

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of what a terminal obeys, or shows as nothing: controls, overrides of the direction, line separators."""


def visible(text: str, kept: str = "") -> str:
    r"""`text` with control characters, and those that change the direction of writing, as escapes such as `\x1b` and `\u202e`.

    `kept`: characters that stay as they are, such as line breaks.
    """
    return "".join(
        character if character in kept or unicodedata.category(character) not in _HIDDEN else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
