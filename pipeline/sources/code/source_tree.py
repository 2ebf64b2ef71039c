"""Lists a folder of source trees: every file once, with the repository that it belongs to.

Folders of version control and byte code are left out. Links are not followed: a link to something inside the tree is left
out, since its target is listed where it lies; any other link is listed, so that its rejection says where it was.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from stackfim.pipeline.sources.code.repositories import (
    DEPENDENCY_FOLDERS,
    DIST_INFO,
    GIT,
    Repository,
    Surroundings,
    distribution_at,
    is_inside,
    name_of_folder,
    repository_at,
)

SKIPPED_NAMES = (".git", ".hg", ".svn", "__pycache__")


@dataclass(frozen=True)
class TreeFile:
    """A file, or something in the place of one: a link to the outside, a pipe, a folder that cannot be listed."""

    path: str
    """Relative to the root, with `/`; bytes that are not UTF-8 as surrogate escapes."""
    size_bytes: int
    mtime_ns: int
    repository: Repository


@dataclass(frozen=True)
class _Place:
    """Where the walk is: the repository, what surrounds it, and the folder that groups files without a repository."""

    repository: Repository | None = None
    around: Surroundings = field(default_factory=Surroundings)
    base: str = ""


def list_tree(root: str) -> Iterator[TreeFile]:
    """The files below `root` (a path without links), in an order that depends only on their names.

    Raises OSError when the root itself cannot be listed.
    """
    owners: dict[str, Repository] = {}
    loose: dict[str, Repository] = {}
    waiting: list[tuple[str, _Place]] = [("", _Place())]
    while waiting:
        folder, place = waiting.pop()
        try:
            with os.scandir(os.path.join(root, folder) if folder else root) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            if not folder:
                raise
            yield TreeFile(folder, 0, 0, place.repository or _loose(root, folder, place.base, loose))
            continue
        folders = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        place = _entered(root, folder, entries, folders, place, owners)
        prefix = f"{folder}/" if folder else ""
        is_folder = frozenset(folders)
        for entry in entries:
            path = prefix + entry.name
            if entry.name in is_folder or entry.name in SKIPPED_NAMES or _is_link_inside(root, path, entry):
                continue
            owner = owners.get(path) or place.repository or _loose(root, path, place.base, loose)
            yield TreeFile(path, *_size_and_time(entry), owner)
        waiting += [(prefix + name, place) for name in reversed(folders) if name not in SKIPPED_NAMES]


def _entered(
    root: str,
    folder: str,
    entries: list[os.DirEntry[str]],
    folders: list[str],
    place: _Place,
    owners: dict[str, Repository],
) -> _Place:
    """The place of a folder's files. Adds the files of distributions that are installed in it to `owners`."""
    dist_infos = [name for name in folders if name.endswith(DIST_INFO)]
    for dist_info in dist_infos:
        distribution = distribution_at(root, folder, dist_info)
        for path in distribution.files:
            owners.setdefault(path, distribution.repository)
    names = [entry.name for entry in entries if entry.name not in folders]
    if GIT in folders:
        names.append(GIT)
    if dist_infos and GIT not in names:
        # Wheels put license and project files into the folder that they share: these are no markers.
        return _Place(base=folder)
    if folder.rpartition("/")[2] in DEPENDENCY_FOLDERS:
        place = replace(place, around=Surroundings())
    repository = repository_at(root, folder, names, place.around)
    if repository is None:
        return place
    work_tree = repository if GIT in names else place.around.work_tree
    return _Place(repository, Surroundings(work_tree, repository.licenses), place.base)


def _is_link_inside(root: str, path: str, entry: os.DirEntry[str]) -> bool:
    """Whether the entry is a link to something that exists in the tree."""
    if not entry.is_symlink():
        return False
    try:
        real = os.path.realpath(os.path.join(root, path), strict=True)
    except OSError:  # it leads nowhere, or in circles
        return False
    return is_inside(root, real)


def _size_and_time(entry: os.DirEntry[str]) -> tuple[int, int]:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _loose(root: str, path: str, base: str, known: dict[str, Repository]) -> Repository:
    """The repository of a file without one: the topmost folder below `base` that the file is in."""
    below = path[len(base) :].lstrip("/") if base else path
    first, inner, _ = below.partition("/")
    folder = f"{base}/{first}".lstrip("/") if inner else base
    if folder not in known:
        known[folder] = Repository(folder, name_of_folder(root, folder))
    return known[folder]
