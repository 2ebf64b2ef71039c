"""The sections of a configuration, typed: [filters], [[benchmarks]], [dedup], [split], [score]."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from stackfim.pipeline.config.benchmark_texts import LAYOUTS, BenchmarkColumns
from stackfim.transforms.dedup.dedup_settings import DedupSettings, preset
from stackfim.transforms.filters.line_length import MAX_LONG_SHARE
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.score.verdict_limits import LimitTable
from stackfim.transforms.split.edit_operations import OPERATIONS
from stackfim.transforms.split.split_settings import KINDS, HalfWrittenSettings, SplitSettings


class Section(BaseModel):
    """A part of the configuration: a key that it does not have is an error, and nothing changes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FilterSection(Section):
    """[filters]: thresholds."""

    max_size_bytes: int = Field(1 << 20, gt=0)
    max_line_chars: int = Field(1_000, gt=0)
    max_mean_line_chars: float = Field(100.0, gt=0)
    max_long_line_share: float = Field(MAX_LONG_SHARE, ge=0, le=1)
    """Characters of lines over `max_line_chars`, of a file's, up to which it stays."""
    min_alphanumeric_fraction: float = Field(0.25, ge=0, le=1)
    scores: bool = False
    """Whether every file's scores are written, to filter_scores/."""
    switched_off: tuple[str, ...] = ()
    """Filters that do not run, by the stage that rejections name."""
    license_policy: Literal["all", "any"] = "all"
    """Whether all licenses of a row have to be allowed, or any of them."""
    allow_unknown_licenses: bool = False
    """Whether a license that is no SPDX expression and no known name is allowed."""
    allow_missing_licenses: bool = False
    """Whether a row without a license stays."""
    limits: dict[str, dict[str, float]] = Field(default_factory=dict)
    """[filters.limits.Python], or `"*"` for all languages: quality limits that differ from the table's."""


class BenchmarkSection(Section):
    """[[benchmarks]]: texts that no file may hold."""

    path: str
    """A JSON Lines or parquet file, or a folder of them."""
    layout: str | None = None
    """A published layout, such as `human-eval`; or the columns below."""
    name: str | None = None
    """Column of the record's name."""
    texts: tuple[tuple[str, ...], ...] = ()
    """Columns of each text."""

    @model_validator(mode="after")
    def _known_layout(self) -> BenchmarkSection:
        self.columns()
        return self

    def columns(self) -> BenchmarkColumns:
        """Where the texts are. Raises ValueError for a layout that there is not, or columns that are missing."""
        if self.layout is not None:
            if self.layout not in LAYOUTS:
                raise ValueError(f"no such layout: {self.layout}; expected one of {', '.join(LAYOUTS)}")
            return LAYOUTS[self.layout]
        if self.name is None or not self.texts:
            raise ValueError(f"{self.path}: expected a layout, or name and texts")
        return BenchmarkColumns(self.name, self.texts)


class DedupSection(Section):
    """[dedup]: near-duplicates; what is not given comes from the preset."""

    near: bool = True
    """Whether near-duplicates go too, not only exact copies."""
    preset: str = "default"
    threshold: float | None = None
    ngram: int | None = None
    permutations: int | None = None
    bands: int | None = None
    rows: int | None = None
    seed: int | None = None
    scope: str | None = None
    exact_shingles: int | None = None

    @model_validator(mode="after")
    def _consistent(self) -> DedupSection:
        self.settings()
        return self

    def settings(self) -> DedupSettings:
        """The preset with what was given over it. Raises ValueError for values that do not go together."""
        given = {
            name: value for name, value in self.model_dump(exclude={"near", "preset"}).items() if value is not None
        }
        return replace(preset(self.preset), **given)


class HalfWrittenSection(Section):
    """[split.half_written]: contexts as they are while a file is being written."""

    share: float = Field(HalfWrittenSettings.share, ge=0, le=1)
    operation_weights: dict[str, float] = Field(default_factory=lambda: dict(HalfWrittenSettings().operation_weights))
    count_weights: tuple[Annotated[float, Field(ge=0)], ...] = HalfWrittenSettings.count_weights

    @field_validator("operation_weights")
    @classmethod
    def _known_operations(cls, weights: dict[str, float]) -> dict[str, float]:
        return _weights(weights, set(OPERATIONS), "edit operation")

    @field_validator("count_weights")
    @classmethod
    def _some_count(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if not sum(weights) > 0:
            raise ValueError(f"weights are not all 0, got {list(weights)}")
        return weights


class SplitSection(Section):
    """[split]: mix and limits of the examples."""

    category_weights: dict[str, float] = Field(default_factory=lambda: dict(SplitSettings().category_weights))
    kind_weights: dict[str, float] = Field(default_factory=lambda: dict(SplitSettings().kind_weights))
    max_lines: int = Field(32, ge=2)
    max_chars: int = Field(800, ge=2)
    newline_in_middle_share: float = Field(0.2, ge=0, le=1)
    max_slots: int = Field(8, gt=0)
    lines_per_slot: int = Field(40, gt=0)
    max_error_share: float = Field(SplitSettings().max_error_share, ge=0, le=1)
    half_written: HalfWrittenSection = HalfWrittenSection()

    @field_validator("category_weights")
    @classmethod
    def _known_categories(cls, weights: dict[str, float]) -> dict[str, float]:
        return _weights(weights, set(KINDS), "category")

    @field_validator("kind_weights")
    @classmethod
    def _known_kinds(cls, weights: dict[str, float]) -> dict[str, float]:
        return _weights(weights, {kind for kinds in KINDS.values() for kind in kinds}, "kind")


def _weights(weights: dict[str, float], known: set[str], what: str) -> dict[str, float]:
    unknown = sorted(set(weights) - known)
    if unknown:
        raise ValueError(f"no such {what}: {', '.join(unknown)}; expected some of {', '.join(sorted(known))}")
    if any(weight < 0 for weight in weights.values()) or not sum(weights.values()) > 0:
        raise ValueError(f"weights are at least 0 and not all 0, got {weights}")
    return weights


NO_MODEL = "none"
TINY_MODEL = "tiny"
DEFAULT_MODEL = TINY_MODEL
"""What scores the examples of a run that names no model."""


class ScoreSection(Section):
    """[score]: the model that judges the examples, and what follows from its verdicts."""

    model: str = DEFAULT_MODEL
    """`none`, `tiny`, a folder, a GGUF file or a Hugging Face id."""
    revision: str | None = None
    """Branch, tag or commit of the id."""
    layouts: tuple[Literal["psm", "spm"], ...] | None = None
    """None for those that the model was trained on: psm for `tiny`, both for others."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    context_tokens: int | None = Field(None, gt=0)
    """Most tokens of prefix and suffix that the model is shown; None for what the model's own file says, else for all
    that it reads."""
    limits: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """[score.limits.multi_line], [score.limits.multi_line.languages.Python]: limits that differ from the model's own."""
    actions: dict[str, Literal["drop", "label"]] = Field(default_factory=dict)
    """What is done with a row, by the reason of its verdict."""
    accelerator: str | None = None
    """Beam's hint for engines that grant one; None for a GPU unless the model is `tiny`, empty for none."""
    min_ram: str = "8GB"
    """Beam's hint of the memory of a worker."""

    @model_validator(mode="after")
    def _consistent(self) -> ScoreSection:
        LimitTable().with_changes(self.limits)
        ScoreSettings(self.layouts or ("psm",), actions=self.actions)
        return self
