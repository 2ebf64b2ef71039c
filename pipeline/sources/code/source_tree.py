"""Lists a folder of source trees: every file once, with the repository that it belongs to.

A git work tree is listed as its head commit has it: nothing that is not tracked, and no change that is not committed. Other
folders are listed as they lie there, without what `.gitignore` names, installed dependencies and outputs of builds
(`left_out`). Links are not followed: a link to something inside the tree is left out, since its target is listed where it
lies; any other link is listed, so that its rejection says where it was.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from stackfim.pipeline.sources.code.folders import GIT, CommitFolders, DiskFolders, Entry, Folders
from stackfim.pipeline.sources.code.git_folder import head_commit
from stackfim.pipeline.sources.code.git_objects import GitUnreadable, is_git_installed, tracked_files
from stackfim.pipeline.sources.code.left_out import DIST_INFO
from stackfim.pipeline.sources.code.repositories import (
    DEPENDENCY_FOLDERS,
    Repository,
    Surroundings,
    distribution_at,
    name_of_folder,
    repository_at,
)
from stackfim.pipeline.sources.source import SourceError


@dataclass(frozen=True)
class TreeFile:
    """A file, or something in the place of one: a link to the outside, a pipe, a folder that cannot be listed."""

    path: str
    """Relative to the root, with `/`; bytes that are not UTF-8 as surrogate escapes."""
    size_bytes: int
    mtime_ns: int
    repository: Repository
    dot_git: str = ""
    """Path of the repository whose objects have the file, relative to the root; empty for a file on the disk."""
    blob: str = ""
    """See Entry."""


@dataclass(frozen=True)
class _Place:
    """Where the walk is: the repository, what surrounds it, and the folder that groups files without a repository."""

    folders: Folders
    repository: Repository | None = None
    around: Surroundings = field(default_factory=Surroundings)
    base: str = ""


def list_tree(root: str, *, work_tree: bool = False, leave_out: str = "") -> Iterator[TreeFile]:
    """The files below `root` (a path without links), in an order that depends only on their names.

    With `work_tree`, files of git work trees are those on the disk, and have no revision. What lies below the path
    `leave_out` is not listed. Raises OSError when the root itself cannot be listed, SourceError for a git work tree where
    there is no git command.
    """
    return _Walk(root, work_tree, leave_out).files()


class _Walk:
    """One walk through the folders below a root."""

    def __init__(self, root: str, work_tree: bool, leave_out: str) -> None:
        self._root = root
        self._is_work_tree = work_tree
        self._disk = DiskFolders(root, leave_out)
        self._owners: dict[str, Repository] = {}
        self._loose: dict[str, Repository] = {}
        self._open: CommitFolders | None = None

    def files(self) -> Iterator[TreeFile]:
        """See list_tree."""
        try:
            yield from self._files()
        finally:
            if self._open is not None:
                self._open.blobs.close()

    def _files(self) -> Iterator[TreeFile]:
        waiting: list[tuple[str, _Place]] = [("", self._start())]
        while waiting:
            folder, place = waiting.pop()
            try:
                entries = place.folders.entries(folder)
                if place.folders is self._disk and any(entry.name == GIT for entry in entries):
                    place, entries = self._committed(folder, place, entries)
            except OSError:
                if not folder:
                    raise
                yield TreeFile(folder, 0, 0, place.repository or self._loose_at(folder, place.base))
                continue
            place = self._entered(folder, entries, place)
            prefix = f"{folder}/" if folder else ""
            for entry in entries:
                if not entry.is_folder and entry.is_listed:
                    yield self._file(prefix + entry.name, entry, place)
            for entry in reversed(entries):
                if entry.is_submodule:
                    waiting += self._submodule(prefix + entry.name, place)
                elif entry.is_folder and entry.is_listed:
                    waiting.append((prefix + entry.name, place))

    def _file(self, path: str, entry: Entry, place: _Place) -> TreeFile:
        owner = self._owners.get(path) or place.repository or self._loose_at(path, place.base)
        dot_git = place.folders.dot_git if entry.blob else ""
        return TreeFile(path, entry.size_bytes, entry.mtime_ns, owner, dot_git, entry.blob)

    def _start(self) -> _Place:
        """Where the walk starts: in the commit of a work tree that the root is a folder of, if it is tracked there."""
        top, above = os.path.dirname(self._root), os.path.basename(self._root)
        if self._is_work_tree or os.path.lexists(os.path.join(self._root, GIT)):
            return _Place(self._disk)
        while above and not os.path.lexists(os.path.join(top, GIT)):
            if os.path.dirname(top) == top:
                return _Place(self._disk)
            top, above = os.path.dirname(top), f"{os.path.basename(top)}/{above}"
        dot_git = os.path.join(os.path.relpath(top, self._root), GIT)
        whole = self._commit("", dot_git, "") if is_git_installed() else None
        if whole is None:
            return _Place(self._disk)
        place = _Place(whole)
        parts = above.split("/")
        for depth in range(len(parts)):
            folder = "/".join(parts[:depth])
            place = self._entered(folder, whole.entries(folder), place)
        inside = self._commit("", dot_git, above)
        if inside is None or not inside.entries(""):
            return _Place(self._disk)
        repository = replace(place.repository, above=above) if place.repository is not None else None
        around = place.around
        if around.work_tree is not None:
            around = replace(around, work_tree=replace(around.work_tree, above=above), repository=repository)
        return _Place(inside, repository, around)

    def _committed(self, folder: str, place: _Place, entries: list[Entry]) -> tuple[_Place, list[Entry]]:
        """The place and the entries of a folder with `.git` in it: those of its head commit, where that can be read."""
        if self._is_work_tree:
            return place, entries
        commit = self._commit(folder, f"{folder}/{GIT}" if folder else GIT, "")
        return (replace(place, folders=commit), commit.entries(folder)) if commit is not None else (place, entries)

    def _commit(self, folder: str, dot_git: str, above: str) -> CommitFolders | None:
        """The folders of a head commit; None where there is none, or its objects cannot be read.

        Raises SourceError where only the git command is missing.
        """
        path = os.path.join(self._root, dot_git)
        revision = head_commit(path)
        if not revision:
            return None
        if not is_git_installed():
            raise SourceError(
                f"{name_of_folder(self._root, folder)} is a git work tree, whose commit only the git command can read; "
                "expected git to be installed, or --worktree for the files as they lie there"
            )
        try:
            files = tracked_files(path, revision)
        except GitUnreadable:
            return None
        if self._open is not None:
            self._open.blobs.close()
        self._open = CommitFolders(self._root, folder, dot_git, revision, files, above)
        return self._open

    def _submodule(self, path: str, place: _Place) -> list[tuple[str, _Place]]:
        """The place of a submodule, a repository of its own; nothing where it has not been fetched."""
        if not os.path.lexists(os.path.join(self._root, path, GIT)):
            return []
        return [(path, _Place(self._disk, base=place.base))]

    def _entered(self, folder: str, entries: Sequence[Entry], place: _Place) -> _Place:
        """The place of a folder's files. Adds the files of distributions that are installed in it to the owners."""
        folders = place.folders
        dist_infos = [entry.name for entry in entries if entry.is_folder and entry.name.endswith(DIST_INFO)]
        for dist_info in dist_infos:
            distribution = distribution_at(folders, folder, dist_info)
            for path in distribution.files:
                self._owners.setdefault(path, distribution.repository)
        names = [entry.name for entry in entries if not entry.is_folder or entry.name == GIT]
        if dist_infos and GIT not in names:
            # Wheels put license and project files into the folder that they share: these are no markers.
            return _Place(folders, base=folder)
        if folder.rpartition("/")[2] in DEPENDENCY_FOLDERS:
            place = replace(place, around=Surroundings())
        repository = repository_at(folders, folder, names, place.around)
        if repository is None:
            return place
        work_tree = repository if GIT in names else place.around.work_tree
        return _Place(folders, repository, Surroundings(work_tree, repository, repository.licenses), place.base)

    def _loose_at(self, path: str, base: str) -> Repository:
        """The repository of a file without one: the topmost folder below `base` that the file is in."""
        below = path[len(base) :].lstrip("/") if base else path
        first, inner, _ = below.partition("/")
        folder = f"{base}/{first}".lstrip("/") if inner else base
        if folder not in self._loose:
            self._loose[folder] = Repository(folder, name_of_folder(self._root, folder))
        return self._loose[folder]
