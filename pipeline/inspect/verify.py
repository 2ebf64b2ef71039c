"""`stackfim verify`: every invariant on every row of a folder."""

import heapq
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.derive.score import SCORING
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.attribution import read_attribution, uses_of
from stackfim.pipeline.folder.shards import example_columns, example_files, read_examples
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.sources import Source, SourceError, open_source, scheme_of
from stackfim.schemas.manifest import ManifestMismatch, check_manifest
from stackfim.schemas.scored import SCORED
from stackfim.schemas.source import git_blob_id
from stackfim.transforms.filters.license import LicensePolicy, preset_licenses
from stackfim.transforms.filters.redaction import redact
from stackfim.transforms.score.score_settings import ScoreSettings
from stackfim.transforms.split.parser import BudgetedParser, ParseRefused
from stackfim.transforms.verify.dataset_invariants import DatasetIndex
from stackfim.transforms.verify.original import Original
from stackfim.transforms.verify.row_invariants import ROW_INVARIANTS, Expected, check_content, check_row, undone
from stackfim.transforms.verify.score_invariants import SCORE_INVARIANTS, ExpectedScores, check_scores
from stackfim.transforms.verify.tree_invariants import TREE_INVARIANTS, check_tree
from stackfim.transforms.verify.violation import Violation

_DATASET_INVARIANTS = (
    "checksum",
    "attribution",
    "unique_id",
    "one_partition_a_repository",
    "one_partition_a_group",
    "content_id",
)


@dataclass
class Report:
    """What `verify_folder` found."""

    rows: int = 0
    parsed_rows: int = 0
    """Rows checked against the tree of the file that they were made from."""
    violations: list[Violation] = field(default_factory=list)
    scored: bool = False
    """Whether the rows have scores, and these were checked."""
    originals: str = ""
    """Where the originals came from, in words."""


@dataclass(frozen=True)
class _Task:
    files: tuple[Path, ...]
    expected: Expected
    scores: ExpectedScores | None
    """None for rows without scores."""
    source: Source | None
    locator: str | None


def verify_folder(folder: Path, source_spec: str | None, workers: int) -> Report:
    """Checks all rows below `folder`. `source_spec` names the originals; None for the run's own, `none` for none.

    Raises UsageError for a folder without shards, SourceError for a source that cannot be read.
    """
    files = example_files(folder)
    manifest = _manifest(folder)
    expected = _expected(manifest)
    report = Report()
    if manifest is not None:
        report.violations += _checksums(Storage(str(folder)), manifest)
        report.violations += attribution_violations(
            Storage(str(folder)), [path.relative_to(folder).as_posix() for path in files]
        )
    source, report.originals = _originals(manifest, source_spec)
    scores = _expected_scores(folder, manifest) if example_columns(files) is SCORED else None
    report.scored = scores is not None
    tasks = [_Task(tuple(group), expected, scores, source, _locator(manifest, group[0])) for group in _by_shard(files)]
    index = DatasetIndex()
    for path in files:
        for batch in read_examples(path, ["example_id", "group_id", "repository"], 10_000):
            columns = [batch.column(name).to_pylist() for name in ("example_id", "group_id", "repository")]
            index.add(path.name.partition("-")[0], *columns)
    report.violations += index.violations()
    for rows, parsed, violations in _run(tasks, workers):
        report.rows += rows
        report.parsed_rows += parsed
        report.violations += violations
    return report


def print_report(report: Report, *, json_lines: bool) -> None:
    """A table of invariants on standard output, or a JSON line a violation."""
    if json_lines:
        for violation in report.violations:
            print(json.dumps(violation.as_dict(), ensure_ascii=False))
        return
    console = Console(highlight=False)
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
    for violation in report.violations[:20]:
        console.print(
            f"{violation.example_id} {violation.invariant}: {violation.message}", markup=False, soft_wrap=True
        )
    if len(report.violations) > 20:
        console.print(f"... and {len(report.violations) - 20:,} more; --json gives all")
    unparsed = report.rows - report.parsed_rows
    console.print(
        f"{report.rows:,} rows, {len(report.violations):,} violations. {report.originals}", markup=False, soft_wrap=True
    )
    if unparsed:
        console.print(f"{unparsed:,} rows hold a part of their file and were checked without its tree.")


def _manifest(folder: Path) -> dict[str, Any] | None:
    path = folder / paths.MANIFEST
    if not path.exists():
        return None
    try:
        return check_manifest(json.loads(path.read_text("utf-8")))
    except (ValueError, ManifestMismatch) as error:
        raise UsageError(f"{path}: {error}") from error


def _expected(manifest: dict[str, Any] | None) -> Expected:
    if manifest is None:
        return Expected()
    configuration = json.loads(manifest["configuration"])
    licenses, filters = configuration["licenses"], configuration["filters"]
    policy = LicensePolicy(
        preset_licenses(licenses) if isinstance(licenses, str) else frozenset(licenses),
        filters["license_policy"],
        filters["allow_unknown_licenses"],
        filters["allow_missing_licenses"],
    )
    limits = configuration["split"]["limits"]
    return Expected(limits["max_lines"], limits["max_chars"], policy, "license" in filters["switched_off"])


def _expected_scores(folder: Path, manifest: dict[str, Any] | None) -> ExpectedScores:
    """What the folder says that it was scored with, as a run or by `stackfim score`."""
    settings = None
    path = folder / SCORING
    try:
        if manifest is not None and "scoring" in manifest:
            settings = json.loads(manifest["scoring"])["settings"]
        elif path.is_file():
            settings = json.loads(path.read_text("utf-8"))["settings"]
        return ExpectedScores(ScoreSettings.from_json(settings) if settings is not None else None)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder}: says of its scores what cannot be: {error}") from error


def _checksums(storage: Storage, manifest: dict[str, Any]) -> Iterator[Violation]:
    for file in manifest["files"]:
        if not storage.exists(file["path"]):
            yield Violation(file["path"], "checksum", "the manifest names this file, but it is not there")
        elif storage.sha256(file["path"]) != file["sha256"]:
            yield Violation(file["path"], "checksum", f"the bytes are not those of the manifest ({file['sha256']})")
    listed = {file["path"] for file in manifest["files"]}
    for path in storage.files("data"):
        if path not in listed:
            yield Violation(path, "checksum", "the manifest does not name this file")


def attribution_violations(storage: Storage, shards: list[str]) -> Iterator[Violation]:
    """Where ATTRIBUTION.parquet and the rows differ, a violation a repository."""
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
                said = ", ".join(f"{where} {use.files} files and {use.rows} rows" for use, where in uses)
                yield Violation(origin.repository, "attribution", f"revision {origin.revision or 'unknown'}: {said}")


def _originals(manifest: dict[str, Any] | None, spec: str | None) -> tuple[Source | None, str]:
    """The source of the originals, if it is at hand and gives the same shards, and a sentence on it."""
    if manifest is None or spec == "none":
        return (
            None,
            "Originals were not asked for." if spec == "none" else "No manifest, so the originals are not known.",
        )
    configuration = json.loads(manifest["configuration"])
    chosen = spec or json.loads(manifest["source"])["spec"]
    scheme = scheme_of(chosen)
    if spec is None and (scheme is None or scheme.is_download):
        return None, f"Originals would have to be downloaded: --source {chosen} does that."
    try:
        source = open_source(chosen, configuration["columns"])
        locators = [shard.locator for shard in source.shards(configuration["limit"])]
    except SourceError:
        if spec is not None:
            raise
        return None, f"Originals are not at hand: {chosen} cannot be read."
    if locators != manifest["locators"]:
        if spec is not None:
            raise UsageError(f"--source {spec}: holds other files than those that the run read")
        return None, f"Originals are not at hand: {chosen} has changed since."
    return source, f"Originals read from {chosen}."


def _by_shard(files: list[Path]) -> list[list[Path]]:
    """Files of the same shard number together."""
    groups: dict[str, list[Path]] = {}
    for path in files:
        groups.setdefault(path.name.partition("-")[2] or path.name, []).append(path)
    return list(groups.values())


def _locator(manifest: dict[str, Any] | None, path: Path) -> str | None:
    number = path.name.split("-")[1:2]
    if manifest is None or not number or not number[0].isdigit() or int(number[0]) >= len(manifest["locators"]):
        return None
    return manifest["locators"][int(number[0])]


def _run(tasks: list[_Task], workers: int) -> Iterator[tuple[int, int, list[Violation]]]:
    if workers == 1 or len(tasks) == 1:
        yield from map(_check_files, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_check_files, tasks)


def _check_files(task: _Task) -> tuple[int, int, list[Violation]]:
    """Rows, rows checked against a tree, and violations of the files of one shard."""
    contents = _contents(task)
    parsers: dict[str, BudgetedParser] = {}
    last: tuple[str, Original | None] = ("", None)
    rows = parsed = 0
    violations: list[Violation] = []
    for path in task.files:
        for batch in read_examples(path):
            for row in batch.to_pylist():
                rows += 1
                found = check_row(row, task.expected)
                found += check_scores(row, task.scores) if task.scores is not None else []
                content = contents.get(row["content_id"]) if contents is not None else _whole_content(row)
                if content is not None:
                    found += check_content(row, content)
                elif contents is not None:
                    found.append(Violation(row["example_id"], "content_id", "the source has no file with this content"))
                if content is not None and not found:
                    if last[0] != row["content_id"]:
                        last = (row["content_id"], _parsed(content, row["language"], parsers))
                    original = last[1]
                    if original is None:
                        found.append(
                            Violation(row["example_id"], "kind", "the file cannot be parsed, yet it gave an example")
                        )
                    else:
                        parsed += 1
                        found += check_tree(row, original)
                violations += found
    return rows, parsed, violations


def _contents(task: _Task) -> dict[str, bytes] | None:
    """Content by id of the files that the rows of a shard were made from; None where the source is not at hand."""
    if task.source is None or task.locator is None:
        return None
    wanted: dict[str, str] = {}
    for path in task.files:
        for batch in read_examples(path, ["content_id", "source_id"], 10_000):
            wanted.update(zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True))
    redacted = pa.array([source_id for content_id, source_id in wanted.items() if content_id != source_id], pa.string())
    found: dict[str, bytes] = {}
    for rows, _ in task.source.read(task.locator):
        changed = redact(rows.filter(pc.is_in(rows.column("source_id"), redacted))).rows
        rows = pa.concat_batches([rows, changed])
        for content_id, content in zip(rows.column("content_id").to_pylist(), rows.column("content"), strict=True):
            if content_id in wanted:
                found[content_id] = content.as_py()
    return found


def _whole_content(row: dict[str, Any]) -> bytes | None:
    """The content, where the row covers all of it: its bytes are those of its content id."""
    try:
        content = b"".join(undone(row))
    except (ValueError, KeyError):
        return None
    return content if row["context_start_byte"] == 0 and git_blob_id(content) == row["content_id"] else None


def _parsed(content: bytes, language: str, parsers: dict[str, BudgetedParser]) -> Original | None:
    if language not in parsers:
        parsers[language] = BudgetedParser(language)
    try:
        return Original(content, language, parsers[language])
    except ParseRefused:
        return None
