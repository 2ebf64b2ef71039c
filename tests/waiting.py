"""Waiting for what happens in another process, however busy the machine is."""

import subprocess
import time
from collections.abc import Callable

_LOOK_INTERVAL_S = 0.002


def wait_until(
    happened: Callable[[], object], process: subprocess.Popen[str] | subprocess.Popen[bytes] | None = None
) -> None:
    """Waits until `happened()` is true; fails when `process` ends before.

    There is no limit of its own: pytest ends a test that hangs (`faulthandler_timeout`).
    """
    while not happened():
        assert process is None or process.poll() is None or happened(), "the process ended before it happened"
        time.sleep(_LOOK_INTERVAL_S)
