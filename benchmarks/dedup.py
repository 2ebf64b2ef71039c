"""Near-duplicate removal compared with its peers: signatures, whole deduplications, and the mistakes of each.

    python -m benchmarks.dedup [SOURCE] [--files 20000] [--workers 1] [--megabytes 12] [--rounds 3] [--peers FOLDER]

SOURCE is any source of stackfim, by default the installed packages. Peers are installed by pip into a virtual
environment of their own, in a temporary folder or in `--peers`, where it is kept for the next time; one that cannot be
installed is reported and left out. All contenders get the same files and take turns. Figures are user CPU of all
processes of a contender, so waiting and other programs disturb them little; `memory` is the largest sum of unique memory
(USS) over its process tree. stackfim runs its own Beam transform, from written survivors to removals, and makes the
signatures on the way; text-dedup runs its script, from data set to data set; datatrove runs its first three stages.

Ground truth: the candidates of a much wider LSH (50 bands of 5) among the distinct contents, by exact Jaccard
similarity of word 5-grams. A removal is right when a file that stays has the same content or is similar enough; a true
pair is resolved when at most one of its files stays. stackfim's scope is `global` here, because the peers know nothing
of languages.

The exit code is 1 when a bar is missed.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.memory import PeakMemory
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.fingerprints import FingerprintFiles
from stackfim.pipeline.folder.parquet_shard import parquet_shard
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.local.memory import bound_memory
from stackfim.pipeline.sources import open_source
from stackfim.schemas.fingerprint import SIGNATURE
from stackfim.schemas.removal import EXACT
from stackfim.schemas.source import ROW
from stackfim.transforms.dedup.bands import band_keys
from stackfim.transforms.dedup.dedup_settings import GLOBAL, DedupSettings
from stackfim.transforms.dedup.near import signature_batch
from stackfim.transforms.dedup.shingles import ShingleSets, concatenate, shingle_sets
from stackfim.transforms.dedup.signatures import permutations, signatures
from stackfim.transforms.dedup.similarity import jaccard

PEERS = Path(__file__).parent / "peers" / "dedup.py"
SIGNATURE_BARS = {"datasketch update_batch": 8.0, "rensa": 3.0, "text-dedup": 20.0}
CPU_BARS = {"text-dedup": 4.0, "datatrove": 9.0}
MEMORY_BAR_MB = 1_000.0
RESOLVED_BAR = 0.995
SIGNATURE_PEERS = ("datasketch update_batch", "datasketch, ready integers", "rensa", "text-dedup", "datatrove")
REMOVAL_PEERS = ("text-dedup", "datatrove")
# What text_dedup.minhash imports; its other requirements (Spark, an embedding model) are for its other scripts.
TEXT_DEDUP_NEEDS = (
    *("bitarray", "click", "click-option-group", "datasets", "fire", "ftfy", "numpy", "psutil"),
    *("pybloom-live", "regex", "rich", "scipy", "tqdm", "xxhash<4", "zstandard"),
)
INSTALLS = (
    ("datasketch>=2", "rensa>=0.5", "pyarrow"),
    ("datatrove==0.10.1", "spacy>=3.8", "nltk", "orjson", "tokenizers", "xxhash<4"),
    TEXT_DEDUP_NEEDS,
    ("--no-deps", "text-dedup==0.4.0"),
)
SETTINGS = DedupSettings(scope=GLOBAL)
SHARD_BYTES = 8 << 20
SEED = 1


@dataclass(frozen=True)
class Measured:
    """One contender's deduplication."""

    cpu_s: float
    wall_s: float
    memory_mb: float
    removed: set[int]


def sampled_rows(spec: str, count: int) -> pa.Table:
    """Up to `count` rows of a source, the same ones every time, in its order; none is empty or invalid UTF-8."""
    source = open_source(spec)
    batches = [batch.rows for shard in source.shards() for batch in source.read(shard.locator)]
    table = pa.Table.from_batches(batches, ROW)
    usable = [row for row, content in enumerate(table.column("content")) if _is_text(content.as_py())]
    chosen = sorted(random.Random(SEED).sample(usable, min(count, len(usable))))
    return table.take(pa.array(chosen))


def _is_text(content: bytes) -> bool:
    try:
        return bool(content.decode("utf-8").strip())
    except UnicodeDecodeError:
        return False


def write_inputs(rows: pa.Table, folder: Path) -> int:
    """Writes survivors as pass A of a run does, and one parquet file of texts for the peers; gives the number of shards."""
    texts = [content.decode() for content in rows.column("content").to_pylist()]
    table = pa.table({"id": pa.array(range(len(texts))), "text": pa.array(texts, pa.large_string())})
    pq.write_table(table, folder / "texts.parquet", row_group_size=2_000)
    storage = Storage(str(folder / "run"))
    sizes = np.cumsum([len(text.encode()) for text in texts]) // SHARD_BYTES
    starts = np.flatnonzero(np.diff(sizes, prepend=-1)).tolist()
    for shard, (first, last) in enumerate(zip(starts, [*starts[1:], len(texts)], strict=True)):
        with parquet_shard(storage, paths.survivors(shard), ROW, group_by_batch=True, compression="lz4") as file:
            for batch in rows.slice(first, last - first).combine_chunks().to_batches(max_chunksize=1_000):
                file.add(batch)
    return len(starts)


def deduplicate(folder: Path, shards: int, workers: int) -> None:
    """stackfim's part, in a process of its own: makes the signatures, runs the graph, writes `folder`/removals."""
    bound_memory()
    import apache_beam as beam

    from stackfim.pipeline.build.graph import shuffle_partitions
    from stackfim.pipeline.local.runner import local_runner
    from stackfim.transforms.dedup.transform import RemoveDuplicates

    storage = Storage(str(folder / "run"))
    files = FingerprintFiles(storage)

    def fingerprint(shard: int) -> tuple[int, pa.RecordBatch]:
        with ExitStack() as stack:
            survivors = pq.ParquetFile(stack.enter_context(storage.open(paths.survivors(shard))))
            made = stack.enter_context(parquet_shard(storage, paths.signatures(shard), SIGNATURE, compression="none"))
            for batch in survivors.iter_batches(1_000, columns=["content"]):
                made.add(signature_batch(batch.column(0), SETTINGS).select(SIGNATURE.names).cast(SIGNATURE))
        return shard, files.named(shard)

    def write(shard: int, removals: pa.RecordBatch) -> None:
        # A shard has a batch of removals for each partition of contents; the first row in it names the file.
        name = f"{shard:05d}-{removals.column('row')[0].as_py():09d}.parquet"
        pq.write_table(pa.Table.from_batches([removals]), folder / "removals" / name)

    (folder / "removals").mkdir()
    pipeline = beam.Pipeline(
        runner=local_runner(workers),
        options=beam.options.pipeline_options.PipelineOptions([], direct_num_workers=workers),
    )
    _ = (
        pipeline
        | beam.Create(range(shards), reshuffle=False)
        | beam.Reshuffle()
        | "Fingerprint" >> beam.Map(fingerprint).with_output_types(tuple[int, pa.RecordBatch])
        | RemoveDuplicates(SETTINGS, files.for_deduplication(), shuffle_partitions(shards))
        | "Write" >> beam.MapTuple(write)
    )
    pipeline.run().wait_until_finish()


def measured_run(command: list[str]) -> tuple[float, float, float, str]:
    """Runs a command; gives user CPU of all its processes, wall seconds, peak memory of the tree in MB, and what it printed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, time.monotonic()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        memory = PeakMemory(process.pid)
        process.wait()
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{errors.read()[-3_000:]}")
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        return cpu, time.monotonic() - started, memory.megabytes(), output.read()


def peers_python(folder: Path) -> Path:
    """The Python of the virtual environment in `folder` that has the peers; makes the environment if there is none."""
    python = folder / "bin" / "python"
    if python.exists():
        return python
    venv.create(folder, with_pip=True)
    for packages in INSTALLS:
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
        if subprocess.run(pip, check=False, capture_output=True).returncode:
            print(f"could not install {' '.join(packages)}: the peers that need it are left out", file=sys.stderr)
    return python


def compare_signatures(rows: pa.Table, folder: Path, peers: Path, rounds: int, count: int) -> bool:
    """Prints the table of signatures; gives whether every bar is met."""
    contents = pa.concat_arrays(rows.column("content").chunks)
    size = sum(len(content) for content in contents.to_pylist()) / 1e6
    texts = folder / "sample.parquet"
    pq.write_table(pa.table({"text": contents.cast(pa.string())}), texts)
    print(f"\nSignatures: {len(contents)} files, {size:.1f} MB, {count} permutations, best of {rounds} rounds")
    best: dict[str, float] = {}
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        signatures(shingle_sets(contents), permutations(count))
        best["stackfim"] = min(resource.getrusage(resource.RUSAGE_SELF).ru_utime - before, best.get("stackfim", np.inf))
        for peer in SIGNATURE_PEERS:
            command = [str(peers), str(PEERS), "signatures", peer, str(texts), str(count)]
            printed = measured_run(command)[3].splitlines()[-1]
            if printed != "missing":
                best[peer] = min(float(printed), best.get(peer, np.inf))
    for peer in SIGNATURE_PEERS:
        if peer not in best:
            print(f"{peer} is not installed: left out")
    print(f"{'':30}{'MB/s a core':>12}{'stackfim is':>14}")
    for contender, cpu_s in best.items():
        print(f"{contender:30}{size / cpu_s:12.1f}{cpu_s / best['stackfim']:13.1f}x")
    met = [
        _bar(f"signatures, times {peer}", best[peer] / best["stackfim"], bar)
        for peer, bar in SIGNATURE_BARS.items()
        if peer in best
    ]
    return all(met)


def true_pairs(contents: pa.Array) -> tuple[np.ndarray, ShingleSets]:
    """All pairs of different contents at or above the threshold, int64, shape (pairs, 2), and the shingles."""
    parts = [shingle_sets(contents.slice(first, 1_000)) for first in range(0, len(contents), 1_000)]
    sets = concatenate(parts)
    rows = signatures(sets, permutations(250, seed=77))  # not the permutations that are judged
    keys = band_keys(rows, 50, 5)
    keys[sets.sizes == 0] = np.arange(np.count_nonzero(sets.sizes == 0))[:, np.newaxis]
    found: list[np.ndarray] = [np.empty(0, np.int64)]
    for band in range(50):
        order = np.argsort(keys[:, band], kind="stable")
        borders = np.flatnonzero(np.diff(keys[order, band])) + 1
        for bucket in np.split(order, borders):
            if len(bucket) > 1:
                left, right = np.triu_indices(len(bucket), 1)
                found.append(np.minimum(bucket[left], bucket[right]) << 32 | np.maximum(bucket[left], bucket[right]))
        found = [np.unique(np.concatenate(found))]
    left, right = found[0] >> 32, found[0] & 0xFFFFFFFF
    # The ratio of the sizes bounds the similarity from above, so most candidates need no counting.
    sizes = sets.sizes
    likely = np.minimum(sizes[left], sizes[right]) >= SETTINGS.threshold * 0.999 * np.maximum(sizes[left], sizes[right])
    left, right = left[likely], right[likely]
    is_true = jaccard(sets, left, right) >= SETTINGS.threshold
    print(f"\nGround truth: {len(found[0]):,} candidates, {np.count_nonzero(is_true):,} true pairs")
    return np.stack((left[is_true], right[is_true]), axis=1), sets


def judge(rows: pa.Table, results: dict[str, Measured], folder: Path) -> bool:
    """Prints the table of whole deduplications; gives whether every bar is met."""
    contents = pa.concat_arrays(rows.column("content").chunks)
    ids = rows.column("content_id").combine_chunks().dictionary_encode()
    content_of = ids.indices.to_numpy().astype(np.int64)
    distinct = len(ids.dictionary)
    first = np.full(distinct, len(content_of))
    np.minimum.at(first, content_of, np.arange(len(content_of)))
    pairs, sets = true_pairs(contents.take(pa.array(first)))
    print(
        f"{'':12}{'user s':>9}{'wall s':>9}{'memory MB':>11}{'removed':>9}{'right':>9}{'resolved':>10}{'copies left':>13}"
    )
    quality: dict[str, tuple[float, float, int]] = {}
    for name, result in results.items():
        stays = np.ones(len(content_of), bool)
        stays[list(result.removed)] = False
        copies = np.bincount(content_of[stays], minlength=distinct)
        kept = copies > 0
        has_like = kept.copy()
        np.logical_or.at(has_like, pairs[:, 0], kept[pairs[:, 1]])
        np.logical_or.at(has_like, pairs[:, 1], kept[pairs[:, 0]])
        right = has_like[content_of[~stays]].mean() if result.removed else 1.0
        resolved = 1.0 - (kept[pairs[:, 0]] & kept[pairs[:, 1]]).mean() if len(pairs) else 1.0
        left = int(np.maximum(copies - 1, 0).sum())
        quality[name] = right, resolved, left
        print(
            f"{name:12}{result.cpu_s:9.1f}{result.wall_s:9.1f}{result.memory_mb:11.0f}{len(result.removed):9,}"
            f"{right:9.1%}{resolved:10.2%}{left:13,}"
        )
    named = _named_wrongly(folder, rows, content_of, sets)
    own = results["stackfim"]
    met = [
        _bar(f"CPU, times less than {peer}", results[peer].cpu_s / own.cpu_s, bar)
        for peer, bar in CPU_BARS.items()
        if peer in results
    ]
    met += [_bar("memory in MB, at most", own.memory_mb, MEMORY_BAR_MB, most=True)]
    met += [_bar("removals whose named file stays and is as similar as recorded, share", 1.0 - named, 1.0)]
    met += [_bar("true pairs resolved, share", quality["stackfim"][1], RESOLVED_BAR)]
    met += [_bar("exact copies left, at most", quality["stackfim"][2], 0, most=True)]
    return all(met)


def _named_wrongly(folder: Path, rows: pa.Table, content_of: np.ndarray, sets: ShingleSets) -> float:
    """Share of stackfim's removals whose named file goes too, is not similar enough, or has another similarity than recorded."""
    found = list(_removals(folder))
    numbers = dict(zip(rows.column("content_id").to_pylist(), content_of.tolist(), strict=True))
    gone = {(row["repository"], row["path"], row["content_id"]) for row in found}
    pairs = np.array([[numbers[row["content_id"]], numbers[row["kept_content_id"]]] for row in found]).reshape(-1, 2)
    exact = jaccard(sets, pairs[:, 0], pairs[:, 1])
    wrong = 0
    for row, (own, kept), similarity in zip(found, pairs.tolist(), exact.tolist(), strict=True):
        names = (row["kept_repository"], row["kept_path"], row["kept_content_id"])
        as_recorded = own == kept if row["method"] == EXACT else similarity == row["similarity"] >= SETTINGS.threshold
        wrong += names in gone or not as_recorded
    return wrong / max(len(found), 1)


def _removals(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((folder / "removals").iterdir()):
        yield from pq.read_table(path).to_pylist()


def _bar(what: str, value: float, bar: float, *, most: bool = False) -> bool:
    met = value <= bar if most else value >= bar
    print(f"{'met' if met else 'MISSED':>6}: {what}: {value:.4g}, bar {bar:g}")
    return met


def compare(arguments: argparse.Namespace, folder: Path) -> bool:
    """Runs all three parts; gives whether every bar is met."""
    rows = sampled_rows(arguments.source, arguments.files)
    size = rows.column("content").nbytes / 1e6
    print(f"{rows.num_rows:,} files, {size:.0f} MB of {arguments.source}")
    peers = peers_python(arguments.peers or folder / "peers")
    sample = rows.take(pa.array(random.Random(SEED).sample(range(rows.num_rows), rows.num_rows)))
    ends = np.cumsum([len(content) for content in sample.column("content").to_pylist()])
    sample = sample.slice(0, int(np.searchsorted(ends, arguments.megabytes * 1e6)) + 1)
    met = compare_signatures(sample, folder, peers, arguments.rounds, arguments.permutations)
    shards = write_inputs(rows, folder)
    own = [sys.executable, "-m", "benchmarks.dedup", "--workers", str(arguments.workers)]
    own += ["--deduplicate", str(folder), str(shards)]
    cpu_s, wall_s, memory_mb, _ = measured_run(own)
    results = {"stackfim": Measured(cpu_s, wall_s, memory_mb, _own_removed(folder, shards))}
    print(f"\nstackfim: {cpu_s:.1f} user s", flush=True)
    for peer in REMOVAL_PEERS:
        (folder / peer).mkdir()
        command = [str(peers), str(PEERS), "removals", peer, str(folder / "texts.parquet"), str(folder / peer)]
        cpu_s, wall_s, memory_mb, printed = measured_run(command)
        if printed.splitlines()[-1] == "missing":
            print(f"{peer} is not installed: left out")
            continue
        print(f"{peer}: {cpu_s:.1f} user s", flush=True)
        removed = set(json.loads((folder / peer / "removed.json").read_text()))
        results[peer] = Measured(cpu_s, wall_s, memory_mb, removed)
    return judge(rows, results, folder) and met


def _own_removed(folder: Path, shards: int) -> set[int]:
    """Numbers of the rows that stackfim removed."""
    storage = Storage(str(folder / "run"))
    counts = []
    for shard in range(shards):
        with storage.open(paths.survivors(shard)) as stream:
            counts.append(pq.read_metadata(stream).num_rows)
    starts = np.concatenate(([0], np.cumsum(counts)))
    return {int(starts[row["shard"]]) + row["row"] for row in _removals(folder)}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default=f"code:{sysconfig.get_path('purelib')}")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--megabytes", type=float, default=12.0, help="of the sample for signatures")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--permutations", type=int, default=256)
    parser.add_argument("--peers", type=Path, help="folder of the peers' virtual environment, kept")
    parser.add_argument("--deduplicate", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.deduplicate:
        folder, shards = arguments.deduplicate
        deduplicate(Path(folder), int(shards), arguments.workers)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return 0 if compare(arguments, Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
