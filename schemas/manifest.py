"""The manifest of a run: `manifest.json`, one JSON object with these members.

It holds nothing that changes from one run to the next over the same input: no time, no machine, no number of workers.
"""

from typing import Any

import pyarrow as pa

from stackfim.schemas.column import column

FORMAT = 1
"""Version of this layout."""

_COUNTS = pa.map_(pa.string(), pa.int64())
_TEXTS = pa.map_(pa.string(), pa.string())

FILE = pa.struct(
    [
        column("path", pa.string(), "Path in the folder of the run."),
        column("size_bytes", pa.int64(), "Size of the file."),
        column("sha256", pa.string(), "SHA-256 of its bytes, 64 hex digits."),
    ]
)

MANIFEST = pa.schema(
    [
        column("format", pa.int64(), "Version of the manifest's layout."),
        column("version", pa.string(), "Version of stackfim."),
        column("versions", _TEXTS, "Versions of the libraries and grammars that rows depend on."),
        column(
            "run_key",
            pa.string(),
            "SHA-256 of input, configuration and versions: equal runs have equal keys.",
        ),
        column("source", pa.string(), "The input as JSON text: kind, place, pinned revision."),
        column(
            "locators",
            pa.list_(pa.string()),
            "Where each input shard is, in order; output shard i was made from shard i.",
        ),
        column("configuration", pa.string(), "All settings, as JSON text."),
        column("counts", _COUNTS, "Files and examples: in, rejected, removed, out."),
        column("rejected", _COUNTS, "Dropped files and examples by `unit:stage:reason`."),
        column("relabelled", _COUNTS, "Files that show another language than their row says, by `from>to`."),
        column("redacted", _COUNTS, "Secrets and personal data that were replaced, by kind."),
        column("removed", _COUNTS, "Duplicates by method: `exact`, `near`, `near_estimated`."),
        column(
            "examples",
            _COUNTS,
            "Examples by `category:...`, `kind:...`, `language:...`, `stop_reason:...`, `verdict:...`, `partition:...`.",
        ),
        column(
            "refused", _COUNTS, "Candidate places that gave no example, by reason; their slots went to other places."
        ),
        column("unsupported_languages", _COUNTS, "Files of languages without a grammar, by language."),
        column(
            "scoring",
            pa.string(),
            "Of a run with a model, as JSON text: the model, layouts, limits and actions, and the diagnostics of the scores.",
            nullable=True,
        ),
        column(
            "files",
            pa.list_(FILE),
            "All data, rejection, removal, fingerprint and score files, and the attribution, in order of path.",
        ),
    ]
)


class ManifestMismatch(ValueError):
    """A manifest does not have the members of this layout."""


def check_manifest(manifest: object) -> dict:
    """The manifest, if it is one of this layout. Raises ManifestMismatch, which names what is missing or of another type."""
    if not isinstance(manifest, dict):
        raise ManifestMismatch(f"a manifest is a JSON object, got {type(manifest).__name__}")
    names = set(MANIFEST.names)
    # What is nullable may be left out.
    needed = {field.name for field in MANIFEST if not field.nullable}
    if not needed <= set(manifest) <= names:
        missing, unknown = sorted(needed - set(manifest)), sorted(set(manifest) - names)
        raise ManifestMismatch(f"manifest members: missing {missing}, unknown {unknown}")
    if manifest["format"] != FORMAT or isinstance(manifest["format"], bool):
        raise ManifestMismatch(f"manifest: format {manifest['format']!r}, expected {FORMAT}")
    for field in MANIFEST:
        if field.name in manifest:
            _expect(manifest[field.name], field.type, field.name)
    return manifest


def _expect(value: Any, wanted: pa.DataType, place: str) -> None:
    """Raise ManifestMismatch where a JSON value is not of a type: Arrow's own conversion takes nulls and fractions."""
    if pa.types.is_map(wanted):
        _expect_class(value, dict, place)
        for key, item in value.items():
            _expect(key, wanted.key_type, f"{place}, key {key!r}")
            _expect(item, wanted.item_type, f"{place}[{key!r}]")
    elif pa.types.is_list(wanted):
        _expect_class(value, list, place)
        for index, item in enumerate(value):
            _expect(item, wanted.value_type, f"{place}[{index}]")
    elif pa.types.is_struct(wanted):
        _expect_class(value, dict, place)
        names = {field.name for field in wanted}
        if set(value) != names:
            raise ManifestMismatch(f"manifest: {place} has {sorted(value)}, expected {sorted(names)}")
        for field in wanted:
            _expect(value[field.name], field.type, f"{place}.{field.name}")
    elif pa.types.is_integer(wanted):
        _expect_class(value, int, place)
        if not -(2**63) <= value < 2**63:
            raise ManifestMismatch(f"manifest: {place} is {value!r}, expected a whole number of 64 bits")
    else:
        _expect_class(value, str, place)
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ManifestMismatch(f"manifest: {place} is no Unicode text ({error})") from error


def _expect_class(value: object, wanted: type, place: str) -> None:
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise ManifestMismatch(f"manifest: {place} is {value!r}, expected {wanted.__name__}")
