"""Every score of a batch as one table, so that limits can be moved over them without another run."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from stackfim.schemas.filter_score import FILE_COLUMNS
from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.encoding import ENCODING, INVALID_AT
from stackfim.transforms.filters.filter import judge
from stackfim.transforms.filters.filter_list import BYTE_FILTERS, FILTER_SCORE, TEXT_FILTERS
from stackfim.transforms.filters.filter_settings import FilterPlan


class Scored(NamedTuple):
    """What was measured of a batch, and what was decided by it."""

    scores: pa.RecordBatch
    """Columns stackfim.transforms.filters.filter_list.FILTER_SCORE, with a row for each row of the batch."""
    decided: dict[str, Drops]
    """By stage, what the filters that measured the batch drop of it, whatever the filters before them drop."""


def score_rows(rows: pa.RecordBatch, plan: FilterPlan) -> Scored:
    """Measures rows (stackfim.schemas.source.ROW, after `relabel`) by all filters that have columns in score files.

    A score is null where it does not apply, where its filter fails on the row and, unless it is one of BYTE_FILTERS, where
    the content is not valid UTF-8.
    """
    encoding = judge(ENCODING, rows, plan, with_scores=True)
    readable = encoding.scores[INVALID_AT].is_null().to_numpy(zero_copy_only=False)
    everything = np.arange(rows.num_rows)
    # Where the filter of encodings is switched off, those of text decide on all rows.
    of_text = np.flatnonzero(readable) if plan.runs(ENCODING) else everything
    scores = {field.name: rows.column(field.name) for field in FILE_COLUMNS}
    decided = {ENCODING.stage: encoding.drops}
    for filters, places, unreadable in (BYTE_FILTERS, everything, None), (TEXT_FILTERS, of_text, ~readable):
        measured = rows.take(pa.array(places)) if len(places) < rows.num_rows else rows
        # The position of each row among those that are measured; a null position gives a null score.
        positions = pa.array(np.searchsorted(places, everything), mask=unreadable)
        for filter_ in filters:
            if filter_.columns:
                judged = judge(filter_, measured, plan, with_scores=True)
                decided[filter_.stage] = {int(places[row]): drop for row, drop in judged.drops.items()}
                scores |= {name: values.take(positions) for name, values in judged.scores.items()}
    return Scored(
        pa.RecordBatch.from_arrays([scores[name] for name in FILTER_SCORE.names], schema=FILTER_SCORE), decided
    )
