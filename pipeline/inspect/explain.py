"""`stackfim explain`: the scores, limits and verdicts of all filters for one file of a source, and those of the splitter."""

import json
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stackfim.pipeline.config.run_config import RunConfig
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder.manifest import stackfim_version
from stackfim.pipeline.local.terminal import visible
from stackfim.pipeline.sources import SourceOptions, open_source
from stackfim.transforms.filters.chain import relabel
from stackfim.transforms.filters.explain import DROPPED, KEPT, Measure, StageReport, explain
from stackfim.transforms.filters.filter_settings import FilterPlan
from stackfim.transforms.filters.redaction import redact
from stackfim.transforms.languages import language_name
from stackfim.transforms.languages.file_names import shared_extension
from stackfim.transforms.split.error_share import error_share
from stackfim.transforms.split.examples import STAGE
from stackfim.transforms.split.parser import BudgetedParser
from stackfim.transforms.split.process import SplitterProcess
from stackfim.transforms.split.split_settings import SplitSettings

_UNREADABLE = frozenset({"language", "size", "encoding"})
"""Stages that drop what the splitter cannot read."""
_PARSED = frozenset({"", "no_site", "mostly_syntax_errors"})
"""Reasons of the splitter by which its grammar parsed the file, so that it can be parsed here as well; empty for a kept file."""
_STYLES = {"kept": "green", "dropped": "red", "off": "dim"}


@dataclass(frozen=True)
class Explanation:
    """What the filters and the splitter of a run decide about one file."""

    repository: str
    path: str
    content_id: str
    language: str
    read_error: str
    """Why the source could not read the file; empty where it did."""
    filters: tuple[StageReport, ...]
    """The reports of the filters in the order that they run, then that of the splitter where it can read the file."""

    @property
    def first_drop(self) -> StageReport | None:
        """The report of the first stage that drops the file, whose reason a run records; None for a file that stays."""
        return next((report for report in self.filters if report.verdict == DROPPED), None)


def explain_file(spec: str, path: str, repository: str | None, config: RunConfig) -> Explanation:
    """Explains the first file of the source with that path, and with that repository where one is given.

    Raises UsageError where there is no such file, SourceError for a source that cannot be read.
    """
    needs_licenses = not config.filters.allow_missing_licenses
    source = open_source(spec, options=SourceOptions(config.columns, config.worktree, needs_licenses))
    plan = config.filter_plan()
    for shard in source.shards(*config.row_limit()):
        for rows, rejections in source.read(shard.locator):
            found = rows.filter(_named(rows, path, repository))
            if found.num_rows:
                row = found.slice(0, 1)
                plain = {name: row.column(name)[0].as_py() for name in ("repository", "path", "content_id", "language")}
                reports = explain(row, plan)
                if not {report.stage for report in reports if report.verdict == DROPPED} & _UNREADABLE:
                    reports.append(_split(row, plan, config.split_settings()))
                return Explanation(**plain, read_error="", filters=tuple(reports))
            unread = rejections.filter(_named(rejections, path, repository)).to_pylist()
            if unread:
                first = unread[0]
                error = f"{first['reason']}: {first['detail']}"
                return Explanation(first["repository"], first["path"], first["content_id"], "", error, ())
    named = f"{repository}: {path}" if repository is not None else path
    raise UsageError(f"--path {path}: {spec} has no file {named}; paths are relative to their repository")


def _split(row: pa.RecordBatch, plan: FilterPlan, settings: SplitSettings) -> StageReport:
    """The splitter's report, from a process of its own, since the grammar may crash on the file."""
    row = redact(relabel(row, plan)[0], secrets=plan.secrets, personal_data=plan.personal_data).rows
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
    """A JSON object of the file, with `kept` and the filters with their scores."""
    filters = [asdict(report) for report in explanation.filters]
    for report in filters:
        report["scores"] = report.pop("measures")
    named = {
        name: getattr(explanation, name) for name in ("repository", "path", "content_id", "language", "read_error")
    }
    kept = not explanation.read_error and explanation.first_drop is None
    return json.dumps(named | {"kept": kept, "filters": filters}, ensure_ascii=False, indent=1)


def print_explanation(explanation: Explanation, console: Console) -> None:
    """Prints a table with a line for each score, filters in the order that they run, and what becomes of the file."""
    head = f"{explanation.repository}: {explanation.path} ({explanation.language or 'no language'})"
    console.print(visible(head), markup=False, emoji=False, soft_wrap=True)
    if explanation.read_error:
        console.print(visible(f"not read: {explanation.read_error}"), markup=False, emoji=False, soft_wrap=True)
        return
    # Without a frame, so that all of it fits into 80 columns with long names too.
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
            texts = (measure.score, _shown(measure.value), measure.limit) if measure is not None else ("", "", "")
            # Text, so that no value is read as markup.
            cells = [Text(visible(text)) for text in texts]
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
        goes = visible(f"The file goes: {drop.stage}, {drop.reason}: {drop.detail}{also}")
        console.print(goes, markup=False, emoji=False, soft_wrap=True)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
