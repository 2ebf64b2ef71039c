"""The example shards of a folder: found, checked for their columns, named and read in bounded batches."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import paths
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.scored import SCORED, is_scored


@dataclass(frozen=True)
class ExampleShard:
    """A shard that a derived folder is made from."""

    path: Path
    name: str
    """Its path below `data/`, with forward slashes."""
    sha256: str
    """Digest of its bytes, 64 hex digits."""


def example_shards(folder: Path) -> list[ExampleShard]:
    """The shards of examples below `folder`/data, or below `folder` where there is no such folder, in order of path.

    Raises UsageError where there are none, or where one has other columns.
    """
    files = example_files(folder)
    base = _base(folder)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        digests = list(pool.map(_sha256, files))
    return [
        ExampleShard(path, path.relative_to(base).as_posix(), digest)
        for path, digest in zip(files, digests, strict=True)
    ]


def example_files(folder: Path) -> list[Path]:
    """The files of these shards, in the same order. Raises UsageError where there are none, or one has other columns."""
    files = data_files(folder)
    if not files:
        raise UsageError(f"{folder}: no examples there; expected a folder with some that `stackfim build` made")
    for path in files:
        try:
            names = pq.read_schema(path).names
        except (pa.ArrowInvalid, OSError) as error:
            raise UsageError(f"{path}: not a parquet file ({error})") from error
        missing = [name for name in EXAMPLE.names if name not in names]
        if missing:
            raise UsageError(f"{path}: not a shard of examples, it lacks the columns {', '.join(missing)}")
    return files


def data_files(folder: Path) -> list[Path]:
    """The parquet files below `folder`/data, or below `folder` where there is no such folder, in order, whatever they hold.

    Raises UsageError where there are none, unless the folder says that it is complete: there may be nothing in it.
    """
    reports = (paths.MANIFEST, paths.SCORING, paths.RENDERING, paths.MIXTURE)
    is_complete = any((folder / name).exists() for name in reports)
    base = folder / paths.DATA if is_complete else _base(folder)
    files = sorted(path for path in base.rglob("*.parquet") if not paths.is_temporary(path.name))
    if not files and not is_complete:
        raise UsageError(f"{folder}: no parquet shards there; expected a folder that `stackfim build` made")
    return files


def example_columns(files: list[Path]) -> pa.Schema:
    """The columns that all `files` have: those of scored examples, or of examples that no model has scored.

    Raises UsageError where some are scored and some are not.
    """
    scored = [is_scored(pq.read_schema(path).names) for path in files]
    if len(set(scored)) > 1:
        raise UsageError(
            f"{files[scored.index(True)]} is scored and {files[scored.index(False)]} is not; expected all to be, or none"
        )
    return SCORED if scored[0] else EXAMPLE


def read_examples(path: Path, columns: list[str] | None = None, batch_rows: int = 500) -> Iterator[pa.RecordBatch]:
    """The rows of a shard, in batches of at most `batch_rows`."""
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=batch_rows, columns=columns)


def _base(folder: Path) -> Path:
    """The folder that shards are looked for in."""
    return folder / paths.DATA if (folder / paths.DATA).is_dir() else folder


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
