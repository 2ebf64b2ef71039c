"""What a filter decides: which rows go and why, and the batch divided by that."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.schemas.rejection import FILE, rejections

Drops = dict[int, tuple[str, str]]
"""Row index to (reason, detail), in order of rows. The detail has the value that was wrong and what was expected."""


def drop_where(
    mask: npt.NDArray[np.bool_], reason: str, details: list[str] | None = None, *, detail: str = ""
) -> Drops:
    """Drops of the rows where `mask` is true; `details` has a text for each row of the batch, `detail` one for all."""
    return {row: (reason, details[row] if details is not None else detail) for row in np.flatnonzero(mask).tolist()}


def drop_over(values: npt.NDArray[Any], limits: Sequence[float], reason: str, detail: str) -> Drops:
    """Drops of the rows whose value is over their limit; `detail` is a format with `value` and `limit`."""
    return _drop_beyond(values, limits, values > np.asarray(limits, float), reason, detail)


def drop_under(values: npt.NDArray[Any], limits: Sequence[float], reason: str, detail: str) -> Drops:
    """Drops of the rows whose value is under their limit; `detail` is a format with `value` and `limit`."""
    return _drop_beyond(values, limits, values < np.asarray(limits, float), reason, detail)


def _drop_beyond(
    values: npt.NDArray[Any], limits: Sequence[float], beyond: npt.NDArray[np.bool_], reason: str, detail: str
) -> Drops:
    return {
        row: (reason, detail.format(value=values[row], limit=limits[row])) for row in np.flatnonzero(beyond).tolist()
    }


def either(first: Drops, second: Drops) -> Drops:
    """The drops of two rules in order of rows; where both drop a row, the reason is the second's."""
    return dict(sorted((first | second).items()))


def divide(rows: pa.RecordBatch, stage: str, drops: Drops) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The rows that stay, and the rejections (stackfim.schemas.rejection.REJECTION) of those that go."""
    keep = np.ones(rows.num_rows, bool)
    keep[list(drops)] = False
    dropped = rows.select(["repository", "path", "content_id"]).take(pa.array(list(drops), pa.int64()))
    reasons, details = [reason for reason, _ in drops.values()], [detail for _, detail in drops.values()]
    return (rows.filter(pa.array(keep)) if drops else rows), rejections(FILE, stage, reasons, dropped, details)
