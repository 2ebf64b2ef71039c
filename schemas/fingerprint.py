"""What deduplication keeps about a file besides its name: enough for a later run to find near-duplicates of it.

A run leaves in `fingerprints/` one row for each file that stayed. Signatures can be compared only when they were made with
the same settings, which the parquet metadata holds as JSON under `SETTINGS`.
"""

import pyarrow as pa

from stackfim.schemas.column import column

SETTINGS = b"stackfim.fingerprint"
"""Metadata key of the signatures' ngram, permutations and seed."""

_SIGNATURE = pa.list_(pa.field("element", pa.uint32(), nullable=False))

SIGNATURE = pa.schema(
    [
        column("shingles", pa.int32(), "Number of distinct shingles of the file; 0 for one without a word."),
        column("signature", _SIGNATURE, "MinHash signature: the least value of each permutation, in order."),
    ]
)

REFERENCE = pa.schema(
    [
        column("content_id", pa.string(), "Git blob SHA-1 of the file, 40 hex digits."),
        column("repository", pa.string(), "Repository of the file."),
        column("path", pa.string(), "Path of the file."),
        column("language", pa.string(), "Programming language, by The Stack's name."),
        *SIGNATURE,
    ]
)
