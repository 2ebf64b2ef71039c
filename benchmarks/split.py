"""How fast splitting is compared with parsing alone, by stage; and where middles end, compared with two other generators.

    python -m benchmarks.split [SOURCE] [--files N]

SOURCE is any source of stackfim; by default the installed packages. The files are those that pass the filters, in their
mixture of languages, on one core; speeds are megabytes of content per second of CPU time. Splitting is everything from
content to Arrow batches: the parse, the checks that parse again, half-written contexts. The splitter is measured as it is
installed, interpreted or compiled (`make native`); its stages can be measured only when it is interpreted.

The table of ends compares three generators, with as many middles of each file from each: the splitter; uniform character
spans (two offsets drawn uniformly, as in Bavarian et al. 2022); and whole syntax nodes, drawn by their size.
"""

from __future__ import annotations

import argparse
import functools
import gc
import random
import statistics
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa
import tree_sitter

from benchmarks.parsing import Parsers
from stackfim.pipeline.sources import open_source
from stackfim.transforms.filters.chain import filter_rows, relabel
from stackfim.transforms.filters.filter_settings import FilterPlan
from stackfim.transforms.lines import Lines
from stackfim.transforms.split import examples, sampling
from stackfim.transforms.split.parser import BudgetedParser
from stackfim.transforms.split.split_settings import HalfWrittenSettings, SplitSettings
from stackfim.transforms.verify.original import Original

TURN_ROWS = 100
"""Files that are parsed, then split, before the next ones are."""
MAX_NODES = 20_000
"""Nodes of a file that a node is drawn from."""


@dataclass(frozen=True)
class Clock:
    """CPU seconds by stage; a stage does not count the stages inside it."""

    seconds: dict[str, float] = field(default_factory=dict)
    _inside: list[float] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the block's time to a stage."""
        started = time.process_time()
        self._inside.append(0.0)
        try:
            yield
        finally:
            spent = time.process_time() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + spent - self._inside.pop()
            if self._inside:
                self._inside[-1] += spent

    def timed(self, owner: Any, attribute: str, name: Callable[..., str]) -> None:
        """From now on, calls of a function count towards the stage that `name` gives for their arguments."""
        function = getattr(owner, attribute)

        @functools.wraps(function)
        def wrapper(*arguments: Any, **options: Any) -> Any:
            with self.stage(name(*arguments, **options)):
                return function(*arguments, **options)

        setattr(owner, attribute, wrapper)


def filtered_batches(spec: str, files: int) -> Iterator[pa.RecordBatch]:
    """Batches of TURN_ROWS rows that pass the filters, at most `files` rows in all, as many of each shard as possible."""
    source, plan = open_source(spec), FilterPlan()
    shards = list(source.shards())
    left = files
    for index, shard in enumerate(shards):
        share = max(1, left // (len(shards) - index))
        for batch in source.read(shard.locator):
            rows, _ = filter_rows(relabel(batch.rows, plan)[0], plan)
            rows = rows.slice(0, share)
            share, left = share - rows.num_rows, left - rows.num_rows
            for start in range(0, rows.num_rows, TURN_ROWS):
                yield rows.slice(start, TURN_ROWS)
            if share <= 0:
                break


def measure_speed(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Prints the speeds; gives the examples of each batch."""
    megabytes = sum(batch.column("content").nbytes for batch in batches) / 1e6
    parsers = Parsers()
    for batch in batches:
        parsers.prepare(batch)
    files = sum(batch.num_rows for batch in batches)
    clock, made = Clock(), []
    shares = (0.0, SplitSettings().half_written.share)
    splitters = [
        examples.Splitter(SplitSettings(half_written=HalfWrittenSettings(share=share)), "benchmark") for share in shares
    ]
    # They take turns, batch by batch: the speed of a shared machine changes within minutes.
    for batch in batches:
        with clock.stage("parse alone"):
            parsers.parse(batch)
        for share, splitter in zip(shares, splitters, strict=True):
            with clock.stage(f"split, {share:.0%} of contexts half-written"):
                result = splitter.split(batch)
        made.append(result.examples)
    baseline = clock.seconds["parse alone"]
    count = sum(batch.num_rows for batch in made)
    print(f"{files} files, {megabytes:.0f} MB, {count} examples, {count / files:.2f} a file")
    print(f"{'stage':<42}{'CPU s':>8}{'MB/s':>8}{'of parsing':>12}")
    for name, seconds in clock.seconds.items():
        print(f"{name:<42}{seconds:>8.1f}{megabytes / seconds:>8.1f}{baseline / seconds:>12.0%}")
    if sampling.__file__.endswith(".so"):
        print("the splitter is compiled (make native), so its stages cannot be measured")
        return made
    by_stage = Clock()
    by_stage.timed(BudgetedParser, "parse", lambda _self, _content, old=None: "parse" if old is None else "parse again")
    by_stage.timed(Lines, "__init__", lambda *_: "lines")
    by_stage.timed(examples, "sample_sites", lambda *_: "sites")
    by_stage.timed(examples, "half_write", lambda *_: "half-written contexts")
    by_stage.timed(examples.Splitter, "_batch", lambda *_: "Arrow batches")
    splitter = examples.Splitter(SplitSettings(), "benchmark")
    with by_stage.stage("the rest"):
        for batch in batches:
            splitter.split(batch)
    total = sum(by_stage.seconds.values())
    print("by stage, including the cost of the clock itself:")
    for name, seconds in sorted(by_stage.seconds.items(), key=lambda item: -item[1]):
        print(f"  {name:<40}{seconds:>8.1f}{seconds / total:>20.0%}")
    return made


class End(NamedTuple):
    """Where a middle ends, and what it is."""

    is_empty: bool
    at_line_end: bool
    at_dedent: bool
    is_balanced: bool
    lines: int


def end_of(file: Original, start: int, end: int) -> End:
    """The end of the middle [start, end) of a file."""
    text = file.content[start:end]
    stop = start + len(text.rstrip())
    line_end = file.line_bounds(max(stop - 1, 0))[1]
    at_line_end = bool(text.strip()) and not file.content[stop:line_end].strip() and end <= line_end + 2
    following = file.next_line(max(stop - 1, 0))
    base = file.indent(start)
    is_dedent = at_line_end and following is not None and len(following.indent) < len(base)
    return End(
        not text,
        at_line_end,
        is_dedent and base.startswith(following.indent if following else b""),
        file.bracket_balance(start, end) == (0, 0),
        sum(1 for line in text.split(b"\n") if line.strip()),
    )


def uniform_span(file: Original, draws: random.Random) -> tuple[int, int]:
    """Two offsets of characters, drawn uniformly."""
    places = [draws.randrange(len(file.content) + 1) for _ in range(2)]
    for index, place in enumerate(places):
        while 0 < place < len(file.content) and file.content[place] & 0xC0 == 0x80:
            place -= 1
        places[index] = place
    return min(places), max(places)


def weighted_node(file: Original, draws: random.Random) -> tuple[int, int]:
    """A named node other than the root, drawn by its size."""
    nodes: list[tree_sitter.Node] = []
    stack = list(file.tree.root_node.children)
    while stack and len(nodes) < MAX_NODES:
        node = stack.pop()
        if node.is_named and node.end_byte > node.start_byte:
            nodes.append(node)
        stack += node.children
    if not nodes:
        return uniform_span(file, draws)
    (node,) = draws.choices(nodes, [node.end_byte - node.start_byte for node in nodes])
    return node.start_byte, node.end_byte


def print_ends(batches: list[pa.RecordBatch], made: list[pa.RecordBatch]) -> None:
    """Prints the table of ends: the splitter's by category, and as many of each of the two baselines."""
    ends: dict[str, list[End]] = {}
    draws = random.Random(0)
    parsers: dict[str, BudgetedParser] = {}
    for batch, rows in zip(batches, made, strict=True):
        contents = dict(zip(batch.column("content_id").to_pylist(), batch.column("content").to_pylist(), strict=True))
        names = ("content_id", "language", "category", "start_byte", "end_byte")
        last: tuple[str, Original] | None = None
        for content_id, language, category, start, end in zip(
            *(rows.column(name).to_pylist() for name in names), strict=True
        ):
            if last is None or last[0] != content_id:
                parser = parsers.setdefault(language, BudgetedParser(language))
                last = content_id, Original(contents[content_id], language, parser)
            file = last[1]
            ours = end_of(file, start, end)
            ends.setdefault("stackfim, all", []).append(ours)
            ends.setdefault(f"  {category}", []).append(ours)
            ends.setdefault("uniform character spans", []).append(end_of(file, *uniform_span(file, draws)))
            ends.setdefault("syntax nodes by size", []).append(end_of(file, *weighted_node(file, draws)))
    print(
        f"{'':<26}{'rows':>8}{'empty':>8}{'at line end':>13}{'at dedent':>11}{'balanced':>10}{'lines p10/p50/p90':>20}"
    )
    for name in sorted(ends, key=_order):
        found = ends[name]
        lines = [end.lines for end in found if not end.is_empty] or [0]
        deciles = statistics.quantiles(lines, n=10, method="inclusive") if len(lines) > 1 else lines * 9
        shares = (
            statistics.fmean(getattr(end, field) for end in found)
            for field in ("is_empty", "at_line_end", "at_dedent", "is_balanced")
        )
        empty, line_end, dedent, balanced = (f"{share:.1%}" for share in shares)
        spread = "/".join(f"{deciles[index]:.0f}" for index in (0, 4, 8))
        print(f"{name:<26}{len(found):>8}{empty:>8}{line_end:>13}{dedent:>11}{balanced:>10}{spread:>20}")


def _order(name: str) -> tuple[int, str]:
    return (0 if name.startswith("stackfim") else 1 if name.startswith(" ") else 2), name


def main() -> None:
    """Prints speeds and the table of ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default=f"code:{sysconfig.get_path('purelib')}")
    parser.add_argument("--files", type=int, default=8_000, help="most files to split [default: 8000]")
    arguments = parser.parse_args()
    gc.disable()  # as the process that splits does
    batches = list(filtered_batches(arguments.source, arguments.files))
    made = measure_speed(batches)
    print_ends(batches, made)


if __name__ == "__main__":
    main()
