"""What a folder says of itself, read for `stackfim verify`: which kind it is, what its rows keep to, what cannot be checked."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.manifest import key_of_manifest
from stackfim.pipeline.folder.prepare import Request
from stackfim.pipeline.folder.shards import example_columns, example_files
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.derived import MixtureReport, RenderingReport, ScoringReport
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.manifest import Manifest
from stackfim.schemas.mixed import MIXED
from stackfim.schemas.record import RecordMismatch, Report
from stackfim.schemas.rendered import PACKED, RENDERED
from stackfim.schemas.scored import SCORED, is_scored
from stackfim.transforms.filters.license import LicensePolicy, preset_licenses
from stackfim.transforms.render.families import family_named
from stackfim.transforms.render.render_settings import RenderSettings
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.verify.rendered_invariants import ExpectedRendering
from stackfim.transforms.verify.row_invariants import Expected
from stackfim.transforms.verify.score_invariants import ExpectedScores

_REPORTS: tuple[tuple[str, type[Report]], ...] = (
    (paths.MANIFEST, Manifest),
    (paths.SCORING, ScoringReport),
    (paths.RENDERING, RenderingReport),
    (paths.MIXTURE, MixtureReport),
)
NOTHING_KNOWN = Expected()
_NO_LIMITS = "The folder does not say which licenses were allowed and how long middles may be: neither was checked."
_NO_SCORES = "Scores were not computed again: they were compared with each other and with the verdicts."


@dataclass(frozen=True)
class Promises:
    """What is known of the rows of a folder."""

    report: Report | None
    """What the folder says of itself; None for shards alone."""
    columns: pa.Schema
    """Columns that its rows have at least."""
    expected: Expected = NOTHING_KNOWN
    scores: ExpectedScores | None = None
    """None for rows without scores."""
    rendering: ExpectedRendering | None = None
    """None for rows without prompts, and for prompts of which the folder says nothing."""
    family: str | None = None
    """Family of the prompts of a mixture."""
    pack_tokens: int | None = None
    """Tokens of a pack; None where that is not known."""
    unchecked: tuple[str, ...] = ()
    """What cannot be checked, in sentences."""

    @property
    def manifest(self) -> Manifest | None:
        """The manifest of a run; None for other folders."""
        return self.report if isinstance(self.report, Manifest) else None

    @property
    def has_examples(self) -> bool:
        """Whether a row is an example; else it is a pack, or part of a mixture."""
        return set(EXAMPLE.names) <= set(self.columns.names)


def read_promises(folder: Path, files: list[Path]) -> Promises:
    """What the folder of these data files says of itself. Raises UsageError for what cannot be read."""
    storage = Storage(str(folder))
    try:
        for name, kind in _REPORTS:
            report = storage.read_record(name, kind)
            if report is not None:
                return _of_report(report, files)
        return _of_shards(folder, files)
    except RecordMismatch as error:
        raise UsageError(f"{folder}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{folder}: the settings that it records cannot be read: {error!r}") from error


def recorded_key(report: Report) -> str | None:
    """The run key that follows from what a report records; None where it records too little."""
    if isinstance(report, Manifest):
        return None if "purged" in report.configuration else key_of_manifest(report)
    names = {RenderingReport: ("pack_tokens",), MixtureReport: ("chat", "asked_share"), ScoringReport: ()}
    members = report.model_dump()
    wanted = ("version", "settings", "source", *names.get(type(report), ()))
    return Request.of({name: members[name] for name in wanted}).run_key


def _of_report(report: Report, files: list[Path]) -> Promises:
    if isinstance(report, Manifest):
        return _of_run(report)
    if isinstance(report, ScoringReport):
        settings = ScoreSettings.from_json(report.settings)
        return Promises(report, SCORED, scores=ExpectedScores(settings), unchecked=(_NO_LIMITS, _NO_SCORES))
    if isinstance(report, RenderingReport):
        return _of_rendering(report, files)
    assert isinstance(report, MixtureReport)
    unchecked = ("Rows of a mixture were checked for the form of their prompts: the examples and conversations that "
                 "they were made from are not in the folder.",)  # fmt: skip
    family = family_named(report.settings["family"]).name
    return Promises(report, MIXED, family=family, unchecked=unchecked)


def _of_run(manifest: Manifest) -> Promises:
    licenses, filters = manifest.configuration["licenses"], manifest.configuration["filters"]
    policy = LicensePolicy(
        preset_licenses(licenses) if isinstance(licenses, str) else frozenset(licenses),
        filters["license_policy"],
        filters["allow_unknown_licenses"],
        filters["allow_missing_licenses"],
    )
    limits = manifest.configuration["split"]["limits"]
    expected = Expected(limits["max_lines"], limits["max_chars"], policy, "license" in filters["switched_off"])
    unchecked: list[str] = []
    if "purged" in manifest.configuration:
        unchecked.append(
            "The opt-out lists of the purge are not in the folder: that none of their rows is left was not checked."
        )
    scores = None
    if manifest.scoring is not None:
        scores = ExpectedScores(ScoreSettings.from_json(manifest.scoring.settings))
        unchecked.append(_NO_SCORES)
    columns = SCORED if scores is not None else EXAMPLE
    return Promises(manifest, columns, expected, scores, unchecked=tuple(unchecked))


def _of_rendering(report: RenderingReport, files: list[Path]) -> Promises:
    rendering = _rendering(report.settings)
    if report.pack_tokens is not None:
        unchecked = ("Packs were checked for their form: the texts of their examples are not in the folder.",)
        return Promises(report, PACKED, pack_tokens=report.pack_tokens, unchecked=unchecked)
    scored = any(is_scored(_names_if_any(path)) for path in files)
    sentences = [_NO_LIMITS]
    if not rendering.is_whole:
        sentences.append(
            "Contexts were cut by tokens: the prompts were compared with the examples by their parts alone."
        )
    if report.settings["tokenize"]:
        sentences.append("Token ids were not checked: the tokenizer is not in the folder.")
    return Promises(
        report,
        pa.schema([*(SCORED if scored else EXAMPLE), *RENDERED]),
        scores=ExpectedScores() if scored else None,
        rendering=rendering,
        unchecked=tuple(sentences),
    )


def _rendering(settings: dict[str, Any]) -> ExpectedRendering:
    """The settings of a rendering, without what needs its tokenizer."""
    names = {field.name for field in fields(RenderSettings)} - {"max_tokens", "tokenize", "tokenizer_json"}
    known = RenderSettings(**{name: settings[name] for name in sorted(names)})
    return ExpectedRendering(known, settings["max_tokens"] is None)


def _of_shards(folder: Path, files: list[Path]) -> Promises:
    """Shards alone say by their columns what they are."""
    names = set(_names(files[0]))
    unchecked: tuple[str, ...] = (
        f"The folder has none of {', '.join(name for name, _ in _REPORTS)}: checksums, counts and attribution were not checked.",
        _NO_LIMITS,
    )
    for columns in (PACKED, MIXED):
        if set(columns.names) <= names and not set(EXAMPLE.names) <= names:
            return Promises(None, columns, unchecked=unchecked)
    columns = example_columns(example_files(folder))
    scores = ExpectedScores() if columns is SCORED else None
    if scores is not None:
        unchecked = (*unchecked, "The limits of verdicts are not known, so verdicts were not compared with them.")
    return Promises(None, columns, scores=scores, unchecked=unchecked)


def _names_if_any(path: Path) -> list[str]:
    """The columns of a file; none where it cannot be read, which is a violation of its own."""
    try:
        return _names(path)
    except UsageError:
        return []


def _names(path: Path) -> list[str]:
    try:
        names: list[str] = pq.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path}: not a parquet file ({error})") from error
    return names
