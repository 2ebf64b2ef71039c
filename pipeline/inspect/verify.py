"""`stackfim verify`: every invariant on every row of a folder, and what could not be checked."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from stackfim.pipeline.folder.shards import data_files, read_examples
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.inspect.folder_checks import (
    FOLDER_INVARIANTS,
    UNREADABLE,
    attribution_problems,
    folder_problems,
)
from stackfim.pipeline.inspect.originals import ShardOriginals, find_originals
from stackfim.pipeline.inspect.promises import Promises, read_promises
from stackfim.pipeline.local.pool import do_all
from stackfim.pipeline.local.terminal import visible
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.manifest import BY_FILE, BY_REPOSITORY, UNDIVIDED
from stackfim.schemas.mixed import FIM
from stackfim.schemas.rendered import RENDERED
from stackfim.transforms.verify.dataset_invariants import DatasetIndex
from stackfim.transforms.verify.rendered_invariants import (
    MIXED_INVARIANT,
    PACKED_INVARIANT,
    RENDERED_INVARIANT,
    RenderedChecker,
    check_mixed,
    check_packed,
)
from stackfim.transforms.verify.row_checker import RowChecker
from stackfim.transforms.verify.row_invariants import ROW_INVARIANTS
from stackfim.transforms.verify.row_types import TYPES, check_types, rows_of, same_type
from stackfim.transforms.verify.score_invariants import SCORE_INVARIANTS
from stackfim.transforms.verify.tree_invariants import TREE_INVARIANTS
from stackfim.transforms.verify.violation import Violation

_EXAMPLE_INVARIANTS = (
    "partition",
    "one_partition_a_repository",
    "one_partition_a_file",
    "one_partition_a_group",
    "content_id",
)
_PLACES = ["example_id", "group_id", "repository", "source_id"]
_SHOWN_VIOLATIONS = 20


@dataclass
class Report:
    """What `verify_folder` found."""

    rows: int = 0
    parsed_rows: int = 0
    """Rows that were checked against the tree of the file that they were made from."""
    violations: list[Violation] = field(default_factory=list)
    checked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of the invariants that were checked: of `row`s, `tree`s, the data `set`."""
    originals: str = ""
    """Where the originals came from, in words; empty for rows that are no examples."""
    unchecked: tuple[str, ...] = ()
    """What was not checked, in sentences."""


@dataclass(frozen=True)
class _Task:
    """The files of one shard."""

    folder: Path
    files: tuple[Path, ...]
    promises: Promises
    originals: ShardOriginals | None
    """None where they are not at hand."""


@dataclass
class _Found:
    """What a task found."""

    rows: int = 0
    parsed_rows: int = 0
    violations: list[Violation] = field(default_factory=list)


def verify_folder(folder: Path, source_spec: str | None, workers: int) -> Report:
    """Checks all rows below `folder`. `source_spec` names the originals; None for the run's own, `none` to do without.

    Raises UsageError for a folder without shards, SourceError for a source that cannot be read.
    """
    files = data_files(folder)
    storage = Storage(str(folder))
    promises = read_promises(folder, files)
    report = Report(checked=_checked(promises))
    if promises.report is not None:
        report.violations += [Violation(*wrong) for wrong in folder_problems(storage, promises.report)]
    if promises.manifest is not None:
        report.violations += attribution_violations(storage, [path.relative_to(folder).as_posix() for path in files])
    sound = []
    for path in files:
        wrong = list(_file_problems(folder, path, promises.columns))
        report.violations += wrong
        sound += [] if wrong else [path]
    originals = find_originals(promises.manifest, source_spec, str(folder))
    report.originals = originals.sentence if promises.has_examples else ""
    report.violations += _dataset_violations(sound, promises)
    tasks = [_Task(folder, tuple(group), promises, originals.of_shard(group)) for group in _by_shard(sound)]
    for found in do_all(_check_files, tasks, workers):
        report.rows += found.rows
        report.parsed_rows += found.parsed_rows
        report.violations += found.violations
    report.unchecked = (*promises.unchecked, *_left_out(report, len(files) - len(sound)))
    return report


def _checked(promises: Promises) -> dict[str, tuple[str, ...]]:
    """Names of the invariants that the rows of a folder are checked for."""
    folder = FOLDER_INVARIANTS[: None if promises.manifest is not None else -1] if promises.report is not None else ()
    if not promises.has_examples:
        is_mixture = "source" in promises.columns.names
        return {"row": (TYPES, MIXED_INVARIANT if is_mixture else PACKED_INVARIANT), "set": (*folder, "unique_id")}
    rows = (TYPES, *ROW_INVARIANTS)
    rows += tuple(SCORE_INVARIANTS) if promises.scores is not None else ()
    rows += (RENDERED_INVARIANT,) if promises.rendering is not None else ()
    rule = promises.manifest.partitioned_by if promises.manifest is not None else None
    left_out: dict[str | None, tuple[str, ...]] = {
        BY_FILE: ("one_partition_a_repository", "partition"),
        BY_REPOSITORY: ("partition",),
        UNDIVIDED: ("one_partition_a_repository",),
        None: ("partition",),
    }
    together = tuple(name for name in _EXAMPLE_INVARIANTS if name not in left_out[rule])
    return {"row": rows, "tree": tuple(TREE_INVARIANTS), "set": (*folder, "unique_id", *together)}


def _left_out(report: Report, unsound_files: int) -> Iterator[str]:
    """What the rows and files that were found could not be checked for."""
    if unsound_files:
        yield f"{unsound_files:,} files cannot be read, or lack columns: their rows were not checked."
    if report.originals and report.rows > report.parsed_rows:
        yield (
            f"{report.rows - report.parsed_rows:,} rows hold a part of their file, or break an invariant, and were checked "
            "without its tree."
        )


def print_report(report: Report, *, json_lines: bool) -> None:
    """A table of invariants on standard output, or a line of JSON for each violation; then what was not checked."""
    if json_lines:
        for violation in report.violations:
            print(json.dumps(violation.as_dict(), ensure_ascii=False))
        print(*report.unchecked, sep="\n", end="\n" if report.unchecked else "", file=sys.stderr)
        return
    console = Console(highlight=False, emoji=False)
    counts = Counter(violation.invariant for violation in report.violations)
    table = Table(show_header=True, header_style="bold")
    table.add_column("Invariant")
    table.add_column("Rows checked", justify="right")
    table.add_column("Violations", justify="right")
    for group, names in report.checked.items():
        rows = report.parsed_rows if group == "tree" else report.rows
        for name in names:
            table.add_row(name, f"{rows:,}", f"{counts[name]:,}", style="red" if counts[name] else "")
    console.print(table)
    for violation in report.violations[:_SHOWN_VIOLATIONS]:
        console.print(
            visible(f"{violation.example_id} {violation.invariant}: {violation.message}"), markup=False, soft_wrap=True
        )
    if len(report.violations) > _SHOWN_VIOLATIONS:
        console.print(f"... and {len(report.violations) - _SHOWN_VIOLATIONS:,} more; --json gives all")
    summary = f"{report.rows:,} rows, {len(report.violations):,} violations. {report.originals}".rstrip()
    console.print(visible(summary), markup=False, soft_wrap=True)
    for sentence in report.unchecked:
        console.print(visible(f"Not checked: {sentence}"), markup=False, soft_wrap=True)


def attribution_violations(storage: Storage, shards: list[str]) -> list[Violation]:
    """Where ATTRIBUTION.parquet and the rows differ: one violation for each repository, revision and set of licenses."""
    return [Violation(*wrong) for wrong in attribution_problems(storage, shards)]


def _file_problems(folder: Path, path: Path, columns: pa.Schema) -> Iterator[Violation]:
    """What keeps the rows of a file from being checked."""
    name = path.relative_to(folder).as_posix()
    try:
        with pq.ParquetFile(path) as file:
            found = file.schema_arrow
            for _ in file.iter_batches(10_000):  # a page in the middle may be spoiled
                pass
    except UNREADABLE as error:
        yield Violation(name, TYPES, f"the file cannot be read: {error}")
        return
    for wanted in columns:
        if found.get_field_index(wanted.name) < 0:
            yield Violation(name, TYPES, f"the column {wanted.name} is missing")
        elif not same_type(found.field(wanted.name).type, wanted.type):
            have = found.field(wanted.name).type
            yield Violation(name, TYPES, f"the column {wanted.name} has the type {have}, expected {wanted.type}")


def _dataset_violations(files: list[Path], promises: Promises) -> list[Violation]:
    """What only all rows together show."""
    manifest = promises.manifest
    index = DatasetIndex(manifest.partitioned_by if manifest is not None else None)
    for path in files:
        partition = path.name.partition("-")[0]
        for columns in _places(path, promises):
            index.add(partition, *columns)
    return index.violations()


def _places(path: Path, promises: Promises) -> Iterator[list[list[str]]]:
    """The columns of _PLACES of a file, without rows that lack one. What is no example has its id in all of them."""
    names = promises.columns.names
    wanted = (
        _PLACES
        if promises.has_examples
        else [name for name in ("source", "example_id", "example_ids") if name in names]
    )
    for batch in read_examples(path, wanted, 10_000):
        rows = [row for row in rows_of(batch, path.name) if isinstance(row, dict) and None not in row.values()]
        if promises.has_examples:
            yield [[row[name] for row in rows] for name in _PLACES]
            continue
        ids = [name for row in rows for name in row.get("example_ids", [])]
        ids += [row["example_id"] for row in rows if row.get("source") == FIM]
        yield [ids, ids, ids, ids]


def _by_shard(files: list[Path]) -> list[list[Path]]:
    """Files of the same shard number together."""
    groups: dict[str, list[Path]] = {}
    for path in files:
        groups.setdefault(path.name.partition("-")[2] or path.name, []).append(path)
    return list(groups.values())


def _check_files(task: _Task) -> _Found:
    """What is wrong with the rows of the files of one shard."""
    found = _Found()
    check = _check_examples if task.promises.has_examples else _check_others
    check(task, found)
    return found


def _check_examples(task: _Task, found: _Found) -> None:
    promises = task.promises
    contents = task.originals.contents(task.files) if task.originals is not None else None
    checker = RowChecker(promises.expected, promises.scores, contents)
    rendered = RenderedChecker(promises.rendering) if promises.rendering is not None else None
    columns = (*EXAMPLE, *RENDERED)
    for path in task.files:
        for batch in read_examples(path):
            is_typed = []
            for row in rows_of(batch, path.relative_to(task.folder).as_posix()):
                found.rows += 1
                if isinstance(row, Violation):
                    found.violations.append(row)
                    is_typed.append(False)
                    continue
                wrong, was_parsed = checker.check(row)
                found.parsed_rows += was_parsed
                found.violations += wrong
                if rendered is not None:
                    types = check_types(row, columns)
                    found.violations += [violation for violation in types if violation not in wrong]
                    is_typed.append(not types)
            if rendered is not None:
                found.violations += rendered.check(batch.filter(pa.array(is_typed, pa.bool_())))


def _check_others(task: _Task, found: _Found) -> None:
    columns = tuple(task.promises.columns)
    for path in task.files:
        name = path.relative_to(task.folder).as_posix()
        for batch in read_examples(path):
            for number, row in enumerate(rows_of(batch, name), found.rows):
                found.rows += 1
                if isinstance(row, Violation):
                    found.violations.append(row)
                    continue
                wrong = check_types(row, columns)
                found.violations += wrong or [
                    Violation(row.get("example_id", f"{name}, row {number}"), invariant, message)
                    for invariant, message in _problems(row, task.promises)
                ]


def _problems(row: dict[str, Any], promises: Promises) -> Iterator[tuple[str, str]]:
    """The invariant and the message of all that is wrong with a pack or a row of a mixture."""
    if "input_ids" in row:
        yield from ((PACKED_INVARIANT, message) for message in check_packed(row, promises.pack_tokens))
    else:
        yield from ((MIXED_INVARIANT, message) for message in check_mixed(row, promises.family))
