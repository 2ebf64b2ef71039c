"""Processes of a local run: workers that end with their launcher, and a launcher that notices dead workers.

Beam's multi-process runner waits forever for a worker that was killed, and leaves workers behind when it is killed
itself. So the launcher exports its process id, and each worker watches that process.
"""

import _thread
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from stackfim.pipeline.local import signals
from stackfim.pipeline.local.signals import dismiss_guard

_LAUNCHER = "STACKFIM_LAUNCHER_PID"
_WATCH_INTERVAL_S = 1.0
_NOTICE_S = 3.0
_watching = threading.Lock()


class WorkerDied(RuntimeError):
    """A worker process ended in the middle of its work."""


@contextmanager
def launching() -> Iterator[None]:
    """Inside the block this process is the launcher of workers, which import no modules of the folder they start in."""
    marks = {_LAUNCHER: str(os.getpid()), "PYTHONSAFEPATH": "1"}
    before = {name: os.environ.get(name) for name in marks}
    os.environ.update(marks)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def watch_launcher() -> None:
    """Makes a worker process end soon after its launcher. Does nothing in other processes, or when called again."""
    launcher = os.environ.get(_LAUNCHER)
    if launcher is None or int(launcher) == os.getpid() or not _watching.acquire(blocking=False):
        return

    def watch() -> None:
        while psutil.pid_exists(int(launcher)):
            time.sleep(_WATCH_INTERVAL_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="watch-launcher").start()


def end_children() -> None:
    """Kills all processes that this one has started, and theirs. To be called in the main thread."""
    dismiss_guard()
    children = psutil.Process().children(recursive=True)
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(children, timeout=5)


@contextmanager
def noticing_dead_workers() -> Iterator[None]:
    """Inside the block the death of a worker raises WorkerDied in the main thread."""
    died: list[str] = []
    noticed = threading.Event()
    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        if "Worker subprocess exited" in str(args.exc_value):
            # A worker that a signal to end has killed did not die by itself.
            if not died and not signals.asked():
                died.append(str(args.exc_value))
                # A shell lets its background jobs ignore SIGINT, and then the main thread would not be interrupted by it.
                _thread.interrupt_main(signal.SIGINT if callable(signal.getsignal(signal.SIGINT)) else signal.SIGTERM)
                noticed.set()
        else:
            before(args)

    threading.excepthook = hook
    try:
        yield
    except KeyboardInterrupt:
        if died:
            raise WorkerDied(died[0]) from None
        raise
    except Exception:
        # The connection to a dead worker may break before its death is noticed.
        with suppress(KeyboardInterrupt):
            noticed.wait(_NOTICE_S)
        if died:
            raise WorkerDied(died[0]) from None
        raise
    finally:
        threading.excepthook = before
