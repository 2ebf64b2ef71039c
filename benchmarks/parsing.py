"""Parsing alone: what splitting, and a whole build, is measured against."""

from __future__ import annotations

import pyarrow as pa

from stackfim.transforms.languages import language_name
from stackfim.transforms.split.parser import BudgetedParser, ParseRefused


class Parsers:
    """A parser for each language of the rows, made ahead of the time that counts."""

    def __init__(self) -> None:
        self._parsers: dict[str, BudgetedParser] = {}

    def prepare(self, rows: pa.RecordBatch) -> None:
        """Makes the parsers that rows (stackfim.schemas.source.ROW) need; languages without a grammar have none."""
        for name in sorted(set(rows.column("language").to_pylist()) - set(self._parsers)):
            if language := language_name(name):
                self._parsers[name] = BudgetedParser(language)

    def parse(self, rows: pa.RecordBatch) -> None:
        """Parses each row as the splitter does at first, and keeps nothing; those that it refuses are passed over."""
        for name, content in zip(rows.column("language").to_pylist(), rows.column("content"), strict=True):
            try:
                if name in self._parsers:
                    self._parsers[name].parse(content.as_py())
            except ParseRefused:
                continue
