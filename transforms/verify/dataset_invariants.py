"""Invariants of a whole data set: unique ids, repositories and groups in one split."""

from collections import defaultdict

from transforms.verify.violation import Violation


class DatasetIndex:
    """What the rows of a data set have in common; add all of them, then ask. Holds ids and repositories only."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        """Split of each example."""
        self._repeated: set[str] = set()
        self._splits: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._groups: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def add(self, split: str, example_ids: list[str], group_ids: list[str], repositories: list[str]) -> None:
        """Rows of one split."""
        for example_id, group_id, repository in zip(example_ids, group_ids, repositories, strict=True):
            if example_id in self._ids:
                self._repeated.add(example_id)
            self._ids.setdefault(example_id, split)
            self._splits[repository].setdefault(split, example_id)
            if group_id != example_id:
                self._groups[group_id].setdefault(split, example_id)

    def violations(self) -> list[Violation]:
        """What the rows break together."""
        found = [Violation(example_id, "unique_id", "two rows have this id") for example_id in sorted(self._repeated)]
        for group_id, splits in self._groups.items():
            # The example that gives a group its name is in no other: most groups are of one, and would be all of the memory.
            if group_id in self._ids:
                splits.setdefault(self._ids[group_id], group_id)
        for name, places in (("repository", self._splits), ("group", self._groups)):
            for key, splits in sorted(places.items()):
                if len(splits) > 1:
                    found.append(
                        Violation(
                            min(splits.values()),
                            f"one_split_a_{name}",
                            f"{name} {key} is in {', '.join(sorted(splits))}",
                        )
                    )
        return found
