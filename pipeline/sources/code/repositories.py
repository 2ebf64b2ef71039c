"""What a folder of a source tree belongs to: the repository or package, its name, revision and licenses.

A repository is a folder with a marker: `.git`, a metadata file of a package, or a license file. Marked folders inside a
git work tree remain parts of it: they keep its name and revision, but have the licenses that they state themselves, or
else those of the folder around them. Folders of dependencies (`node_modules` and the like) are the exception: they hold
other people's work, which has its own name, and no license unless it states one.
"""

import csv
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from stackfim.pipeline.sources.code.bounded_files import NotRead, read_regular_file
from stackfim.pipeline.sources.code.git_folder import head_commit, origin_name
from stackfim.pipeline.sources.code.license_names import family_members
from stackfim.pipeline.sources.code.license_texts import MAX_TEXT_CHARS, recognise
from stackfim.pipeline.sources.code.package_metadata import (
    MAX_METADATA_BYTES,
    READERS,
    PackageMetadata,
    installed_metadata,
)
from stackfim.transforms.languages import language_row
from stackfim.transforms.languages.file_names import language_of_name

GIT = ".git"
DIST_INFO = ".dist-info"
DEPENDENCY_FOLDERS = (
    "bower_components",
    "dist-packages",
    "node_modules",
    "site-packages",
    "third-party",
    "third_party",
    "vendor",
)

_LICENSE_FILE = re.compile(r"(?:(?:un)?licen[cs]es?|copying)(?:[-_. ].*)?", re.IGNORECASE)
_GO_VERSION = re.compile(r".+@(?P<version>v\d\S*)")
_MAX_HEADER_BYTES = 1 << 18
_MAX_RECORD_BYTES = 64 << 20


@dataclass(frozen=True)
class Repository:
    """What files belong to. `folder` is relative to the tree's root, and the paths of rows are relative to `folder`."""

    folder: str
    name: str
    revision: str = ""
    licenses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Distribution:
    """An installed Python package and its files, as its RECORD lists them, relative to the tree's root."""

    repository: Repository
    files: tuple[str, ...]


@dataclass(frozen=True)
class Surroundings:
    """What is around a folder: the git work tree, and the licenses that hold where nothing else is stated."""

    work_tree: Repository | None = None
    licenses: tuple[str, ...] = ()


def displayable(path: str) -> str:
    """A path as text that can be stored: bytes that are not UTF-8 are written as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_license_file(name: str) -> bool:
    """Whether a file's name is that of a license file; those of `license.py` and `licenses.json` are not."""
    language = language_of_name(name)
    return _LICENSE_FILE.fullmatch(name) is not None and (not language or language_row(language).may_be_license)


def repository_at(root: str, folder: str, names: Sequence[str], around: Surroundings) -> Repository | None:
    """The repository that starts at `folder` (relative to `root`), which holds `names`; None without a marker.

    A `package.json` without a name is not a marker: packages put such files into their folders to set module types.
    """
    license_names = [name for name in names if is_license_file(name)]
    found = {name: _metadata(root, folder, name) for name in READERS if name in names}
    packages = [metadata for name, metadata in found.items() if name != "package.json" or metadata.name]
    has_git = GIT in names
    if not (has_git or license_names or packages):
        return None
    named_files = [path for metadata in packages for path in metadata.license_files]
    licenses = _licenses(packages, lambda: _texts(root, folder, [*license_names, *named_files]))
    if not licenses and not has_git and not any(metadata.proprietary for metadata in packages):
        licenses = around.licenses
    if not has_git and around.work_tree is not None:
        work_tree = around.work_tree
        return Repository(work_tree.folder, work_tree.name, work_tree.revision, licenses)
    dot_git = _join(root, folder, GIT)
    name = origin_name(dot_git) if has_git else ""
    revision = head_commit(dot_git) if has_git else ""
    return Repository(
        folder,
        name or next((metadata.name for metadata in packages if metadata.name), "") or name_of_folder(root, folder),
        revision or next((metadata.version for metadata in packages if metadata.version), "") or _go_version(folder),
        licenses,
    )


def distribution_at(root: str, site_folder: str, dist_info: str) -> Distribution:
    """The distribution that a `*.dist-info` folder in `site_folder` describes."""
    folder = f"{site_folder}/{dist_info}" if site_folder else dist_info
    metadata = installed_metadata(_read(root, f"{folder}/METADATA", MAX_METADATA_BYTES, head_bytes=_MAX_HEADER_BYTES))
    name, _, version = dist_info.removesuffix(DIST_INFO).partition("-")

    def texts() -> list[str]:
        places = [folder, f"{folder}/licenses"]
        listed = [f"{place}/{file}" for place in places for file in _file_names(root, place) if is_license_file(file)]
        named = [f"{place}/{file}" for file in metadata.license_files for place in places]
        return _texts(root, "", [*listed, *named])

    repository = Repository(
        site_folder,
        metadata.name or displayable(name),
        metadata.version or displayable(version),
        _licenses([metadata], texts),
    )
    record = _read(root, f"{folder}/RECORD", _MAX_RECORD_BYTES)
    prefix = f"{site_folder}/" if site_folder else ""
    return Distribution(repository, tuple(prefix + path for path in recorded_paths(record)))


def recorded_paths(record: bytes) -> Iterator[str]:
    """The paths in a RECORD file that lie in its site folder; those outside (scripts, manual pages) are left out.

    Format: https://packaging.python.org/en/latest/specifications/recording-installed-packages/.
    """
    lines = record.decode("utf-8", "surrogateescape").splitlines()
    try:
        for row in csv.reader(lines):
            path = row[0] if row else ""
            if path and not path.startswith("/") and ".." not in path.split("/"):
                yield path
    except csv.Error:  # the paths above the broken line are kept
        return


def name_of_folder(root: str, folder: str) -> str:
    """The name of a repository that states none: its path in the tree, or the name of the root."""
    return displayable(folder or os.path.basename(os.path.normpath(root)))


def _go_version(folder: str) -> str:
    """The version in the folder's name, as in Go's module cache: `name@v1.2.3`."""
    match = _GO_VERSION.fullmatch(folder.rpartition("/")[2])
    return displayable(match["version"]) if match else ""


def _licenses(packages: Sequence[PackageMetadata], texts: Callable[[], list[str]]) -> tuple[str, ...]:
    """The licenses that the metadata states, families resolved by the license files; else those of the license files."""
    if any(metadata.proprietary for metadata in packages):
        return ()
    stated: list[str] = []
    for metadata in packages:
        members = family_members(metadata.families, texts()) if metadata.families else []
        if members or not metadata.families:
            stated += [*metadata.licenses, *members]
    return tuple(dict.fromkeys(stated or texts()))


def _texts(root: str, folder: str, paths: Iterable[str]) -> list[str]:
    """The licenses whose texts are in these files (relative to the folder), each once, in the order of the paths."""
    found: list[str] = []
    for path in sorted(set(paths)):
        data = _read(root, f"{folder}/{path}" if folder else path, MAX_TEXT_CHARS)
        found += recognise(data.decode("utf-8", "replace"))
    return list(dict.fromkeys(found))


def _metadata(root: str, folder: str, name: str) -> PackageMetadata:
    return READERS[name](_read(root, f"{folder}/{name}" if folder else name, MAX_METADATA_BYTES))


def _read(root: str, path: str, max_bytes: int, head_bytes: int | None = None) -> bytes:
    """The file's bytes; empty where it cannot be read, is larger, or lies outside the tree (also through a link)."""
    try:
        real = os.path.realpath(_join(root, path))
        return read_regular_file(real, max_bytes, head_bytes) if is_inside(root, real) else b""
    except (NotRead, OSError, ValueError):  # ValueError: a zero byte in a path that metadata names
        return b""


def is_inside(root: str, real: str) -> bool:
    """Whether a path is in the tree at `root`; both are given without links."""
    return real == root or real.startswith(root.rstrip("/") + "/")


def _file_names(root: str, folder: str) -> list[str]:
    try:
        return sorted(os.listdir(_join(root, folder)))
    except OSError:
        return []


def _join(root: str, *parts: str) -> str:
    return os.path.join(root, *(part for part in parts if part))
