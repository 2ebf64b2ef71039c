"""A file that was removed as a duplicate, and the file that stays for it."""

import pyarrow as pa

from stackfim.schemas.column import column

EXACT = "exact"
NEAR = "near"
NEAR_ESTIMATED = "near_estimated"
METHODS = (EXACT, NEAR, NEAR_ESTIMATED)

REMOVAL = pa.schema(
    [
        column("content_id", pa.string(), "Git blob SHA-1 of the removed file, 40 hex digits."),
        column("repository", pa.string(), "Repository of the removed file."),
        column("path", pa.string(), "Path of the removed file."),
        column("kept_content_id", pa.string(), "Git blob SHA-1 of the file that stays."),
        column("kept_repository", pa.string(), "Repository of the file that stays."),
        column("kept_path", pa.string(), "Path of the file that stays."),
        column(
            "similarity",
            pa.float64(),
            "Jaccard similarity of the two files' shingle sets, exact unless the method says estimated; 1.0 for exact copies.",
        ),
        column(
            "cluster_id", pa.string(), "The same for all files that one kept file stands for: that file's content id."
        ),
        column(
            "method",
            pa.string(),
            "`exact` (same bytes), `near` (verified by the shingles) or `near_estimated` (by the signatures: "
            "an earlier run's file, or a group too large).",
        ),
    ]
)
