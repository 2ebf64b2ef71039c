"""A batch through all filters, and through relabelling before them."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.schemas.rejection import concatenate
from stackfim.transforms.filters.actual_language import FILE_LANGUAGE, relabelled
from stackfim.transforms.filters.decision import Drops, divide
from stackfim.transforms.filters.filter import judge
from stackfim.transforms.filters.filter_list import FILTERS
from stackfim.transforms.filters.filter_settings import FilterPlan


def relabel(rows: pa.RecordBatch, plan: FilterPlan) -> tuple[pa.RecordBatch, dict[str, int]]:
    """The rows labelled with the language that they show (stackfim.transforms.filters.actual_language), and the changes."""
    return relabelled(rows) if plan.runs(FILE_LANGUAGE) else (rows, {})


def filter_rows(
    rows: pa.RecordBatch, plan: FilterPlan, decided: Mapping[str, Drops] | None = None
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The rows (stackfim.schemas.source.ROW, after `relabel`) that pass all filters, and a rejection for each other row.

    A filter measures only the rows that the filters before it left. `decided` has, by stage, the drops that were decided
    when these rows were scored (stackfim.transforms.filters.scores): those filters do not measure again.
    """
    rejected = []
    places = np.arange(rows.num_rows)
    for filter_ in FILTERS:
        if not rows.num_rows:
            break
        if plan.runs(filter_):
            known = (decided or {}).get(filter_.stage)
            drops = judge(filter_, rows, plan).drops if known is None else _at(places, known)
            rows, dropped = divide(rows, filter_.stage, drops)
            places = np.delete(places, list(drops))
            rejected.append(dropped)
    return rows, concatenate(rejected)


def _at(places: npt.NDArray[np.int64], drops: Drops) -> Drops:
    """The drops of the rows that are left, whose positions in the batch are `places`, by their positions now."""
    return {row: drops[place] for row, place in enumerate(places.tolist()) if place in drops}
