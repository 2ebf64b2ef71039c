"""What others have named does not write to the terminal."""

import pytest

from stackfim.pipeline.local.terminal import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b]0;title\x07b", "a\\x1b]0;title\\x07b"),
        ("evil\u202egpj.py", "evil\\u202egpj.py"),
        ("\u2066x\u2069 \u200f \ufeff", "\\u2066x\\u2069 \\u200f \\ufeff"),
        ("a\nb\tc\x9b\u2028", "a\\x0ab\\x09c\\x9b\\u2028"),
        ("\U000e0001", "\\U000e0001"),
        ("code:one [bold]x[/] naïve 例 🙂", "code:one [bold]x[/] naïve 例 🙂"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_characters_that_are_kept_stay() -> None:
    assert visible("a\n\tb\r", kept="\n\t") == "a\n\tb\\x0d"
