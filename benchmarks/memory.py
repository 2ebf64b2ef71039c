"""Peak memory of a process and of all that it started."""

from __future__ import annotations

import threading
import time

import psutil


class PeakMemory:
    """Watches a process tree while it runs: the largest sum of unique memory (USS), measured ten times a second."""

    def __init__(self, pid: int) -> None:
        """Starts to watch the process `pid`, in a thread, until it ends."""
        self._peak_bytes = 0
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._thread.start()

    def megabytes(self) -> float:
        """The peak in MB; waits for the process to end."""
        self._thread.join()
        return self._peak_bytes / 1e6

    def _watch(self, pid: int) -> None:
        try:
            root = psutil.Process(pid)
            while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
                total = 0
                for process in [root, *root.children(recursive=True)]:
                    try:
                        total += process.memory_full_info().uss
                    except psutil.Error:
                        continue
                self._peak_bytes = max(self._peak_bytes, total)
                time.sleep(0.1)
        except psutil.Error:
            return
