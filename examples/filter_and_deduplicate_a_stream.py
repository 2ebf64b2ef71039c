"""A `datasets` stream, filtered and deduplicated as it comes.

    python examples/filter_and_deduplicate_a_stream.py PARQUET-FILE ...

The files have a column `content`, and `lang`, `path`, `repository` and `licenses`, or the columns of The Stack. With a
name on the Hub it is `datasets.load_dataset("ORG/NAME", streaming=True)`.
"""

import sys
from collections import Counter
from typing import Any

import datasets

import stackfim


def main(*files: str) -> None:
    """Prints what stays of the rows in FILES, and why the others go."""
    stream = datasets.load_dataset("parquet", data_files=list(files), split="train", streaming=True)
    kept: list[dict[str, Any]] = []
    reasons: Counter[str] = Counter()
    for batch in stream.iter(batch_size=500):  # a dict of columns
        result = stackfim.filter(batch)
        kept += datasets.Dataset.from_dict(result.kept).to_list()
        reasons.update(result.rejected["reason"])
    unique = stackfim.deduplicate(kept, threshold=0.8)

    print(
        f"{len(unique.kept):,} rows stay, {reasons.total():,} were rejected, {len(unique.removals):,} were duplicates"
    )
    for reason, count in reasons.most_common(5):
        print(f"  {count:,} {reason}")
    for removal in unique.removals[:3]:
        print(f"  {removal['path']} is {removal['similarity']:.0%} like {removal['kept_path']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
