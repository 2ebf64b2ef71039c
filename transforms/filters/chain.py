"""The filters in order, as one pass over a batch."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

from schemas.rejection import concatenate
from transforms.filters.alphanumeric import alphanumeric_fraction, decide_alphanumeric
from transforms.filters.decision import Drops, divide
from transforms.filters.encoding import decide_encoding, invalid_utf8_at, nul_count
from transforms.filters.language import decide_languages, known_languages
from transforms.filters.license import decide_licenses, licenses_not_allowed, permissive_licenses
from transforms.filters.line_length import decide_line_lengths, line_lengths
from transforms.filters.size import decide_size, size_bytes


@dataclass(frozen=True)
class FilterSettings:
    """Thresholds of all filters."""

    allowed_licenses: frozenset[str] = field(default_factory=permissive_licenses)
    """License identifiers, compared without case."""
    languages: frozenset[str] | None = None
    """Names of the table of languages; None for all that are supported."""
    max_size_bytes: int = 1 << 20
    max_line_chars: int = 1_000
    max_mean_line_chars: float = 100.0
    min_alphanumeric_fraction: float = 0.25


def _license(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    licenses = rows.column("licenses")
    return decide_licenses(licenses, licenses_not_allowed(licenses, settings.allowed_licenses))


def _language(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    languages = rows.column("language")
    return decide_languages(languages, known_languages(languages), settings.languages)


def _size(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_size(size_bytes(rows.column("content")), settings.max_size_bytes)


def _encoding(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    content = rows.column("content")
    return decide_encoding(invalid_utf8_at(content), nul_count(content))


def _line_length(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_line_lengths(
        line_lengths(rows.column("content")), settings.max_line_chars, settings.max_mean_line_chars
    )


def _alphanumeric(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_alphanumeric(alphanumeric_fraction(rows.column("content")), settings.min_alphanumeric_fraction)


FILTERS: dict[str, Callable[[pa.RecordBatch, FilterSettings], Drops]] = {
    "license": _license,
    "language": _language,
    "size": _size,
    "encoding": _encoding,
    "line_length": _line_length,
    "alphanumeric": _alphanumeric,
}
"""Stage name to filter, in the order that they run: cheap ones first, text ones after the encoding is known to be good."""


def filter_rows(rows: pa.RecordBatch, settings: FilterSettings) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The rows (schemas.source.ROW) that pass all filters, and a rejection for each that does not."""
    rejected = []
    for stage, decide in FILTERS.items():
        if not rows.num_rows:
            break
        rows, dropped = divide(rows, stage, decide(rows, settings))
        rejected.append(dropped)
    return rows, concatenate(rejected)
