"""What the run is doing, shown while it does it: a live line in a terminal, a plain line every 10 s elsewhere."""

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
        self._fraction, self._fraction_elapsed = 0.0, 0.0

    def __enter__(self) -> "Progress":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
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
        """Phase, shards, rows a second, what was kept and dropped, time left."""
        counts = self.counts()
        elapsed = max(time.monotonic() - self._started, 1e-3)
        filtered, split = counts["shards_filtered"], counts["shards_split"]
        parts = []
        if filtered < self._shards:
            done, rate = counts["rows_read"], counts["rows_read"] / elapsed
            parts += [
                "reading and filtering",
                f"shard {filtered}/{self._shards}",
                f"{done:,} rows",
                f"{rate:,.0f} rows/s",
            ]
            parts += [f"{counts['bytes_read'] / elapsed / 1e6:.1f} MB/s", f"kept {counts['survivors']:,}"]
            fraction = done / self._rows if self._rows else filtered / self._shards
        else:
            parts += [
                "splitting",
                f"shard {split}/{self._shards}",
                f"{counts['rows_split']:,} files",
                f"{counts['examples']:,} examples",
            ]
            # Shards differ in size, files less; survivors of an earlier start of the run are not counted.
            known = counts["survivors"] if not self._base["shards_filtered"] else 0
            fraction = counts["rows_split"] / known if known else split / self._shards
            self._split_started = self._split_started or time.monotonic()
            elapsed = time.monotonic() - self._split_started
        rejected = Counter(
            {name.split(":")[-1]: count for name, count in counts.items() if name.startswith("rejected:file:")}
        ).most_common(3)
        if rejected:
            parts.append("rejected " + ", ".join(f"{reason} {count:,}" for reason, count in rejected))
        if fraction != self._fraction:
            self._fraction, self._fraction_elapsed = fraction, elapsed
        if 0 < fraction < 1 and elapsed > 2:
            # From where it last moved: between two shards nothing is known but that time passes.
            left = self._fraction_elapsed / fraction - elapsed
            parts.append(f"about {_duration(left)} left in this pass" if left > 0 else "nearly done with this pass")
        return " | ".join(parts)

    def _show(self) -> None:
        if self._console.is_terminal:
            with Live(Text(self.line()), console=self._console, refresh_per_second=4, transient=True) as live:
                while not self._stop.wait(_LIVE_INTERVAL_S):
                    live.update(Text(self.line()))
        else:
            while not self._stop.wait(_PLAIN_INTERVAL_S):
                print(f"[{_duration(time.monotonic() - self._started)}] {self.line()}", file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
