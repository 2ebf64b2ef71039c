"""Your own code as a data set: parquet shards that `datasets` loads.

    python examples/own_folder_to_shards.py FOLDER OUT

FOLDER holds source trees: repositories, packages. The same as `stackfim build code:FOLDER --out OUT`.
"""

import sys

import datasets

import stackfim


def main(folder: str, out: str) -> None:
    """Builds the data set of FOLDER in OUT, or goes on with it, and shows what is in it."""
    outcome = stackfim.build(
        f"code:{folder}",
        out,
        filters={"allow_missing_licenses": True},  # it is our own code
        score={"model": "none"},
        split={"max_slots": 4},
    )
    assert outcome.manifest is not None  # a dry run has none
    counts = outcome.manifest.counts
    print(f"{counts['examples']:,} examples from {counts['files_with_examples']:,} of {counts['files_in']:,} files")

    rows = datasets.load_dataset(out)["train"]
    for category in ("empty", "single_line", "multi_line"):
        row = next((row for row in rows if row["category"] == category), None)
        if row is not None:
            print(f"\n--- {category}, {row['kind']}: {row['path']}")
            print(f"{row['prefix'][-200:]}⟦{row['middle']}⟧{row['suffix'][:200]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
