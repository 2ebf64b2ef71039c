"""The manifest of a run: `manifest.json`, one JSON object with these members.

It holds nothing that changes from one run to the next over the same input: no time, no machine, no number of workers.
"""

import pyarrow as pa

from schemas.column import column

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
            "fingerprint",
            pa.string(),
            "SHA-256 of input, configuration and versions: equal runs have equal fingerprints.",
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
        column("removed", _COUNTS, "Duplicates by method: `exact`, `near`, `near_estimated`."),
        column(
            "examples",
            _COUNTS,
            "Examples by `category:...`, `kind:...`, `language:...`, `stop_reason:...`, `split:...`.",
        ),
        column(
            "refused", _COUNTS, "Candidate places that gave no example, by reason; their slots went to other places."
        ),
        column("unsupported_languages", _COUNTS, "Files of languages without a grammar, by language."),
        column("files", pa.list_(FILE), "All data, rejection, removal and fingerprint files, in order of path."),
    ]
)


class ManifestMismatch(ValueError):
    """A manifest does not have the members of this layout."""


def check_manifest(manifest: object) -> dict:
    """The manifest, if it is one of this layout. Raises ManifestMismatch, which names what is missing or of another type."""
    if not isinstance(manifest, dict):
        raise ManifestMismatch(f"a manifest is a JSON object, got {type(manifest).__name__}")
    names = set(MANIFEST.names)
    if set(manifest) != names:
        missing, unknown = sorted(names - set(manifest)), sorted(set(manifest) - names)
        raise ManifestMismatch(f"manifest members: missing {missing}, unknown {unknown}")
    row = {
        field.name: list(manifest[field.name].items()) if pa.types.is_map(field.type) else manifest[field.name]
        for field in MANIFEST
    }
    try:
        pa.RecordBatch.from_pylist([row], schema=MANIFEST)
    except (pa.ArrowInvalid, pa.ArrowTypeError, AttributeError) as error:
        raise ManifestMismatch(f"manifest: {error}") from error
    return manifest
