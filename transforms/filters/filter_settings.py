"""What the filters go by: the settings of a user, and the plan that a run makes of them."""

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
from stackfim.transforms.filters.quality_limits import QualityLimits, limits_by_row, limits_of
from stackfim.transforms.languages import OFFICIAL


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
        """Raises ValueError for a value that makes no sense; the message has the field, the value and what was expected."""
        for name in ("max_size_bytes", "max_line_chars", "max_mean_line_chars"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and value > 0):
                raise ValueError(f"{name}: expected a number above 0, got {value!r}")
        for name in ("max_long_line_share", "min_alphanumeric_fraction"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 <= value <= 1):
                raise ValueError(f"{name}: expected a share from 0 to 1, got {value!r}")
        unknown = [stage for stage in self.switched_off if stage not in STAGES]
        if unknown:
            raise ValueError(
                f"switched_off: no such filter: {', '.join(unknown)}; expected some of {', '.join(STAGES)}"
            )
        if self.license_policy not in POLICIES:
            raise ValueError(f"license_policy: expected one of {', '.join(POLICIES)}, got {self.license_policy!r}")
        for language in self.limits:
            try:
                limits_of(language, self.limits)
            except ValueError as error:
                raise ValueError(f"limits: {error}") from error


@dataclass(frozen=True)
class FilterPlan:
    """All that the filters of a run go by. Plain values, which are sent to the workers."""

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
        """Raises ValueError for an unknown mode or language; the message has the field, the value and what was expected."""
        for name in ("secrets", "personal_data"):
            mode = getattr(self, name)
            if mode not in MODES:
                raise ValueError(f"{name}: expected one of {', '.join(MODES)}, got {mode!r}")
        if self.comments_language not in (ANY, *LANGUAGES):
            raise ValueError(
                f"comments_language: expected {ANY} or one of {', '.join(LANGUAGES)}, got {self.comments_language!r}"
            )

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
