"""The configuration of a run, typed in one place: defaults, then a TOML file, then the command line."""

from __future__ import annotations

import hashlib
import json
import tomllib
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from stackfim.pipeline.config.benchmark_texts import BenchmarkError, benchmark_index
from stackfim.pipeline.config.sections import (
    BenchmarkSection,
    DedupSection,
    FilterSection,
    ScoreSection,
    Section,
    SplitSection,
)
from stackfim.schemas.source import CANDIDATES
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.filters.contamination import BenchmarkIndex
from stackfim.transforms.filters.filter_settings import FilterPlan, FilterSettings
from stackfim.transforms.filters.license import PRESETS, parse_license_list, preset_licenses
from stackfim.transforms.filters.opt_out import parse_opt_outs
from stackfim.transforms.languages import LANGUAGES, LEGACY, has_legacy_grammars, language_name, of_grammars
from stackfim.transforms.score.score_settings import DEFAULT_ACTIONS, LABEL
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.split_settings import KINDS, HalfWrittenSettings, SplitSettings


class UsageError(Exception):
    """The user asked for something that cannot be; the message says what was wrong and what was expected."""


class RunConfig(Section):
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
    """Share of repositories in the validation partition."""
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

    def filter_settings(self) -> FilterPlan:
        """The configuration as the filters take it."""
        languages = frozenset(self.languages) if self.languages is not None else None
        try:
            return FilterPlan(
                FilterSettings(**self.filters.model_dump()),
                self.allowed_licenses(),
                languages,
                self.grammars,
                self.opt_outs(),
                secrets=self.pii,
                personal_data=self.pii,
                comments_language=self._comments_language(),
                benchmarks=self.benchmark_texts(),
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
            max_error_share=split.max_error_share,
            half_written=HalfWrittenSettings(**split.half_written.model_dump()),
            seed=self.seed,
        )

    def labelling(self) -> RunConfig:
        """The same with verdicts that drop nothing."""
        score = self.score.model_copy(update={"actions": dict.fromkeys(DEFAULT_ACTIONS, LABEL)})
        return self.model_copy(update={"score": score})

    def recorded(self) -> dict[str, Any]:
        """What the rows depend on, as JSON values: a license list by what it allows, not by where it lies.

        Not the model: stackfim.pipeline.config.scoring_model tells what it is.
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
