"""`stackfim calibrate`: limits for a model's verdicts from a scored run, for a configuration or a file beside the model."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from stackfim.pipeline.config.scoring_model import LIMITS_FILE
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.counts import by_prefix
from stackfim.pipeline.folder.shards import example_files, read_examples
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.derived import ScoringReport
from stackfim.schemas.manifest import Manifest
from stackfim.schemas.record import RecordMismatch
from stackfim.schemas.scored import is_scored
from stackfim.transforms.score.calibrate import COLUMNS, Calibration
from stackfim.transforms.score.verdict_limits import LANGUAGES


def calibrate_folder(folder: Path, out: Path | None, share: float, min_rows: int) -> str:
    """Limits from the scored shards of `folder`: the text to print, which is TOML, or says where the limits were written.

    Raises UsageError for a folder without scored rows, for one whose doubtful rows were dropped (their scores are missing,
    and quantiles of the others would be too strict), and for an `out` that is neither a .json nor a .toml file.
    """
    if out is not None and out.suffix not in (".json", ".toml"):
        raise UsageError(f"--out {out}: expected a .json file (beside a model as {LIMITS_FILE}) or a .toml file")
    _check_nothing_dropped(folder)
    calibration = Calibration()
    for path in example_files(folder):
        if not is_scored(pq.read_schema(path).names):
            raise UsageError(f"{path}: examples without scores; expected a folder that `stackfim score` wrote")
        for batch in read_examples(path, list(COLUMNS), 10_000):
            calibration.add(batch)
    limits = calibration.limits(share, min_rows)
    if not limits:
        raise UsageError(f"{folder}: no row has a score; expected a folder that `stackfim score` wrote")
    if out is None:
        return toml_text(limits)
    if out.suffix == ".toml":
        _write(out, toml_text(limits))
    else:
        _write(out, json.dumps(_members(out) | {"limits": limits}, indent=1) + "\n")
    return f"limits of {', '.join(limits)} written to {out}\n"


def toml_text(limits: dict[str, Any]) -> str:
    """The limits as in a configuration: tables [score.limits.CATEGORY] and [score.limits.CATEGORY.languages.LANGUAGE]."""
    lines = []
    for category, values in limits.items():
        tables = {f"[score.limits.{category}]": {name: value for name, value in values.items() if name != LANGUAGES}}
        for language, found in values.get(LANGUAGES, {}).items():
            tables[f"[score.limits.{category}.{LANGUAGES}.{json.dumps(language)}]"] = found
        for head, table in tables.items():
            lines += [head, *(f"{name} = {value!r}" for name, value in table.items()), ""]
    return "\n".join(lines)


def _check_nothing_dropped(folder: Path) -> None:
    storage = Storage(str(folder))
    try:
        scoring = storage.read_record(paths.SCORING, ScoringReport)
        manifest = storage.read_record(paths.MANIFEST, Manifest)
    except RecordMismatch as error:
        raise UsageError(f"{folder}: {error}") from error
    counts = by_prefix(scoring.counts, "rejected:example:") if scoring is not None else {}
    counts |= by_prefix(manifest.rejected, "example:score:") if manifest is not None else {}
    if dropped := sum(counts.values()):
        raise UsageError(
            f"{folder}: {dropped:,} rows were dropped by their verdict, and their scores with them; "
            "score the rows again with --label, which drops none"
        )


def _members(path: Path) -> dict[str, Any]:
    """The members of a file of limits, empty where there is no file."""
    if not path.is_file():
        return {}
    try:
        members = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
    if not isinstance(members, dict):
        raise UsageError(f"{path}: holds a {type(members).__name__}, expected an object")
    return members


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{paths.TEMPORARY}{path.name}")
    part.write_text(text, "utf-8")
    part.replace(path)
