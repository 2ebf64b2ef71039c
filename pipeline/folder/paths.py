"""Names of what a command leaves and works with, relative to its folder."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

TEMPORARY = ".tmp-"
"""Beginning of the name of a file that is still being written, or that a killed writer left."""
MANIFEST = "manifest.json"
RENDERING = "rendering.json"
SCORING = "scoring.json"
MIXTURE = "mixture.json"
CARD = "README.md"
ATTRIBUTION = "ATTRIBUTION.parquet"
DATA = "data"
REJECTIONS = "rejections"
REMOVALS = "removals"
FINGERPRINTS = "fingerprints"
FILTER_SCORES = "filter_scores"
WORK = "work"
REQUEST = f"{WORK}/run.json"
"""What the folder is made for, there from the start of the work to its end."""
PARTITIONING = f"{WORK}/partitioning.json"
"""Which files are in validation, where that was chosen anew after the examples were made."""
LOCK = f"{WORK}/lock.json"
"""Which process is writing to the folder."""
REMOVAL = f"{WORK}/removal.txt"
"""Says that what is in the folder is being removed; the last that is removed."""
TRAIN = "train"
VALIDATION = "validation"
PARTITIONS = (TRAIN, VALIDATION)


@dataclass(frozen=True)
class Output:
    """A kind of folder that a command leaves."""

    kind: str
    """Its name in messages."""
    report: str
    """The file that is written last: a folder that has it is complete."""
    patterns: tuple[str, ...]
    """Names of all files in it, where `*` stands for any text."""

    def foreign(self, files: list[str]) -> list[str]:
        """Those of `files` that are not part of such a folder; what a killed writer left is."""
        return [
            path
            for path in files
            if not is_temporary(path) and not any(fnmatchcase(path, pattern) for pattern in self.patterns)
        ]


_ALWAYS = (CARD, f"{WORK}/*")
_RUN_FOLDERS = (DATA, REJECTIONS, REMOVALS, FINGERPRINTS, FILTER_SCORES)
_DERIVED_FOLDERS = (DATA, REJECTIONS)
RUN = Output("run", MANIFEST, (*_ALWAYS, MANIFEST, ATTRIBUTION, *(f"{name}/*-of-*.parquet" for name in _RUN_FOLDERS)))


def _derived(kind: str, report: str) -> Output:
    # Shards have the names of those that were read, and so may lie in folders below data/.
    return Output(kind, report, (*_ALWAYS, report, *(f"{name}/*.parquet" for name in _DERIVED_FOLDERS)))


RENDERED = _derived("rendering", RENDERING)
_SCORED = _derived("scoring", SCORING)
SCORED = Output(_SCORED.kind, SCORING, (*_SCORED.patterns, f"{FINGERPRINTS}/*.parquet"))
MIXED = _derived("mixture", MIXTURE)


def is_temporary(path: str) -> bool:
    """Whether a file is still being written, or was left by a killed writer."""
    return path.rpartition("/")[2].startswith(TEMPORARY)


def _numbered(name: str, index: int, count: int) -> str:
    return f"{name}-{index:05d}-of-{count:05d}.parquet"


def data(partition: str, index: int, count: int) -> str:
    """Examples of one partition from one input shard."""
    return f"{DATA}/{_numbered(partition, index, count)}"


def rejections(stage: str, index: int, count: int) -> str:
    """What one pass dropped from one input shard; `stage` is `filtered` or `split`."""
    return f"{REJECTIONS}/{_numbered(stage, index, count)}"


def removals(index: int, count: int) -> str:
    """Duplicates of one input shard."""
    return f"{REMOVALS}/{_numbered('removed', index, count)}"


def fingerprints(index: int, count: int) -> str:
    """What later runs need to find near-duplicates of the files that stayed of one input shard."""
    return f"{FINGERPRINTS}/{_numbered('kept', index, count)}"


def filter_scores(index: int, count: int) -> str:
    """Filter scores of one input shard."""
    return f"{FILTER_SCORES}/{_numbered('scores', index, count)}"


def signatures(index: int) -> str:
    """Signatures of the survivors of one input shard, row by row."""
    return f"{WORK}/signatures/{index:05d}.parquet"


def blocks(name: str, index: int) -> str:
    """What deduplication puts aside of one shard between two of its steps."""
    return f"{WORK}/{name}/{index:05d}.arrow"


def against(index: int) -> str:
    """Fingerprints made of a part of what the run is compared against."""
    return f"{WORK}/against/{index:05d}.parquet"


def survivors(index: int) -> str:
    """Rows of one input shard that passed the filters."""
    return f"{WORK}/survivors/{index:05d}.parquet"


def filtered_marker(index: int) -> str:
    """Says that pass A is complete for a shard."""
    return f"{WORK}/done/filtered-{index:05d}.json"


def split_marker(index: int) -> str:
    """Says that pass B is complete for a shard."""
    return f"{WORK}/done/split-{index:05d}.json"


def marker(name: str) -> str:
    """Says that a task of a derived folder is complete."""
    return f"{WORK}/done/{name}.json"


def derived_data(name: str) -> str:
    """Rows of the shard that is called `name` below `data/` of the folder that is read."""
    return f"{DATA}/{name}"


def derived_rejections(stage: str, name: str) -> str:
    """What `stage` dropped from the shard that is called `name` below `data/` of the folder that is read."""
    folder, separator, file = name.rpartition("/")
    return f"{REJECTIONS}/{folder}{separator}{stage}-{file}"


def partition_of(path: str) -> str:
    """The partition of a data file: validation if its name begins with that, else train."""
    return VALIDATION if path.rpartition("/")[2].startswith(f"{VALIDATION}-") else TRAIN


def shard_of(path: str) -> int:
    """The input shard that a numbered file of a run belongs to. Raises ValueError for another file."""
    return int(path.rpartition("-of-")[0].rpartition("-")[2])
