"""Parsing alone, which the benchmarks compare splitting and whole builds with."""

from __future__ import annotations

import pyarrow as pa

from stackfim.transforms.languages import language_name
from stackfim.transforms.split.parser import BudgetedParser, ParseRefused


class Parsers:
    """A parser for each language of the rows, made before the clock starts."""

    def __init__(self) -> None:
        """No parsers yet; see `prepare`."""
        self._parsers: dict[str, BudgetedParser] = {}

    def prepare(self, rows: pa.RecordBatch) -> None:
        """Makes the parsers that rows (stackfim.schemas.source.ROW) need; languages without a grammar have none."""
        for name in sorted(set(rows.column("language").to_pylist()) - set(self._parsers)):
            if language := language_name(name):
                self._parsers[name] = BudgetedParser(language)

    def parse(self, rows: pa.RecordBatch) -> None:
        """Parses each row as the splitter does first, and keeps nothing; rows that the parser refuses are skipped."""
        for name, content in zip(rows.column("language").to_pylist(), rows.column("content"), strict=True):
            try:
                if name in self._parsers:
                    self._parsers[name].parse(content.as_py())
            except ParseRefused:
                continue
