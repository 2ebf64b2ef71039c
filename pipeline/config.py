"""The configuration of a run, typed in one place: defaults, then a TOML file, then the command line."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline.benchmark_texts import LAYOUTS, BenchmarkColumns, BenchmarkError, benchmark_index
from schemas.source import CANDIDATES
from transforms.dedup.settings import DedupSettings, preset
from transforms.filters.chain import FilterSettings
from transforms.filters.contamination import BenchmarkIndex
from transforms.filters.license import PRESETS, parse_license_list, parse_opt_outs, preset_licenses
from transforms.score.limits import LimitTable
from transforms.score.settings import DEFAULT_ACTIONS, LABEL, ScoreSettings
from transforms.split.edit_operations import OPERATIONS
from transforms.split.half_written import HalfWrittenSettings
from transforms.split.languages import LANGUAGES, LEGACY, has_legacy_grammars, language_name, of_grammars
from transforms.split.multi_line import MultiLineLimits
from transforms.split.settings import KINDS, SplitSettings


class UsageError(Exception):
    """The user asked for something that cannot be; the message says what was wrong and what was expected."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FilterSection(_Section):
    """[filters]: thresholds."""

    max_size_bytes: int = Field(1 << 20, gt=0)
    max_line_chars: int = Field(1_000, gt=0)
    max_mean_line_chars: float = Field(100.0, gt=0)
    max_long_line_share: float = Field(0.1, ge=0, le=1)
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


class BenchmarkSection(_Section):
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


class DedupSection(_Section):
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


class HalfWrittenSection(_Section):
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


class SplitSection(_Section):
    """[split]: mix and limits of the examples."""

    category_weights: dict[str, float] = Field(default_factory=lambda: dict(SplitSettings().category_weights))
    kind_weights: dict[str, float] = Field(default_factory=lambda: dict(SplitSettings().kind_weights))
    max_lines: int = Field(32, ge=2)
    max_chars: int = Field(800, ge=2)
    newline_in_middle_share: float = Field(0.2, ge=0, le=1)
    max_slots: int = Field(8, gt=0)
    lines_per_slot: int = Field(40, gt=0)
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
DEFAULT_MODEL = NO_MODEL
"""What scores the examples of a run that names no model."""


class ScoreSection(_Section):
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


class RunConfig(_Section):
    """All that a run depends on beside its input."""

    languages: tuple[str, ...] | None = None
    """The Stack's names; None for all that are supported."""
    grammars: tuple[Literal["official", "legacy"], ...] = ("official",)
    """Sets of grammars: the official wheels, and those of the extra `legacy-grammars`, which has R."""
    licenses: str = "permissive"
    """`permissive`, `stack-v1` or `public-domain`, or the path of a list file: one identifier a line."""
    opt_out: str | None = None
    """File of repositories and owners whose rows are left out: one a line."""
    seed: int = Field(0, ge=0, lt=1 << 63)
    context_bytes: int = Field(16_000, ge=0)
    validation_share: float = Field(0.01, ge=0, le=0.5)
    """Share of repositories in the validation split."""
    limit: int | None = Field(None, gt=0)
    """Rows read at most, from the start of the source."""
    keep_work: bool = False
    columns: dict[str, str] = Field(default_factory=dict)
    """Source column for each column of a row, where a data set has names of its own."""
    repository_url: str | None = None
    """Address of a repository with `{repository}` in it, for ATTRIBUTION.parquet; that of The Stack's is known."""
    against: tuple[str, ...] = ()
    """Folders of finished runs, or sources, whose near-duplicates are removed."""
    pii: Literal["redact", "drop", "keep"] = "redact"
    """Secrets and personal data: replaced before a file is split, reason to drop the file, or left."""
    comments_language: str = "any"
    """Language that comments are to be in, by its ISO 639 code; `any` needs no library."""
    benchmarks: tuple[BenchmarkSection, ...] = ()
    filters: FilterSection = FilterSection()
    dedup: DedupSection = DedupSection()
    split: SplitSection = SplitSection()
    score: ScoreSection = ScoreSection()

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if names is None:
            return None
        known = {name: language_name(name) for name in names}
        unknown = [name for name, found in known.items() if found is None]
        if unknown or not names:
            raise ValueError(
                f"not supported: {', '.join(unknown) or 'an empty list'}; expected some of {', '.join(LANGUAGES)}"
            )
        return tuple(sorted({found for found in known.values() if found is not None}))

    @model_validator(mode="after")
    def _grammars_at_hand(self) -> RunConfig:
        without = [name for name in self.languages or () if not of_grammars(name, self.grammars)]
        if without or not self.grammars:
            raise ValueError(f"grammars: none for {', '.join(without) or 'any language'}; expected official,legacy")
        if LEGACY in self.grammars and not has_legacy_grammars():
            raise ValueError(
                "grammars: legacy needs tree-sitter-languages (Python before 3.13): pip install 'stackfim[legacy-grammars]'"
            )
        return self

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(columns) - set(CANDIDATES))
        if unknown:
            raise ValueError(f"no such column of a row: {', '.join(unknown)}; expected some of {', '.join(CANDIDATES)}")
        return columns

    @field_validator("repository_url")
    @classmethod
    def _has_repository(cls, address: str | None) -> str | None:
        if address is not None and "{repository}" not in address:
            raise ValueError("expected an address with {repository} in it, such as https://github.com/{repository}")
        return address

    def allowed_licenses(self) -> frozenset[str]:
        """The allow-list, in lower case. Raises UsageError for a list file that is missing or empty."""
        if self.licenses in PRESETS:
            return preset_licenses(self.licenses)
        try:
            allowed = parse_license_list(Path(self.licenses).read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"--licenses {self.licenses}: expected {', '.join(PRESETS)} or a text file with an identifier a line ({error})"
            ) from error
        if not allowed:
            raise UsageError(f"--licenses {self.licenses}: the file names no license; expected an identifier a line")
        return allowed

    def opt_outs(self) -> frozenset[str]:
        """Repositories and owners that are left out, in lower case. Raises UsageError for a file that cannot be read."""
        return read_opt_outs(self.opt_out) if self.opt_out is not None else frozenset()

    def _comments_language(self) -> str:
        if self.comments_language != "any" and find_spec("py3langid") is None:
            raise UsageError(
                f"--comments-language {self.comments_language}: needs py3langid; pip install 'stackfim[comments-language]'"
            )
        return self.comments_language

    def filter_settings(self) -> FilterSettings:
        """The configuration as the filters take it."""
        languages = frozenset(self.languages) if self.languages is not None else None
        try:
            return FilterSettings(
                self.allowed_licenses(),
                languages,
                self.grammars,
                **self.filters.model_dump(exclude={"scores"}),
                secrets=self.pii,
                personal_data=self.pii,
                opt_outs=self.opt_outs(),
                comments_language=self._comments_language(),
            )
        except ValueError as error:
            raise UsageError(f"configuration: filters: {error}") from error

    def benchmark_texts(self) -> BenchmarkIndex | None:
        """The texts that no file may hold; None without any. Raises UsageError for a file that cannot be read."""
        if not self.benchmarks:
            return None
        try:
            return benchmark_index([(Path(section.path), section.columns()) for section in self.benchmarks])
        except BenchmarkError as error:
            raise UsageError(f"configuration: benchmarks: {error}") from error

    def dedup_settings(self) -> DedupSettings | None:
        """The configuration as deduplication takes it; None for exact copies only."""
        return self.dedup.settings() if self.dedup.near else None

    def split_settings(self) -> SplitSettings:
        """The configuration as the splitter takes it."""
        split = self.split
        return SplitSettings(
            category_weights={category: split.category_weights.get(category, 0.0) for category in KINDS},
            kind_weights={kind: split.kind_weights.get(kind, 0.0) for kinds in KINDS.values() for kind in kinds},
            limits=MultiLineLimits(split.max_lines, split.max_chars, split.newline_in_middle_share),
            max_slots=split.max_slots,
            lines_per_slot=split.lines_per_slot,
            context_bytes=self.context_bytes,
            half_written=HalfWrittenSettings(**split.half_written.model_dump()),
            seed=self.seed,
        )

    def labelling(self) -> RunConfig:
        """The same with verdicts that drop nothing."""
        score = self.score.model_copy(update={"actions": dict.fromkeys(DEFAULT_ACTIONS, LABEL)})
        return self.model_copy(update={"score": score})

    def recorded(self) -> dict[str, Any]:
        """What the rows depend on, as JSON values: a license list by what it allows, not by where it lies.

        Not the model: pipeline.scoring_model tells what it is.
        """
        values = self.model_dump(mode="json", exclude={"keep_work", "against", "opt_out", "score"})
        benchmarks = [{"path": Path(section.path).name, "sha256": _digest(section.path)} for section in self.benchmarks]
        return values | {
            "licenses": self.licenses if self.licenses in PRESETS else sorted(self.allowed_licenses()),
            "opt_outs": opt_out_record(self.opt_outs()),
            "benchmarks": benchmarks,
            "comments_language": self.comments_language
            if self.comments_language == "any"
            else f"{self.comments_language} by py3langid {version('py3langid')}",
        }


def read_opt_outs(path: str) -> frozenset[str]:
    """The names of an opt-out file. Raises UsageError for one that cannot be read, or names nothing."""
    try:
        names = parse_opt_outs(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--opt-out {path}: expected a text file with a repository or an owner a line ({error})"
        ) from error
    if not names:
        raise UsageError(f"--opt-out {path}: the file names nothing; expected a repository or an owner a line")
    return names


def opt_out_record(names: frozenset[str]) -> dict[str, Any]:
    """How many names and their digest: who asked to be left out is nothing that a data set has to publish."""
    return (
        {"names": len(names), "sha256": hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()} if names else {}
    )


def _digest(path: str) -> str:
    """SHA-256 of a file, or of the names and bytes of the files of a folder; of nothing where there is none."""
    digest = hashlib.sha256()
    top = Path(path)
    for file in sorted(top.iterdir()) if top.is_dir() else [top]:
        if file.is_file():
            digest.update(json.dumps(file.name).encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def load_config(path: Path | None, overrides: dict[str, Any]) -> RunConfig:
    """The configuration of a TOML file with `overrides` (None values left out) over it; `filters.scores` is one of a section.

    Raises UsageError, which names each key that is wrong, its value and what was expected.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"--config {path}: {error}") from error
    for name, value in overrides.items():
        section, _, key = name.rpartition(".")
        if value is not None:
            inside = values.get(section, {}) if section else values
            if isinstance(inside, dict):  # what is no section is told below
                inside = inside | {key: value}
                values = values | {section: inside} if section else inside
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']} (got {problem['input']!r})"
            for problem in error.errors()
        ]
        raise UsageError("configuration: " + "; ".join(problems)) from error
