"""A filter as one record: what it measures of a batch, what it drops by that, and what each score is held against.

Measuring is apart from deciding, so that the scores of every file can be written down, and limits moved over them without
another run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.schemas.filter_score import score_column
from stackfim.transforms.filters.cpu_budget import FILE_CPU_S, OverBudgetError, cpu_budget
from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.quality_limits import NO_LIMIT

if TYPE_CHECKING:
    # The settings import the filters to know their names. Here the plan is needed for types alone.
    from stackfim.transforms.filters.filter_settings import FilterPlan

FAILED = "filter_failed"
"""Reason of a row that a filter cannot handle; the detail is the exception's name."""

TIMEOUT = "filter_timeout"
"""Reason of a row for which a filter takes more processor time than a file may; the detail is that time."""

Measured = TypeVar("Measured")
Values = npt.NDArray[Any] | Sequence[str | int | float | bool | None]
Limit = Callable[["FilterPlan", str], str]
"""In words, what a score is held against under a plan and for a language; empty for a rule that has no limit."""


@dataclass(frozen=True)
class Bounds:
    """The limits of a score by their names: fields of QualityLimits, or of FilterSettings where all languages share one."""

    minimum: str = ""
    maximum: str = ""

    def __call__(self, plan: FilterPlan, language: str) -> str:
        """The limits in words, without those of the table that no file can miss."""
        limits: dict[str, Any] = vars(plan.settings) | vars(plan.limits([language])[0])
        words = (_bound("at least", limits.get(self.minimum)), _bound("at most", limits.get(self.maximum)))
        return ", ".join(filter(None, words))


def _bound(words: str, limit: float | None) -> str:
    if limit is None or (words == "at least" and limit == 0) or limit >= NO_LIMIT:
        return ""
    return f"{words} {limit:,}" if isinstance(limit, int) else f"{words} {limit:g}"


@dataclass(frozen=True)
class Score(Generic[Measured]):
    """A value that a filter measures for each row; explanations show it, and score files may have a column for it."""

    name: str
    type: pa.DataType
    values: Callable[[Measured], Values]
    """The values in order of rows; None, or a negative number, where the score does not apply to the row."""
    limit: Limit = Bounds()
    description: str = ""
    """What the score's column in score files holds; empty for a score that only explanations show."""

    def column(self, measured: Measured) -> pa.Array:
        """The values as an Arrow array, null where the score does not apply."""
        values = self.values(measured)
        absent = values < 0 if isinstance(values, np.ndarray) and values.dtype.kind in "if" else None
        return pa.array(values, self.type, mask=absent)


@dataclass(frozen=True)
class Filter(Generic[Measured]):
    """One filter. Its functions are pure, take all rows of a batch at once and judge each row by itself."""

    stage: str
    """Its name: the stage of its rejections, and how the settings switch it off."""
    measure: Callable[[pa.RecordBatch, FilterPlan], Measured | None]
    """What it measures of rows (stackfim.schemas.source.ROW); None where the plan has nothing to measure them against."""
    decide: Callable[[Measured, list[str], FilterPlan], Drops]
    """What it drops, by what it measured, the languages of the rows and the plan."""
    scores: tuple[Score[Measured], ...] = ()
    active: Callable[[FilterPlan], bool] = lambda plan: True
    """Whether the plan lets it drop anything; if not, only explanations measure it."""

    @property
    def columns(self) -> tuple[pa.Field, ...]:
        """The described columns of score files that it fills; none for some."""
        return tuple(
            score_column(score.name, score.type, score.description) for score in self.scores if score.description
        )


class Judgement(NamedTuple):
    """What one filter finds in a batch."""

    drops: Drops
    scores: dict[str, pa.Array]
    """Each score by its name; none where scores were not wanted or the plan has nothing to measure the rows against."""


def judge(filter_: Filter[Any], rows: pa.RecordBatch, plan: FilterPlan, *, with_scores: bool = False) -> Judgement:
    """Measures rows (stackfim.schemas.source.ROW) and decides by that; a filter that is not active drops nothing.

    Where the filter fails on the batch, or takes more time than one file may, each row is judged by itself, so that one bad
    row takes no other along. A row on which the filter fails is dropped for `filter_failed`, one that takes too long for
    `filter_timeout` (stackfim.transforms.filters.cpu_budget), and its scores are null.
    """
    try:
        with cpu_budget(FILE_CPU_S):
            measured = filter_.measure(rows, plan)
        if measured is None:
            return Judgement({}, {})
        drops = filter_.decide(measured, rows.column("language").to_pylist(), plan) if filter_.active(plan) else {}
        return Judgement(drops, {score.name: score.column(measured) for score in filter_.scores} if with_scores else {})
    except Exception as error:
        if rows.num_rows == 1:
            failed = {0: _failure(error)} if filter_.active(plan) else {}
            return Judgement(failed, {score.name: pa.nulls(1, score.type) for score in filter_.scores})
    parts = [judge(filter_, rows.slice(row, 1), plan, with_scores=with_scores) for row in range(rows.num_rows)]
    drops = {row: part.drops[0] for row, part in enumerate(parts) if part.drops}
    scores = filter_.scores if with_scores else ()
    return Judgement(
        drops, {score.name: pa.concat_arrays([part.scores[score.name] for part in parts]) for score in scores}
    )


def _failure(error: Exception) -> tuple[str, str]:
    if isinstance(error, OverBudgetError):
        return TIMEOUT, f"over {FILE_CPU_S:g} s of processor time for one file"
    return FAILED, type(error).__name__
