"""Shows what a run is doing: a live line in a terminal, a plain line every 10 s elsewhere."""

import json
import os
import shutil
import sys
import threading
import time
from collections import Counter

from rich.console import Console
from rich.live import Live
from rich.text import Text

_PLAIN_INTERVAL_S = float(os.environ.get("STACKFIM_PROGRESS_SECONDS", "10"))
_LIVE_INTERVAL_S = 0.5


class Progress:
    """Adds up the tallies of all processes and shows them until the block ends."""

    def __init__(self, console: Console, folder: str, shards: int, shards_filtered: int, rows: int | None) -> None:
        """Empties `folder`, where the processes write their tallies.

        `shards_filtered`: how many of the `shards` an earlier start of the run has filtered. `rows`: how many rows the
        others have, None where it is not known.
        """
        self._console = console
        self._shards = shards
        self._base = Counter({"shards_filtered": shards_filtered})
        self._rows = rows
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        self._folder = folder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True, name="progress")
        self._started = time.monotonic()
        self._split_started: float | None = None
        self._fraction, self._fraction_elapsed_s = 0.0, 0.0

    def __enter__(self) -> "Progress":
        """Starts the thread that shows the line."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the thread."""
        self._stop.set()
        self._thread.join(timeout=5)

    def counts(self) -> Counter[str]:
        """The counts of all processes together."""
        total = Counter(self._base)
        for name in sorted(os.listdir(self._folder)) if os.path.isdir(self._folder) else []:
            if name.endswith(".json"):
                try:
                    with open(os.path.join(self._folder, name)) as stream:
                        total.update(json.load(stream))
                except (OSError, ValueError):
                    continue
        return total

    def line(self) -> str:
        """Phase, shards, rows per second, what was kept and dropped, time left."""
        counts = self.counts()
        if counts["shards_filtered"] < self._shards:
            elapsed_s = max(time.monotonic() - self._started, 1e-3)
            parts, fraction = self._reading(counts, elapsed_s)
        else:
            self._split_started = self._split_started or time.monotonic()
            elapsed_s = time.monotonic() - self._split_started
            parts, fraction = self._splitting(counts)
        return " | ".join([*parts, *_most_rejected(counts), *self._time_left(fraction, elapsed_s)])

    def _reading(self, counts: Counter[str], elapsed_s: float) -> tuple[list[str], float]:
        """Parts of the line in the first pass, and the fraction of the pass that is done."""
        filtered, rows = counts["shards_filtered"], counts["rows_read"]
        parts = [
            "reading and filtering",
            f"shard {filtered}/{self._shards}",
            f"{rows:,} rows",
            f"{rows / elapsed_s:,.0f} rows/s",
            f"{counts['bytes_read'] / elapsed_s / 1e6:.1f} MB/s",
            f"kept {counts['survivors']:,}",
        ]
        return parts, rows / self._rows if self._rows else filtered / self._shards

    def _splitting(self, counts: Counter[str]) -> tuple[list[str], float]:
        """Parts of the line in the second pass, and the fraction of the pass that is done."""
        split = counts["shards_split"]
        parts = [
            "splitting",
            f"shard {split}/{self._shards}",
            f"{counts['rows_split']:,} files",
            f"{counts['examples']:,} examples",
        ]
        # Files differ less in size than shards do, but the survivors of an earlier start of the run are not counted.
        survivors = counts["survivors"] if not self._base["shards_filtered"] else 0
        return parts, counts["rows_split"] / survivors if survivors else split / self._shards

    def _time_left(self, fraction: float, elapsed_s: float) -> list[str]:
        """The part of the line that says how long the pass will take; none while that is not known."""
        if fraction != self._fraction:
            self._fraction, self._fraction_elapsed_s = fraction, elapsed_s
        if not 0 < fraction < 1 or elapsed_s <= 2:
            return []
        # Reckoned from the last change of the fraction: since then only time has passed.
        left_s = self._fraction_elapsed_s / fraction - elapsed_s
        return [f"about {_duration(left_s)} left in this pass" if left_s > 0 else "nearly done with this pass"]

    def _show(self) -> None:
        if self._console.is_terminal:
            with Live(Text(self.line()), console=self._console, refresh_per_second=4, transient=True) as live:
                while not self._stop.wait(_LIVE_INTERVAL_S):
                    live.update(Text(self.line()))
        else:
            while not self._stop.wait(_PLAIN_INTERVAL_S):
                print(f"[{_duration(time.monotonic() - self._started)}] {self.line()}", file=sys.stderr, flush=True)


def _most_rejected(counts: Counter[str]) -> list[str]:
    """The part of the line with the three most frequent reasons for dropping a file; none while no file was dropped."""
    rejected = Counter(
        {name.split(":")[-1]: count for name, count in counts.items() if name.startswith("rejected:file:")}
    )
    reasons = [f"{reason} {count:,}" for reason, count in rejected.most_common(3)]
    return [f"rejected {', '.join(reasons)}"] if reasons else []


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
