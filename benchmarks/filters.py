"""How fast the filters are and what they drop: each filter alone, decontamination, secrets; drops by stage and language.

    python -m benchmarks.filters [FOLDER] [--megabytes 60] [--rounds 3] [--benchmark-texts 8000] [--no-peer] [--table]
                                 [--drops FILE]

FOLDER has parquet files with content, language, path and repository in columns under the names that the sources know;
without it the files are those of the installed packages. Speeds are megabytes of content for each second of this process's
CPU time, the best of `--rounds`. Benchmark strings are functions from the Python files of the installed packages; the peer
looks for each of them in every file by `in`, one at a time, on a sample. `--drops` writes a JSON line for every row that a
filter drops in all files: stage, reason, detail, language, repository, path. `--table` prints what the filters drop by
language, as Markdown, and nothing else.

Ends with 1 when a bar is missed: 10 MB/s for all filters that need no parse together, 40 for decontamination against
8,000 strings, 15 for secrets and personal data.
"""

import argparse
import ast
import functools
import json
import random
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pyarrow as pa
import pyarrow.parquet as pq

from stackfim.schemas.source import CANDIDATES, ROW, as_binary, text_or_empty
from stackfim.transforms.filters.chain import relabel
from stackfim.transforms.filters.contamination import contamination, index_benchmarks
from stackfim.transforms.filters.decision import divide
from stackfim.transforms.filters.encoding import ENCODING
from stackfim.transforms.filters.filter import Filter, Judgement, judge
from stackfim.transforms.filters.filter_list import FILTERS, STAGES
from stackfim.transforms.filters.filter_settings import FilterPlan
from stackfim.transforms.filters.personal_data import find_personal_data
from stackfim.transforms.filters.redaction import redact
from stackfim.transforms.filters.secrets import find_secrets
from stackfim.transforms.filters.size import SIZE

BATCH_ROWS = 1_000
BARS = {"all filters without secrets": 10.0, "decontamination": 40.0, "secrets and personal data": 15.0}
SOURCE_STAGES = ("opt_out", "license", "language")
"""Stages that judge the source of a row: left out, so that all rows reach the others."""


def parquet_batches(folder: Path) -> Iterator[pa.RecordBatch]:
    """The rows of all parquet files below a folder, in order of file names, with the columns that filters look at."""
    files = sorted(folder.rglob("*.parquet"))
    if not files:
        raise SystemExit(f"{folder} has no *.parquet file")
    for file in files:
        available = pq.read_schema(file).names
        names = {name: next((other for other in CANDIDATES[name] if other in available), None) for name in CANDIDATES}
        columns = [names[name] for name in ("content", "language", "repository", "path")]
        if None in columns:
            raise SystemExit(f"{file} has no column for the content, the language, the repository or the path")
        for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS, columns=columns):
            content, *texts = (batch.column(name) for name in columns)
            yield source_rows(as_binary(content), *map(text_or_empty, texts))


def installed_batches() -> Iterator[pa.RecordBatch]:
    """The Python, C and JavaScript files of the installed packages as rows, in order of paths."""
    root = Path(sysconfig.get_paths()["purelib"])
    language = {".py": "Python", ".h": "C", ".js": "JavaScript"}
    files = sorted(file for suffix in language for file in root.rglob(f"*{suffix}") if file.is_file())
    for first in range(0, len(files), BATCH_ROWS):
        chosen = files[first : first + BATCH_ROWS]
        paths = [file.relative_to(root) for file in chosen]
        yield source_rows(
            pa.array([file.read_bytes() for file in chosen], pa.binary()),
            pa.array([language[file.suffix] for file in chosen]),
            pa.array([path.parts[0] for path in paths]),
            pa.array([str(path) for path in paths]),
        )


def source_rows(content: pa.Array, language: pa.Array, repository: pa.Array, path: pa.Array) -> pa.RecordBatch:
    """Rows (stackfim.schemas.source.ROW) with these columns and empty values in the others."""
    count = len(content)
    given = {"content": content, "language": language, "repository": repository, "path": path}
    blank = {pa.string(): pa.array([""] * count), pa.int64(): pa.nulls(count, pa.int64())}
    columns = [
        given.get(field.name, blank.get(field.type, pa.array([[]] * count, ROW.field("licenses").type)))
        for field in ROW
    ]
    return pa.RecordBatch.from_arrays(columns, schema=ROW)


def benchmark_strings(count: int) -> list[str]:
    """A sample of the functions of the installed Python packages, the same one every time."""
    found: list[str] = []
    files = sorted(Path(sysconfig.get_paths()["purelib"]).rglob("*.py"))
    random.Random(0).shuffle(files)
    for file in files:
        try:
            source = file.read_text("utf-8")
            tree = ast.parse(source)
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue
        lines = source.split("\n")
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        texts = ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in functions]
        found += [text for text in texts if 150 < len(text) < 3_000][:20]
        if len(found) >= count:
            break
    return found[:count]


def best_speed(work: Callable[[pa.RecordBatch], object], batches: list[pa.RecordBatch], rounds: int) -> float:
    """Megabytes of content for each CPU second over all batches, the best of some rounds."""
    size = megabytes_of(batches)
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for batch in batches:
            work(batch)
        best = min(best, time.process_time() - started)
    return size / max(best, 1e-9)


def megabytes_of(batches: list[pa.RecordBatch]) -> float:
    """Size of the content of all batches."""
    return float(sum(batch.column("content").nbytes for batch in batches)) / 1e6


def chosen_filters(plan: FilterPlan) -> list[Filter[Any]]:
    """The filters that run, without those that judge the source of a row."""
    return [filter_ for filter_ in FILTERS if plan.runs(filter_) and filter_.stage not in SOURCE_STAGES]


def readable(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows whose size and encoding are right."""
    for filter_ in (SIZE, ENCODING):
        rows, _ = divide(rows, filter_.stage, judge(filter_, rows, FilterPlan()).drops)
    return rows


def print_speeds(batches: list[pa.RecordBatch], plan: FilterPlan, strings: list[str], rounds: int, peer: bool) -> bool:
    """Prints the speeds and whether each bar is met; gives whether all are."""
    index = plan.benchmarks
    assert index is not None
    size = megabytes_of(batches)
    print(f"{sum(batch.num_rows for batch in batches)} files, {size:.1f} MB, best of {rounds} rounds, MB a CPU second")
    seconds = 0.0
    for filter_ in chosen_filters(plan):
        speed = best_speed(functools.partial(_judged, filter_, plan), batches, rounds)
        seconds += size / speed if filter_.stage != "contamination" else 0.0
        print(f"  {filter_.stage:20}{speed:10.1f}")
    speeds = {
        "all filters without secrets": size / seconds,
        "decontamination": best_speed(lambda rows: contamination(rows.column("content"), index), batches, rounds),
        "secrets and personal data": best_speed(
            lambda rows: (find_secrets(rows.column("content")), find_personal_data(rows.column("content"))),
            batches,
            rounds,
        ),
    }
    print(f"  {'redaction':20}{best_speed(redact, batches, rounds):10.1f}")
    if peer:
        print(f"  {'one string at a time':20}{peer_speed(batches, strings):10.1f}   ({len(strings)} strings)")
    met = True
    for name, bar in BARS.items():
        met &= speeds[name] >= bar
        print(f"{'met' if speeds[name] >= bar else 'MISSED'}: {name} at least {bar:g}, got {speeds[name]:.1f}")
    return met


def _judged(filter_: Filter[Any], plan: FilterPlan, rows: pa.RecordBatch) -> Judgement:
    return judge(filter_, rows, plan)


def peer_speed(batches: list[pa.RecordBatch], strings: list[str], megabytes: float = 2.0) -> float:
    """Megabytes for each CPU second when every string is looked for in every file, on the first files."""
    files: list[str] = []
    size = 0.0
    for batch in batches:
        for content in batch.column("content").to_pylist():
            if size < megabytes:
                files.append(content.decode("utf-8", "replace"))
                size += len(content) / 1e6
    started = time.process_time()
    sum(string in file for file in files for string in strings)
    return size / (time.process_time() - started)


class Drop(NamedTuple):
    """A row that a filter drops."""

    stage: str
    reason: str
    detail: str
    language: str
    repository: str
    path: str


def find_drops(
    batches: Iterator[pa.RecordBatch], plan: FilterPlan
) -> tuple[Counter[str], list[Drop], Counter[str], Counter[str]]:
    """Rows by language, what each stage drops of the rows that it is left, relabelled rows, and what redaction replaces."""
    total: Counter[str] = Counter()
    changes: Counter[str] = Counter()
    findings: Counter[str] = Counter()
    drops: list[Drop] = []
    for rows in batches:
        rows, changed = relabel(rows, plan)
        changes.update(changed)
        total.update(rows.column("language").to_pylist())
        rows = readable(rows)
        for filter_ in chosen_filters(plan):
            found = judge(filter_, rows, plan).drops if rows.num_rows else {}
            for row, (reason, detail) in found.items():
                language, repository, path = (
                    rows.column(name)[row].as_py() for name in ("language", "repository", "path")
                )
                drops.append(Drop(filter_.stage, reason, detail, language, repository, path))
            rows, _ = divide(rows, filter_.stage, found)
        findings.update(finding.kind for finding in find_secrets(rows.column("content")))
        findings.update(finding.kind for finding in find_personal_data(rows.column("content")))
    return total, drops, changes, findings


def print_table(total: Counter[str], drops: list[Drop]) -> None:
    """Prints how many files each stage drops, a line for each language, as Markdown."""
    names = [stage for stage in STAGES if any(drop.stage == stage for drop in drops)]
    counts = Counter((drop.language, drop.stage) for drop in drops)
    print(f"| Language | Files | {' | '.join(f'`{name}`' for name in names)} | left |")
    print(f"|---|---:|{'---:|' * (len(names) + 1)}")
    for language, files in [*total.most_common(), ("all", sum(total.values()))]:
        cells = [
            sum(counts[other, name] for other in total) if language == "all" else counts[language, name]
            for name in names
        ]
        shown = [f"{cell:,}" if cell else "" for cell in cells]
        print(f"| {language} | {files:,} | {' | '.join(shown)} | {(files - sum(cells)) / files:.0%} |")


def print_drops(batches: Iterator[pa.RecordBatch], plan: FilterPlan, drops_file: Path | None) -> None:
    """Prints what each stage drops by language, how often for each reason, and what is left to redaction."""
    total, drops, changes, findings = find_drops(batches, plan)
    print()
    print_table(total, drops)
    reasons = Counter(f"{drop.stage}: {drop.reason}" for drop in drops)
    print("\n" + "\n".join(f"{count:8} {reason}" for reason, count in reasons.most_common()))
    print("\nrelabelled: " + ", ".join(f"{count} {change}" for change, count in changes.most_common()))
    print("left to redaction: " + ", ".join(f"{count} {kind}" for kind, count in findings.most_common()))
    if drops_file:
        drops_file.write_text("".join(json.dumps(drop._asdict()) + "\n" for drop in drops), "utf-8")


def sample(batches: Iterator[pa.RecordBatch], megabytes: float) -> list[pa.RecordBatch]:
    """Readable rows of about that size: a slice of every batch, so that all languages are in it."""
    every = [readable(batch) for batch in batches]
    share = min(1.0, megabytes / max(megabytes_of(every), 1e-9))
    parts = [batch.slice(0, max(1, round(batch.num_rows * share))) for batch in every if batch.num_rows]
    table = pa.Table.from_batches(parts, schema=ROW).combine_chunks()
    return list(table.to_batches(max_chunksize=BATCH_ROWS))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--megabytes", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--benchmark-texts", type=int, default=8_000)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--drops", type=Path)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()

    def batches() -> Iterator[pa.RecordBatch]:
        return parquet_batches(arguments.folder) if arguments.folder else installed_batches()

    strings = benchmark_strings(arguments.benchmark_texts)
    names = [f"function {number}" for number in range(len(strings))]
    plan = FilterPlan(benchmarks=index_benchmarks(names, strings))
    if arguments.table:
        total, drops, _, _ = find_drops(batches(), plan)
        print_table(total, drops)
        return 0
    met = print_speeds(
        sample(batches(), arguments.megabytes), plan, strings, arguments.rounds, peer=not arguments.no_peer
    )
    print_drops(batches(), plan, arguments.drops)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
