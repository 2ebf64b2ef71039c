"""What rows break together: repeated ids, and repositories or groups in two partitions."""

import random
from typing import Any

import pytest

from stackfim.transforms.verify.dataset_invariants import DatasetIndex
from tests.transforms.verify.cases import Case

Row = dict[str, Any]


@pytest.fixture
def partitions(good: list[Case]) -> dict[str, list[Row]]:
    """Rows of 20 repositories, four of them for validation."""
    rows = []
    for case in good:
        number = int(case.row["content_id"], 16) % 20
        rows.append(
            {
                **case.row,
                "source_id": case.row["content_id"],
                "repository": f"owner/{number}",
                "split": "validation" if number < 4 else "train",
            }
        )
    # A row of a group beside its own: "you wrote this; now stop".
    rows += [{**row, "example_id": row["example_id"][::-1]} for row in rows[::10]]
    found = {name: [row for row in rows if row["split"] == name] for name in ("train", "validation")}
    assert all(len(of_split) > 20 for of_split in found.values())
    return found


COLUMNS = ("example_id", "group_id", "repository", "source_id")


def broken(partitions: dict[str, list[Row]], partitioned_by: str | None = None, batch: int = 7) -> set[str]:
    index = DatasetIndex(partitioned_by)
    for name, rows in partitions.items():
        for start in range(0, len(rows), batch):
            part = rows[start : start + batch]
            index.add(name, *([row[column] for row in part] for column in COLUMNS))
    return {violation.invariant for violation in index.violations()}


def test_rows_in_their_partitions_break_nothing(partitions: dict[str, list[Row]]) -> None:
    assert broken(partitions) == set()


@pytest.mark.parametrize("seed", range(10))
def test_a_row_that_is_there_twice_is_caught(partitions: dict[str, list[Row]], seed: int) -> None:
    draw = random.Random(seed)
    rows = partitions[draw.choice(["train", "validation"])]
    rows.insert(draw.randrange(len(rows)), draw.choice(rows))
    assert broken(partitions) == {"unique_id"}


@pytest.mark.parametrize("seed", range(10))
def test_a_row_in_both_partitions_is_caught(partitions: dict[str, list[Row]], seed: int) -> None:
    partitions["validation"].append(random.Random(seed).choice(partitions["train"]))
    assert broken(partitions) >= {"unique_id", "one_partition_a_repository"}


@pytest.mark.parametrize("seed", range(10))
def test_a_repository_that_leaks_is_caught(partitions: dict[str, list[Row]], seed: int) -> None:
    """One of its rows is in the other partition, under an id of its own."""
    draw = random.Random(seed)
    row = partitions["validation"].pop(draw.randrange(len(partitions["validation"])))
    partitions["train"].append({**row, "example_id": row["example_id"][::-1], "group_id": row["example_id"][::-1]})
    assert "one_partition_a_repository" in broken(partitions)


@pytest.mark.parametrize("seed", range(10))
def test_a_group_that_is_parted_is_caught(partitions: dict[str, list[Row]], seed: int) -> None:
    """Its second row went to another repository, and so to another partition."""
    grouped = [row for row in partitions["train"] if row["group_id"] != row["example_id"]]
    row = random.Random(seed).choice(grouped)
    partitions["train"].remove(row)
    partitions["validation"].append({**row, "repository": partitions["validation"][0]["repository"]})
    assert broken(partitions) == {"one_partition_a_file", "one_partition_a_group"}


@pytest.mark.parametrize("rule", [None, "repository", "file", "none"])
def test_what_is_to_be_in_one_partition_follows_the_rule(partitions: dict[str, list[Row]], rule: str | None) -> None:
    """All rows of a file of a repository in validation are in train."""
    moved = partitions["validation"][0]["content_id"]
    for row in [row for row in partitions["validation"] if row["content_id"] == moved]:
        partitions["validation"].remove(row)
        partitions["train"].append({**row, "repository": partitions["validation"][0]["repository"]})
    found = broken(partitions, rule)
    assert found == ({"one_partition_a_repository"} if rule in (None, "repository") else set()) | (
        {"partition"} if rule == "none" else set()
    )


def test_few_repositories_may_be_in_both_partitions_where_the_rule_is_not_known(
    partitions: dict[str, list[Row]],
) -> None:
    few = {name: [{**row, "repository": "owner/one"} for row in rows] for name, rows in partitions.items()}
    assert broken(few) == set()
    assert broken(few, "repository") == {"one_partition_a_repository"}
    few["train"].append({**few["validation"][0], "example_id": "0" * 16, "group_id": "0" * 16})
    assert broken(few) == {"one_partition_a_file"}


def test_a_violation_names_a_row_and_what_is_wrong(partitions: dict[str, list[Row]]) -> None:
    partitions["validation"].append(partitions["train"][0])
    index = DatasetIndex()
    for name, rows in partitions.items():
        index.add(name, *([row[column] for row in rows] for column in COLUMNS))
    repeated, leaked = index.violations()[:2]
    assert repeated.as_dict() == {
        "example_id": partitions["train"][0]["example_id"],
        "invariant": "unique_id",
        "message": "two rows have this id",
    }
    assert partitions["train"][0]["repository"] in leaked.message
    assert "train, validation" in leaked.message
