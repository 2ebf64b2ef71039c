"""Names of what a run leaves and works with, relative to its folder."""

MANIFEST = "manifest.json"
CARD = "README.md"
WORK = "work"
RUN = f"{WORK}/run.json"
TRAIN = "train"
VALIDATION = "validation"
SPLITS = (TRAIN, VALIDATION)


def _numbered(name: str, index: int, count: int) -> str:
    return f"{name}-{index:05d}-of-{count:05d}.parquet"


def data(split: str, index: int, count: int) -> str:
    """Examples of one split from one input shard."""
    return f"data/{_numbered(split, index, count)}"


def rejections(stage: str, index: int, count: int) -> str:
    """What one pass dropped from one input shard; `stage` is `filtered` or `split`."""
    return f"rejections/{_numbered(stage, index, count)}"


def removals(index: int, count: int) -> str:
    """Duplicates of one input shard."""
    return f"removals/{_numbered('removed', index, count)}"


def survivors(index: int) -> str:
    """Rows of one input shard that passed the filters."""
    return f"{WORK}/survivors/{index:05d}.parquet"


def filtered_marker(index: int) -> str:
    """Says that pass A is complete for a shard."""
    return f"{WORK}/done/filtered-{index:05d}.json"


def split_marker(index: int) -> str:
    """Says that pass B is complete for a shard."""
    return f"{WORK}/done/split-{index:05d}.json"
