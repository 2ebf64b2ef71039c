"""What a search for secrets or personal data finds: where in which row, and of which kind, never the value."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.text import text_of

KEEP, REDACT, DROP = "keep", "redact", "drop"
MODES = (KEEP, REDACT, DROP)
"""What a run may do about findings: leave them, replace them, or drop their files."""


class Finding(NamedTuple):
    """A span of a row that should not be trained on."""

    row: int
    start: int
    """First byte in the row."""
    end: int
    """Byte after the last one."""
    kind: str


class Buffer:
    """The bytes of all rows as one object that can be searched, and which row a byte is in."""

    def __init__(self, content: pa.BinaryArray) -> None:
        """The rows of a binary column without nulls."""
        text = text_of(content)
        self.data = text.data
        self.bytes = text.data.tobytes()
        self._offsets = text.offsets
        self._borders = text.offsets.tolist()

    def occurrences(self, mark: bytes) -> Iterator[int]:
        """Positions of a mark, in order; occurrences do not overlap."""
        at = self.bytes.find(mark)
        while at >= 0:
            yield at
            at = self.bytes.find(mark, at + len(mark))

    def row(self, at: int) -> tuple[int, int, int]:
        """The row that a byte is in, and where that row begins and ends."""
        row = int(np.searchsorted(self._offsets, at, side="right")) - 1
        return row, self._borders[row], self._borders[row + 1]


def without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in order of rows and bytes. Of two that overlap the earlier one stays, or else the longer one."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda found: (found.row, found.start, -found.end, found.kind)):
        if not kept or finding.row != kept[-1].row or finding.start >= kept[-1].end:
            kept.append(finding)
    return kept


def counts_by_row(findings: Iterable[Finding]) -> dict[int, dict[str, int]]:
    """How many findings of each kind every row has, rows and kinds in order; rows without any are left out."""
    counts: dict[int, dict[str, int]] = {}
    for finding in findings:
        kinds = counts.setdefault(finding.row, {})
        kinds[finding.kind] = kinds.get(finding.kind, 0) + 1
    return {row: dict(sorted(counts[row].items())) for row in sorted(counts)}


def in_words(findings: Iterable[Finding], rows: int) -> list[str]:
    """What each row has, such as `2 email, 1 ipv4`; empty for rows without any; (rows,)."""
    counts = counts_by_row(findings)
    return [", ".join(f"{count} {kind}" for kind, count in counts.get(row, {}).items()) for row in range(rows)]


def decide_findings(found: list[str], reason: str) -> Drops:
    """Drops rows that have any findings; the detail counts them by kind."""
    return {row: (reason, words) for row, words in enumerate(found) if words}
