"""Files of a run, local or on any fsspec URL: written under a temporary name, renamed when complete."""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

import fsspec

TEMPORARY = ".tmp-"


@dataclass(frozen=True)
class FileRecord:
    """A file that was written."""

    path: str
    """Relative to the root, with forward slashes."""
    size_bytes: int
    sha256: str

    def as_dict(self) -> dict[str, Any]:
        """What the manifest says of the file."""
        return {"path": self.path, "size_bytes": self.size_bytes, "sha256": self.sha256}


class NewFile:
    """A file being written; after the `with` block of `Storage.create` it has a record."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self._size = 0
        self.record: FileRecord | None = None
        self.closed = False

    def write(self, data: Any) -> int:
        """Appends bytes; gives their number."""
        view = memoryview(data).cast("B") if not isinstance(data, bytes) else data
        self._digest.update(view)
        self._size += len(view)
        self._stream.write(view)
        return len(view)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._size

    def flush(self) -> None:
        """Passes what is buffered on."""
        self._stream.flush()

    def writable(self) -> bool:
        """True: for libraries that ask."""
        return True

    def readable(self) -> bool:
        """False: for libraries that ask."""
        return False

    def seekable(self) -> bool:
        """False: the digest needs the bytes in order."""
        return False

    def close(self) -> None:
        """Left to `Storage.create`."""

    def _record(self, path: str) -> FileRecord:
        return FileRecord(path, self._size, self._digest.hexdigest())


@dataclass(frozen=True)
class Storage:
    """The folder of a run. Pickles as its URL alone."""

    root: str

    @cached_property
    def _filesystem(self) -> tuple[Any, str]:
        return fsspec.core.url_to_fs(self.root)

    def __getstate__(self) -> dict[str, str]:
        return {"root": self.root}

    @property
    def is_local(self) -> bool:
        """Whether the folder is on this machine's file system."""
        return "://" not in self.root or self.root.startswith("file://")

    def full_path(self, path: str) -> str:
        """The path as the file system knows it."""
        base = self._filesystem[1].rstrip("/")
        return f"{base}/{path}" if path else base

    @contextmanager
    def create(self, path: str) -> Iterator[NewFile]:
        """A new file at `path`, there when the block ends without an error and not before; replaces an older one."""
        filesystem, _ = self._filesystem
        final = self.full_path(path)
        folder, _, name = final.rpartition("/")
        filesystem.makedirs(folder, exist_ok=True)
        temporary = f"{folder}/{TEMPORARY}{uuid.uuid4().hex}-{name}"
        try:
            with filesystem.open(temporary, "wb") as stream:
                new = NewFile(stream)
                yield new
                if self.is_local:
                    stream.flush()
                    os.fsync(stream.fileno())
            if self.is_local:
                os.replace(temporary, final)
            else:
                filesystem.mv(temporary, final)
            new.record = new._record(path)
        except BaseException:
            if filesystem.exists(temporary):
                filesystem.rm(temporary)
            raise

    def write_bytes(self, path: str, data: bytes) -> FileRecord:
        """Writes a small file whole."""
        with self.create(path) as new:
            new.write(data)
        assert new.record is not None
        return new.record

    def write_json(self, path: str, value: object) -> FileRecord:
        """Writes JSON with sorted keys, so that equal values are equal bytes."""
        return self.write_bytes(path, (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())

    def read_json(self, path: str) -> Any | None:
        """The JSON of a file; None where there is none, or no whole one."""
        try:
            return json.loads(self._filesystem[0].cat_file(self.full_path(path)))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None

    def open(self, path: str) -> IO[bytes]:
        """A file for reading."""
        return self._filesystem[0].open(self.full_path(path), "rb")

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

    def files(self, folder: str = "") -> list[str]:
        """All files below `folder`, relative to the root, sorted; none where there is no such folder."""
        filesystem, _ = self._filesystem
        base = self.full_path("")
        found = filesystem.find(self.full_path(folder)) if filesystem.exists(self.full_path(folder)) else []
        return sorted(str(path)[len(base) + 1 :] for path in found)

    def remove(self, path: str) -> None:
        """Removes a file or a folder with all that is in it; nothing where there is none."""
        if self.exists(path):
            self._filesystem[0].rm(self.full_path(path), recursive=True)

    def remove_temporary(self) -> int:
        """Removes what killed writers left; gives the number of files."""
        left = [path for path in self.files() if path.rpartition("/")[2].startswith(TEMPORARY)]
        for path in left:
            self.remove(path)
        return len(left)


def complete(storage: Storage, marker_path: str, key: str) -> dict | None:
    """The marker at `marker_path` if it is for `key` and its files are there in full; None otherwise."""
    marker = storage.read_json(marker_path)
    if not isinstance(marker, dict) or marker.get("key") != key:
        return None
    files = marker["files"]
    return marker if all(storage.size(file["path"]) == file["size_bytes"] for file in files) else None
