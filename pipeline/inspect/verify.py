"""`stackfim verify`: every invariant on every row of a folder."""

import heapq
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.attribution import read_attribution, uses_of
from stackfim.pipeline.folder.shards import example_columns, example_files, read_examples
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.inspect.originals import ShardOriginals, find_originals
from stackfim.pipeline.local.pool import do_all
from stackfim.pipeline.local.terminal import visible
from stackfim.schemas.derived import ScoringReport
from stackfim.schemas.manifest import Manifest
from stackfim.schemas.record import RecordMismatch
from stackfim.schemas.scored import SCORED
from stackfim.transforms.filters.license import LicensePolicy, preset_licenses
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.verify.dataset_invariants import DatasetIndex
from stackfim.transforms.verify.row_checker import RowChecker
from stackfim.transforms.verify.row_invariants import ROW_INVARIANTS, Expected
from stackfim.transforms.verify.score_invariants import SCORE_INVARIANTS, ExpectedScores
from stackfim.transforms.verify.tree_invariants import TREE_INVARIANTS
from stackfim.transforms.verify.violation import Violation

_DATASET_INVARIANTS = (
    "checksum",
    "attribution",
    "unique_id",
    "one_partition_a_repository",
    "one_partition_a_group",
    "content_id",
)
_SHOWN_VIOLATIONS = 20


@dataclass
class Report:
    """What `verify_folder` found."""

    rows: int = 0
    parsed_rows: int = 0
    """Rows that were checked against the tree of the file that they were made from."""
    violations: list[Violation] = field(default_factory=list)
    scored: bool = False
    """Whether the rows have scores, which were checked too."""
    originals: str = ""
    """Where the originals came from, in words."""


@dataclass(frozen=True)
class _Task:
    """The files of one shard."""

    files: tuple[Path, ...]
    expected: Expected
    scores: ExpectedScores | None
    """None for rows without scores."""
    originals: ShardOriginals | None
    """None where they are not at hand."""


def verify_folder(folder: Path, source_spec: str | None, workers: int) -> Report:
    """Checks all rows below `folder`. `source_spec` names the originals; None for the run's own, `none` to do without.

    Raises UsageError for a folder without shards, SourceError for a source that cannot be read.
    """
    files = example_files(folder)
    storage = Storage(str(folder))
    manifest = _read(storage)
    expected = _expected(manifest)
    report = Report()
    if manifest is not None:
        report.violations += _checksums(storage, manifest)
        report.violations += attribution_violations(storage, [path.relative_to(folder).as_posix() for path in files])
    originals = find_originals(manifest, source_spec)
    report.originals = originals.sentence
    scores = _expected_scores(storage, manifest) if example_columns(files) is SCORED else None
    report.scored = scores is not None
    report.violations += _dataset_violations(files)
    tasks = [_Task(tuple(group), expected, scores, originals.of_shard(group)) for group in _by_shard(files)]
    for rows, parsed, violations in do_all(_check_files, tasks, workers):
        report.rows += rows
        report.parsed_rows += parsed
        report.violations += violations
    return report


def print_report(report: Report, *, json_lines: bool) -> None:
    """A table of invariants on standard output, or a line of JSON for each violation."""
    if json_lines:
        for violation in report.violations:
            print(json.dumps(violation.as_dict(), ensure_ascii=False))
        return
    console = Console(highlight=False, emoji=False)
    counts = Counter(violation.invariant for violation in report.violations)
    table = Table(show_header=True, header_style="bold")
    table.add_column("Invariant")
    table.add_column("Rows checked", justify="right")
    table.add_column("Violations", justify="right")
    for names, rows in (
        (ROW_INVARIANTS, report.rows),
        (SCORE_INVARIANTS if report.scored else (), report.rows),
        (TREE_INVARIANTS, report.parsed_rows),
        (_DATASET_INVARIANTS, report.rows),
    ):
        for name in names:
            table.add_row(name, f"{rows:,}", f"{counts[name]:,}", style="red" if counts[name] else "")
    console.print(table)
    for violation in report.violations[:_SHOWN_VIOLATIONS]:
        console.print(
            visible(f"{violation.example_id} {violation.invariant}: {violation.message}"), markup=False, soft_wrap=True
        )
    if len(report.violations) > _SHOWN_VIOLATIONS:
        console.print(f"... and {len(report.violations) - _SHOWN_VIOLATIONS:,} more; --json gives all")
    unparsed = report.rows - report.parsed_rows
    console.print(
        visible(f"{report.rows:,} rows, {len(report.violations):,} violations. {report.originals}"),
        markup=False,
        soft_wrap=True,
    )
    if unparsed:
        console.print(f"{unparsed:,} rows hold a part of their file and were checked without its tree.")


def _read(storage: Storage) -> Manifest | None:
    try:
        return storage.read_record(paths.MANIFEST, Manifest)
    except RecordMismatch as error:
        raise UsageError(f"{storage.root}: {error}") from error


def _expected(manifest: Manifest | None) -> Expected:
    """What the rows have to keep to, by the configuration of the run."""
    if manifest is None:
        return Expected()
    licenses, filters = manifest.configuration["licenses"], manifest.configuration["filters"]
    policy = LicensePolicy(
        preset_licenses(licenses) if isinstance(licenses, str) else frozenset(licenses),
        filters["license_policy"],
        filters["allow_unknown_licenses"],
        filters["allow_missing_licenses"],
    )
    limits = manifest.configuration["split"]["limits"]
    return Expected(limits["max_lines"], limits["max_chars"], policy, "license" in filters["switched_off"])


def _expected_scores(storage: Storage, manifest: Manifest | None) -> ExpectedScores:
    """What the scores have to keep to, by what the folder says of its scoring, as a run or by `stackfim score`."""
    settings: dict[str, Any] | None = None
    try:
        if manifest is not None and manifest.scoring is not None:
            settings = manifest.scoring.settings
        elif (report := storage.read_record(paths.SCORING, ScoringReport)) is not None:
            settings = report.settings
        return ExpectedScores(ScoreSettings.from_json(settings) if settings is not None else None)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{storage.root}: the settings of its scoring cannot be read: {error}") from error


def _checksums(storage: Storage, manifest: Manifest) -> Iterator[Violation]:
    for file in manifest.files:
        if not storage.exists(file.path):
            yield Violation(file.path, "checksum", "the manifest names this file, but it is not there")
        elif storage.sha256(file.path) != file.sha256:
            yield Violation(file.path, "checksum", f"the bytes are not those of the manifest ({file.sha256})")
    listed = {file.path for file in manifest.files}
    for path in storage.files(paths.DATA):
        if path not in listed:
            yield Violation(path, "checksum", "the manifest does not name this file")


def attribution_violations(storage: Storage, shards: list[str]) -> Iterator[Violation]:
    """Where ATTRIBUTION.parquet and the rows differ: one violation for each repository, revision and set of licenses."""
    if not storage.exists(paths.ATTRIBUTION):
        yield Violation(paths.ATTRIBUTION, "attribution", "the file is not there")
        return
    with TemporaryDirectory() as scratch:
        found = uses_of(storage, shards, Storage(scratch))
        both = heapq.merge(
            ((use, "the rows") for use in found),
            ((use, "the file") for use in read_attribution(storage)),
            key=lambda pair: pair[0].origin,
        )
        for origin, pairs in itertools.groupby(both, key=lambda pair: pair[0].origin):
            uses = list(pairs)
            if len(uses) != 2 or uses[0][0] != uses[1][0] or uses[0][1] == uses[1][1]:
                counted = ", ".join(f"{where} {use.files} files and {use.rows} rows" for use, where in uses)
                yield Violation(origin.repository, "attribution", f"revision {origin.revision or 'unknown'}: {counted}")


def _dataset_violations(files: list[Path]) -> list[Violation]:
    """What only all rows together show."""
    index = DatasetIndex()
    names = ["example_id", "group_id", "repository"]
    for path in files:
        for batch in read_examples(path, names, 10_000):
            index.add(path.name.partition("-")[0], *(batch.column(name).to_pylist() for name in names))
    return index.violations()


def _by_shard(files: list[Path]) -> list[list[Path]]:
    """Files of the same shard number together."""
    groups: dict[str, list[Path]] = {}
    for path in files:
        groups.setdefault(path.name.partition("-")[2] or path.name, []).append(path)
    return list(groups.values())


def _check_files(task: _Task) -> tuple[int, int, list[Violation]]:
    """Rows, rows checked against a tree, and violations of the files of one shard."""
    contents = task.originals.contents(task.files) if task.originals is not None else None
    checker = RowChecker(task.expected, task.scores, contents)
    rows = parsed = 0
    violations: list[Violation] = []
    for path in task.files:
        for batch in read_examples(path):
            for row in batch.to_pylist():
                rows += 1
                found, was_parsed = checker.check(row)
                parsed += was_parsed
                violations += found
    return rows, parsed, violations
