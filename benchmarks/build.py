"""How fast a build is compared with parsing alone, stage by stage, and how much memory it takes with 1x and 4x the shards.

    python -m benchmarks.build [SOURCE] [--workers N]

SOURCE is any source of stackfim; by default the installed packages. All speeds are megabytes of content per second of
CPU time (user and system, all processes). "Of parsing" compares with the speed at which tree-sitter alone, in this same
run, parses the files that reach the splitter. The whole build is shown twice: for all that it reads, and for the part
that reaches the splitter. Memory is the largest sum of unique memory (USS) over the process tree.
"""

import argparse
import gc
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.memory import PeakMemory
from benchmarks.parsing import Parsers
from stackfim.pipeline.build.partition import group_hash
from stackfim.pipeline.folder.manifest import stackfim_version
from stackfim.pipeline.folder.parquet_shard import parquet_shard
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.sources import open_source
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.source import ROW
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.dedup.exact import exact_removals
from stackfim.transforms.dedup.near import signature_batch
from stackfim.transforms.dedup.order import FINGERPRINT
from stackfim.transforms.filters.chain import filter_rows
from stackfim.transforms.filters.filter_settings import FilterPlan
from stackfim.transforms.filters.redaction import redact
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.split_settings import SplitSettings


@dataclass(frozen=True)
class Stages:
    """CPU seconds and bytes of each stage."""

    seconds: dict[str, float] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Adds the CPU time of the block to a stage."""
        started = time.process_time()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - started

    def speed(self, stage: str) -> float:
        """Megabytes per CPU second."""
        return self.bytes[stage] / 1e6 / max(self.seconds[stage], 1e-9)


def measure_stages(spec: str) -> tuple[Stages, int]:
    """Runs each stage in this process, one after another over the same batches; also gives the bytes that reach the splitter."""
    gc.disable()  # as the process that splits does
    stages, source = Stages(), open_source(spec)
    splitter, filters = Splitter(SplitSettings(), stackfim_version()), FilterPlan()
    read_bytes = split_bytes = 0
    fingerprints: list[pa.RecordBatch] = []
    parsers = Parsers()
    with tempfile.TemporaryDirectory() as folder:
        storage = Storage(folder)
        for shard in source.shards():
            batches = source.read(shard.locator)
            with (
                parquet_shard(storage, f"survivors-{shard.index}.parquet", ROW, compression="lz4") as kept_file,
                parquet_shard(storage, f"examples-{shard.index}.parquet", EXAMPLE) as example_file,
            ):
                while True:
                    with stages.measure("read"):
                        batch = next(batches, None)
                    if batch is None:
                        break
                    read_bytes += batch.rows.column("content").nbytes
                    with stages.measure("filter"):
                        rows, _ = filter_rows(batch.rows, filters)
                    with stages.measure("write survivors"):
                        kept_file.add(rows)
                    with stages.measure("signatures"):
                        signature_batch(rows.column("content"), DedupSettings())
                    with stages.measure("exact copies"):
                        fingerprints.append(_fingerprints(rows, shard.index))
                    split_bytes += rows.column("content").nbytes
                    parsers.prepare(rows)
                    with stages.measure("parse alone"):
                        parsers.parse(rows)
                    with stages.measure("redact"):
                        rows = redact(rows).rows
                    with stages.measure("split, parse included"):
                        result = splitter.split(rows)
                    with stages.measure("write examples"):
                        example_file.add(result.examples)
        with stages.measure("exact copies"):
            exact_removals(fingerprints)
    for stage in stages.seconds:
        stages.bytes[stage] = read_bytes if stage in ("read", "filter") else split_bytes
    return stages, split_bytes


def _fingerprints(rows: pa.RecordBatch, shard: int) -> pa.RecordBatch:
    for repository in set(rows.column("repository").to_pylist()):
        group_hash(repository)
    columns = [rows.column(name) for name in ("content_id", "stars", "forks", "repository", "path")]
    count = rows.num_rows
    places = [pa.array([shard] * count, pa.int32()), pa.array(range(count), pa.int64())]
    return pa.RecordBatch.from_arrays([*columns, *places], schema=FINGERPRINT)


def measure_build(spec: str, workers: int) -> tuple[float, float, float]:
    """Runs the command; gives CPU seconds of all its processes, wall seconds, and peak memory of the tree in MB."""
    with tempfile.TemporaryDirectory() as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        command = [
            sys.executable,
            "-m",
            "stackfim.pipeline.commands.cli",
            "build",
            spec,
            "--out",
            f"{folder}/out",
            "--model",
            "none",
            "--workers",
            str(workers),
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        memory = PeakMemory(process.pid)
        if process.wait():
            raise SystemExit(f"{' '.join(command)} failed")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return cpu, time.monotonic() - started, memory.megabytes()


def write_copies(spec: str, folder: Path, copies: int) -> str:
    """Writes the rows of a source as `copies` times as many shards, and gives the new source.

    Copies of a file are near-duplicates of each other: no source gives deduplication more to do.
    """
    source = open_source(spec)
    for shard in source.shards():
        for copy in range(copies):
            with pq.ParquetWriter(folder / f"part-{shard.index:05d}-{copy}.parquet", ROW) as writer:
                for rows, _ in source.read(shard.locator):
                    content = pa.array([value.as_py() + b"\n" * copy for value in rows.column("content")], pa.binary())
                    names = pa.array([f"{name}-{copy}" for name in rows.column("repository").to_pylist()])
                    rows = rows.set_column(0, ROW.field("content"), content).set_column(
                        2, ROW.field("repository"), names
                    )
                    writer.write_batch(rows)
    return f"parquet:{folder}"


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default=f"code:{sysconfig.get_path('purelib')}")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-memory", action="store_true", help="skip the runs with 1x and 4x the shards")
    arguments = parser.parse_args()
    stages, split_bytes = measure_stages(arguments.source)
    parsing = stages.speed("parse alone")
    print(f"{'stage':<24}{'MB':>9}{'CPU s':>9}{'MB/s a core':>13}{'of parsing':>12}")
    for stage, seconds in stages.seconds.items():
        speed = stages.speed(stage)
        print(f"{stage:<24}{stages.bytes[stage] / 1e6:>9.1f}{seconds:>9.1f}{speed:>13.1f}{speed / parsing:>11.0%}")
    for workers in sorted({1, arguments.workers}):
        cpu, wall, peak = measure_build(arguments.source, workers)
        title = f"whole build, {workers} worker{'s' if workers > 1 else ''}"
        for name, size in ((title, stages.bytes["read"]), ("  of what is split", split_bytes)):
            speed = size / 1e6 / cpu
            print(f"{name:<24}{size / 1e6:>9.1f}{cpu:>9.1f}{speed:>13.1f}{speed / parsing:>11.0%}")
        print(f"  wall {wall:.0f} s, peak {peak:.0f} MB")
    if not arguments.no_memory:
        for copies in (1, 4):
            with tempfile.TemporaryDirectory() as folder:
                spec = write_copies(arguments.source, Path(folder), copies)
                _, wall, peak = measure_build(spec, arguments.workers)
                runs = f"{copies}x the shards, {arguments.workers} workers"
                print(f"memory with {runs}: peak {peak:.0f} MB, wall {wall:.0f} s")


if __name__ == "__main__":
    main()
