"""Name, version and licenses from the metadata files of packages: Python, npm, Cargo, Go, Maven.

Pure functions on bytes. A file that is broken, hostile or of another shape counts as a missing one: values of unexpected
types are ignored, nothing is executed, and XML with a document type is not read (no entities).
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from stackfim.pipeline.sources.code.license_names import (
    address_licenses,
    classifier_licenses,
    expression_licenses,
    family_members,
    field_licenses,
)
from stackfim.transforms.file_head import without_mark

MAX_METADATA_BYTES = 1 << 20
_MAX_NAME_CHARS = 300
_MAX_LICENSE_FILES = 20
_PROPRIETARY_CLASSIFIER = "License :: Other/Proprietary License"


@dataclass(frozen=True)
class PackageMetadata:
    """What one metadata file says; empty where it says nothing."""

    name: str = ""
    version: str = ""
    licenses: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    """What identifiers start with: the license is one of these, and only a license file can tell which."""
    license_files: tuple[str, ...] = ()
    """Paths of license files that the metadata names, relative to its folder."""
    proprietary: bool = False
    """Whether the file states that there is no open license; license files beside it then do not count."""


NOTHING = PackageMetadata()


def installed_metadata(data: bytes) -> PackageMetadata:
    """What METADATA of an installed Python distribution says (core metadata up to version 2.4).

    The license comes from License-Expression, else the classifiers, else the License field. `data` may be cut off
    after the header.
    """
    fields = _headers(data)
    classifiers = fields.get("classifier", [])
    licenses, families = _python_licenses(_first(fields, "license-expression"), classifiers, _first(fields, "license"))
    return PackageMetadata(
        _text(_first(fields, "name")),
        _text(_first(fields, "version")),
        licenses,
        families,
        license_files=tuple(fields.get("license-file", [])[:_MAX_LICENSE_FILES]),
        proprietary=_PROPRIETARY_CLASSIFIER in classifiers,
    )


def pyproject_metadata(data: bytes) -> PackageMetadata:
    """What pyproject.toml says in its `project` table, or else in Poetry's."""
    document = _toml(data)
    project = _table(document, "project") or _table(_table(document, "tool"), "poetry")
    license_ = project.get("license")
    text = _text(_table(project, "license").get("text"), limit=MAX_METADATA_BYTES)
    file = _text(_table(project, "license").get("file"))
    classifiers = project.get("classifiers")
    names = [name for name in classifiers if isinstance(name, str)] if isinstance(classifiers, list) else []
    expression = license_ if isinstance(license_, str) else ""
    licenses, families = _python_licenses(expression, names, text or expression)
    return PackageMetadata(
        _text(project.get("name")),
        _text(project.get("version")),
        licenses,
        families,
        license_files=(file,) if file else (),
        proprietary=_PROPRIETARY_CLASSIFIER in names,
    )


def npm_metadata(data: bytes) -> PackageMetadata:
    """What package.json says; its license is a text, or in older forms an object or a list `licenses`."""
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return NOTHING
    if not isinstance(document, dict):
        return NOTHING
    stated = document.get("license") or document.get("licenses")
    name, version = _text(document.get("name")), _text(document.get("version"))
    licenses: list[str] = []
    files: list[str] = []
    for item in stated if isinstance(stated, list) else [stated]:
        value = item.get("type") if isinstance(item, dict) else item
        if not isinstance(value, str):
            continue
        see = re.fullmatch(r"SEE LICEN[CS]E IN (?P<file>.+)", value.strip(), re.IGNORECASE)
        if see is not None:
            files.append(see["file"].strip(" <>"))
        else:
            found = field_licenses(value)
            if not found:  # one license is not known: the others must not pass for all
                return PackageMetadata(name, version, proprietary=value.strip().upper() == "UNLICENSED")
            licenses += found
    return PackageMetadata(name, version, _unique(licenses), license_files=tuple(files[:_MAX_LICENSE_FILES]))


def cargo_metadata(data: bytes) -> PackageMetadata:
    """What Cargo.toml says about a package, or a workspace about its members. `MIT/Apache-2.0` means either."""
    document = _toml(data)
    package = _table(document, "package")
    shared = _table(_table(document, "workspace"), "package")
    license_ = package.get("license") if isinstance(package.get("license"), str) else shared.get("license")
    version = package.get("version") if isinstance(package.get("version"), str) else shared.get("version")
    file = _text(package.get("license-file"))
    return PackageMetadata(
        _text(package.get("name")),
        _text(version),
        _unique(field_licenses(license_)) if isinstance(license_, str) else (),
        license_files=(file,) if file else (),
    )


def go_metadata(data: bytes) -> PackageMetadata:
    """What go.mod says: the module's path, taken as its name. It has no version and no license."""
    found = rb'^[ \t]*module[ \t]+"?(?P<name>[^\s"()]+)"?[ \t\r]*(?://.*)?$'
    match = re.search(found, without_mark(data), re.MULTILINE)
    try:
        return PackageMetadata(_text(match["name"].decode())) if match else NOTHING
    except UnicodeDecodeError:
        return NOTHING


def maven_metadata(data: bytes) -> PackageMetadata:
    """What pom.xml says: groupId:artifactId, the version, and the licenses by their names or else their addresses.

    Group and version may come from the parent's coordinates; values with `${...}` are not resolved and count as missing.
    """
    texts = _xml_texts(data)

    def value(*paths: str) -> str:
        found = next((texts[path][0] for path in paths if texts.get(path)), "")
        return "" if "${" in found else _text(found)

    group, artifact = value("project/groupId", "project/parent/groupId"), value("project/artifactId")
    licenses: list[str] = []
    for name, address in texts.licenses:
        found = field_licenses(name) or address_licenses(address)
        if not found:
            licenses = []
            break
        licenses += found
    return PackageMetadata(
        f"{group}:{artifact}" if group and artifact else artifact,
        value("project/version", "project/parent/version"),
        _unique(licenses),
    )


# The metadata files of a repository's folder; the first that has a name gives the repository its name.
READERS: dict[str, Callable[[bytes], PackageMetadata]] = {
    "pyproject.toml": pyproject_metadata,
    "Cargo.toml": cargo_metadata,
    "package.json": npm_metadata,
    "pom.xml": maven_metadata,
    "go.mod": go_metadata,
    "PKG-INFO": installed_metadata,
}


def _python_licenses(
    expression: str, classifiers: list[str], license_field: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The licenses, and the families whose member only a license file can tell."""
    stated = expression_licenses(expression)
    if stated or _PROPRIETARY_CLASSIFIER in classifiers:
        return tuple(stated), ()
    in_field = field_licenses(license_field)
    classified = classifier_licenses(classifiers)
    if classified is None:
        return tuple(in_field), ()
    members = family_members(classified.families, in_field)
    if not classified.families or members:
        return _unique([*classified.licenses, *members]), ()
    return (tuple(in_field), ()) if in_field else (classified.licenses, classified.families)


def _headers(data: bytes) -> dict[str, list[str]]:
    """The header fields by lower-case name, folded lines joined; a field may be repeated."""
    fields: dict[str, list[list[str]]] = {}
    last: list[str] | None = None
    for line in data.decode("utf-8-sig", "replace").splitlines():
        if not line:  # a line of spaces is part of a folded text, an empty line ends the header
            break
        if line[0] in " \t":
            if last is not None:
                last.append(line.strip().removeprefix("|"))
            continue
        name, separator, value = line.partition(":")
        if separator:
            last = [value.strip()]
            fields.setdefault(name.strip().lower(), []).append(last)
    return {name: ["\n".join(lines) for lines in values] for name, values in fields.items()}


def _first(fields: Mapping[str, list[str]], name: str) -> str:
    return fields[name][0] if name in fields else ""


def _toml(data: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}


def _table(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: object, limit: int = _MAX_NAME_CHARS) -> str:
    """The value if it is text of a sensible length that can be stored, else an empty text."""
    if not isinstance(value, str) or len(value) > limit:
        return ""
    try:
        value.encode()  # JSON may hold lone surrogates
    except UnicodeEncodeError:
        return ""
    return value.strip()


def _unique(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


class _XmlTexts(dict[str, list[str]]):
    """Texts by the path of their element, and the name and address of every license."""

    def __init__(self) -> None:
        super().__init__()
        self.licenses: list[tuple[str, str]] = []


_LICENSE_PATH = "project/licenses/license"
_WANTED_PATHS = (
    "project/groupId",
    "project/artifactId",
    "project/version",
    "project/parent/groupId",
    "project/parent/version",
    f"{_LICENSE_PATH}/name",
    f"{_LICENSE_PATH}/url",
)


class _DocumentType(Exception):
    pass


def _xml_texts(data: bytes) -> _XmlTexts:
    """The wanted texts of a pom.xml; nothing at all if it is not well formed or has a document type."""
    texts = _XmlTexts()
    path: list[str] = []
    parts: list[str] = []

    def start(name: str, attributes: object) -> None:
        path.append(name.rpartition(" ")[2])
        parts.clear()
        if "/".join(path[:4]) == _LICENSE_PATH and len(path) == 3:
            texts.licenses.append(("", ""))

    def end(name: str) -> None:
        place = "/".join(path) if len(path) <= 4 else ""
        text = "".join(parts).strip()
        if place in _WANTED_PATHS:
            texts.setdefault(place, []).append(text)
            if place.startswith(_LICENSE_PATH):
                license_name, address = texts.licenses[-1]
                texts.licenses[-1] = (text, address) if place.endswith("/name") else (license_name, text)
        path.pop()
        parts.clear()

    def refuse(*_: object) -> None:
        raise _DocumentType

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = parts.append
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, _DocumentType, ValueError, LookupError):
        return _XmlTexts()
    return texts
