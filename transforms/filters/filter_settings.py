"""What the filters go by: what a user sets, and what a run adds to that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stackfim.transforms.filters.comment_language import ANY, LANGUAGES
from stackfim.transforms.filters.contamination import BenchmarkIndex
from stackfim.transforms.filters.filter import Filter
from stackfim.transforms.filters.filter_list import STAGES
from stackfim.transforms.filters.findings import MODES, REDACT
from stackfim.transforms.filters.license import ALL, POLICIES, LicensePolicy, permissive_licenses
from stackfim.transforms.filters.line_length import MAX_LONG_SHARE
from stackfim.transforms.filters.quality_limits import QualityLimits, key_of_limits, limits_by_row, limits_of
from stackfim.transforms.languages import OFFICIAL
from stackfim.transforms.setting_checks import expect_choice, expect_number, expect_whole, known_names


@dataclass(frozen=True)
class FilterSettings:
    """What a user sets: [filters] of the configuration."""

    max_size_bytes: int = 1 << 20
    max_line_chars: int = 1_000
    max_mean_line_chars: float = 100.0
    max_long_line_share: float = MAX_LONG_SHARE
    """Share of a file's characters that may be in lines over `max_line_chars`."""
    min_alphanumeric_fraction: float = 0.25
    scores: bool = False
    """Whether the scores of every file are written, to filter_scores/."""
    switched_off: tuple[str, ...] = ()
    """Filters that do not run, by their stages."""
    license_policy: str = ALL
    """Whether `all` licenses of a row have to be allowed, or `any` of them."""
    allow_unknown_licenses: bool = False
    """Whether a license is allowed that is neither an SPDX expression nor a known name."""
    allow_missing_licenses: bool = False
    """Whether a row without a license stays."""
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Changes to the table of quality limits: a language, or `*` for all, to limits by their names."""

    def __post_init__(self) -> None:
        """Raises ValueError, with the field, its value and what was expected, for a value that makes no sense."""
        expect_whole("max_size_bytes", self.max_size_bytes, 1)
        expect_whole("max_line_chars", self.max_line_chars, 1)
        expect_number("max_mean_line_chars", self.max_mean_line_chars, above_0=True)
        expect_number("max_long_line_share", self.max_long_line_share, 1.0)
        expect_number("min_alphanumeric_fraction", self.min_alphanumeric_fraction, 1.0)
        for stage in self.switched_off:
            if stage not in STAGES:
                raise ValueError(f"switched_off: no such filter: {stage!r}{known_names(stage, STAGES)}")
        expect_choice("license_policy", self.license_policy, POLICIES)
        for language, limits in self.limits.items():
            try:
                key = key_of_limits(language)
            except ValueError as error:
                raise ValueError(f"limits.{error}") from error
            try:
                limits_of(key, {key: limits})
            except ValueError as error:
                raise ValueError(f"limits.{language}.{error}") from error


@dataclass(frozen=True)
class FilterPlan:
    """All that the filters of a run go by. Plain values: it travels in the graph."""

    settings: FilterSettings = field(default_factory=FilterSettings)
    allowed_licenses: frozenset[str] = field(default_factory=permissive_licenses)
    """License identifiers, in lower case."""
    languages: frozenset[str] | None = None
    """Names of the table of languages; None for all that are supported."""
    grammars: tuple[str, ...] = (OFFICIAL,)
    """Sets of grammars that files are parsed with."""
    opt_outs: frozenset[str] = frozenset()
    """Repositories and owners whose rows are left out, in lower case."""
    secrets: str = REDACT
    """`drop` rejects files with secrets; `redact` leaves them to the redaction; `keep` does neither."""
    personal_data: str = REDACT
    """The same for e-mail and IP addresses."""
    comments_language: str = ANY
    """ISO 639 code of the language that comments have to be in, or `any`; needs the extra `comments-language`."""
    benchmarks: BenchmarkIndex | None = None
    """Texts that no file may hold."""

    def __post_init__(self) -> None:
        """Raises ValueError, with the field, its value and what was expected, for a mode or a language that there is not."""
        expect_choice("secrets", self.secrets, MODES)
        expect_choice("personal_data", self.personal_data, MODES)
        expect_choice("comments_language", self.comments_language, (ANY, *LANGUAGES))

    @property
    def licenses(self) -> LicensePolicy:
        """Which licenses a row may have."""
        settings = self.settings
        return LicensePolicy(
            self.allowed_licenses,
            settings.license_policy,
            settings.allow_unknown_licenses,
            settings.allow_missing_licenses,
        )

    def limits(self, languages: list[str]) -> list[QualityLimits]:
        """The quality limits of each of the languages."""
        return limits_by_row(languages, self.settings.limits)

    def runs(self, filter_: Filter[Any]) -> bool:
        """Whether the filter drops anything in this run."""
        return filter_.stage not in self.settings.switched_off and filter_.active(self)
