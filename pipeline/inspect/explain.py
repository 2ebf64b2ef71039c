"""`stackfim explain`: every filter's scores, limits and verdict for one file of a source, and the splitter's."""

import json
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

from stackfim.pipeline.config.run_config import RunConfig, UsageError
from stackfim.pipeline.folder.manifest import stackfim_version
from stackfim.pipeline.sources import open_source
from stackfim.transforms.filters.chain import FilterSettings, relabel
from stackfim.transforms.filters.explain import DROPPED, KEPT, Measure, StageReport, explain
from stackfim.transforms.filters.redaction import redact
from stackfim.transforms.languages import language_name
from stackfim.transforms.languages.file_names import shared_extension
from stackfim.transforms.split.error_share import error_share
from stackfim.transforms.split.examples import STAGE
from stackfim.transforms.split.parser import BudgetedParser
from stackfim.transforms.split.process import SplitterProcess
from stackfim.transforms.split.split_settings import SplitSettings

_UNREADABLE = frozenset({"language", "size", "encoding"})
"""Stages whose rows the splitter does not take."""
_PARSED = frozenset({"", "no_site", "mostly_syntax_errors"})
"""Reasons of the splitter, and none, that say that the grammar got through the file: it can be parsed here too."""
_STYLES = {"kept": "green", "dropped": "red", "off": "dim"}


@dataclass(frozen=True)
class Explanation:
    """What the filters and the splitter of a run make of one file."""

    repository: str
    path: str
    content_id: str
    language: str
    read_error: str
    """Why the source gave no row for the file; empty where it did."""
    filters: tuple[StageReport, ...]

    @property
    def first_drop(self) -> StageReport | None:
        """The filter whose reason is on record; None for a file that stays."""
        return next((report for report in self.filters if report.verdict == DROPPED), None)


def explain_file(spec: str, path: str, repository: str | None, config: RunConfig) -> Explanation:
    """The first file of the source with that path, and repository where one is given.

    Raises UsageError where there is none, SourceError for a source that cannot be read.
    """
    source = open_source(spec, config.columns)
    settings, benchmarks = config.filter_settings(), config.benchmark_texts()
    for shard in source.shards(config.limit):
        for rows, rejections in source.read(shard.locator):
            found = rows.filter(_named(rows, path, repository))
            if found.num_rows:
                row = found.slice(0, 1)
                plain = {name: row.column(name)[0].as_py() for name in ("repository", "path", "content_id", "language")}
                reports = explain(row, settings, benchmarks)
                if not {report.stage for report in reports if report.verdict == DROPPED} & _UNREADABLE:
                    reports.append(_split(row, settings, config.split_settings()))
                return Explanation(**plain, read_error="", filters=tuple(reports))
            unread = rejections.filter(_named(rejections, path, repository)).to_pylist()
            if unread:
                first = unread[0]
                said = f"{first['reason']}: {first['detail']}"
                return Explanation(first["repository"], first["path"], first["content_id"], "", said, ())
    named = f"{repository}: {path}" if repository is not None else path
    raise UsageError(f"--path {path}: {spec} has no file {named}; paths are relative to their repository")


def _split(row: pa.RecordBatch, filters: FilterSettings, settings: SplitSettings) -> StageReport:
    """What the splitter makes of the file, in its own process: the grammar may crash on it."""
    row = redact(relabel(row, filters)[0], secrets=filters.secrets, personal_data=filters.personal_data).rows
    with SplitterProcess(settings, stackfim_version()) as process:
        result = process.split(row)
    rejected = result.rejections.to_pylist()
    reason, detail = (rejected[0]["reason"], rejected[0]["detail"]) if rejected else ("", "")
    measures = [Measure("examples", result.examples.num_rows, "at least 1")]
    if reason in _PARSED:
        language = language_name(row.column("language")[0].as_py()) or ""
        share = error_share(BudgetedParser(language).parse(row.column("content")[0].as_py()).root_node)
        limit = f"at most {settings.max_error_share:g}" if shared_extension(row.column("path")[0].as_py()) else ""
        measures.insert(0, Measure("error_share", share, limit))
    return StageReport(STAGE, tuple(measures), DROPPED if rejected else KEPT, reason, detail)


def _named(rows: pa.RecordBatch, path: str, repository: str | None) -> pa.BooleanArray:
    named = pc.equal(rows.column("path"), path)
    return named if repository is None else pc.and_(named, pc.equal(rows.column("repository"), repository))


def as_json(explanation: Explanation) -> str:
    """One JSON object: the file, `kept`, and the filters with their scores."""
    filters = [asdict(report) for report in explanation.filters]
    for report in filters:
        report["scores"] = report.pop("measures")
    named = {
        name: getattr(explanation, name) for name in ("repository", "path", "content_id", "language", "read_error")
    }
    kept = not explanation.read_error and explanation.first_drop is None
    return json.dumps(named | {"kept": kept, "filters": filters}, ensure_ascii=False, indent=1)


def print_explanation(explanation: Explanation, console: Console) -> None:
    """A table with a line a score, filters in the order that they run."""
    head = f"{explanation.repository}: {explanation.path} ({explanation.language or 'no language'})"
    console.print(head, markup=False, soft_wrap=True)
    if explanation.read_error:
        console.print(f"not read: {explanation.read_error}", markup=False, soft_wrap=True)
        return
    # No frame: with long names all of it has to fit into 80 columns.
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, least in (("Filter", 0), ("Verdict", 0), ("Score", 0), ("Value", 10), ("Limit", 10)):
        table.add_column(
            title,
            justify="right" if title == "Value" else "left",
            min_width=least or None,
            no_wrap=not least,
            overflow="fold" if least else "ignore",
        )
    for report in explanation.filters:
        lines = report.measures or (None,)
        for number, measure in enumerate(lines):
            first = number == 0
            cells = (measure.score, _shown(measure.value), measure.limit) if measure is not None else ("", "", "")
            table.add_row(
                report.stage if first else "",
                f"[{_STYLES[report.verdict]}]{report.verdict}[/]" if first else "",
                *cells,
            )
    console.print(table)
    drop = explanation.first_drop
    if drop is None:
        console.print("The file stays.")
    else:
        others = [report.stage for report in explanation.filters if report.verdict == DROPPED and report != drop]
        also = f" (so would {', '.join(others)})" if others else ""
        console.print(f"The file goes: {drop.stage}, {drop.reason}: {drop.detail}{also}", markup=False, soft_wrap=True)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
