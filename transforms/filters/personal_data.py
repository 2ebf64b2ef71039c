"""Personal data: e-mail addresses, and public IP addresses of version 4 and 6.

Rules: StarCoder's redaction (Li et al. 2023, section 4: e-mail, IP addresses, keys).
"""

from collections.abc import Sequence

import pyarrow as pa

from stackfim.transforms.filters.email_addresses import email_addresses
from stackfim.transforms.filters.filter import Filter, Score
from stackfim.transforms.filters.findings import DROP, Buffer, Finding, decide_findings, in_words, without_overlaps
from stackfim.transforms.filters.ip_addresses import ipv4_addresses, ipv6_addresses


def find_personal_data(
    content: pa.BinaryArray, languages: Sequence[str] | None = None, paths: Sequence[str] | None = None
) -> list[Finding]:
    """E-mail and public IP addresses of every row, in order, without overlaps.

    The `languages` and `paths` of the rows, where they are known, tell operators from addresses and files of versions from
    others.
    """
    buffer = Buffer(content)
    return without_overlaps(
        [*email_addresses(buffer, languages), *ipv4_addresses(buffer, paths), *ipv6_addresses(buffer)]
    )


def find_in_rows(rows: pa.RecordBatch) -> list[Finding]:
    """The same of rows (stackfim.schemas.source.ROW)."""
    return find_personal_data(
        rows.column("content"), rows.column("language").to_pylist(), rows.column("path").to_pylist()
    )


PERSONAL_DATA: Filter[list[str]] = Filter(
    stage="personal_data",
    measure=lambda rows, plan: in_words(find_in_rows(rows), rows.num_rows),
    decide=lambda found, languages, plan: decide_findings(found, "personal_data"),
    scores=(
        Score(
            "found",
            pa.string(),
            lambda found: [words or None for words in found],
            lambda plan, language: plan.personal_data,
        ),
    ),
    active=lambda plan: plan.personal_data == DROP,
)
