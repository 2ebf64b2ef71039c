"""What rows break together: repeated ids, repositories and groups that are in two splits."""

import random
from typing import Any

import pytest

from transforms.verify.dataset_invariants import DatasetIndex

Row = dict[str, Any]


@pytest.fixture
def splits(good) -> dict[str, list[Row]]:
    """Rows of 20 repositories, four of them for validation."""
    rows = []
    for case in good:
        number = int(case.row["content_id"], 16) % 20
        rows.append({**case.row, "repository": f"owner/{number}", "split": "validation" if number < 4 else "train"})
    # A row of a group beside its own: "you wrote this; now stop".
    rows += [{**row, "example_id": row["example_id"][::-1]} for row in rows[::10]]
    found = {name: [row for row in rows if row["split"] == name] for name in ("train", "validation")}
    assert all(len(of_split) > 20 for of_split in found.values())
    return found


def broken(splits: dict[str, list[Row]], batch: int = 7) -> set[str]:
    index = DatasetIndex()
    for name, rows in splits.items():
        for start in range(0, len(rows), batch):
            part = rows[start : start + batch]
            index.add(name, *([row[column] for row in part] for column in ("example_id", "group_id", "repository")))
    return {violation.invariant for violation in index.violations()}


def test_rows_in_their_splits_break_nothing(splits) -> None:
    assert broken(splits) == set()


@pytest.mark.parametrize("seed", range(10))
def test_a_row_that_is_there_twice_is_caught(splits, seed: int) -> None:
    draw = random.Random(seed)
    rows = splits[draw.choice(["train", "validation"])]
    rows.insert(draw.randrange(len(rows)), draw.choice(rows))
    assert broken(splits) == {"unique_id"}


@pytest.mark.parametrize("seed", range(10))
def test_a_row_in_both_splits_is_caught(splits, seed: int) -> None:
    splits["validation"].append(random.Random(seed).choice(splits["train"]))
    assert broken(splits) >= {"unique_id", "one_split_a_repository"}


@pytest.mark.parametrize("seed", range(10))
def test_a_repository_that_leaks_is_caught(splits, seed: int) -> None:
    """One row of it in the other split, under an id of its own."""
    draw = random.Random(seed)
    row = splits["validation"].pop(draw.randrange(len(splits["validation"])))
    splits["train"].append({**row, "example_id": row["example_id"][::-1], "group_id": row["example_id"][::-1]})
    assert "one_split_a_repository" in broken(splits)


@pytest.mark.parametrize("seed", range(10))
def test_a_group_that_is_parted_is_caught(splits, seed: int) -> None:
    """Its second row came to another repository, and with it to another split."""
    grouped = [row for row in splits["train"] if row["group_id"] != row["example_id"]]
    row = random.Random(seed).choice(grouped)
    splits["train"].remove(row)
    splits["validation"].append({**row, "repository": splits["validation"][0]["repository"]})
    assert broken(splits) == {"one_split_a_group"}


def test_a_violation_names_a_row_and_what_is_wrong(splits) -> None:
    splits["validation"].append(splits["train"][0])
    index = DatasetIndex()
    for name, rows in splits.items():
        index.add(name, *([row[column] for row in rows] for column in ("example_id", "group_id", "repository")))
    repeated, leaked = index.violations()[:2]
    assert repeated.as_dict() == {
        "example_id": splits["train"][0]["example_id"],
        "invariant": "unique_id",
        "message": "two rows have this id",
    }
    assert splits["train"][0]["repository"] in leaked.message
    assert "train, validation" in leaked.message
