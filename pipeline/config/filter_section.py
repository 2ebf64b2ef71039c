"""[filters] of a configuration: thresholds, and which filters run."""

from __future__ import annotations

from dataclasses import dataclass, field

from stackfim.transforms.filters.chain import CONTAMINATION, FILTERS
from stackfim.transforms.filters.license import ALL, POLICIES
from stackfim.transforms.filters.line_length import MAX_LONG_SHARE
from stackfim.transforms.filters.quality_limits import QualityLimits
from stackfim.transforms.setting_checks import expect_choice, expect_number, expect_whole, known_names


@dataclass(frozen=True)
class FilterSection:
    """[filters]; raises ValueError, naming the value and what was expected, when one is wrong."""

    max_size_bytes: int = 1 << 20
    max_line_chars: int = 1_000
    max_mean_line_chars: float = 100.0
    max_long_line_share: float = MAX_LONG_SHARE
    """Share of a file's characters that may stand in lines over `max_line_chars`."""
    min_alphanumeric_fraction: float = 0.25
    scores: bool = False
    """Whether every file's scores are written, to filter_scores/."""
    switched_off: tuple[str, ...] = ()
    """Filters that do not run, by the stage that rejections name."""
    license_policy: str = ALL
    """Whether all licenses of a row have to be allowed, or any of them."""
    allow_unknown_licenses: bool = False
    """Whether a license that is no SPDX expression and no known name is allowed."""
    allow_missing_licenses: bool = False
    """Whether a row without a license stays."""
    limits: dict[str, dict[str, float]] = field(default_factory=dict)
    """[filters.limits.Python], or `"*"` for all languages: quality limits that differ from the table's."""

    def __post_init__(self) -> None:
        """Raises ValueError for a value that is out of range, and for a filter or a limit that there is not."""
        expect_whole("max_size_bytes", self.max_size_bytes, 1)
        expect_whole("max_line_chars", self.max_line_chars, 1)
        expect_number("max_mean_line_chars", self.max_mean_line_chars, above_0=True)
        expect_number("max_long_line_share", self.max_long_line_share, 1.0)
        expect_number("min_alphanumeric_fraction", self.min_alphanumeric_fraction, 1.0)
        expect_choice("license_policy", self.license_policy, POLICIES)
        stages = (*FILTERS, CONTAMINATION)
        for stage in self.switched_off:
            if stage not in stages:
                raise ValueError(f"switched_off: no such filter: {stage!r}{known_names(stage, stages)}")
        known = tuple(QualityLimits.__dataclass_fields__)
        for language, limits in self.limits.items():
            for name, value in limits.items():
                if name not in known:
                    raise ValueError(f"limits.{language}.{name}: no such limit{known_names(name, known)}")
                expect_number(f"limits.{language}.{name}", value)
