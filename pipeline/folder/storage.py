"""Files of a folder, local or at any fsspec URL: written under a temporary name and renamed when complete."""

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import IO, Any, TypeVar, cast

import fsspec

from stackfim.pipeline.folder.paths import TEMPORARY, is_temporary
from stackfim.schemas.record import FileRecord, Record

R = TypeVar("R", bound=Record)


class NewFile:
    """A file that is being written."""

    def __init__(self, path: str, stream: IO[bytes]) -> None:
        """`path` is the file's place in its folder, `stream` takes the bytes."""
        self._path = path
        self._stream = stream
        self._digest = hashlib.sha256()
        self._size = 0
        self.closed = False
        self.is_discarded = False
        """Whether no file is to appear."""

    def write(self, data: Any) -> int:
        """Appends bytes and returns their number."""
        view = memoryview(data).cast("B") if not isinstance(data, bytes) else data
        self._digest.update(view)
        self._size += len(view)
        self._stream.write(view)
        return len(view)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._size

    def flush(self) -> None:
        """Hands buffered bytes to the file."""
        self._stream.flush()

    def writable(self) -> bool:
        """True, for libraries that ask."""
        return True

    def readable(self) -> bool:
        """False, for libraries that ask."""
        return False

    def seekable(self) -> bool:
        """False, since the digest needs the bytes in order."""
        return False

    def close(self) -> None:
        """Does nothing: `Storage.create` closes the file."""

    def discard(self) -> None:
        """Makes `Storage.create` leave no file at the path, neither this one nor an older one."""
        self.is_discarded = True

    @property
    def record(self) -> FileRecord:
        """Path, size and digest of what was written so far: of the whole file after the block of `Storage.create`."""
        return FileRecord(path=self._path, size_bytes=self._size, sha256=self._digest.hexdigest())


@dataclass(frozen=True)
class Storage:
    """A folder. It pickles as its URL alone."""

    root: str
    """Local path or fsspec URL."""

    @cached_property
    def _filesystem(self) -> tuple[Any, str]:
        return cast(tuple[Any, str], fsspec.core.url_to_fs(self.root))

    def __getstate__(self) -> dict[str, str]:
        """The URL: file systems hold connections, which do not pickle."""
        return {"root": self.root}

    @property
    def is_local(self) -> bool:
        """Whether the folder is on this machine's file system."""
        return "://" not in self.root or self.root.startswith("file://")

    def full_path(self, path: str) -> str:
        """The path as the file system knows it."""
        base = self._filesystem[1].rstrip("/")
        return f"{base}/{path}" if path else base

    def location(self, path: str = "") -> str:
        """Where a path leads to: two locations are equal if they are the same file or folder, whatever links lead there."""
        full = self.full_path(path)
        return os.path.realpath(full) if self.is_local else f"{self.root.partition('://')[0]}://{full}"

    @contextmanager
    def create(self, path: str) -> Iterator[NewFile]:
        """A new file at `path`, which appears, and replaces an older one, when the block ends without an error."""
        filesystem, _ = self._filesystem
        final = self.full_path(path)
        folder, _, name = final.rpartition("/")
        filesystem.makedirs(folder, exist_ok=True)
        temporary = f"{folder}/{TEMPORARY}{uuid.uuid4().hex}-{name}"
        try:
            with filesystem.open(temporary, "wb") as stream:
                new = NewFile(path, stream)
                yield new
                if self.is_local:
                    stream.flush()
                    os.fsync(stream.fileno())
            if new.is_discarded:
                filesystem.rm(temporary)
                self.remove(path)
            elif self.is_local:
                os.replace(temporary, final)
            else:
                filesystem.mv(temporary, final)
        except BaseException:
            if filesystem.exists(temporary):
                filesystem.rm(temporary)
            raise

    def create_new(self, path: str, data: bytes) -> bool:
        """Creates a small file; False, and does nothing, where there is one. Exclusive on this machine's file system alone."""
        filesystem, _ = self._filesystem
        full = self.full_path(path)
        filesystem.makedirs(full.rpartition("/")[0], exist_ok=True)
        if not self.is_local:
            free = not filesystem.exists(full)
            if free:
                filesystem.pipe_file(full, data)
            return free
        try:
            with open(full, "xb") as stream:
                try:
                    stream.write(data)
                    stream.flush()
                except BaseException:
                    os.unlink(full)
                    raise
        except FileExistsError:
            return False
        return True

    def renew(self, path: str) -> None:
        """Makes now the time at which a small file was changed. Does nothing where there is none."""
        if not self.exists(path):
            return
        if self.is_local:
            os.utime(self.full_path(path))
        else:
            filesystem, _ = self._filesystem
            filesystem.pipe_file(self.full_path(path), filesystem.cat_file(self.full_path(path)))

    def age_s(self, path: str) -> float | None:
        """Seconds since a file was changed; None where there is none."""
        try:
            changed: datetime = self._filesystem[0].modified(self.full_path(path))
        except FileNotFoundError:
            return None
        changed = changed if changed.tzinfo else changed.replace(tzinfo=UTC)
        return (datetime.now(UTC) - changed).total_seconds()

    def write_bytes(self, path: str, data: bytes) -> FileRecord:
        """Writes a small file whole."""
        with self.create(path) as new:
            new.write(data)
        return new.record

    def write_record(self, path: str, record: Record) -> FileRecord:
        """Writes a record as JSON."""
        return self.write_bytes(path, record.to_json())

    def read_record(self, path: str, kind: type[R]) -> R | None:
        """The record in a JSON file; None where there is no such file. Raises RecordMismatch for a file of another kind."""
        try:
            return kind.from_json(self._filesystem[0].cat_file(self.full_path(path)))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def open(self, path: str) -> IO[bytes]:
        """A file for reading."""
        return cast(IO[bytes], self._filesystem[0].open(self.full_path(path), "rb"))

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes of a file from byte `start` on."""
        return bytes(self._filesystem[0].cat_file(self.full_path(path), start=start, end=start + length))

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder at `path`."""
        return bool(self._filesystem[0].exists(self.full_path(path)))

    def size(self, path: str) -> int | None:
        """Size of a file in bytes; None where there is none."""
        try:
            return int(self._filesystem[0].size(self.full_path(path)))
        except FileNotFoundError:
            return None

    def sha256(self, path: str) -> str:
        """Digest of a file's bytes, 64 hex digits."""
        digest = hashlib.sha256()
        with self.open(path) as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    def record(self, path: str) -> FileRecord:
        """The record of a file that is there; its bytes are read for the digest."""
        return FileRecord(path=path, size_bytes=self.size(path) or 0, sha256=self.sha256(path))

    def files(self, folder: str = "") -> list[str]:
        """All files below `folder`, relative to the root and sorted; none where there is no such folder."""
        filesystem, _ = self._filesystem
        base = self.full_path("")
        found = filesystem.find(self.full_path(folder)) if filesystem.exists(self.full_path(folder)) else []
        return sorted(str(path)[len(base) + 1 :] for path in found)

    def remove(self, path: str) -> None:
        """Removes a file, or a folder with all that is in it. Does nothing where there is none."""
        # Some file systems remember what they listed, and others find it out at the removal.
        with suppress(FileNotFoundError):
            if self.exists(path):
                self._filesystem[0].rm(self.full_path(path), recursive=True)

    def remove_empty(self, path: str) -> None:
        """Removes a folder of this machine's file system if nothing is in it; elsewhere folders are but parts of names."""
        if self.is_local:
            with suppress(OSError):
                os.rmdir(self.full_path(path))

    def missing(self, files: Iterable[FileRecord]) -> list[str]:
        """Paths of those of `files` that are not there, or have another size than they were written with."""
        return [file.path for file in files if self.size(file.path) != file.size_bytes]

    def remove_temporary(self) -> None:
        """Removes what killed writers left."""
        for path in self.files():
            if is_temporary(path):
                self.remove(path)
