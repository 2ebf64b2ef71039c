"""Invariants of a whole data set: unique ids, repositories and groups in one partition."""

from collections import defaultdict

from stackfim.transforms.verify.violation import Violation


class DatasetIndex:
    """What the rows of a data set have in common; add all of them, then ask. Holds ids and repositories only."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        """Partition of each example."""
        self._repeated: set[str] = set()
        self._partitions: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._groups: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def add(self, partition: str, example_ids: list[str], group_ids: list[str], repositories: list[str]) -> None:
        """Rows of one partition."""
        for example_id, group_id, repository in zip(example_ids, group_ids, repositories, strict=True):
            if example_id in self._ids:
                self._repeated.add(example_id)
            self._ids.setdefault(example_id, partition)
            self._partitions[repository].setdefault(partition, example_id)
            if group_id != example_id:
                self._groups[group_id].setdefault(partition, example_id)

    def violations(self) -> list[Violation]:
        """What the rows break together."""
        found = [Violation(example_id, "unique_id", "two rows have this id") for example_id in sorted(self._repeated)]
        for group_id, partitions in self._groups.items():
            # The example that gives a group its name is in no other: most groups are of one, and would be all of the memory.
            if group_id in self._ids:
                partitions.setdefault(self._ids[group_id], group_id)
        for name, places in (("repository", self._partitions), ("group", self._groups)):
            for key, partitions in sorted(places.items()):
                if len(partitions) > 1:
                    found.append(
                        Violation(
                            min(partitions.values()),
                            f"one_partition_a_{name}",
                            f"{name} {key} is in {', '.join(sorted(partitions))}",
                        )
                    )
        return found
