"""Counts of a process, for the launcher to show while the run goes on.

Beam's local runner reports nothing until it is done, so each process writes its counts, at most twice a second, to a small
file, and a thread of the launcher adds the files up (`progress`). On a cluster there is no folder for such files, and
Beam's own counters show the same.
"""

import json
import os
import time
from collections import Counter
from typing import Any

from apache_beam.metrics import Metrics

_INTERVAL_S = 0.5


class Tally:
    """Counts by name; each process has one for each run."""

    def __init__(self, folder: str | None) -> None:
        """`folder` is where the process writes its counts; None where nothing reads them."""
        self._folder = folder
        self._counts: Counter[str] = Counter()
        self._counters: dict[str, Any] = {}
        self._written_at = 0.0

    def add(self, counts: dict[str, int], *, flush: bool = False) -> None:
        """Adds to the counts and to Beam's counters of the same names; `flush` writes the file at once."""
        for name, count in counts.items():
            self._counts[name] += count
            if name not in self._counters:
                self._counters[name] = Metrics.counter("stackfim", name)
            self._counters[name].inc(count)
        now = time.monotonic()
        if self._folder is not None and (flush or now - self._written_at >= _INTERVAL_S):
            self._written_at = now
            path = os.path.join(self._folder, f"{os.getpid()}.json")
            try:
                with open(f"{path}.new", "w") as stream:
                    json.dump(self._counts, stream)
                os.replace(f"{path}.new", path)
            except FileNotFoundError:
                self._folder = None  # the launcher has gone, and its folder with it


_tallies: dict[str | None, Tally] = {}


def process_tally(folder: str | None) -> Tally:
    """The tally of this process for the run whose progress folder is `folder`."""
    if folder is not None and not os.path.isdir(folder):
        folder = None
    return _tallies.setdefault(folder, Tally(folder))
