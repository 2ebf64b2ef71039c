"""How fast documents become MinHash signatures: stackfim beside datasketch, rensa and text-dedup.

    python benchmarks/dedup_signatures.py [FOLDER] [--megabytes 12] [--rounds 3] [--permutations 256] [--no-install]

Every contender makes signatures over word 5-grams of the same files, in a process of its own, in turn, `--rounds`
times; the figure is the best round's user CPU, so threads do not help and other programs disturb little. stackfim
starts from an Arrow array and the others from Python strings, which is what each is given in a pipeline; reading
files is not timed. Peers are installed by pip into a virtual environment in a temporary folder; `--no-install` leaves
out those that the running Python does not have. FOLDER has parquet files with a column `content`; without it the
files are the Python sources of the installed packages.

Ends with 1 when a bar is missed: 8 times datasketch's `update_batch`, 3 times rensa, 20 times text-dedup.
"""

import argparse
import importlib.util
import json
import pickle
import random
import re
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

NGRAM = 5
SEED = 1
WORD = re.compile("[A-Za-z0-9_\u0080-\U0010ffff]+")
BARS = {"datasketch update_batch": 8.0, "rensa": 3.0, "text-dedup": 20.0}

# What text_dedup.minhash imports; its other requirements (Spark, an embedding model) serve its other scripts.
TEXT_DEDUP_NEEDS = (
    *("bitarray", "click", "click-option-group", "datasets", "fire", "ftfy", "numpy", "psutil"),
    *("pybloom-live", "regex", "rich", "scipy", "tqdm", "xxhash", "zstandard"),
)


def shingle_strings(text: str, distinct: bool = True) -> list[str]:
    """The word 5-grams of a text, joined by spaces, in the fastest way that Python's own means allow."""
    words = WORD.findall(text)
    if len(words) < NGRAM:
        return [" ".join(words)] if words else []
    shingles = map(" ".join, zip(words, words[1:], words[2:], words[3:], words[4:], strict=False))
    return list(dict.fromkeys(shingles) if distinct else shingles)


def prepare_stackfim(texts: list[str], permutations: int) -> Callable[[], object]:
    """Arrow array to signatures."""
    import pyarrow as pa

    from transforms.dedup import shingles, signatures

    content = pa.array([text.encode() for text in texts], pa.large_binary())
    return lambda: signatures.signatures(
        shingles.shingle_sets(content, NGRAM), signatures.permutations(permutations, SEED)
    )


def prepare_datasketch_batch(texts: list[str], permutations: int) -> Callable[[], object]:
    """Texts to signatures with `update_batch` and the default hash function."""
    from datasketch import MinHash

    empty = MinHash(num_perm=permutations, seed=SEED)

    def run() -> None:
        for text in texts:
            empty.copy().update_batch([shingle.encode() for shingle in shingle_strings(text)])

    return run


def prepare_datasketch_integers(texts: list[str], permutations: int) -> Callable[[], object]:
    """Ready 32-bit shingles to signatures with `update_batch`: its arithmetic alone, text and hashing left out."""
    import zlib

    from datasketch import MinHash

    empty = MinHash(num_perm=permutations, seed=SEED, hashfunc=int, scheme="affine32")
    sets = [sorted({zlib.crc32(shingle.encode()) for shingle in shingle_strings(text)}) for text in texts]

    def run() -> None:
        for values in sets:
            empty.copy().update_batch(values)

    return run


def prepare_datasketch_update(texts: list[str], permutations: int) -> Callable[[], object]:
    """Texts to signatures with one `update` a shingle, as in datasketch's first example."""
    from datasketch import MinHash

    empty = MinHash(num_perm=permutations, seed=SEED)

    def run() -> None:
        for text in texts:
            sketch = empty.copy()
            for shingle in shingle_strings(text):
                sketch.update(shingle.encode())

    return run


def prepare_rensa(texts: list[str], permutations: int, distinct: bool = True) -> Callable[[], object]:
    """Texts to R-MinHash over all shingles, by its fastest interface for strings."""
    from rensa import RMinHash

    def run() -> None:
        for first in range(0, len(texts), 100):
            sets = [shingle_strings(text, distinct) for text in texts[first : first + 100]]
            RMinHash.digest_matrix_from_token_sets(sets, permutations, SEED)

    return run


def prepare_rensa_lists(texts: list[str], permutations: int) -> Callable[[], object]:
    """The same from shingles that repeat as in the text, which changes no signature and saves Python some work."""
    return prepare_rensa(texts, permutations, distinct=False)


def prepare_rensa_strings(texts: list[str], permutations: int) -> Callable[[], object]:
    """Ready shingle strings to R-MinHash: the making of the strings left out."""
    from rensa import RMinHash

    sets = [shingle_strings(text) for text in texts]
    return lambda: RMinHash.digest_matrix_from_token_sets(sets, permutations, SEED)


def prepare_text_dedup(texts: list[str], permutations: int, hash_name: str = "sha1") -> Callable[[], object]:
    """Texts to band values by the function that its MinHash script maps over a data set, with its default hashing."""
    import numpy as np
    from text_dedup import minhash
    from text_dedup.utils import sha1_hash, xxh3_32hash

    type_, prime = (np.uint64, (1 << 61) - 1) if hash_name == "sha1" else (np.uint32, (1 << 32) - 5)
    generator = np.random.RandomState(SEED)
    arguments = {
        "num_perm": permutations,
        "ngram_size": NGRAM,
        "min_length": NGRAM,
        "hashranges": [(start, start + 10) for start in range(0, permutations - 9, 10)],
        "permutations": tuple(generator.randint(least, prime, permutations, dtype=type_) for least in (1, 0)),
        "hash_func": (lambda data: sha1_hash(data, d=32)) if hash_name == "sha1" else xxh3_32hash,
        "dtype": type_,
        "max_hash": np.uint32((1 << 32) - 1),
        "modulo_prime": type_(prime),
    }

    def run() -> None:
        for index, text in enumerate(texts):
            minhash.embed_func(text, index, **arguments)

    return run


def prepare_text_dedup_fast(texts: list[str], permutations: int) -> Callable[[], object]:
    """The same with its fastest hashing: 32 bits of XXH3."""
    return prepare_text_dedup(texts, permutations, "xxh3")


CONTENDERS: dict[str, tuple[str, Callable[[list[str], int], Callable[[], object]]]] = {
    "stackfim": ("transforms", prepare_stackfim),
    "datasketch update_batch": ("datasketch", prepare_datasketch_batch),
    "datasketch update_batch, ready integers": ("datasketch", prepare_datasketch_integers),
    "datasketch update": ("datasketch", prepare_datasketch_update),
    "rensa": ("rensa", prepare_rensa),
    "rensa, repeated shingles left in": ("rensa", prepare_rensa_lists),
    "rensa, ready strings": ("rensa", prepare_rensa_strings),
    "text-dedup": ("text_dedup", prepare_text_dedup),
    "text-dedup, XXH3": ("text_dedup", prepare_text_dedup_fast),
}


def parquet_texts(folder: Path) -> list[str]:
    """The column `content` of every parquet file below a folder, ordered by file name."""
    import pyarrow.parquet as pq

    files = sorted(folder.rglob("*.parquet"))
    if not files:
        raise SystemExit(f"{folder} has no *.parquet file")
    contents = (pq.read_table(file, columns=["content"]).column("content").to_pylist() for file in files)
    return [
        content if isinstance(content, str) else content.decode(errors="replace")
        for column in contents
        for content in column
        if content
    ]


def installed_texts() -> list[str]:
    """The Python sources of the installed packages, ordered by path."""
    files = sorted(Path(sysconfig.get_paths()["purelib"]).rglob("*.py"))
    return [text for text in (file.read_bytes().decode(errors="replace") for file in files) if text]


def sample(texts: list[str], megabytes: float) -> list[str]:
    """A sample of about that size, the same one every time."""
    random.Random(SEED).shuffle(texts)
    chosen, size = [], 0
    for text in texts:
        if size >= megabytes * 1e6:
            break
        chosen.append(text)
        size += len(text.encode())
    return chosen


def peers_python(folder: Path) -> Path:
    """A Python that has the peers, in a virtual environment made in `folder`."""
    environment = folder / "peers"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for packages in (["datasketch>=2", "rensa>=0.5"], TEXT_DEDUP_NEEDS, ["--no-deps", "text-dedup==0.4.0"]):
        if subprocess.run([*pip, *packages], check=False).returncode:
            print(f"could not install {' '.join(packages)}: what needs it is left out", file=sys.stderr)
    return python


def measure(contender: str, texts_file: Path, permutations: int) -> None:
    """Run one contender in this process and print its user CPU in seconds, or null where it is not installed."""
    package, prepare = CONTENDERS[contender]
    if contender == "stackfim":
        sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    if importlib.util.find_spec(package) is None:
        print("null")
        return
    texts = pickle.loads(texts_file.read_bytes())
    prepare(texts[:20], permutations)()  # imports and caches
    run = prepare(texts, permutations)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    run()
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_utime - before))


def compare(folder: Path | None, megabytes: float, rounds: int, permutations: int, install: bool) -> int:
    """Measure all contenders in turn and print the table; 0 when every bar is met, else 1."""
    texts = sample(installed_texts() if folder is None else parquet_texts(folder), megabytes)
    size = sum(len(text.encode()) for text in texts) / 1e6
    print(
        f"{len(texts)} files, {size:.1f} MB, {permutations} permutations, word {NGRAM}-grams, best of {rounds} rounds"
    )
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        texts_file = Path(temporary) / "texts.pickle"
        texts_file.write_bytes(pickle.dumps(texts))
        peers = peers_python(Path(temporary)) if install else Path(sys.executable)
        started = time.monotonic()
        for _ in range(rounds):
            for contender in CONTENDERS:
                python = sys.executable if contender == "stackfim" else str(peers)
                command = [
                    python,
                    __file__,
                    "--measure",
                    contender,
                    str(texts_file),
                    "--permutations",
                    str(permutations),
                ]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise SystemExit(f"{contender} failed:\n{done.stderr}")
                user_s = json.loads(done.stdout.splitlines()[-1])
                if user_s is not None:
                    best[contender] = min(user_s, best.get(contender, user_s))
        print(f"measured in {time.monotonic() - started:.0f} s")
    print(f"{'':42}{'MB/s':>8}{'stackfim is':>14}")
    for contender, user_s in best.items():
        print(f"{contender:42}{size / user_s:8.1f}{user_s / best['stackfim']:13.1f}x")
    met = True
    for contender, bar in BARS.items():
        if contender in best:
            ratio = best[contender] / best["stackfim"]
            met &= ratio >= bar
            print(f"{'met' if ratio >= bar else 'MISSED'}: at least {bar:.0f}x {contender}, got {ratio:.1f}x")
    return 0 if met else 1


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--megabytes", type=float, default=12.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--permutations", type=int, default=256)
    parser.add_argument("--no-install", action="store_true")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        contender, texts_file = arguments.measure
        measure(contender, Path(texts_file), arguments.permutations)
        return 0
    return compare(
        arguments.folder, arguments.megabytes, arguments.rounds, arguments.permutations, not arguments.no_install
    )


if __name__ == "__main__":
    sys.exit(main())
