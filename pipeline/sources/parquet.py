"""`parquet:FOLDER-OR-GLOB`: rows from parquet files on any file system that fsspec knows.

A shard is a run of row groups of one file, chosen from the footers. Reading decodes a few pages at a time, so memory
does not grow with the row groups.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import pyarrow.parquet as pq

from stackfim.pipeline.sources.parquet_columns import batch_rows, stored_columns, to_dictionaries
from stackfim.pipeline.sources.row_limit import Taken, limited
from stackfim.pipeline.sources.rows import checked_columns, first_rows, needed_columns, source_batches
from stackfim.pipeline.sources.source import (
    SHARD_BYTES,
    Shard,
    SourceBatch,
    SourceError,
    SourceUnavailable,
)

_FOOTER_THREADS = 8
_READ_BUFFER_BYTES = 1 << 20
_GLOB_MAGIC = "*?["

# Where file systems keep what changes with a file's bytes, the most reliable first.
_VERSION_KEYS = ("ETag", "etag", "md5Hash", "md5", "checksum", "generation", "LastModified", "last_modified", "mtime")


@dataclass(frozen=True)
class _File:
    path: str
    size_bytes: int
    version: str


@dataclass(frozen=True)
class _RowGroups:
    """A run of row groups, `first` to `end - 1`, with the rows and the uncompressed content bytes in it."""

    first: int
    end: int
    rows: int
    content_bytes: int


@dataclass(frozen=True)
class ParquetSource:
    """Parquet files in a folder (at any depth), matched by a glob, or one file; see stackfim.pipeline.sources.source.Source.

    Files and folders whose names start with `.` or `_` are skipped: they are hidden or unfinished, by the convention of
    Hadoop and Spark. `columns` maps columns of stackfim.schemas.source.ROW to the files' own.
    """

    location: str
    columns: Mapping[str, str] = field(default_factory=dict)
    needs_licenses: bool = True
    leave_out: str = ""
    """Path of a local folder of which no file is read."""

    def identity(self) -> dict[str, Any]:
        """The location, its number of files and bytes, and a digest of names, sizes and versions of all files."""
        files = self._files()
        digest = hashlib.sha256(
            json.dumps([[file.path, file.size_bytes, file.version] for file in files]).encode()
        ).hexdigest()
        return {
            "kind": "parquet",
            "location": self.location,
            "files": len(files),
            "size_bytes": sum(file.size_bytes for file in files),
            "digest": digest,
        }

    def shards(self, limit: int | None = None, seed: int | None = None) -> list[Shard]:
        """Runs of row groups of up to SHARD_BYTES of content, file by file in the order of their paths.

        Footers are read of the files that a limit needs. Raises SourceError when there is no row, no access, or a file that
        is not parquet or lacks a column.
        """
        files = self._files()
        if limit is None:
            with ThreadPoolExecutor(_FOOTER_THREADS) as pool:
                groups = list(pool.map(self._read_footer, files))
            wanted = [Taken(file, part, run.rows) for file, runs in enumerate(groups) for part, run in enumerate(runs)]
        else:
            footer = cache(lambda file: self._read_footer(files[file]))
            names = [file.path.removeprefix(self.location) for file in files]
            wanted = limited(names, lambda file: [run.rows for run in footer(file)], limit, seed)
            chosen = {taken.file for taken in wanted}
            groups = [footer(file) if file in chosen else [] for file in range(len(files))]
        shards = [
            _shard(index, files[taken.file], groups[taken.file][taken.part], taken.rows)
            for index, taken in enumerate(taken for taken in wanted if taken.rows)
        ]
        if not shards:
            raise SourceError(f"{self.location}: {len(files)} parquet files without a row; expected at least one row")
        return shards

    def read(self, locator: str) -> Iterator[SourceBatch]:
        """The rows of a shard, in order.

        Raises SourceUnavailable when the file cannot be read to the shard's end, SourceError when it is no longer the
        file that was listed or lacks a column.
        """
        part = json.loads(locator)
        path, (first, end) = part["file"], part["row_groups"]
        filesystem, _ = _resolve(path)
        try:
            now = _file(filesystem, path)
        except Exception as error:  # the libraries below fsspec have error types of their own
            raise SourceUnavailable(f"{path} cannot be read: {_reason(error)}") from error
        if [now.size_bytes, now.version] != [part["size_bytes"], part["version"]]:
            raise SourceError(
                f"{path} changed after it was listed: size and version were {part['size_bytes']}, {part['version']} "
                f"and are {now.size_bytes}, {now.version}; run again"
            )
        try:
            with _open(filesystem, path) as plain:
                resolved = self._columns_of(plain, path)
                metadata = plain.metadata
            columns = stored_columns(metadata, first, end, resolved)
            rows = sum(metadata.row_group(index).num_rows for index in range(first, end))
            with _open(filesystem, path, metadata, to_dictionaries(columns)) as parquet:
                batches = parquet.iter_batches(
                    batch_size=batch_rows(rows, columns),
                    row_groups=list(range(first, end)),
                    columns=needed_columns(resolved),
                    use_threads=False,
                )
                left = part["rows"]
                for batch in first_rows(batches, left):
                    left -= batch.num_rows
                    yield from source_batches(batch, resolved)
                if left:
                    raise EOFError(f"{left} of {part['rows']} rows are missing")
        except SourceError:
            raise
        except Exception as error:
            raise SourceUnavailable(
                f"{path} cannot be read to its end (row groups {first} to {end - 1}): {_reason(error)}"
            ) from error

    def _files(self) -> list[_File]:
        """The parquet files, sorted by path. Raises SourceError when there is none."""
        _refuse_credentials(self.location)
        filesystem, root = _resolve(self.location)
        try:
            paths = [path for path in _parquet_paths(filesystem, root) if not self._is_left_out(filesystem, path)]
            if not paths:
                raise SourceError(f"{self.location}: no parquet file; expected a folder, a glob or a file of *.parquet")
            with ThreadPoolExecutor(_FOOTER_THREADS) as pool:
                return list(pool.map(lambda path: _file(filesystem, path), paths))
        except FileNotFoundError as error:
            raise SourceError(f"{self.location} does not exist; expected a folder, a glob or a parquet file") from error
        except SourceError:
            raise
        except Exception as error:  # the libraries below fsspec have error types of their own
            raise SourceError(f"{self.location} cannot be listed: {_reason(error)}") from error

    def _columns_of(self, parquet: pq.ParquetFile, path: str) -> dict[str, str]:
        return checked_columns(parquet.schema_arrow, self.columns, path, needs_licenses=self.needs_licenses)

    def _is_left_out(self, filesystem: Any, path: str) -> bool:
        if not self.leave_out or not _is_local(filesystem):
            return False
        return f"{os.path.realpath(path)}/".startswith(f"{os.path.realpath(self.leave_out)}/")

    def _read_footer(self, file: _File) -> list[_RowGroups]:
        try:
            with _open(_resolve(file.path)[0], file.path) as parquet:
                resolved = self._columns_of(parquet, file.path)
                return _runs(parquet.metadata, resolved["content"])
        except SourceError:
            raise
        except Exception as error:
            raise SourceError(
                f"{file.path} is not a parquet file that can be read ({file.size_bytes} bytes): {_reason(error)}"
            ) from error


def _shard(index: int, file: _File, group: _RowGroups, rows: int) -> Shard:
    locator = {
        "file": file.path,
        "size_bytes": file.size_bytes,
        "version": file.version,
        "row_groups": [group.first, group.end],
        "rows": rows,
    }
    size_bytes = group.content_bytes * rows // group.rows
    return Shard(index, json.dumps(locator), rows, size_bytes)


def _refuse_credentials(location: str) -> None:
    """Raises SourceError for a secret in the location, which would end up in locators and the manifest."""
    try:
        url = urlsplit(location)
        secret = url.password or (url.scheme in ("http", "https") and (url.username or url.query))
    except ValueError:  # a path such as `//[x/*.parquet` reads as a broken address; it has no user name
        return
    if url.scheme and secret:
        raise SourceError(
            f"the {url.scheme}:// location holds a user name, a password or a signature, which the run would record; "
            "expected a location without them, and credentials in the environment"
        )


def _resolve(location: str) -> tuple[Any, str]:
    """The file system and the path in it. Raises SourceError when fsspec has none for the scheme."""
    import fsspec

    if "::" in location:
        raise SourceError(f"{location!r} chains file systems; expected one, such as s3://bucket/folder")
    try:
        filesystem, path = fsspec.core.url_to_fs(location)
    except (ImportError, ValueError) as error:
        raise SourceError(f"{location!r}: {error}; expected a path or an address that fsspec can open") from error
    return filesystem, path


def _is_local(filesystem: Any) -> bool:
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(filesystem, LocalFileSystem)


def _parquet_paths(filesystem: Any, root: str) -> list[str]:
    """Paths of the parquet files at `root`, sorted. Raises FileNotFoundError when nothing is there."""
    if filesystem.isfile(root) or (_is_local(filesystem) and os.path.exists(root) and not os.path.isdir(root)):
        return [root]
    if filesystem.isdir(root):
        found = [path for path in _walk(filesystem, root) if _is_wanted(path, root)]
    else:
        fixed = root[: min((root.find(magic) for magic in _GLOB_MAGIC if magic in root), default=len(root))]
        if fixed == root:
            raise FileNotFoundError(root)
        found = []
        for path in filesystem.glob(root):
            matched = _walk(filesystem, path) if filesystem.isdir(path) else [path]
            found += [inner for inner in matched if _is_wanted(inner, fixed.rpartition("/")[0])]
    return sorted(set(found))


def _walk(filesystem: Any, folder: str) -> list[str]:
    """All files below a folder; links to folders are not followed where the file system has links."""
    if _is_local(filesystem):
        return [os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names]
    return list(filesystem.find(folder))


def _is_wanted(path: str, root: str) -> bool:
    """Whether the path is a parquet file, and no name in it below `root` is hidden or unfinished."""
    below = PurePosixPath(path.removeprefix(root)).parts
    return path.endswith(".parquet") and not any(part.startswith((".", "_")) for part in below)


def _file(filesystem: Any, path: str) -> _File:
    """The file with what identifies its bytes. Raises OSError when it cannot be examined."""
    if _is_local(filesystem):
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(f"{path} is a folder, a pipe, a socket or a device; expected a regular file")
        return _File(path, status.st_size, str(status.st_mtime_ns))
    info = filesystem.info(path)
    version = next((info[key] for key in _VERSION_KEYS if info.get(key) is not None), None)
    address = filesystem.unstrip_protocol(path)
    return _File(address, int(info["size"] or 0), str(version) if version is not None else filesystem.ukey(path))


@contextmanager
def _open(
    filesystem: Any, path: str, metadata: pq.FileMetaData | None = None, dictionaries: Sequence[str] = ()
) -> Iterator[pq.ParquetFile]:
    """Opens the file, to be read in small pieces on a local disk and in whole column chunks over a network.

    Columns of `dictionaries` are read as dictionaries: a value is not copied into each row that has it.
    """
    options = {"pre_buffer": False, "metadata": metadata, "read_dictionary": list(dictionaries) or None}
    if _is_local(filesystem):
        with pq.ParquetFile(path, buffer_size=_READ_BUFFER_BYTES, **options) as parquet:
            yield parquet
    else:
        # Arrow requests just the ranges that it needs; a read-ahead cache in between would fetch the gaps as well.
        with filesystem.open(path, "rb", cache_type="none") as file, pq.ParquetFile(file, **options) as parquet:
            yield parquet


def _content_bytes(metadata: pq.FileMetaData, content: str, row_group: int) -> int:
    """Uncompressed bytes of the content column in a row group."""
    columns = metadata.row_group(row_group)
    return sum(
        columns.column(index).total_uncompressed_size
        for index in range(metadata.num_columns)
        if columns.column(index).path_in_schema == content
    )


def _runs(metadata: pq.FileMetaData, content: str) -> list[_RowGroups]:
    """Runs of consecutive row groups with up to SHARD_BYTES of content; a larger row group is a run by itself."""
    runs: list[_RowGroups] = []
    for index in range(metadata.num_row_groups):
        rows, content_bytes = metadata.row_group(index).num_rows, _content_bytes(metadata, content, index)
        last = runs[-1] if runs else None
        if last is not None and last.content_bytes + content_bytes <= SHARD_BYTES:
            runs[-1] = _RowGroups(last.first, index + 1, last.rows + rows, last.content_bytes + content_bytes)
        else:
            runs.append(_RowGroups(index, index + 1, rows, content_bytes))
    return runs


def _reason(error: BaseException) -> str:
    """The type and the first line of an error: Arrow appends the whole call stack."""
    first_line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
