"""The peers of benchmarks/dedup.py, one per call, in a Python of their own: nothing of stackfim is imported here.

    python dedup.py signatures CONTENDER TEXTS PERMUTATIONS      prints the user CPU in seconds
    python dedup.py removals PEER TEXTS FOLDER                   writes FOLDER/removed.json, the numbers of removed texts

Prints `missing` when the peer is not installed. TEXTS is a parquet file with the columns `id` and `text`.
"""

import importlib
import json
import re
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

NGRAM = 5
SEED = 1
BANDS, ROWS = 25, 10  # datasketch's optimum for 256 permutations at 0.7, which StarCoder used
WORD = re.compile("[A-Za-z0-9_\u0080-\U0010ffff]+")


def shingle_strings(text: str) -> list[str]:
    """The distinct word 5-grams of a text, joined by spaces, made as fast as pure Python can."""
    words = WORD.findall(text)
    if len(words) < NGRAM:
        return [" ".join(words)] if words else []
    return list(dict.fromkeys(map(" ".join, zip(*(words[place:] for place in range(NGRAM)), strict=False))))


def datasketch_batch(texts: list[str], permutations: int) -> Callable[[], object]:
    """Texts to signatures with `update_batch` and the default hash function."""
    from datasketch import MinHash

    empty = MinHash(num_perm=permutations, seed=SEED)

    def run() -> None:
        for text in texts:
            empty.copy().update_batch([shingle.encode() for shingle in shingle_strings(text)])

    return run


def datasketch_integers(texts: list[str], permutations: int) -> Callable[[], object]:
    """Ready 32-bit shingles to signatures with `update_batch`: its arithmetic alone, without text and hashing."""
    import zlib

    from datasketch import MinHash

    empty = MinHash(num_perm=permutations, seed=SEED, hashfunc=int, scheme="affine32")
    sets = [sorted({zlib.crc32(shingle.encode()) for shingle in shingle_strings(text)}) for text in texts]

    def run() -> None:
        for values in sets:
            empty.copy().update_batch(values)

    return run


def rensa(texts: list[str], permutations: int) -> Callable[[], object]:
    """Texts to R-MinHash over all shingles, by its fastest interface for strings."""
    from rensa import RMinHash

    def run() -> None:
        for first in range(0, len(texts), 100):
            sets = [shingle_strings(text) for text in texts[first : first + 100]]
            RMinHash.digest_matrix_from_token_sets(sets, permutations, SEED)

    return run


def text_dedup(texts: list[str], permutations: int) -> Callable[[], object]:
    """Texts to band values by the function that its script maps over a data set, with its default hashing."""
    import numpy as np
    from text_dedup import minhash
    from text_dedup.utils import sha1_hash

    prime = (1 << 61) - 1
    generator = np.random.RandomState(SEED)
    arguments = {
        "num_perm": permutations,
        "ngram_size": NGRAM,
        "min_length": NGRAM,
        "hashranges": [(start, start + ROWS) for start in range(0, permutations - ROWS + 1, ROWS)],
        "permutations": tuple(generator.randint(least, prime, permutations, dtype=np.uint64) for least in (1, 0)),
        "hash_func": lambda data: sha1_hash(data, d=32),
        "dtype": np.uint64,
        "max_hash": np.uint32((1 << 32) - 1),
        "modulo_prime": np.uint64(prime),
    }

    def run() -> None:
        for index, text in enumerate(texts):
            minhash.embed_func(text, index, **arguments)

    return run


def datatrove(texts: list[str], permutations: int) -> Callable[[], object]:
    """Texts to signatures by its first stage, with its tokenizer for English."""
    step = _datatrove_signature(".", permutations // ROWS)

    def run() -> None:
        for text in texts:
            shingles = step.get_shingles(text)
            if shingles.size:
                step.get_signature(shingles)

    return run


SIGNATURES: dict[str, Callable[[list[str], int], Callable[[], object]]] = {
    "datasketch update_batch": datasketch_batch,
    "datasketch, ready integers": datasketch_integers,
    "rensa": rensa,
    "text-dedup": text_dedup,
    "datatrove": datatrove,
}


def read_texts(path: Path) -> list[str]:
    """The texts in order."""
    import pyarrow.parquet as pq

    texts: list[str] = pq.read_table(path, columns=["text"]).column("text").to_pylist()
    return texts


def remove_with_text_dedup(texts: Path, folder: Path) -> list[int]:
    """Its MinHash script from the command line; texts that it leaves out because they are short do not count."""
    command = [sys.executable, "-m", "text_dedup.minhash", "--path", "parquet", "--data_files", str(texts)]
    command += ["--split", "train", "--column", "text", "--num_proc", "1"]
    command += ["--cache_dir", str(folder / "cache"), "--output", str(folder / "kept")]
    command += ["--ngram", str(NGRAM), "--num_perm", "256", "--b", str(BANDS), "--r", str(ROWS)]
    importlib.import_module("text_dedup")
    subprocess.run(command, check=True)
    from datasets import load_from_disk

    kept = set(load_from_disk(str(folder / "kept"))["id"])
    short = {index for index, text in enumerate(read_texts(texts)) if len(re.split(r"\W", text.lower())) < NGRAM}
    return sorted(set(range(len(read_texts(texts)))) - kept - short)


def remove_with_datatrove(texts: Path, folder: Path) -> list[int]:
    """Its first three stages; the last of them lists what is to be removed."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup.minhash import MinhashDedupBuckets, MinhashDedupCluster
    from datatrove.pipeline.readers import ParquetReader

    config = _datatrove_config(BANDS)
    reader = ParquetReader(str(texts.parent), glob_pattern=texts.name, text_key="text", id_key="id")
    stages = [
        ([reader, _datatrove_signature(f"{folder}/signatures", BANDS)], 1),
        ([MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=config)], BANDS),
        ([MinhashDedupCluster(f"{folder}/buckets", f"{folder}/removed", config=config)], 1),
    ]
    for index, (steps, tasks) in enumerate(stages):
        logs = f"{folder}/logs-{index}"
        LocalPipelineExecutor(pipeline=steps, tasks=tasks, workers=1, logging_dir=logs).run()
    found = b"".join(path.read_bytes() for path in (folder / "removed").glob("*.remove"))
    return sorted(number for (number,) in struct.iter_unpack("<I", found))


def _datatrove_config(buckets: int) -> Any:
    from datatrove.pipeline.dedup.minhash import MinhashConfig

    return MinhashConfig(n_grams=NGRAM, num_buckets=buckets, hashes_per_bucket=ROWS)


def _datatrove_signature(folder: str, buckets: int) -> Any:
    from datatrove.pipeline.dedup.minhash import MinhashDedupSignature

    return MinhashDedupSignature(folder, config=_datatrove_config(buckets), language="eng")


REMOVALS: dict[str, Callable[[Path, Path], list[int]]] = {
    "text-dedup": remove_with_text_dedup,
    "datatrove": remove_with_datatrove,
}


def main() -> None:
    """The command line."""
    task, peer, texts, last = sys.argv[1:]
    try:
        measure(task, peer, texts, last)
    except ImportError as error:
        print(error, file=sys.stderr)
        print("missing")


def measure(task: str, peer: str, texts: str, last: str) -> None:
    """Runs one peer. Raises ImportError where it, or something that it needs, is not installed."""
    if task == "signatures":
        contents = read_texts(Path(texts))
        prepare = SIGNATURES[peer]
        prepare(contents[:20], int(last))()  # imports and caches
        run = prepare(contents, int(last))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        run()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_utime - before)
    else:
        removed = REMOVALS[peer](Path(texts), Path(last))
        (Path(last) / "removed.json").write_text(json.dumps(removed))
        print("done")


if __name__ == "__main__":
    main()
