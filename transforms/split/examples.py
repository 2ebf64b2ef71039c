"""Sites into rows, and files into batches of rows: the splitter as one pure function on an Arrow batch."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

from schemas.example import EXAMPLE
from schemas.rejection import FILE, rejections
from transforms.split.languages import language_name
from transforms.split.lines import Lines
from transforms.split.parser import BudgetedParser, ParseRefused, check_parseable
from transforms.split.sampling import sample_sites
from transforms.split.settings import SplitSettings
from transforms.split.site import Site
from transforms.split.syntax import ParsedFile

STAGE = "split"


@dataclass
class SplitResult:
    """What splitting a batch of files gives."""

    examples: pa.RecordBatch
    """schemas.example.EXAMPLE, in order of files and slots."""
    rejections: pa.RecordBatch
    """schemas.rejection.REJECTION: the files that yield no example."""
    refusals: Counter[str] = field(default_factory=Counter)
    """How many candidate sites each reason refused. A refused site is no loss: its slot goes to another."""


class Splitter:
    """Splits batches of files; keeps a parser a language. Not for several threads."""

    def __init__(self, settings: SplitSettings, version: str) -> None:
        self.settings = settings
        self.version = version
        self._parsers: dict[str, BudgetedParser] = {}

    def split(self, rows: pa.RecordBatch, before_file: Callable[[int], None] | None = None) -> SplitResult:
        """Examples and rejections of `rows` (schemas.source.ROW, content valid UTF-8).

        `before_file` is called with the index of each file before anything is done with it.
        """
        columns: dict[str, list] = {name: [] for name in EXAMPLE.names}
        reasons: dict[int, ParseRefused] = {}
        refusals: Counter[str] = Counter()
        for index, row in enumerate(rows.to_pylist()):
            if before_file is not None:
                before_file(index)
            try:
                file, sites = self._sites(row, refusals)
            except ParseRefused as refused:
                reasons[index] = refused
                continue
            for site in sites:
                for name, value in self._example(row, file, site).items():
                    columns[name].append(value)
        dropped = rows.take(pa.array(list(reasons), pa.int64()))
        return SplitResult(
            pa.RecordBatch.from_pydict(columns, schema=EXAMPLE),
            rejections(
                FILE,
                STAGE,
                [refused.reason for refused in reasons.values()],
                dropped,
                [str(refused) for refused in reasons.values()],
            ),
            refusals,
        )

    def _sites(self, row: dict, refusals: Counter[str]) -> tuple[ParsedFile, list[Site]]:
        language = language_name(row["language"])
        if language is None:
            raise ParseRefused("language_unsupported", f"no grammar for {row['language']!r}")
        content: bytes = row["content"]
        lines = Lines(content)
        check_parseable(lines)
        if language not in self._parsers:
            self._parsers[language] = BudgetedParser(language)
        parser = self._parsers[language]
        file = ParsedFile(content, language, parser.parse(content), lines)
        sites, refused = sample_sites(file, parser, row["content_id"], self.settings)
        refusals.update(refused)
        if not sites:
            common = ", ".join(f"{reason} {count}" for reason, count in refused.most_common(3))
            raise ParseRefused(
                "no_site",
                f"no place for an example in {len(lines)} lines; most refused for: {common or 'no visible line'}",
            )
        return file, sites

    def _example(self, row: dict, file: ParsedFile, site: Site) -> dict[str, object]:
        content = file.content
        start, end = context_slice(file.lines, site, self.settings.context_bytes)
        middle = content[site.start : site.end].decode("utf-8")
        identifier = example_id(row["content_id"], site.start, site.end, start, end, site.kind, [])
        return {
            "example_id": identifier,
            "group_id": identifier,
            "category": site.category,
            "kind": site.kind,
            "stop_reason": site.stop_reason,
            "prefix": content[start : site.start].decode("utf-8"),
            "middle": middle,
            "suffix": content[site.end : end].decode("utf-8"),
            "language": file.language.name,
            "repository": row["repository"],
            "path": row["path"],
            "revision": row["revision"],
            "licenses": row["licenses"],
            "source_id": row["source_id"],
            "content_id": row["content_id"],
            "start_byte": site.start,
            "end_byte": site.end,
            "context_start_byte": start,
            "context_end_byte": end,
            "edits": [],
            "half_written": False,
            "irreparable": False,
            "open_ended": False,
            "bracket_delta": site.bracket_delta,
            "newline_owner": site.newline_owner,
            "node_type": site.node_type,
            "scope": file.scope(
                file.path(max(min(site.start, site.end - 1 if site.end > site.start else site.start - 1), 0))
            ),
            "lines": sum(1 for line in middle.split("\n") if line.strip()),
            "chars": len(middle),
            "seed": self.settings.seed,
            "version": self.version,
        }


def context_slice(lines: Lines, site: Site, context_bytes: int) -> tuple[int, int]:
    """The whole lines around a site that make up at most `context_bytes`, half before the cursor and half after.

    What one side does not need goes to the other. The lines of the cursor and of the middle's end are always in, the
    first line of the suffix too; 0 means the whole content.
    """
    size = len(lines.content)
    if context_bytes <= 0 or size <= context_bytes:
        return 0, size
    first_row, last_row = lines.row_of(site.start), lines.row_of(max(site.end - 1, site.start))
    last_row = min(max(last_row, lines.row_of(min(site.end, size - 1))), len(lines) - 1)
    head, tail = lines.starts[first_row], lines.next_start(last_row)
    spare = max(context_bytes - (tail - head), 0)
    before, after = head, size - tail
    give_before = min(before, max(spare // 2, spare - after))
    give_after = min(after, spare - give_before)
    # Lines that are cut by the budget are left out whole.
    start_row = lines.row_of(head - give_before) if head else 0
    if lines.starts[start_row] < head - give_before:
        start_row += 1
    end_row = lines.row_of(tail + give_after - 1)
    if lines.next_start(end_row) > tail + give_after:
        end_row -= 1
    return lines.starts[min(start_row, first_row)], lines.next_start(max(end_row, last_row))


def example_id(
    content_id: str, start: int, end: int, context_start: int, context_end: int, kind: str, edits: list[dict]
) -> str:
    """16 hex digits: BLAKE2b of what makes the example."""
    key = json.dumps(
        [content_id, start, end, context_start, context_end, kind, edits], ensure_ascii=True, sort_keys=True
    )
    return hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
