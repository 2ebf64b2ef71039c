"""The configuration of a run: all that a user can set, with defaults and checks."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, with_config

from stackfim.pipeline.config.benchmark_texts import Benchmark, BenchmarkError, benchmark_index
from stackfim.pipeline.config.list_files import opt_out_record, read_licenses, read_opt_outs
from stackfim.pipeline.config.score_section import ScoreSection
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.schemas.source import CANDIDATES
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.filters.comment_language import ANY
from stackfim.transforms.filters.comment_language import LANGUAGES as COMMENT_LANGUAGES
from stackfim.transforms.filters.contamination import BenchmarkIndex
from stackfim.transforms.filters.filter_settings import FilterPlan, FilterSettings
from stackfim.transforms.filters.findings import MODES, REDACT
from stackfim.transforms.filters.license import PRESETS
from stackfim.transforms.languages import (
    GRAMMARS,
    LANGUAGES,
    LEGACY,
    OFFICIAL,
    has_legacy_grammars,
    language_name,
    of_grammars,
)
from stackfim.transforms.score.score_settings import DEFAULT_ACTIONS, LABEL
from stackfim.transforms.setting_checks import expect_choice, expect_number, expect_whole, known_names
from stackfim.transforms.split.split_settings import ExampleSettings, SplitSettings

FAIL, SKIP = "fail", "skip"
BAD_SHARD_ACTIONS = (FAIL, SKIP)


@with_config(ConfigDict(extra="forbid", strict=True))
@dataclass(frozen=True)
class RunConfig:
    """All that a run depends on beside its input: the keys of a TOML file, and its tables.

    Raises ValueError, naming the value and what was expected, when one is wrong.
    """

    languages: tuple[str, ...] | None = None
    """The Stack's names, or other spellings of them; None for all languages that are supported."""
    grammars: tuple[str, ...] = (OFFICIAL,)
    """Sets of grammars: `official`, the official wheels; `legacy`, those of the extra `legacy-grammars`, which has R."""
    licenses: str = "permissive"
    """`permissive`, `stack-v1` or `public-domain`, or the path of a file with one license on each line."""
    opt_out: str | None = None
    """File of repositories and owners whose rows are left out, one on each line."""
    seed: int = 0
    """Another seed draws other examples."""
    context_bytes: int = SplitSettings.context_bytes
    """Size of prefix, middle and suffix together, in whole lines around the cursor; 0 for whole files."""
    validation_share: float = 0.01
    """Share of repositories in the validation partition."""
    limit: int | None = None
    """Most rows that are read, of shards and files that are drawn by a hash with `seed`; None for all."""
    limit_first: int | None = None
    """Most rows that are read, from the start of the source; None for all."""
    worktree: bool = False
    """Whether files of git work trees are read as they lie there, without a revision, instead of from the commit."""
    on_bad_shard: str = FAIL
    """What becomes of a shard that cannot be read to its end: `fail` ends the run, `skip` records it and goes on."""
    keep_work: bool = False
    """Whether the rows after the filters are left in `work/`."""
    columns: dict[str, str] = field(default_factory=dict)
    """[columns]: the source's column for a column of a row, where a data set has names of its own."""
    repository_url: str | None = None
    """Address of a repository with `{repository}` in it, for ATTRIBUTION.parquet; that of The Stack's is known."""
    against: tuple[str, ...] = ()
    """Folders of finished runs, or sources: near-duplicates of their files are removed."""
    pii: str = REDACT
    """Secrets and personal data: `redact` replaces them before a file is split, `drop` drops the file, `keep` leaves them."""
    comments_language: str = ANY
    """Language that comments have to be in, by its ISO 639 code; `any` needs no library."""
    benchmarks: tuple[Benchmark, ...] = ()
    """[[benchmarks]]: texts that no file may hold."""
    filters: FilterSettings = field(default_factory=FilterSettings)
    """[filters]: thresholds, and which filters run."""
    dedup: DedupSettings = field(default_factory=DedupSettings)
    """[dedup]: how alike two files are of which only one stays."""
    split: ExampleSettings = field(default_factory=ExampleSettings)
    """[split]: which examples are made of a file, and how many."""
    score: ScoreSection = field(default_factory=ScoreSection)
    """[score]: the model that judges the examples."""

    def __post_init__(self) -> None:
        """Raises ValueError for a value that is out of range, or a name that there is not."""
        self._check_languages()
        expect_whole("seed", self.seed, 0)
        expect_whole("context_bytes", self.context_bytes, 0)
        expect_number("validation_share", self.validation_share, 0.5)
        self._check_limits()
        expect_choice("on_bad_shard", self.on_bad_shard, BAD_SHARD_ACTIONS)
        for column in self.columns:
            if column not in CANDIDATES:
                raise ValueError(f"columns.{column}: no such column of a row{known_names(column, tuple(CANDIDATES))}")
        if self.repository_url is not None and "{repository}" not in self.repository_url:
            raise ValueError(
                "repository_url is an address with {repository} in it, such as https://github.com/{repository}, "
                f"got {self.repository_url!r}"
            )
        expect_choice("pii", self.pii, MODES)
        expect_choice("comments_language", self.comments_language, (ANY, *COMMENT_LANGUAGES))

    def _check_limits(self) -> None:
        for name in ("limit", "limit_first"):
            if getattr(self, name) is not None:
                expect_whole(name, getattr(self, name), 1)
        if self.limit is not None and self.limit_first is not None:
            raise ValueError(f"limit is given alone or limit_first is, got {self.limit} and {self.limit_first}")

    def _check_languages(self) -> None:
        if not self.grammars:
            raise ValueError(f"grammars is a list with some of {', '.join(GRAMMARS)}, got []")
        for number, name in enumerate(self.grammars):
            expect_choice(f"grammars[{number}]", name, GRAMMARS)
        if LEGACY in self.grammars and not has_legacy_grammars():
            raise ValueError(
                "grammars has legacy, which needs tree-sitter-languages (Python before 3.13): "
                "pip install 'stackfim[legacy-grammars]'"
            )
        if self.languages is not None and not self.languages:
            raise ValueError("languages is a list with at least one language, got []")
        for name in self.languages or ():
            found = language_name(name)
            if found is None:
                raise ValueError(f"languages: no such language: {name!r}{known_names(name, tuple(LANGUAGES))}")
            if not of_grammars(found, self.grammars):
                raise ValueError(
                    f"languages has {name!r}, which none of the grammars {', '.join(self.grammars)} can parse; "
                    'expected grammars = ["official", "legacy"]'
                )

    def row_limit(self) -> tuple[int | None, int | None]:
        """Most rows that are read, None for all, and the seed that draws them, None for the first ones."""
        return (self.limit, self.seed) if self.limit is not None else (self.limit_first, None)

    def language_names(self) -> tuple[str, ...] | None:
        """The Stack's names of `languages`, in order; None for all languages."""
        if self.languages is None:
            return None
        return tuple(sorted({found for name in self.languages if (found := language_name(name)) is not None}))

    def allowed_licenses(self) -> frozenset[str]:
        """The licenses that are allowed, in lower case. Raises UsageError for a list file that is missing or empty."""
        return read_licenses(self.licenses)

    def opt_outs(self) -> frozenset[str]:
        """Repositories and owners that are left out, in lower case. Raises UsageError for a file that cannot be read."""
        return read_opt_outs(self.opt_out) if self.opt_out is not None else frozenset()

    def filter_plan(self) -> FilterPlan:
        """The configuration as the filters take it. Raises UsageError for a list that cannot be read, or a missing library."""
        if self.comments_language != ANY and find_spec("py3langid") is None:
            raise UsageError(
                f"comments_language is {self.comments_language}, which needs py3langid: "
                "pip install 'stackfim[comments-language]'"
            )
        names = self.language_names()
        return FilterPlan(
            self.filters,
            self.allowed_licenses(),
            frozenset(names) if names is not None else None,
            self.grammars,
            self.opt_outs(),
            secrets=self.pii,
            personal_data=self.pii,
            comments_language=self.comments_language,
            benchmarks=self.benchmark_texts(),
        )

    def benchmark_texts(self) -> BenchmarkIndex | None:
        """The texts that no file may hold; None without any. Raises UsageError for a file that cannot be read."""
        if not self.benchmarks:
            return None
        try:
            return benchmark_index(self.benchmarks)
        except BenchmarkError as error:
            raise UsageError(f"benchmarks: {error}") from error

    def dedup_settings(self) -> DedupSettings | None:
        """The configuration as deduplication takes it; None for exact copies only."""
        return self.dedup if self.dedup.near else None

    def split_settings(self) -> SplitSettings:
        """The configuration as the splitter takes it."""
        return SplitSettings(**vars(self.split), context_bytes=self.context_bytes, seed=self.seed)

    def labelling(self) -> RunConfig:
        """The same configuration with verdicts that drop nothing."""
        return replace(self, score=replace(self.score, actions=dict.fromkeys(DEFAULT_ACTIONS, LABEL)))

    def recorded(self) -> dict[str, Any]:
        """What the rows depend on, as JSON values: a list of licenses by what it allows, not by where it lies.

        The model is left out: stackfim.pipeline.config.scoring_model tells what it is.
        """
        values = {
            name: value
            for name, value in asdict(self).items()
            if name not in ("keep_work", "against", "opt_out", "score", "on_bad_shard")
        }
        values |= {
            "languages": self.language_names(),
            "licenses": self.licenses if self.licenses in PRESETS else sorted(self.allowed_licenses()),
            "opt_outs": opt_out_record(self.opt_outs()),
            "benchmarks": [
                {"path": Path(benchmark.path).name, "sha256": _digest(benchmark.path)} for benchmark in self.benchmarks
            ],
            "comments_language": self.comments_language
            if self.comments_language == ANY
            else f"{self.comments_language} by py3langid {version('py3langid')}",
            "split": asdict(self.split_settings()),
        }
        recorded: dict[str, Any] = json.loads(json.dumps(values))
        return recorded


def _digest(path: str) -> str:
    """SHA-256 of a file, or of the names and bytes of the files of a folder; that of nothing where there is none."""
    digest = hashlib.sha256()
    top = Path(path)
    for file in sorted(top.iterdir()) if top.is_dir() else [top]:
        if file.is_file():
            digest.update(json.dumps(file.name).encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
