"""Whose code a data set was made from: a row for each repository, revision and set of licenses."""

import pyarrow as pa

from stackfim.schemas.column import column
from stackfim.schemas.source import ROW

ATTRIBUTION = pa.schema(
    [
        column("repository", pa.string(), "Repository: owner/name, or a package's name."),
        column("revision", pa.string(), "Head commit or package version; empty where the source gives none."),
        column("url", pa.string(), "Address of the repository; null where it is not known.", nullable=True),
        column("licenses", ROW.field("licenses").type, "Licenses as the rows have them."),
        column("files", pa.int64(), "Files that gave examples."),
        column("rows", pa.int64(), "Examples made from them."),
    ]
)
"""The rows are in order of repository, revision and licenses, and each combination comes once."""
