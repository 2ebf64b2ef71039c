"""Types of the fixtures that tests of several folders use."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import pyarrow as pa

from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.site import Site
from stackfim.transforms.split.syntax import ParsedFile
from stackfim.transforms.verify.violation import Violation


class SourceFile(NamedTuple):
    """A file to split."""

    name: str
    language: str
    content: bytes


_LIMITS = MultiLineLimits()

RowsOf = Callable[[Iterable[tuple[str, bytes]]], pa.RecordBatch]
"""Makes rows (stackfim.schemas.source.ROW) of pairs of language and content."""
Parsed = Callable[[str, str | bytes], ParsedFile]
"""Parses a text of a language."""
LineWith = Callable[[ParsedFile, str], int]
"""The one line of a file that holds a text."""


class ViolationsOf(Protocol):
    """All invariants of a row beside the content that it was split from."""

    def __call__(self, row: dict[str, Any], content: bytes, limits: MultiLineLimits = _LIMITS) -> list[Violation]:
        """What the row breaks."""


class SitesOn(Protocol):
    """All sites that a kind finds on a line, over many draws."""

    def __call__(
        self, file: ParsedFile, kind: str, line: int, limits: MultiLineLimits = _LIMITS, draws: int = 0
    ) -> set[Site]:
        """Empty where each is refused."""


class RefusalsOn(Protocol):
    """The reasons for which a kind refuses a line, over many draws."""

    def __call__(self, file: ParsedFile, kind: str, line: int, limits: MultiLineLimits = _LIMITS) -> set[str]:
        """Empty where each draw finds a site."""
