"""Invariants of a whole data set: unique ids, and repositories or files, and groups, in one partition."""

from collections import defaultdict

from stackfim.transforms.verify.violation import Violation

MIN_REPOSITORIES = 20
"""From how many repositories on each of them is in one partition, where the data set does not say what is."""


class DatasetIndex:
    """The ids, groups, repositories and files of a data set's rows: add all rows, then ask for violations."""

    def __init__(self, partitioned_by: str | None = None) -> None:
        """An index without rows. `partitioned_by` is as in the manifest; None where that is not known."""
        self._partitioned_by = partitioned_by
        self._ids: dict[str, str] = {}
        """Partition of each example."""
        self._repeated: set[str] = set()
        self._repositories: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._files: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._groups: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._partitions: dict[str, str] = {}

    def add(
        self,
        partition: str,
        example_ids: list[str],
        group_ids: list[str],
        repositories: list[str],
        source_ids: list[str],
    ) -> None:
        """Adds rows of one partition."""
        for example_id, group_id, repository, source_id in zip(
            example_ids, group_ids, repositories, source_ids, strict=True
        ):
            if example_id in self._ids:
                self._repeated.add(example_id)
            self._ids.setdefault(example_id, partition)
            self._partitions.setdefault(partition, example_id)
            self._repositories[repository].setdefault(partition, example_id)
            self._files[source_id].setdefault(partition, example_id)
            if group_id != example_id:
                self._groups[group_id].setdefault(partition, example_id)

    def violations(self) -> list[Violation]:
        """The invariants that the rows break together."""
        found = [Violation(example_id, "unique_id", "two rows have this id") for example_id in sorted(self._repeated)]
        for group_id, partitions in self._groups.items():
            # The example that gives a group its name is not added above: most groups hold it alone, and would fill the memory.
            if group_id in self._ids:
                partitions.setdefault(self._ids[group_id], group_id)
        by_repository = self._partitioned_by == "repository" or (
            self._partitioned_by is None and len(self._repositories) >= MIN_REPOSITORIES
        )
        places = [("repository", self._repositories)] if by_repository else []
        for name, keys in (*places, ("file", self._files), ("group", self._groups)):
            for key, partitions in sorted(keys.items()):
                if len(partitions) > 1:
                    found.append(
                        Violation(
                            min(partitions.values()),
                            f"one_partition_a_{name}",
                            f"{name} {key} is in {', '.join(sorted(partitions))}, expected one partition",
                        )
                    )
        if self._partitioned_by == "none" and set(self._partitions) - {"train"}:
            others = sorted(set(self._partitions) - {"train"})
            found.append(
                Violation(
                    self._partitions[others[0]],
                    "partition",
                    f"rows are in {', '.join(others)}, but the data set has no other partition than train",
                )
            )
        return found
