"""Where the comments and strings of a file are, for languages in which `@` is an operator, a label or a pattern.

There a word, an `@` and a dotted name are code, unless they stand in a comment or a string. A file is read once, by one
expression that takes comments and strings whole; what is left open goes on to the end of the line or the file.
"""

import functools
import re
from bisect import bisect_right
from typing import NamedTuple

_DOUBLE = rb'"(?:\\.|[^"\\\n])*+"?'
_SINGLE = rb"'(?:\\.|[^'\\\n])*+'?"
_LETTER = rb"'(?:\\[^\n]{1,8}?|[^'\\\n])'"
_SQL_STRING = rb"(?s:'(?:''|[^'])*+'?)"
_LONG_DOUBLE = rb'(?s:"(?:\\.|[^"\\])*+"?)'
_TRIPLE_DOUBLE = rb'(?s:"""(?:\\.|(?!""").)*+(?:"""|\Z))'
_TRIPLE_SINGLE = rb"(?s:'''(?:\\.|(?!''').)*+(?:'''|\Z))"
_HASH, _SLASHES, _DASHES = rb"#[^\n]*+", rb"//[^\n]*+", rb"--[^\n]*+"
_C_BLOCK = rb"(?s:/\*.*?(?:\*/|\Z))"
_ML_BLOCK = rb"(?s:\(\*(?!\)).*?(?:\*\)|\Z))"
_HASKELL_BLOCK = rb"(?s:\{-.*?(?:-\}|\Z))"
_JULIA_BLOCK = rb"(?s:#=.*?(?:=#|\Z))"
_PYTHON = (_TRIPLE_DOUBLE, _TRIPLE_SINGLE, _HASH, _DOUBLE, _SINGLE)
_BRACES = (_TRIPLE_DOUBLE, _C_BLOCK, _SLASHES, _LETTER, _DOUBLE)
_ML = (_ML_BLOCK, _LETTER, _LONG_DOUBLE)
_HASKELL = (_HASKELL_BLOCK, _DASHES, _LETTER, _LONG_DOUBLE)
_SQL = (_C_BLOCK, _DASHES, _SQL_STRING, _DOUBLE)
_SHAPES: dict[str, tuple[bytes, ...]] = {
    **dict.fromkeys(("Python", "Cython", "Starlark", "Snakemake"), _PYTHON),
    **dict.fromkeys(("Kotlin", "Scala", "Groovy", "Swift", "Objective-C"), _BRACES),
    **dict.fromkeys(("OCaml", "Standard ML", "Reason"), _ML),
    "F#": (_TRIPLE_DOUBLE, _ML_BLOCK, _SLASHES, _LETTER, _LONG_DOUBLE),
    **dict.fromkeys(("Haskell", "PureScript", "Elm", "Idris", "Agda"), _HASKELL),
    **dict.fromkeys(("SQL", "PLSQL", "TSQL", "PLpgSQL"), _SQL),
    "Julia": (_TRIPLE_DOUBLE, _JULIA_BLOCK, _HASH, _LETTER, _DOUBLE),
    "Elixir": (_TRIPLE_DOUBLE, _TRIPLE_SINGLE, _HASH, _DOUBLE, _SINGLE),
    "CoffeeScript": (_TRIPLE_DOUBLE, _TRIPLE_SINGLE, _HASH, _DOUBLE, _SINGLE),
}


class TextSpans(NamedTuple):
    """The comments and strings of a file, in order."""

    starts: list[int]
    ends: list[int]

    def start(self, at: int) -> int | None:
        """Where the comment or string begins that the byte `at` is in; None for a byte of code."""
        place = bisect_right(self.starts, at) - 1
        return self.starts[place] if place >= 0 and at < self.ends[place] else None


def text_spans(content: bytes, language: str) -> TextSpans | None:
    """Comments and strings of a file; None for a language in which an `@` between words is no code."""
    shape = _shape(language)
    if shape is None:
        return None
    spans = [match.span() for match in shape.finditer(content)]
    return TextSpans([start for start, _ in spans], [end for _, end in spans])


@functools.cache
def _shape(language: str) -> re.Pattern[bytes] | None:
    parts = _SHAPES.get(language)
    return re.compile(b"|".join(parts)) if parts else None
