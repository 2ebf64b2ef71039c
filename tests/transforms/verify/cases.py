"""Rows beside the content that they were split from, and all invariants of them."""

import hashlib
from typing import Any, NamedTuple

from stackfim.transforms.filters.license import LicensePolicy
from stackfim.transforms.split.parser import BudgetedParser, ParseRefused
from stackfim.transforms.verify.original import Original
from stackfim.transforms.verify.row_invariants import Expected, check_content, check_row
from stackfim.transforms.verify.tree_invariants import check_tree
from stackfim.transforms.verify.violation import Violation

EXPECTED = Expected(32, 800, LicensePolicy(frozenset({"mit"})))


class Case(NamedTuple):
    """A row and the content that it was split from."""

    row: dict[str, Any]
    content: bytes


class Checker:
    """Checks all invariants of a row beside its original, as `stackfim verify` does."""

    def __init__(self) -> None:
        self._parsers: dict[str, BudgetedParser] = {}
        self._originals: dict[tuple[str, str], Original | None] = {}

    def original(self, language: str, content: bytes) -> Original | None:
        """The parsed file; None where it is refused. The last few are kept."""
        key = (language, hashlib.sha1(content).hexdigest())
        if key not in self._originals:
            if len(self._originals) > 100:
                self._originals.clear()
            parser = self._parsers.setdefault(language, BudgetedParser(language))
            try:
                self._originals[key] = Original(content, language, parser)
            except ParseRefused:
                self._originals[key] = None
        return self._originals[key]

    def violations(self, row: dict[str, Any], content: bytes) -> list[Violation]:
        """What a row breaks by itself and beside the content; where it breaks nothing there, by the tree."""
        found = check_row(row, EXPECTED) + check_content(row, content)
        if found:
            return found
        original = self.original(row["language"], content)
        if original is None:
            return [Violation(row["example_id"], "kind", "the file cannot be parsed")]
        return check_tree(row, original)
