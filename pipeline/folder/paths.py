"""Names of what a run leaves and works with, relative to its folder."""

MANIFEST = "manifest.json"
CARD = "README.md"
ATTRIBUTION = "ATTRIBUTION.parquet"
WORK = "work"
FINGERPRINTS = "fingerprints"
FILTER_SCORES = "filter_scores"
RUN = f"{WORK}/run.json"
TRAIN = "train"
VALIDATION = "validation"
PARTITIONS = (TRAIN, VALIDATION)


def _numbered(name: str, index: int, count: int) -> str:
    return f"{name}-{index:05d}-of-{count:05d}.parquet"


def data(partition: str, index: int, count: int) -> str:
    """Examples of one partition from one input shard."""
    return f"data/{_numbered(partition, index, count)}"


def rejections(stage: str, index: int, count: int) -> str:
    """What one pass dropped from one input shard; `stage` is `filtered` or `split`."""
    return f"rejections/{_numbered(stage, index, count)}"


def removals(index: int, count: int) -> str:
    """Duplicates of one input shard."""
    return f"removals/{_numbered('removed', index, count)}"


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


def shard_of(path: str) -> int:
    """The input shard that a numbered file of a run belongs to. Raises ValueError for another file."""
    return int(path.rpartition("-of-")[0].rpartition("-")[2])
