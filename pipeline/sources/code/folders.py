"""The folders of a source tree, as they lie on the disk or as a commit has them."""

import os
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from stackfim.pipeline.sources.code.bounded_files import NotRead, read_regular_file
from stackfim.pipeline.sources.code.git_objects import (
    LINK,
    SUBMODULE,
    BlobReader,
    GitUnreadable,
    TrackedFile,
)
from stackfim.pipeline.sources.code.left_out import SKIPPED_NAMES, IgnoreRules, holds_packages, is_dependency_or_output

GIT = ".git"
OUTWARD_LINK = "link"
"""In the place of a blob's id: a link that leads out of the repository, or nowhere."""


@dataclass(frozen=True)
class Entry:
    """A name in a folder."""

    name: str
    is_folder: bool = False
    is_listed: bool = True
    """False for what only marks the folder: `.git`, and links to what is listed where it lies."""
    size_bytes: int = 0
    mtime_ns: int = 0
    blob: str = ""
    """Git's id of the content, or OUTWARD_LINK; empty for what is read from the disk."""
    is_submodule: bool = False


class Folders(Protocol):
    """Where a walk finds its entries; paths are relative to the root of the source."""

    root: str
    dot_git: str
    """Path of the repository whose objects are read, relative to the root; empty on the disk."""
    revision: str
    """The commit; empty on the disk."""

    def entries(self, folder: str) -> list[Entry]:
        """What is in a folder, in order of names. Raises OSError for a folder that cannot be listed."""

    def read(self, path: str, max_bytes: int, head_bytes: int | None = None) -> bytes:
        """A file's bytes, or its first `head_bytes`; empty where it is missing, larger than `max_bytes` or outside."""


class DiskFolders:
    """The folders as they are now, without what is ignored and without dependencies and outputs.

    Where packages are installed, everything counts: a package may have folders of any name.
    """

    dot_git = ""
    revision = ""

    def __init__(self, root: str, leave_out: str = "") -> None:
        """`root` has no links in it; `leave_out` is the path of a folder that is not listed."""
        self.root = root
        self._leave_out = leave_out
        self._rules: dict[str, IgnoreRules] = {}
        self._whole: set[str] = set()

    def entries(self, folder: str) -> list[Entry]:
        """See Folders."""
        full = os.path.join(self.root, folder) if folder else self.root
        with os.scandir(full) as scan:
            found = sorted(scan, key=lambda entry: entry.name)
        names = [entry.name for entry in found]
        parent = folder.rpartition("/")[0]
        around = parent in self._whole if folder else holds_packages(os.path.dirname(self.root), ())
        is_whole = around or holds_packages(folder or self.root, names)
        rules = IgnoreRules()
        if is_whole:
            self._whole.add(folder)
        else:
            rules = (self._rules.get(parent, rules) if folder else rules).entered(self.root, folder)
            self._rules[folder] = rules
        prefix = f"{folder}/" if folder else ""
        return [
            self._entry(entry, prefix + entry.name)
            for entry in found
            if entry.name == GIT or is_whole or not self._is_left_out(entry, prefix + entry.name, rules, names)
        ]

    def read(self, path: str, max_bytes: int, head_bytes: int | None = None) -> bytes:
        """See Folders; a link counts as what it leads to."""
        try:
            real = os.path.realpath(os.path.join(self.root, path))
            return read_regular_file(real, max_bytes, head_bytes) if is_inside(self.root, real) else b""
        except (NotRead, OSError, ValueError):  # ValueError: a zero byte in a path that metadata names
            return b""

    def _is_left_out(self, entry: "os.DirEntry[str]", path: str, rules: IgnoreRules, beside: list[str]) -> bool:
        is_folder = entry.is_dir(follow_symlinks=False)
        if rules.ignored(path, is_folder=is_folder):
            return True
        return is_folder and is_dependency_or_output(os.path.join(self.root, path), beside)

    def _entry(self, entry: "os.DirEntry[str]", path: str) -> Entry:
        is_folder = entry.is_dir(follow_symlinks=False)
        is_listed = entry.name not in SKIPPED_NAMES and not self._is_link_inside(entry, path)
        if self._leave_out and os.path.join(self.root, path) == self._leave_out:
            is_listed = False
        size_bytes, mtime_ns = (0, 0) if is_folder else _size_and_time(entry)
        return Entry(entry.name, is_folder, is_listed, size_bytes, mtime_ns)

    def _is_link_inside(self, entry: "os.DirEntry[str]", path: str) -> bool:
        """Whether the entry is a link to something that exists in the tree."""
        if not entry.is_symlink():
            return False
        try:
            real = os.path.realpath(os.path.join(self.root, path), strict=True)
        except OSError:  # it leads nowhere, or in circles
            return False
        return is_inside(self.root, real)


class CommitFolders:
    """The folders of a commit, or those below one of its folders."""

    def __init__(
        self, root: str, top: str, dot_git: str, revision: str, files: Iterable[TrackedFile], above: str = ""
    ) -> None:
        """The folder `above` of the commit lies at `top`, relative to the root; `dot_git` is relative to it as well."""
        self.root = root
        self.dot_git = dot_git
        self.revision = revision
        self.blobs = BlobReader(os.path.join(root, dot_git))
        self._top = top
        self._above = above
        self._files: dict[str, TrackedFile] = {}
        self._folders: dict[str, dict[str, str]] = {"": {}}
        for file in files:
            self._add(file)

    def entries(self, folder: str) -> list[Entry]:
        """See Folders. `.git` is in the commit's top folder, which it marks."""
        inner = self._inner(folder)
        prefix = f"{inner}/" if inner else ""
        mark = [] if inner else [Entry(GIT, is_folder=True, is_listed=False)]
        return mark + [
            self._entry(name, prefix + name, is_folder=kind == "folder")
            for name, kind in sorted(self._folders.get(inner, {}).items())
        ]

    def read(self, path: str, max_bytes: int, head_bytes: int | None = None) -> bytes:
        """See Folders; a link counts as what it leads to in the repository."""
        file = self._files.get(self._followed(self._inner(posixpath.normpath(path))))
        if file is None or file.mode in (LINK, SUBMODULE):
            return b""
        if head_bytes is None and file.size_bytes > max_bytes:
            return b""
        try:
            data = self.blobs.read(file.blob_id, _MAX_HEAD_OF_BYTES if head_bytes is not None else max_bytes) or b""
        except GitUnreadable:
            return b""
        return data if head_bytes is None else data[:head_bytes]

    def _inner(self, path: str) -> str:
        """The path in the repository of a path relative to the root."""
        below = path[len(self._top) :].lstrip("/") if self._top else path
        return posixpath.join(self._above, below).rstrip("/")

    def _add(self, file: TrackedFile) -> None:
        self._files[file.path] = file
        folder, _, name = file.path.rpartition("/")
        self._folders.setdefault(folder, {})[name] = "file"
        while folder:
            parent, _, name = folder.rpartition("/")
            known = self._folders.setdefault(parent, {})
            if name in known:
                return
            known[name] = "folder"
            folder = parent

    def _entry(self, name: str, path: str, *, is_folder: bool) -> Entry:
        if is_folder:
            return Entry(name, is_folder=True, is_listed=name not in SKIPPED_NAMES)
        file = self._files[path]
        if file.mode == SUBMODULE:
            return Entry(name, is_folder=True, is_submodule=True)
        if file.mode == LINK:
            target = self._followed(path)
            is_inside_commit = target in self._files or target in self._folders
            return Entry(name, is_listed=not is_inside_commit, blob=OUTWARD_LINK)
        return Entry(name, is_listed=name not in SKIPPED_NAMES, size_bytes=file.size_bytes, blob=file.blob_id)

    def _followed(self, path: str) -> str:
        """Where a path leads when it is a link; `..` where that is outside, nowhere or a circle."""
        for _ in range(_MAX_LINKS):
            file = self._files.get(path)
            if file is None or file.mode != LINK:
                return path
            try:
                target = os.fsdecode(self.blobs.read(file.blob_id, _MAX_LINK_BYTES) or b"/")
            except GitUnreadable:
                return ".."
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            if path.startswith(("/", "..")):
                return ".."
        return ".."


_MAX_LINKS = 8
_MAX_LINK_BYTES = 1 << 12
_MAX_HEAD_OF_BYTES = 64 << 20
"""Largest file of which the head is read."""


def is_inside(root: str, real: str) -> bool:
    """Whether a path is in the tree at `root`; both are given without links."""
    return real == root or real.startswith(root.rstrip("/") + "/")


def _size_and_time(entry: "os.DirEntry[str]") -> tuple[int, int]:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
