"""Size of the content. The Stack holds files up to 1 MiB (Kocetkov et al. 2022); larger ones are mostly data."""

import numpy as np
import pyarrow as pa

from stackfim.transforms.filters.decision import Drops, drop_where, either
from stackfim.transforms.filters.text import text_of


def size_bytes(content: pa.BinaryArray) -> np.ndarray:
    """Bytes of every row; int64, (rows,)."""
    return np.diff(text_of(content).offsets)


def decide_size(sizes: np.ndarray, max_bytes: int) -> Drops:
    """Drops `empty` rows and those over `max_bytes` (`too_large`)."""
    details = [f"{size} bytes, expected at most {max_bytes}" for size in sizes.tolist()]
    return either(
        drop_where(sizes == 0, "empty", detail="0 bytes"), drop_where(sizes > max_bytes, "too_large", details)
    )
