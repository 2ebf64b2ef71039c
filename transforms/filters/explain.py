"""What each filter measures of one file, what it holds that against and what it decides, whether or not it comes first."""

from dataclasses import dataclass

import pyarrow as pa

from stackfim.transforms.filters.actual_language import FILE_LANGUAGE
from stackfim.transforms.filters.chain import relabel
from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.encoding import ENCODING, INVALID_AT
from stackfim.transforms.filters.filter import judge
from stackfim.transforms.filters.filter_list import FILTERS, TEXT_FILTERS
from stackfim.transforms.filters.filter_settings import FilterPlan

KEPT, DROPPED, SWITCHED_OFF = "kept", "dropped", "off"


@dataclass(frozen=True)
class Measure:
    """One score of a file."""

    score: str
    value: str | int | float | bool | None
    """None where the score does not apply."""
    limit: str
    """What it is held against, in words; empty for a rule that has no limit."""


@dataclass(frozen=True)
class StageReport:
    """What one filter measures and decides."""

    stage: str
    measures: tuple[Measure, ...]
    verdict: str
    """`kept`, `dropped` or `off`."""
    reason: str = ""
    detail: str = ""


def explain(row: pa.RecordBatch, plan: FilterPlan) -> list[StageReport]:
    """The reports of all filters, in order, on a batch (stackfim.schemas.source.ROW) of one row."""
    label = row.column("language")[0].as_py()
    row, _ = relabel(row, plan)
    language = row.column("language")[0].as_py()
    readable = True
    reports = []
    for filter_ in FILTERS:
        judged = judge(filter_, row, plan, with_scores=True)
        if filter_ is ENCODING:
            readable = not judged.scores[INVALID_AT][0].is_valid
        has_columns = readable or filter_ not in TEXT_FILTERS
        measures = [
            Measure(
                score.name,
                judged.scores[score.name][0].as_py() if has_columns or not score.description else None,
                score.limit(plan, language),
            )
            for score in filter_.scores
            if score.name in judged.scores
        ]
        if filter_ is FILE_LANGUAGE:
            measures = [Measure("said", label, ""), Measure("shown", language, "")]
        reports.append(_report(filter_.stage, tuple(measures), judged.drops, plan))
    return reports


def _report(stage: str, measures: tuple[Measure, ...], drops: Drops, plan: FilterPlan) -> StageReport:
    if stage in plan.settings.switched_off:
        return StageReport(stage, measures, SWITCHED_OFF)
    reason, detail = drops.get(0, ("", ""))
    return StageReport(stage, measures, DROPPED if drops else KEPT, reason, detail)
