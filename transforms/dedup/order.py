"""Which copy of a file is kept: one total order everywhere, best first.

Reference files come first, since they cannot be removed. Then more stars, then more forks, then repository, path and content
id in byte order. Where a source gives the same file of the same repository twice, the one that was read first is kept.
"""

import pyarrow as pa
import pyarrow.compute as pc

FINGERPRINT = pa.schema(
    [
        pa.field("content_id", pa.string(), nullable=False),
        pa.field("stars", pa.int64()),
        pa.field("forks", pa.int64()),
        pa.field("repository", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("shard", pa.int32(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
    ]
)
"""What is known of a file without its content: its id, what ranks it in the total order, and where it is."""

REFERENCE_SHARD = 1 << 30
"""Shards from this number on hold reference files, those that the run is compared with; none of these is removed."""

BEST_FIRST = [
    ("reference", "descending"),
    ("stars", "descending"),
    ("forks", "descending"),
    ("repository", "ascending"),
    ("path", "ascending"),
    ("content_id", "ascending"),
    ("shard", "ascending"),
    ("row", "ascending"),
]


def best_first(fingerprints: pa.Table, group: list[str]) -> pa.Table:
    """The fingerprints sorted by the columns `group`, and best first within a group; an unknown count ranks below 0."""
    for name in ("stars", "forks"):
        position = fingerprints.schema.get_field_index(name)
        fingerprints = fingerprints.set_column(position, name, pc.fill_null(fingerprints.column(name), -1))
    reference = pc.greater_equal(fingerprints.column("shard"), pa.scalar(REFERENCE_SHARD, pa.int32()))
    fingerprints = fingerprints.append_column("reference", reference.cast(pa.int8()))
    keys = [(name, "ascending") for name in group] + [key for key in BEST_FIRST if key[0] not in group]
    return fingerprints.take(pc.sort_indices(fingerprints, sort_keys=keys)).drop_columns(["reference"])
