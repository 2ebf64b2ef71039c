"""Turns sites into rows and files into batches of rows: the splitter as one pure function on an Arrow batch."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.rejection import FILE, rejections
from stackfim.transforms.draws import Draws
from stackfim.transforms.languages import language_name, unsupported_reason
from stackfim.transforms.lines import Lines
from stackfim.transforms.split.error_share import check_language
from stackfim.transforms.split.half_written import HalfWritten, around_partner, half_write
from stackfim.transforms.split.parser import BudgetedParser, ParseRefused, check_parseable
from stackfim.transforms.split.sampling import sample_sites
from stackfim.transforms.split.site import Site
from stackfim.transforms.split.split_settings import SplitSettings
from stackfim.transforms.split.syntax import ParsedFile

STAGE = "split"


@dataclass
class SplitResult:
    """The result of splitting a batch of files."""

    examples: pa.RecordBatch
    """stackfim.schemas.example.EXAMPLE, in order of files and slots."""
    rejections: pa.RecordBatch
    """stackfim.schemas.rejection.REJECTION: the files that yield no example."""
    refusals: Counter[str] = field(default_factory=Counter)
    """How many candidate sites each reason refused. A refused site is no loss: another one gets its slot."""


class _SiteValues(NamedTuple):
    """The columns of an example that depend on its site; texts are UTF-8."""

    example_id: str
    group_id: str
    category: str
    kind: str
    stop_reason: str | None
    prefix: bytes
    middle: bytes
    suffix: bytes
    language: str
    start_byte: int
    end_byte: int
    context_start_byte: int
    context_end_byte: int
    edits: list[dict[str, Any]]
    half_written: bool
    irreparable: bool
    open_ended: bool
    bracket_delta: int
    newline_owner: str
    node_type: str
    scope: str
    lines: int
    chars: int


class Splitter:
    """Splits batches of files; keeps one parser for each language. Not for use by several threads."""

    def __init__(self, settings: SplitSettings, version: str) -> None:
        """A splitter whose examples say that `version` of stackfim made them."""
        self.settings = settings
        self.version = version
        self._parsers: dict[str, BudgetedParser] = {}

    def split(self, rows: pa.RecordBatch, before_file: Callable[[int], None] | None = None) -> SplitResult:
        """The examples and rejections of `rows` (stackfim.schemas.source.ROW, content valid UTF-8).

        `before_file` is called with the index of each file before the file is split.
        """
        sources: list[int] = []
        values: list[_SiteValues] = []
        reasons: dict[int, tuple[str, str]] = {}
        refusals: Counter[str] = Counter()
        contents = rows.column("content")
        paths, languages, content_ids = (rows.column(name).to_pylist() for name in ("path", "language", "content_id"))
        for index in range(rows.num_rows):
            if before_file is not None:
                before_file(index)
            try:
                content = contents[index].as_py()
                file, sites = self._sites(content, paths[index], languages[index], content_ids[index], refusals)
            except ParseRefused as refused:
                # Never the exception itself: its traceback would keep this call's files, in a cycle.
                reasons[index] = refused.reason, str(refused)
                continue
            sources += [index] * len(sites)
            values += self._rows(content_ids[index], file, sites)
        dropped = rows.take(pa.array(list(reasons), pa.int64()))
        return SplitResult(
            self._batch(rows, sources, values),
            rejections(
                FILE,
                STAGE,
                [reason for reason, _ in reasons.values()],
                dropped,
                [detail for _, detail in reasons.values()],
            ),
            refusals,
        )

    def _sites(
        self, content: bytes, path: str, named: str, content_id: str, refusals: Counter[str]
    ) -> tuple[ParsedFile, list[Site]]:
        """The parsed file and its sites; `refusals` gets the reasons of refused ones. Raises ParseRefused for a file without."""
        language = language_name(named)
        if language is None:
            raise ParseRefused("language_unsupported", unsupported_reason(named))
        lines = Lines(content)
        check_parseable(lines)
        if language not in self._parsers:
            self._parsers[language] = BudgetedParser(language)
        parser = self._parsers[language]
        tree = parser.parse(content)
        check_language(tree.root_node, path, language, self.settings.max_error_share)
        file = ParsedFile(content, language, tree, lines)
        sites, refused = sample_sites(file, parser, content_id, self.settings)
        refusals.update(refused)
        if not sites:
            common = ", ".join(f"{reason} {count}" for reason, count in refused.most_common(3))
            raise ParseRefused(
                "no_site",
                f"no place for an example in {len(lines)} lines; most refused for: {common or 'no visible line'}",
            )
        return file, sites

    def _rows(self, content_id: str, file: ParsedFile, sites: list[Site]) -> list[_SiteValues]:
        """The rows of a file's sites. The two halves of a pair, the one with a middle first, share a context and its edits."""
        rows: list[_SiteValues] = []
        for index in range(len(sites) - 1, -1, -1):
            site = sites[index]
            if index + 1 < len(sites) and sites[index + 1].partner == site:
                continue  # its silent half brings it along
            written = site.partner or site
            start, end = context_slice(file.lines, written, self.settings.context_bytes)
            draws = Draws("half_written", content_id, site.start, site.end, site.kind.name, self.settings.seed)
            context = half_write(file, site, start, end, draws, self.settings.half_written)
            group_id = example_id(content_id, written.start, written.end, start, end, written.kind.name, context.edits)
            if site.partner is None:
                rows.append(_row(file, site, (start, end), context, group_id, group_id))
                continue
            silence = example_id(content_id, site.start, site.end, start, end, site.kind.name, context.edits)
            rows.append(_row(file, site, (start, end), context, silence, group_id))
            other = around_partner(file, written, start, end, context)
            rows.append(_row(file, written, (start, end), other, group_id, group_id))
        return rows[::-1]

    def _batch(self, rows: pa.RecordBatch, sources: list[int], values: list[_SiteValues]) -> pa.RecordBatch:
        """The examples as a batch: columns about the file come from `rows`, from the index that `sources` has for each example."""
        count = len(values)
        same: dict[str, object] = {"seed": self.settings.seed, "version": self.version}
        own = dict(zip(_SiteValues._fields, zip(*values, strict=True), strict=True)) if values else {}
        of_the_file = rows.take(pa.array(sources, pa.int64()))
        columns = []
        for column in EXAMPLE:
            if column.name in same:
                columns.append(pa.array([same[column.name]] * count, column.type))
            elif column.name not in _SiteValues._fields:
                columns.append(of_the_file.column(column.name).cast(column.type))
            elif column.name in ("prefix", "middle", "suffix"):
                # Slices of valid UTF-8 at whole characters are valid UTF-8.
                columns.append(pa.array(own.get(column.name, []), pa.binary()).view(pa.string()))
            else:
                columns.append(pa.array(own.get(column.name, []), column.type))
        return pa.RecordBatch.from_arrays(columns, schema=EXAMPLE)


def _row(
    file: ParsedFile, site: Site, covered: tuple[int, int], context: HalfWritten, example: str, group_id: str
) -> _SiteValues:
    middle = file.content[site.start : site.end]
    text = middle.decode("utf-8")
    inside = site.start if site.end > site.start else max(site.start - 1, 0)
    return _SiteValues(
        example_id=example,
        group_id=group_id,
        category=site.kind.category,
        kind=site.kind.name,
        stop_reason=site.stop_reason,
        prefix=context.prefix,
        middle=middle,
        suffix=context.suffix,
        language=file.language.name,
        start_byte=site.start,
        end_byte=site.end,
        context_start_byte=covered[0],
        context_end_byte=covered[1],
        edits=context.edits,
        half_written=context.half_written,
        irreparable=context.irreparable,
        open_ended=context.open_ended,
        bracket_delta=site.bracket_delta,
        newline_owner=site.newline_owner,
        node_type=site.node_type,
        scope=file.scope(file.path(inside)),
        lines=sum(1 for line in text.split("\n") if line.strip()),
        chars=len(text),
    )


def context_slice(lines: Lines, site: Site, context_bytes: int) -> tuple[int, int]:
    """The bytes [start, end) of the whole lines around a site, at most `context_bytes`, half before the cursor and half after.

    What one side does not need goes to the other. The lines of the cursor and of the middle's end and the first line of the
    suffix are always in; 0 means the whole content.
    """
    size = len(lines.content)
    if context_bytes <= 0 or size <= context_bytes:
        return 0, size
    first_line, last_line = lines.line_of(site.start), lines.line_of(max(site.end - 1, site.start))
    last_line = min(max(last_line, lines.line_of(min(site.end, size - 1))), len(lines) - 1)
    head, tail = lines.starts[first_line], lines.next_start(last_line)
    spare = max(context_bytes - (tail - head), 0)
    before, after = head, size - tail
    give_before = min(before, max(spare // 2, spare - after))
    give_after = min(after, spare - give_before)
    # Lines that the budget would cut are left out.
    start_line = lines.line_of(head - give_before) if head else 0
    if lines.starts[start_line] < head - give_before:
        start_line += 1
    end_line = lines.line_of(tail + give_after - 1)
    if lines.next_start(end_line) > tail + give_after:
        end_line -= 1
    return lines.starts[min(start_line, first_line)], lines.next_start(max(end_line, last_line))


def example_id(
    content_id: str, start: int, end: int, context_start: int, context_end: int, kind: str, edits: list[dict[str, Any]]
) -> str:
    """The id of an example, 16 hex digits: BLAKE2b of all that makes it."""
    key = f"{content_id} {start} {end} {context_start} {context_end} {kind}"
    if edits:
        key += " " + json.dumps(edits, ensure_ascii=True, sort_keys=True)
    return hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
