"""Size of the content. The Stack holds files up to 1 MiB (Kocetkov et al. 2022); larger ones are mostly data."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops, drop_where, either
from stackfim.transforms.filters.filter import Bounds, Filter, Score
from stackfim.transforms.filters.text import text_of


def size_bytes(content: pa.BinaryArray) -> npt.NDArray[np.int64]:
    """Number of bytes in every row; (rows,)."""
    return np.diff(text_of(content).offsets)


def decide_size(sizes: npt.NDArray[np.int64], max_bytes: int) -> Drops:
    """Drops `empty` rows and those over `max_bytes` (`too_large`)."""
    details = [f"{size} bytes, expected at most {max_bytes}" for size in sizes.tolist()]
    return either(
        drop_where(sizes == 0, "empty", detail="0 bytes"), drop_where(sizes > max_bytes, "too_large", details)
    )


SIZE: Filter[npt.NDArray[np.int64]] = Filter(
    stage="size",
    measure=lambda rows, plan: size_bytes(rows.column("content")),
    decide=lambda sizes, languages, plan: decide_size(sizes, plan.settings.max_size_bytes),
    scores=(
        Score("size_bytes", pa.int64(), lambda sizes: sizes, Bounds(maximum="max_size_bytes"), "Size of the file."),
    ),
)
