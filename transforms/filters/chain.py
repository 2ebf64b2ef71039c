"""The filters in order, as one pass over a batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from stackfim.schemas.rejection import concatenate
from stackfim.transforms.filters.actual_language import all_evidence, decide_languages_shown, relabelled
from stackfim.transforms.filters.alphanumeric import alphanumeric_fraction, decide_alphanumeric
from stackfim.transforms.filters.comment_language import ANY, LANGUAGES, comment_languages, decide_comment_languages
from stackfim.transforms.filters.comments import comment_scores, decide_comments, decide_logic_lines
from stackfim.transforms.filters.contamination import BenchmarkIndex, contamination, decide_contamination
from stackfim.transforms.filters.data_files import data_scores, decide_data, decide_notebooks
from stackfim.transforms.filters.decision import Drops, divide, either
from stackfim.transforms.filters.encoded import decide_encoded, encoded_data
from stackfim.transforms.filters.encoding import decide_encoding, invalid_utf8_at, nul_count
from stackfim.transforms.filters.findings import decide_findings
from stackfim.transforms.filters.generated import decide_generated, decide_vendored, generated_by, vendored_by
from stackfim.transforms.filters.language import decide_languages, known_languages
from stackfim.transforms.filters.license import (
    ALL,
    LicensePolicy,
    decide_licenses,
    decide_opt_outs,
    license_problems,
    permissive_licenses,
)
from stackfim.transforms.filters.license_header import contradicting_headers, decide_license_headers
from stackfim.transforms.filters.line_length import MAX_LONG_SHARE, decide_line_lengths, line_lengths
from stackfim.transforms.filters.markup import decide_markup, markup_scores
from stackfim.transforms.filters.number_tables import decide_numbers, number_shares
from stackfim.transforms.filters.personal_data import find_personal_data
from stackfim.transforms.filters.quality_limits import QualityLimits, limits_by_row, limits_of
from stackfim.transforms.filters.redaction import DROP, MODES, REDACT
from stackfim.transforms.filters.repetition import decide_repetition, repetition
from stackfim.transforms.filters.secrets import find_secrets
from stackfim.transforms.filters.size import decide_size, size_bytes
from stackfim.transforms.languages import OFFICIAL

FILE_LANGUAGE = "file_language"
"""The stage that judges languages by name and content; where it is switched off no row gets another language either."""
CONTAMINATION = "contamination"
"""The last stage, for which `filter_rows` is given the benchmarks."""
FAILED = "filter_failed"
"""Reason of a row that a filter cannot handle; the detail is the exception's name."""


@dataclass(frozen=True)
class FilterSettings:
    """Thresholds of all filters."""

    allowed_licenses: frozenset[str] = field(default_factory=permissive_licenses)
    """License identifiers, compared without case."""
    languages: frozenset[str] | None = None
    """Names of the table of languages; None for all that are supported."""
    grammars: tuple[str, ...] = (OFFICIAL,)
    """Sets of grammars that files are parsed with."""
    max_size_bytes: int = 1 << 20
    max_line_chars: int = 1_000
    max_mean_line_chars: float = 100.0
    max_long_line_share: float = MAX_LONG_SHARE
    """Characters of lines over `max_line_chars`, of a file's, up to which it stays."""
    min_alphanumeric_fraction: float = 0.25
    switched_off: tuple[str, ...] = ()
    """Stages that do not run, by their names in FILTERS or `contamination`."""
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Changes to the table of quality limits: language, or `*` for all, to the name of a limit to its value."""
    secrets: str = REDACT
    """`drop` rejects files with secrets here; `redact` leaves them to the redaction; `keep` does neither."""
    personal_data: str = REDACT
    """The same for e-mail and IP addresses."""
    license_policy: str = ALL
    """Whether `all` licenses of a row have to be allowed, or `any` of them."""
    allow_unknown_licenses: bool = False
    """Whether a license that is no SPDX expression and no known name is allowed."""
    allow_missing_licenses: bool = False
    """Whether a row without a license stays."""
    comments_language: str = ANY
    """ISO 639 code of the language that comments are to be in, or `any`; needs the extra `comments-language`."""
    opt_outs: frozenset[str] = frozenset()
    """Repositories and owners whose rows are left out, in lower case."""

    def __post_init__(self) -> None:
        """Raises ValueError for a stage, a limit, a policy or a mode that there is not."""
        unknown = sorted(set(self.switched_off) - {*FILTERS, CONTAMINATION})
        if unknown:
            raise ValueError(
                f"no such filter: {', '.join(unknown)}; expected some of {', '.join(FILTERS)}, {CONTAMINATION}"
            )
        for language in self.limits:
            limits_of(language, self.limits)
        for mode in (self.secrets, self.personal_data):
            if mode not in MODES:
                raise ValueError(f"secrets and personal data: one of {', '.join(MODES)}, got {mode!r}")
        if self.comments_language not in (ANY, *LANGUAGES):
            raise ValueError(f"language of comments: any, {', '.join(LANGUAGES)}, got {self.comments_language!r}")
        self.licenses()

    def licenses(self) -> LicensePolicy:
        """Which licenses a row may have."""
        return LicensePolicy(
            self.allowed_licenses, self.license_policy, self.allow_unknown_licenses, self.allow_missing_licenses
        )


def _opt_out(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_opt_outs(rows.column("repository").to_pylist(), settings.opt_outs) if settings.opt_outs else {}


def _license(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_licenses(license_problems(rows.column("licenses"), settings.licenses()))


def _license_header(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_license_headers(contradicting_headers(rows, settings.licenses()))


def _language(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    languages = rows.column("language")
    return decide_languages(languages, known_languages(languages), settings.languages, settings.grammars)


def _file_language(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_languages_shown(rows.column("language"), all_evidence(rows))


def _size(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_size(size_bytes(rows.column("content")), settings.max_size_bytes)


def _encoding(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    content = rows.column("content")
    return decide_encoding(invalid_utf8_at(content), nul_count(content))


def _line_length(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    lengths = line_lengths(rows.column("content"), settings.max_line_chars)
    return decide_line_lengths(
        lengths,
        settings.max_line_chars,
        settings.max_mean_line_chars,
        settings.max_long_line_share,
        _languages(rows),
    )


def _alphanumeric(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_alphanumeric(alphanumeric_fraction(rows.column("content")), settings.min_alphanumeric_fraction)


def _languages(rows: pa.RecordBatch) -> list[str]:
    return rows.column("language").to_pylist()


def _limits(rows: pa.RecordBatch, settings: FilterSettings) -> list[QualityLimits]:
    return limits_by_row(_languages(rows), settings.limits)


def _generated(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_generated(generated_by(rows))


def _vendored(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_vendored(vendored_by(rows))


def _markup(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_markup(markup_scores(rows.column("content"), _languages(rows)), _limits(rows, settings))


def _data_file(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    scores = data_scores(rows.column("content"), _languages(rows))
    limits = _limits(rows, settings)
    return either(decide_data(scores, limits), decide_notebooks(scores, limits))


def _encoded_data(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_encoded(encoded_data(rows.column("content")), _limits(rows, settings))


def _numbers(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_numbers(number_shares(rows.column("content")), _limits(rows, settings))


def _comments(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    scores = comment_scores(rows.column("content"), _languages(rows))
    limits = _limits(rows, settings)
    return either(decide_comments(scores, limits), decide_logic_lines(scores, limits))


def _comments_language(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    wanted = settings.comments_language
    if wanted == ANY:
        return {}
    scores = comment_languages(rows.column("content"), _languages(rows), wanted)
    return decide_comment_languages(scores, wanted, _limits(rows, settings))


def _repetition(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_repetition(repetition(rows.column("content")), _limits(rows, settings))


def _secrets(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    return decide_findings(find_secrets(rows.column("content")), "secret") if settings.secrets == DROP else {}


def _personal_data(rows: pa.RecordBatch, settings: FilterSettings) -> Drops:
    if settings.personal_data != DROP:
        return {}
    return decide_findings(find_personal_data(rows.column("content")), "personal_data")


FILTERS: dict[str, Callable[[pa.RecordBatch, FilterSettings], Drops]] = {
    "opt_out": _opt_out,
    "license": _license,
    FILE_LANGUAGE: _file_language,
    "language": _language,
    "size": _size,
    "encoding": _encoding,
    "license_header": _license_header,
    "vendored": _vendored,
    "generated": _generated,
    "line_length": _line_length,
    "alphanumeric": _alphanumeric,
    "markup": _markup,
    "data_file": _data_file,
    "encoded_data": _encoded_data,
    "numbers": _numbers,
    "comments": _comments,
    "comments_language": _comments_language,
    "repetition": _repetition,
    "secrets": _secrets,
    "personal_data": _personal_data,
}
"""Stage name to filter, in the order that they run: cheap ones first, text ones after the encoding is known to be good."""


def relabel(rows: pa.RecordBatch, settings: FilterSettings) -> tuple[pa.RecordBatch, dict[str, int]]:
    """The rows with the language that they show (stackfim.transforms.filters.actual_language), and how many changed how."""
    return relabelled(rows) if FILE_LANGUAGE not in settings.switched_off else (rows, {})


def filter_rows(
    rows: pa.RecordBatch, settings: FilterSettings, benchmarks: BenchmarkIndex | None = None
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The rows (stackfim.schemas.source.ROW, after `relabel`) that pass all filters, and a rejection for each that does not.

    With `benchmarks`, rows that hold their texts go as well. A row that a filter cannot handle is a rejection.
    """
    stages = [*FILTERS, *([CONTAMINATION] if benchmarks is not None else [])]
    rejected = []
    for stage in stages:
        if not rows.num_rows:
            break
        if stage not in settings.switched_off:
            rows, dropped = divide(rows, stage, decide_stage(stage, rows, settings, benchmarks))
            rejected.append(dropped)
    return rows, concatenate(rejected)


def decide_stage(
    stage: str, rows: pa.RecordBatch, settings: FilterSettings, benchmarks: BenchmarkIndex | None = None
) -> Drops:
    """What one filter drops of a batch; a row that it cannot handle is dropped for `filter_failed`."""
    if stage == CONTAMINATION:
        assert benchmarks is not None
        index = benchmarks
        return _decisions(
            lambda rows, _: decide_contamination(contamination(rows.column("content"), index), index), rows, settings
        )
    return _decisions(FILTERS[stage], rows, settings)


def _decisions(
    decide: Callable[[pa.RecordBatch, FilterSettings], Drops], rows: pa.RecordBatch, settings: FilterSettings
) -> Drops:
    """What a filter decides; where it fails on the batch, row by row, so that one bad row takes no other along."""
    try:
        return decide(rows, settings)
    except Exception as error:
        if rows.num_rows == 1:
            return {0: (FAILED, type(error).__name__)}
    drops: Drops = {}
    for row in range(rows.num_rows):
        for dropped in _decisions(decide, rows.slice(row, 1), settings).values():
            drops[row] = dropped
    return drops
