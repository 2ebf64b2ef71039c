"""Invariants of a whole data set: unique ids, repositories and groups in one partition."""

from collections import defaultdict

from stackfim.transforms.verify.violation import Violation


class DatasetIndex:
    """The ids, groups and repositories of a data set's rows: add all rows, then ask for violations."""

    def __init__(self) -> None:
        """An index without rows."""
        self._ids: dict[str, str] = {}
        """Partition of each example."""
        self._repeated: set[str] = set()
        self._partitions: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._groups: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def add(self, partition: str, example_ids: list[str], group_ids: list[str], repositories: list[str]) -> None:
        """Adds rows of one partition."""
        for example_id, group_id, repository in zip(example_ids, group_ids, repositories, strict=True):
            if example_id in self._ids:
                self._repeated.add(example_id)
            self._ids.setdefault(example_id, partition)
            self._partitions[repository].setdefault(partition, example_id)
            if group_id != example_id:
                self._groups[group_id].setdefault(partition, example_id)

    def violations(self) -> list[Violation]:
        """The invariants that the rows break together."""
        found = [Violation(example_id, "unique_id", "two rows have this id") for example_id in sorted(self._repeated)]
        for group_id, partitions in self._groups.items():
            # The example that gives a group its name is not added above: most groups hold it alone, and would fill the memory.
            if group_id in self._ids:
                partitions.setdefault(self._ids[group_id], group_id)
        for name, places in (("repository", self._partitions), ("group", self._groups)):
            for key, partitions in sorted(places.items()):
                if len(partitions) > 1:
                    found.append(
                        Violation(
                            min(partitions.values()),
                            f"one_partition_a_{name}",
                            f"{name} {key} is in {', '.join(sorted(partitions))}, expected one partition",
                        )
                    )
        return found
