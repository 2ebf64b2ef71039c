"""What a search for secrets or personal data finds: where in which row, and of which kind, never the value."""

import bisect
import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.cpu_budget import check_budget
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


_BLOCK_BYTES = 1 << 20


def _three_bytes(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    """A number for each three bytes in a row, the same for equal ones; (bytes - 2,)."""
    wide = data.astype(np.uint16)
    number: npt.NDArray[np.uint16] = (
        wide[:-2] * np.uint16(40503) + wide[1:-1] * np.uint16(2531) + wide[2:] * np.uint16(157)
    )
    return number


@functools.lru_cache(maxsize=8)
def _index(marks: tuple[bytes, ...]) -> tuple[npt.NDArray[np.bool_], dict[bytes, tuple[bytes, ...]]]:
    """Which numbers of three bytes begin a mark, and the marks by those bytes, longer ones first."""
    begins = np.zeros(1 << 16, bool)
    begins[[int(_three_bytes(np.frombuffer(mark[:3], np.uint8))[0]) for mark in marks]] = True
    by_start: dict[bytes, tuple[bytes, ...]] = {}
    for mark in sorted(marks, key=len, reverse=True):
        by_start[mark[:3]] = (*by_start.get(mark[:3], ()), mark)
    return begins, by_start


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

    def occurrences_of_any(self, marks: tuple[bytes, ...]) -> Iterator[tuple[int, bytes]]:
        """Positions of marks of three bytes or more with the mark, in order; of marks at one position all, longer ones first."""
        begins, by_start = _index(marks)
        for block in range(0, max(len(self.data) - 2, 0), _BLOCK_BYTES):
            numbers = _three_bytes(self.data[block : block + _BLOCK_BYTES + 2])
            for at in (np.flatnonzero(begins[numbers]) + block).tolist():
                for mark in by_start.get(self.bytes[at : at + 3], ()):
                    if self.bytes.startswith(mark, at):
                        yield at, mark

    def row(self, at: int) -> tuple[int, int, int]:
        """The row that a byte is in, and where that row begins and ends. Raises OverBudgetError (cpu_budget)."""
        check_budget()
        row = int(np.searchsorted(self._offsets, at, side="right")) - 1
        return row, self._borders[row], self._borders[row + 1]


def without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in order of rows and bytes. Of two that overlap the earlier one stays, or else the longer one."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda found: (found.row, found.start, -found.end, found.kind)):
        if not kept or finding.row != kept[-1].row or finding.start >= kept[-1].end:
            kept.append(finding)
    return kept


def not_overlapping(findings: Iterable[Finding], taken: Sequence[Finding]) -> Iterator[Finding]:
    """The findings that share no byte with one of `taken`, which are in order and do not overlap."""
    places = [(other.row, other.start) for other in taken]
    for finding in findings:
        before = bisect.bisect_left(places, (finding.row, finding.end)) - 1
        if before < 0 or taken[before].row != finding.row or taken[before].end <= finding.start:
            yield finding


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
