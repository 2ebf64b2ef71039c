"""All invariants of a row at once: by itself, against its file, and in the syntax tree of the file where that is known."""

from collections.abc import Mapping
from typing import Any

from stackfim.schemas.source import git_blob_id
from stackfim.transforms.split.parser import BudgetedParser, ParseRefused
from stackfim.transforms.verify.original import Original
from stackfim.transforms.verify.row_invariants import Expected, check_content, check_row, undone
from stackfim.transforms.verify.row_types import TYPES
from stackfim.transforms.verify.score_invariants import ExpectedScores, check_scores
from stackfim.transforms.verify.tree_invariants import check_tree
from stackfim.transforms.verify.violation import Violation


class RowChecker:
    """Checks rows one after another; parses a file once for the rows from it that follow each other."""

    def __init__(
        self, expected: Expected, scores: ExpectedScores | None = None, contents: Mapping[str, bytes] | None = None
    ) -> None:
        """`scores` None leaves the score columns alone.

        `contents` are the files that rows were made from, by content id: a row whose file is not among them is a violation.
        None where they are not at hand; then a row that covers its whole file is checked against that.
        """
        self._expected = expected
        self._scores = scores
        self._contents = contents
        self._parsers: dict[str, BudgetedParser] = {}
        self._last: tuple[tuple[str, str], Original | None] = (("", ""), None)

    def check(self, row: dict[str, Any]) -> tuple[list[Violation], bool]:
        """The violations of a row, and whether it was checked against a tree: only a row without any other is."""
        found = check_row(row, self._expected)
        found += check_scores(row, self._scores) if self._scores is not None else []
        if any(violation.invariant == TYPES for violation in found):
            return list(dict.fromkeys(found)), False
        content = whole_content(row) if self._contents is None else self._contents.get(row["content_id"])
        if content is None:
            if self._contents is not None:
                found.append(Violation(row["example_id"], "content_id", "the source has no file with this content"))
            return found, False
        found += check_content(row, content)
        if found:
            return found, False
        original = self._parse(row, content)
        if original is None:
            return [Violation(row["example_id"], "kind", "the file cannot be parsed, yet it gave an example")], False
        return check_tree(row, original), True

    def _parse(self, row: dict[str, Any], content: bytes) -> Original | None:
        key = (row["content_id"], row["language"])
        if self._last[0] != key:
            self._last = (key, self._parsed(content, row["language"]))
        return self._last[1]

    def _parsed(self, content: bytes, language: str) -> Original | None:
        if language not in self._parsers:
            self._parsers[language] = BudgetedParser(language)
        try:
            return Original(content, language, self._parsers[language])
        except ParseRefused:
            return None


def whole_content(row: dict[str, Any]) -> bytes | None:
    """The content of the file of an example, where the example covers all of it; None where it covers a part."""
    try:
        content = b"".join(undone(row))
    except (ValueError, KeyError):
        return None
    return content if row["context_start_byte"] == 0 and git_blob_id(content) == row["content_id"] else None
