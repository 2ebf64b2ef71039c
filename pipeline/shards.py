"""The example shards of a folder: found, checked for their schema, read in bounded batches."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config import UsageError
from pipeline.storage import TEMPORARY
from schemas.example import EXAMPLE


def example_files(folder: Path) -> list[Path]:
    """Parquet files of examples: below `folder`/data if there is such a folder, else below `folder`; sorted.

    Raises UsageError where there are none, or one has other columns.
    """
    base = folder / "data" if (folder / "data").is_dir() else folder
    files = sorted(path for path in base.rglob("*.parquet") if not path.name.startswith(TEMPORARY))
    if not files:
        raise UsageError(f"{folder}: no parquet shards there; expected a folder that `stackfim build` made")
    for path in files:
        try:
            names = pq.read_schema(path).names
        except (pa.ArrowInvalid, OSError) as error:
            raise UsageError(f"{path}: not a parquet file ({error})") from error
        missing = [name for name in EXAMPLE.names if name not in names]
        if missing:
            raise UsageError(f"{path}: no shard of examples, it lacks the columns {', '.join(missing)}")
    return files


def read_examples(path: Path, columns: list[str] | None = None, batch_rows: int = 500) -> Iterator[pa.RecordBatch]:
    """The rows of a shard, a few hundred at a time."""
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=batch_rows, columns=columns)
