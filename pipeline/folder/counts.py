"""What markers and the manifest count of examples and rejections, and that the counts of a whole run add up."""

from collections import Counter
from collections.abc import Iterable, Mapping

import pyarrow as pa

EXAMPLE_COUNTS = ("category", "kind", "language", "stop_reason", "verdict")
"""Columns by whose values examples are counted; `verdict` where a model scored them."""
PARTITION = "partition"


class BrokenPromise(RuntimeError):
    """The counts of a folder do not add up: a row was lost or doubled."""


def example_counts(examples: pa.RecordBatch) -> Counter[str]:
    """How many examples there are by `column:value` for the columns of EXAMPLE_COUNTS, and the files that they are from."""
    counts: Counter[str] = Counter()
    for name in EXAMPLE_COUNTS:
        if name in examples.schema.names:
            counts.update({f"{name}:{value}": count for value, count in _value_counts(examples.column(name))})
    files = zip(*(examples.column(name).to_pylist() for name in ("repository", "path", "content_id")), strict=True)
    counts["files_with_examples"] = len(set(files))
    return counts


def _value_counts(column: pa.Array) -> Iterable[tuple[str, int]]:
    found = ((entry["values"].as_py(), entry["counts"].as_py()) for entry in column.value_counts())
    return ((value, count) for value, count in found if value is not None)


def rejected_counts(rejections: pa.RecordBatch) -> dict[str, int]:
    """Counts by `rejected:unit:stage:reason`."""
    columns = (rejections.column(name).to_pylist() for name in ("unit", "stage", "reason"))
    return dict(Counter(f"rejected:{unit}:{stage}:{reason}" for unit, stage, reason in zip(*columns, strict=True)))


def by_prefix(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    """The counts whose names begin with `prefix`, without it, in order of names."""
    return {name.removeprefix(prefix): count for name, count in sorted(counts.items()) if name.startswith(prefix)}


def accounted(files_in: int, counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """The members `counts`, `rejected`, `removed` and `examples` of a manifest, from the sums over all shards.

    Raises BrokenPromise when `files_in` are not the files that gave examples, were rejected or were removed.
    """
    rejected = by_prefix(counts, "rejected:")
    dropped_files = sum(count for name, count in rejected.items() if name.startswith("file:"))
    totals = {
        "files_in": files_in,
        "files_rejected": dropped_files,
        "files_removed": counts.get("removed", 0),
        "files_with_examples": counts.get("files_with_examples", 0),
        "examples": counts.get("examples", 0),
        "examples_rejected": sum(rejected.values()) - dropped_files,
    }
    if files_in != totals["files_rejected"] + totals["files_removed"] + totals["files_with_examples"]:
        raise BrokenPromise(f"files in are not files with examples, rejected and removed: {totals}")
    columns = (*EXAMPLE_COUNTS, PARTITION)
    return {
        "counts": totals,
        "rejected": rejected,
        "removed": by_prefix(counts, "removed:"),
        "examples": {name: count for name, count in sorted(counts.items()) if name.partition(":")[0] in columns},
    }
