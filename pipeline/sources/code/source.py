"""`code:FOLDER`: rows from source trees: repositories, packages, installed distributions.

Files of a git work tree are read from the objects of its head commit, others from the disk. Every file counts: it becomes a
row, or a rejection with the reason (`language_unknown`, `binary`, `oversized`, `undecodable`, `path_not_utf8`,
`unreadable`, `special_file`, `symlink_outside`). See `source_tree` for what is not listed at all, and `repositories` for
names and licenses.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from stackfim.pipeline.sources.code.bounded_files import NotRead, read_regular_file
from stackfim.pipeline.sources.code.folders import OUTWARD_LINK
from stackfim.pipeline.sources.code.git_objects import BlobReader, GitUnreadable
from stackfim.pipeline.sources.code.repositories import Repository, displayable
from stackfim.pipeline.sources.code.source_tree import TreeFile, list_tree
from stackfim.pipeline.sources.row_limit import drawn_order
from stackfim.pipeline.sources.rows import READ
from stackfim.pipeline.sources.source import BATCH_BYTES, BATCH_ROWS, Shard, SourceBatch, SourceError, SourceUnavailable
from stackfim.schemas.rejection import FILE, no_rejections, rejections
from stackfim.schemas.source import ROW, git_blob_id
from stackfim.transforms.languages.file_names import (
    SHEBANG_BYTES,
    language_of_name,
    language_of_shebang,
    may_have_shebang,
)

MAX_FILE_BYTES = 1 << 20
TREE_SHARD_BYTES = 8 << 20
"""Content of a shard: less than in other sources, so that a small tree still has work for several processes."""

MAX_LOCATOR_BYTES = 256 << 10
_MAX_SHARD_FILES = 5_000


@dataclass(frozen=True)
class _Row:
    content: bytes
    language: str
    repository: Repository
    path: str


@dataclass(frozen=True)
class _Rejection:
    reason: str
    detail: str
    repository: str
    path: str
    content_id: str = ""


@dataclass
class CodeSource:
    """A folder of source trees; see stackfim.pipeline.sources.source.Source."""

    folder: str
    work_tree: bool = False
    """Whether files of git work trees are those on the disk, without a revision, instead of those of the commit."""
    leave_out: str = ""
    """Path of a folder that is not listed, such as the one that the run writes."""
    _listing: list[TreeFile] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Makes the folder absolute: worker processes may run elsewhere."""
        self.folder = os.path.abspath(os.path.expanduser(self.folder))

    def __getstate__(self) -> dict[str, Any]:
        """What a worker gets: no listing, which only the launcher needs."""
        return {**vars(self), "_listing": None}

    def identity(self) -> dict[str, Any]:
        """The folder's name, its number of files and bytes, a digest of all of them, and addresses of repositories by name."""
        files = self._listing if self._listing is not None else self._list()
        return {
            "kind": "code",
            "folder": displayable(os.path.basename(self.folder)),
            "files": len(files),
            "size_bytes": sum(file.size_bytes for file in files),
            "digest": _digest(files),
            "repositories": _addresses(files),
        }

    def shards(self, limit: int | None = None, seed: int | None = None) -> list[Shard]:
        """Runs of files of up to TREE_SHARD_BYTES of content. `rows` counts all files, rejected ones too.

        Raises SourceError when the folder does not exist, cannot be listed or holds no file.
        """
        files = self._list()
        if limit is not None and seed is not None:
            drawn = drawn_order([file.path for file in files], seed)[:limit]
            files = [files[index] for index in sorted(drawn)]
        return [_shard(index, run) for index, run in enumerate(_runs(files[:limit]))]

    def read(self, locator: str) -> Iterator[SourceBatch]:
        """The files of a shard, in order, as they are now; a file that has gone since the listing is a rejection.

        Raises SourceUnavailable when the folder itself is gone.
        """
        root = os.path.realpath(self.folder)
        if not os.path.isdir(root):
            raise SourceUnavailable(f"{self.folder} is not a folder any more; expected the one that was listed")
        rows: list[_Row] = []
        dropped: list[_Rejection] = []
        size_bytes = 0
        for read in _read_files(root, locator):
            if isinstance(read, _Rejection):
                dropped.append(read)
            else:
                if size_bytes + len(read.content) > BATCH_BYTES:
                    yield _batch(rows, dropped)
                    rows, dropped, size_bytes = [], [], 0
                rows.append(read)
                size_bytes += len(read.content)
            if len(rows) == BATCH_ROWS or len(dropped) == BATCH_ROWS:
                yield _batch(rows, dropped)
                rows, dropped, size_bytes = [], [], 0
        if rows or dropped:
            yield _batch(rows, dropped)

    def _list(self) -> list[TreeFile]:
        root = os.path.realpath(self.folder)
        if not os.path.isdir(root):
            found = "is not a folder" if os.path.exists(root) else "does not exist"
            raise SourceError(f"{displayable(self.folder)} {found}; expected a folder of source trees")
        try:
            self._listing = list(
                list_tree(
                    root, work_tree=self.work_tree, leave_out=os.path.realpath(self.leave_out) if self.leave_out else ""
                )
            )
        except OSError as error:
            raise SourceError(f"{displayable(self.folder)} cannot be listed: {error.strerror}") from error
        if not self._listing:
            raise SourceError(f"{displayable(self.folder)} holds no file; expected a folder of source trees")
        return self._listing


def _runs(files: list[TreeFile]) -> Iterator[list[TreeFile]]:
    """Consecutive files within a shard's limits on content, number of files and size of the locator."""
    run: list[TreeFile] = []
    content_bytes = locator_bytes = 0
    repositories: set[Repository] = set()
    for file in files:
        content, text = _content_bytes(file), len(json.dumps(file.path)) + len(file.blob) + 20
        if file.repository not in repositories:
            text += len(json.dumps(_repository_record(file.repository)))
        if run and (
            content_bytes + content > TREE_SHARD_BYTES
            or locator_bytes + text > MAX_LOCATOR_BYTES
            or len(run) == _MAX_SHARD_FILES
        ):
            yield run
            run, content_bytes, locator_bytes = [], 0, 0
            repositories.clear()
        run.append(file)
        repositories.add(file.repository)
        content_bytes += content
        locator_bytes += text
    if run:
        yield run


def _content_bytes(file: TreeFile) -> int:
    """How many bytes reading the file will give; 0 where its name or size already rejects it."""
    name = file.path.rpartition("/")[2]
    if file.size_bytes > MAX_FILE_BYTES or not (language_of_name(name) or may_have_shebang(name)):
        return 0
    return file.size_bytes


def _shard(index: int, run: list[TreeFile]) -> Shard:
    """The locator names files folder by folder, each with the number of its repository, and of its objects if it has any."""
    numbers: dict[Repository, int] = {}
    gits: dict[str, int] = {}
    groups: list[list[Any]] = []
    for file in run:
        folder, _, name = file.path.rpartition("/")
        number = numbers.setdefault(file.repository, len(numbers))
        git = gits.setdefault(file.dot_git, len(gits))
        if not groups or groups[-1][:3] != [folder, number, git]:
            groups.append([folder, number, git, []])
        groups[-1][3].append([name, file.blob] if file.blob else name)
    locator = {
        "digest": _digest(run),
        "repositories": [_repository_record(repository) for repository in numbers],
        "above": [repository.above for repository in numbers],
        "git": list(gits),
        "files": groups,
    }
    return Shard(index, json.dumps(locator), len(run), sum(_content_bytes(file) for file in run))


def _repository_record(repository: Repository) -> list[Any]:
    return [repository.folder, repository.name, repository.revision, list(repository.licenses)]


def _digest(files: list[TreeFile]) -> str:
    """Changes with the path of any file, and with its blob, or its size or time where it is read from the disk."""
    digest = hashlib.sha256()
    for file in files:
        version = file.blob.encode() or b"%d\0%d" % (file.size_bytes, file.mtime_ns)
        digest.update(os.fsencode(file.path) + b"\0" + version + b"\n")
    return digest.hexdigest()


def _addresses(files: list[TreeFile]) -> dict[str, str]:
    """Where repositories can be looked at, by their names, in order."""
    known = {file.repository.name: file.repository.address for file in files if file.repository.address}
    return dict(sorted(known.items()))


@dataclass(frozen=True)
class _Located:
    """A file of a shard."""

    path: str
    repository: Repository
    blob: str

    @property
    def inner(self) -> str:
        """Its path in the repository."""
        folder, above = self.repository.folder, self.repository.above
        return f"{above}/{self.path}" if above else self.path.removeprefix(f"{folder}/" if folder else "")

    def rejection(self, reason: str, detail: str, content: bytes | None = None) -> _Rejection:
        """The file as a rejection."""
        content_id = git_blob_id(content) if content is not None else ""
        return _Rejection(reason, detail, self.repository.name, displayable(self.inner), content_id)


def _read_files(root: str, locator: str) -> Iterator[_Row | _Rejection]:
    """The files of a locator, in order."""
    part = json.loads(locator)
    repositories = [
        Repository(folder, name, revision, tuple(licenses), above)
        for (folder, name, revision, licenses), above in zip(part["repositories"], part["above"], strict=True)
    ]
    blobs = BlobReader("")
    try:
        for folder, number, git, names in part["files"]:
            dot_git = os.path.join(root, part["git"][git])
            if dot_git != blobs.dot_git:
                blobs.close()
                blobs = BlobReader(dot_git)
            for entry in names:
                name, blob = entry if isinstance(entry, list) else (entry, "")
                file = _Located(f"{folder}/{name}" if folder else name, repositories[number], blob)
                yield _read_file(root, file, blobs)
    finally:
        blobs.close()


def _read_file(root: str, file: _Located, blobs: BlobReader) -> _Row | _Rejection:
    try:
        os.fsencode(file.path).decode()
    except UnicodeDecodeError:
        return file.rejection("path_not_utf8", "the path holds bytes that are not UTF-8; expected text")
    name = file.path.rpartition("/")[2]
    try:
        language, content = _contents(os.path.join(root, file.path), name, file.blob, blobs)
    except NotRead as error:
        return file.rejection(error.reason, error.detail)
    if not language:
        expected = "a known name or extension, or a first line that names an interpreter"
        return file.rejection("language_unknown", f"{name!r} is no known kind of source file; expected {expected}")
    if b"\0" in content:
        return file.rejection("binary", f"a zero byte at offset {content.index(0)}; expected text", content)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return file.rejection("undecodable", f"not UTF-8 at offset {error.start}; expected UTF-8", content)
    return _Row(content, language, file.repository, file.inner)


def _contents(full_path: str, name: str, blob: str, blobs: BlobReader) -> tuple[str, bytes]:
    """Language and bytes of a file, from the repository's objects or from the disk; no bytes without a language.

    Raises NotRead, with the reason of the rejection.
    """
    language = language_of_name(name)
    if blob:
        if not language and not may_have_shebang(name) and blob != OUTWARD_LINK:
            return "", b""
        content = _blob(blob, blobs)
        return language or language_of_shebang(content[:SHEBANG_BYTES]), content
    try:
        if not language:
            head = read_regular_file(full_path, MAX_FILE_BYTES, SHEBANG_BYTES if may_have_shebang(name) else 0)
            language = language_of_shebang(head)
        return language, read_regular_file(full_path, MAX_FILE_BYTES) if language else b""
    except NotRead as error:
        if error.reason != "symlink":
            raise
        if os.path.exists(full_path):
            raise NotRead("symlink_outside", "a link out of the tree; expected a file inside") from error
        raise NotRead("unreadable", "a link that leads nowhere; expected a file") from error


def _blob(blob: str, blobs: BlobReader) -> bytes:
    if blob == OUTWARD_LINK:
        raise NotRead("symlink_outside", "a link out of the repository, or to nothing in it; expected a file inside")
    try:
        content = blobs.read(blob, MAX_FILE_BYTES)
    except GitUnreadable as error:
        blobs.close()
        raise NotRead("unreadable", f"{error}; expected an object of the repository") from error
    if content is None:
        raise NotRead("oversized", f"more than {MAX_FILE_BYTES} bytes; expected at most {MAX_FILE_BYTES}")
    return content


def _batch(rows: list[_Row], dropped: list[_Rejection]) -> SourceBatch:
    count = len(rows)
    blob_ids = pa.array([git_blob_id(row.content) for row in rows], pa.string())
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array([row.content for row in rows], pa.binary()),
            pa.array([row.language for row in rows], pa.string()),
            pa.array([row.repository.name for row in rows], pa.string()),
            pa.array([row.path for row in rows], pa.string()),
            pa.array([row.repository.revision for row in rows], pa.string()),
            pa.array([row.repository.licenses for row in rows], ROW.field("licenses").type),
            pa.nulls(count, pa.int64()),
            pa.nulls(count, pa.int64()),
            blob_ids,
            blob_ids,
        ],
        schema=ROW,
    )
    if not dropped:
        return SourceBatch(batch, no_rejections())
    whose = pa.RecordBatch.from_pydict(
        {
            "repository": pa.array([rejection.repository for rejection in dropped], pa.string()),
            "path": pa.array([rejection.path for rejection in dropped], pa.string()),
            "content_id": pa.array([rejection.content_id for rejection in dropped], pa.string()),
        }
    )
    reasons, details = [item.reason for item in dropped], [item.detail for item in dropped]
    return SourceBatch(batch, rejections(FILE, READ, reasons, whose, details))
