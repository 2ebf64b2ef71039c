"""The example shards of a folder: found, checked for their schema, read in bounded batches."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder.storage import TEMPORARY
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.scored import SCORED, is_scored


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


def example_columns(files: list[Path]) -> pa.Schema:
    """The columns that all `files` have: those of scored examples, or of examples that no model has scored.

    Raises UsageError where some are scored and some are not.
    """
    scored = [is_scored(pq.read_schema(path).names) for path in files]
    if len(set(scored)) > 1:
        raise UsageError(
            f"{files[scored.index(True)]} is scored, {files[scored.index(False)]} is not; expected one kind"
        )
    return SCORED if scored[0] else EXAMPLE


def read_examples(path: Path, columns: list[str] | None = None, batch_rows: int = 500) -> Iterator[pa.RecordBatch]:
    """The rows of a shard, a few hundred at a time."""
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=batch_rows, columns=columns)
