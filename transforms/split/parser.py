"""Parsing that always ends: checks before tree-sitter runs, and a budget of work while it parses.

Grammars crash on some inputs (Python's on 513 nested `if 1:`), and error recovery is quadratic on others (`<!--` repeated in
Python). A text that shows this is refused before it is parsed. The others have a budget, counted in the parser's own steps,
so that the same file is refused on every machine. What gets past both is stopped by the process around this one
(transforms/split/process.py).
"""

from collections.abc import Callable

import tree_sitter

from stackfim.transforms.languages import load_grammar
from stackfim.transforms.lines import Lines

MAX_INDENT_COLUMNS = 200
# A scanner that looks back asks for the text again from there, Perl's hundreds of times in a file: a small piece costs little.
_CHUNK_BYTES = 1 << 13
# tree-sitter reports progress 3 to 7 times per kilobyte of real code, at most 21 times in 1,500 files of 11 languages, and
# 5,000 times where recovery is quadratic.
_BUDGET_BASE = 1_000
_BUDGET_PER_KILOBYTE = 60


class ParseRefused(Exception):
    """A file is not split; `reason` is the word of its rejection, the message its detail."""

    def __init__(self, reason: str, detail: str) -> None:
        """An error with a fixed word for the reason, and a sentence that shows the values."""
        super().__init__(detail)
        self.reason = reason


class BudgetedParser:
    """A parser of one language with a budget of work for each text. Not for use by several threads."""

    def __init__(self, language: str) -> None:
        """A parser of a supported language. Raises GrammarMismatch where its grammar cannot be loaded."""
        self._grammar = load_grammar(language)
        self._parser = tree_sitter.Parser(self._grammar)
        # One buffer for all texts: the binding leaks a reference to whatever the read callable returns.
        self._chunk = bytearray()

    def parse(self, content: bytes, old_tree: tree_sitter.Tree | None = None) -> tree_sitter.Tree:
        """The tree of `content`; an edited `old_tree` makes the parse incremental.

        Raises ParseRefused (`parse_budget`) when error recovery takes more steps than the budget for this size.
        """
        budget = _BUDGET_BASE + _BUDGET_PER_KILOBYTE * len(content) // 1024
        steps = 0

        def over_budget(_offset: int, _has_error: bool) -> bool:
            nonlocal steps
            steps += 1
            return steps > budget

        try:
            if old_tree is None:
                return self._parser.parse(self._reader(content), progress_callback=over_budget)
            return self._parser.parse(self._reader(content), old_tree, progress_callback=over_budget)
        except ValueError as error:
            # A cancelled parser keeps half a parse, and its next tree would be wrong.
            self._parser = tree_sitter.Parser(self._grammar)
            if steps > budget:
                raise ParseRefused(
                    "parse_budget", f"error recovery took over {budget} steps for {len(content)} bytes"
                ) from error
            raise ParseRefused("parse_failed", f"tree-sitter gave no tree: {error}") from error

    def _reader(self, content: bytes) -> Callable[[int, object], bytearray]:
        """What tree-sitter reads `content` through: it fills the reused buffer."""
        chunk, text = self._chunk, memoryview(content)

        def read(offset: int, _point: object) -> bytearray:
            chunk[:] = text[offset : offset + _CHUNK_BYTES]
            return chunk

        return read


def check_parseable(lines: Lines) -> None:
    """Raise ParseRefused (`indentation_too_deep`) for a text that crashes grammars."""
    if lines.has_deep_indent(MAX_INDENT_COLUMNS):
        raise ParseRefused("indentation_too_deep", f"a line is indented by more than {MAX_INDENT_COLUMNS} columns")
