"""What a folder of a source tree belongs to: the repository or package, its name, revision and licenses.

A repository is a folder with a marker: `.git`, a metadata file of a package, or a license file. Marked folders inside a git
work tree remain parts of it, and those with only a license file parts of a package around them: they keep its name and
revision, but have the licenses that they state themselves, or else those of the folder around them. Folders of dependencies
(`node_modules` and the like) are the exception: they hold other people's work, which has its own name, and no license
unless it states one.
"""

import csv
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from stackfim.pipeline.sources.code.folders import GIT, Folders, is_inside
from stackfim.pipeline.sources.code.git_folder import origin_address, origin_name
from stackfim.pipeline.sources.code.left_out import DIST_INFO
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

DEPENDENCY_FOLDERS = (
    "bower_components",
    "dist-packages",
    "node_modules",
    "site-packages",
    "third-party",
    "third_party",
    "vendor",
)

_PARTS = frozenset(("doc", "docs", "documentation", "licences", "licenses", "test", "tests"))
_EGG_INFO = ".egg-info"
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
    above: str = ""
    """Path of the tree's root in the repository, where the root is a folder of it; rows' paths begin with it."""
    address: str = ""
    """Where the repository's origin can be looked at, such as `https://github.com/owner/name`; empty without one."""
    is_package: bool = False
    """Whether metadata of a package describes it."""


@dataclass(frozen=True)
class Distribution:
    """An installed Python package and its files, as its RECORD lists them, relative to the tree's root."""

    repository: Repository
    files: tuple[str, ...]


@dataclass(frozen=True)
class Surroundings:
    """What is around a folder: the git work tree, the repository, and the licenses that hold where nothing else is stated."""

    work_tree: Repository | None = None
    repository: Repository | None = None
    """The innermost repository."""
    licenses: tuple[str, ...] = ()


def displayable(path: str) -> str:
    """A path as text that can be stored: bytes that are not UTF-8 are written as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_license_file(name: str) -> bool:
    """Whether a file's name is that of a license file; those of `license.py` and `licenses.json` are not."""
    language = language_of_name(name)
    return _LICENSE_FILE.fullmatch(name) is not None and (not language or language_row(language).may_be_license)


def repository_at(folders: Folders, folder: str, names: Sequence[str], around: Surroundings) -> Repository | None:
    """The repository that starts at `folder`, which holds `names`; None without a marker.

    A `package.json` without a name is not a marker: packages put such files into their folders to set module types. Folders
    of documentation and tests begin no repository, but may state licenses of their own.
    """
    license_names = [name for name in names if is_license_file(name)]
    found = {name: _metadata(folders, folder, name) for name in READERS if name in names}
    packages = [metadata for name, metadata in found.items() if name != "package.json" or metadata.name]
    has_git = GIT in names
    if not (has_git or license_names or packages):
        return None
    named_files = [path for metadata in packages for path in metadata.license_files]
    licenses = _licenses(packages, lambda: _texts(folders, folder, [*license_names, *named_files]))
    if not licenses and not has_git and not any(metadata.proprietary for metadata in packages):
        licenses = around.licenses
    if not has_git and around.work_tree is not None:
        return replace(around.work_tree, licenses=licenses)
    outer = around.repository
    if not has_git and outer is not None and (_is_part(folder) or (outer.is_package and not packages)):
        return replace(outer, licenses=licenses)
    name, address = _origin(folders, folder) if has_git else ("", "")
    version = next((metadata.version for metadata in packages if metadata.version), "") or _go_version(folder)
    return Repository(
        folder,
        name
        or next((metadata.name for metadata in packages if metadata.name), "")
        or (_name_of_top(folders, folder) if has_git else name_of_folder(folders.root, folder)),
        folders.revision if has_git else version,
        licenses,
        address=address,
        is_package=bool(packages),
    )


def _is_part(folder: str) -> bool:
    """Whether a folder is a part of what is around it by its name, whatever lies in it."""
    name = folder.rpartition("/")[2]
    return name.lower() in _PARTS or name.endswith(_EGG_INFO)


def _origin(folders: Folders, folder: str) -> tuple[str, str]:
    dot_git = _dot_git(folders, folder)
    return origin_name(dot_git), origin_address(dot_git)


def distribution_at(folders: Folders, site_folder: str, dist_info: str) -> Distribution:
    """The distribution that a `*.dist-info` folder in `site_folder` describes."""
    folder = f"{site_folder}/{dist_info}" if site_folder else dist_info
    metadata = installed_metadata(folders.read(f"{folder}/METADATA", MAX_METADATA_BYTES, _MAX_HEADER_BYTES))
    name, _, version = dist_info.removesuffix(DIST_INFO).partition("-")

    def texts() -> list[str]:
        places = [folder, f"{folder}/licenses"]
        listed = [
            f"{place}/{file}" for place in places for file in _file_names(folders, place) if is_license_file(file)
        ]
        named = [f"{place}/{file}" for file in metadata.license_files for place in places]
        return _texts(folders, "", [*listed, *named])

    repository = Repository(
        site_folder,
        metadata.name or displayable(name),
        metadata.version or displayable(version),
        _licenses([metadata], texts),
    )
    record = folders.read(f"{folder}/RECORD", _MAX_RECORD_BYTES)
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


def _dot_git(folders: Folders, folder: str) -> str:
    return _join(folders.root, folders.dot_git or _join(folder, GIT))


def _name_of_top(folders: Folders, folder: str) -> str:
    """The name of a work tree without an origin: its path in the tree, or the name of its folder if that is around it."""
    top = os.path.dirname(os.path.normpath(_dot_git(folders, folder)))
    return name_of_folder(folders.root, folder) if is_inside(folders.root, top) else displayable(os.path.basename(top))


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


def _texts(folders: Folders, folder: str, paths: Iterable[str]) -> list[str]:
    """The licenses whose texts are in these files (relative to the folder), each once, in the order of the paths."""
    found: list[str] = []
    for path in sorted(set(paths)):
        data = folders.read(f"{folder}/{path}" if folder else path, MAX_TEXT_CHARS)
        found += recognise(data.decode("utf-8", "replace"))
    return list(dict.fromkeys(found))


def _metadata(folders: Folders, folder: str, name: str) -> PackageMetadata:
    return READERS[name](folders.read(f"{folder}/{name}" if folder else name, MAX_METADATA_BYTES))


def _file_names(folders: Folders, folder: str) -> list[str]:
    try:
        return [entry.name for entry in folders.entries(folder)]
    except OSError:
        return []


def _join(root: str, *parts: str) -> str:
    return os.path.join(root, *(part for part in parts if part))
