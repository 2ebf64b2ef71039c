"""What a shard's marker and the manifest count of examples and rejections."""

from collections import Counter

import pyarrow as pa

EXAMPLE_COUNTS = ("category", "kind", "language", "stop_reason", "verdict")
"""Columns by whose values examples are counted; `verdict` where a model gave one."""


def example_counts(examples: pa.RecordBatch) -> Counter[str]:
    """Counts by the values of EXAMPLE_COUNTS, and files with an example."""
    counts: Counter[str] = Counter()
    for name in EXAMPLE_COUNTS:
        if name not in examples.schema.names:
            continue
        counts.update(
            {
                f"{name}:{value.as_py()}": count.as_py()
                for value, count in _value_counts(examples.column(name))
                if value.is_valid
            }
        )
    files = zip(*(examples.column(name).to_pylist() for name in ("repository", "path", "content_id")), strict=True)
    counts["files_with_examples"] = len(set(files))
    return counts


def _value_counts(column: pa.Array) -> list[tuple[pa.Scalar, pa.Scalar]]:
    return [(entry["values"], entry["counts"]) for entry in column.value_counts()]


def rejected_counts(rejections: pa.RecordBatch) -> dict[str, int]:
    """Counts by `rejected:unit:stage:reason`."""
    counts: Counter[str] = Counter()
    for unit, stage, reason in zip(
        *(rejections.column(name).to_pylist() for name in ("unit", "stage", "reason")), strict=True
    ):
        counts[f"rejected:{unit}:{stage}:{reason}"] += 1
    return dict(counts)
