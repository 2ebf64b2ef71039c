"""A file or an example that was dropped, and why. Nothing leaves a run without one of these or a removal."""

import pyarrow as pa

from stackfim.schemas.column import column

FILE = "file"
EXAMPLE = "example"

REJECTION = pa.schema(
    [
        column(
            "unit", pa.string(), "What was dropped: `file` (a source row) or `example` (one candidate of a kept file)."
        ),
        column("stage", pa.string(), "The stage that dropped it, such as `read`, `license`, `split`."),
        column("reason", pa.string(), "A fixed word for the reason, such as `license_not_allowed` or `line_too_long`."),
        column("repository", pa.string(), "Repository of the row; empty where the source gave none."),
        column("path", pa.string(), "Path of the file inside its repository; empty where the source gave none."),
        column(
            "content_id",
            pa.string(),
            "Git blob SHA-1 of the content, 40 hex digits; empty where the content could not be read.",
        ),
        column(
            "detail",
            pa.string(),
            "The value that was wrong and what was expected, for a person to read; never file content.",
        ),
    ]
)


def rejections(unit: str, stage: str, reasons: list[str], rows: pa.RecordBatch, details: list[str]) -> pa.RecordBatch:
    """A rejection for each row of `rows` (columns repository, path, content_id), in order.

    Raises ValueError unless there is one reason and one detail for each row.
    """
    if not len(reasons) == rows.num_rows == len(details):
        raise ValueError(
            f"expected one reason and one detail for each row, got {len(reasons)=}, {len(details)=}, {rows.num_rows=}"
        )
    count = rows.num_rows
    return pa.RecordBatch.from_arrays(
        [
            pa.array([unit] * count, pa.string()),
            pa.array([stage] * count, pa.string()),
            pa.array(reasons, pa.string()),
            rows.column("repository"),
            rows.column("path"),
            rows.column("content_id"),
            pa.array(details, pa.string()),
        ],
        schema=REJECTION,
    )


def no_rejections() -> pa.RecordBatch:
    """An empty batch of REJECTION."""
    return pa.RecordBatch.from_pylist([], schema=REJECTION)


def concatenate(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """The rejections of several batches as one batch, in order."""
    filled = [batch for batch in batches if batch.num_rows]
    if not filled:
        return no_rejections()
    return filled[0] if len(filled) == 1 else pa.concat_batches(filled)
