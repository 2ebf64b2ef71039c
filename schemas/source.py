"""Source rows: the 29 columns of The Stack dedup as published, and the row that the pipeline works on.

The 29 columns: https://huggingface.co/datasets/bigcode/the-stack-dedup, part "Data Fields". Some exports nest the
license lists as `{list: [{item}]}` (parquet's three-level lists read as structs); both forms are accepted.
"""

import hashlib
from collections.abc import Mapping
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from stackfim.schemas.column import column

_LICENSES = pa.list_(pa.field("element", pa.string()))


def _repository_columns(event: str) -> list[pa.Field]:
    """The seven columns that The Stack keeps for the repository with most stars, issues or forks."""
    most = f"the repository with most {event} among those that hold this content"
    return [
        column(f"max_{event}_repo_path", pa.string(), f"Path of the file in {most}.", nullable=True),
        column(f"max_{event}_repo_name", pa.string(), f"Name, as owner/repository, of {most}.", nullable=True),
        column(f"max_{event}_repo_head_hexsha", pa.string(), f"Head commit of {most}.", nullable=True),
        column(f"max_{event}_repo_licenses", _LICENSES, f"Licenses of {most}.", nullable=True),
        column(
            f"max_{event}_count", pa.int64(), f"Number of {event} of {most}; null where there is none.", nullable=True
        ),
        column(
            f"max_{event}_repo_{event}_event_min_datetime",
            pa.string(),
            f"First of these {event}; null where there is none.",
            nullable=True,
        ),
        column(
            f"max_{event}_repo_{event}_event_max_datetime",
            pa.string(),
            f"Last of these {event}; null where there is none.",
            nullable=True,
        ),
    ]


THE_STACK = pa.schema(
    [
        column("hexsha", pa.string(), "Git blob SHA-1 of the content.", nullable=True),
        column("size", pa.int64(), "Size in bytes.", nullable=True),
        column("ext", pa.string(), "File extension, without the dot.", nullable=True),
        column("lang", pa.string(), "Programming language.", nullable=True),
        *_repository_columns("stars"),
        *_repository_columns("issues"),
        *_repository_columns("forks"),
        column("content", pa.string(), "The file.", nullable=True),
        column("avg_line_length", pa.float64(), "Mean line length.", nullable=True),
        column("max_line_length", pa.int64(), "Longest line.", nullable=True),
        column("alphanum_fraction", pa.float64(), "Share of alphanumeric characters.", nullable=True),
    ]
)

ROW = pa.schema(
    [
        column("content", pa.binary(), "The file's bytes, as read; UTF-8 only after the encoding filter."),
        column("language", pa.string(), "Language by The Stack's name; empty where it is not known."),
        column("repository", pa.string(), "Repository: owner/name, or a package's name."),
        column("path", pa.string(), "Path inside the repository."),
        column("revision", pa.string(), "Head commit or package version; empty where the source gives none."),
        column(
            "licenses",
            pa.list_(pa.field("element", pa.string(), nullable=False)),
            "Licenses; an empty list where none is known.",
        ),
        column("stars", pa.int64(), "Stars of the repository; null where not known.", nullable=True),
        column("forks", pa.int64(), "Forks of the repository; null where not known.", nullable=True),
        column("source_id", pa.string(), "Git blob SHA-1 of the bytes read, 40 hex digits."),
        column("content_id", pa.string(), "Git blob SHA-1 of the content as it is now, 40 hex digits."),
    ]
)

REQUIRED = ("content", "repository", "path", "licenses")
"""Columns of ROW that a source has to give; without a column of languages, the path tells the language."""

CONSTANT = "="
"""Beginning of what stands in the place of a source column and is the value itself, for all rows."""

TEXT_COLUMNS = ("repository", "path", "language", "revision")
_MAY_BE_CONSTANT = ("repository", "language", "revision", "licenses")

# For each column of ROW, the source columns that may give it; the first one found counts.
CANDIDATES: dict[str, tuple[str, ...]] = {
    "content": ("content",),
    "language": ("lang", "language"),
    "repository": ("max_stars_repo_name", "repository", "repo_name"),
    "path": ("max_stars_repo_path", "path"),
    "revision": ("max_stars_repo_head_hexsha", "revision"),
    "licenses": ("max_stars_repo_licenses", "licenses", "license"),
    "stars": ("max_stars_count", "stars"),
    "forks": ("max_forks_count", "forks"),
}


class MissingColumns(ValueError):
    """A source does not have the columns that a row needs."""


def resolve_columns(
    available: list[str],
    mapping: Mapping[str, str],
    folders: Mapping[str, str] | None = None,
    *,
    needs_licenses: bool = True,
) -> dict[str, str]:
    """Which source column gives each column of ROW: `mapping` first, then the known names, then `folders`.

    `folders` are values by name that the path of a file tells (`folder_values`). A value that is the same for all rows begins
    with CONSTANT, in `mapping` too. Raises MissingColumns, which names what is missing, what was found and how to map it;
    licenses may be missing where they are not needed.
    """
    folders = folders or {}
    resolved: dict[str, str] = {}
    for name, candidates in CANDIDATES.items():
        if name in mapping:
            resolved[name] = _mapped(name, mapping[name], available, folders)
            continue
        found = next((candidate for candidate in candidates if candidate in available), None)
        if found is None and name in _MAY_BE_CONSTANT:
            found = next((CONSTANT + folders[candidate] for candidate in candidates if candidate in folders), None)
        if found is not None:
            resolved[name] = found
    missing = [name for name in REQUIRED if name not in resolved and (needs_licenses or name != "licenses")]
    if missing:
        advice = (
            ", or allow rows without a license: filters.allow_missing_licenses = true" if "licenses" in missing else ""
        )
        raise MissingColumns(
            f"the source has no column for {', '.join(missing)}; it has: {', '.join(available)}. "
            f'Name them in the configuration, for example: [columns] {missing[0]} = "..."{advice}'
        )
    return resolved


def _mapped(name: str, source: str, available: list[str], folders: Mapping[str, str]) -> str:
    if source in available:
        return source
    if name in _MAY_BE_CONSTANT:
        if source.startswith(CONSTANT) and source != CONSTANT:
            return source
        if source in folders:
            return CONSTANT + folders[source]
    constant = f'; for one value in all rows, {name} = "={source}"' if name in _MAY_BE_CONSTANT else ""
    raise MissingColumns(
        f"[columns] maps {name} to {source!r}, which the source does not have; it has: {', '.join(available)}{constant}"
    )


def folder_values(path: str) -> dict[str, str]:
    """Values by name from the folders of a path, such as `lang=Python/`, by the convention of Hive; the innermost counts."""
    found: dict[str, str] = {}
    for folder in path.split("/")[:-1]:
        name, separator, value = folder.partition("=")
        if separator and name and value and value != _NO_VALUE:
            found[name] = unquote(value)
    return found


_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def license_lists(values: pa.Array) -> pa.Array:
    """Licenses in any published form (a string, a list, a nested list of structs) as plain lists of strings.

    Nulls become empty lists and null or blank elements are dropped. Raises TypeError for other types.
    """
    target = ROW.field("licenses").type
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return pa.array([_license_names(value) for value in values.to_pylist()], target)


def _license_names(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return [value.strip()] if value.strip() else []
    if isinstance(value, Mapping):  # {list: [...]} around the list, {item: ...} or {element: ...} around an element
        return [name for inner in value.values() for name in _license_names(inner)]
    if isinstance(value, list):
        return [name for inner in value for name in _license_names(inner)]
    raise TypeError(f"a license is a string or a list of strings, got {type(value).__name__}")


def as_binary(values: pa.Array) -> pa.Array:
    """Text of any Arrow string or binary type as `binary`, without checking that it is UTF-8.

    Raises TypeError for other types.
    """
    if pa.types.is_large_string(values.type):
        values = values.view(pa.large_binary())
    elif pa.types.is_string(values.type):
        return values.view(pa.binary())
    if not (pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type)):
        raise TypeError(f"content is text or bytes, got {values.type}")
    return values.cast(pa.binary())


def text_or_empty(values: pa.Array) -> pa.Array:
    """Strings with null as the empty string."""
    return pc.fill_null(values.cast(pa.string()), "")


def git_blob_id(data: bytes | memoryview) -> str:
    """Git's name for a file with this content: SHA-1 over `blob LENGTH`, a zero byte and the bytes; 40 hex digits."""
    digest = hashlib.sha1(b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()
