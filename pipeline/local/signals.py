"""SIGINT and SIGTERM end a command within `GRACE_S` seconds and a few more, whatever it is doing.

Three things may be in the way, and each has an answer here. While modules are imported, an exception may be swallowed: there
the process ends at once. Beam waits for workers that do not listen: they are killed first, and a timer ends this process. A
long call into C keeps Python from running at all: a small process beside this one kills it.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import NoReturn

GRACE_S = 4.0
"""How long a command may take to end in order."""
EXIT_CODE = 3
"""Of a command that was ended, as of one that failed."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_MESSAGE = "stackfim: interrupted."
_asked = threading.Event()
_guards: list[int] = []
"""Where the interpreter writes signals to while there is a guard."""

_GUARD = f"""
import os, signal, sys, time
for number in {tuple(int(number) for number in _SIGNALS)}:
    signal.signal(number, signal.SIG_IGN)
parent = int(sys.argv[1])
while True:
    number = os.read(0, 1)
    if not number or os.getppid() != parent:
        sys.exit()
    if number[0] in {tuple(int(number) for number in _SIGNALS)}:
        break
time.sleep({2 * GRACE_S})
if os.getppid() == parent:
    os.write(2, b"{_MESSAGE}\\n")
    os.kill(parent, signal.SIGKILL)
"""
"""Waits for the byte that the interpreter writes at a signal even while no Python code can run."""


def asked() -> bool:
    """Whether a signal has asked the command to end."""
    return _asked.is_set()


def end_at_once() -> None:
    """From now on a signal ends this process with a sentence and nothing else."""
    _handle(_end)


def end_in_order() -> None:
    """From now on a signal kills the children, raises KeyboardInterrupt, and ends what does not end by that."""
    _handle(_interrupt)


def guard() -> None:
    """Starts the process that kills this one when it does not end after a signal."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    command = [sys.executable, "-I", "-S", "-c", _GUARD, str(os.getpid())]
    try:
        # What it says is for the user: standard error itself may be a file by now.
        subprocess.Popen(command, stdin=read, stdout=subprocess.DEVNULL, stderr=sys.stderr, cwd="/")
    except OSError:  # no more processes; then there is no guard
        os.close(write)
        return
    finally:
        os.close(read)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    _guards.append(write)


def dismiss_guard() -> None:
    """Writes to the guard no more, which is killed with the other children: then Python runs, and a timer does its work."""
    while _guards:
        write = _guards.pop()
        signal.set_wakeup_fd(-1)
        os.close(write)


def _handle(handler: object) -> None:
    for number in _SIGNALS:
        # A shell lets its background jobs ignore SIGINT.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)  # type: ignore[arg-type]


def _end(_number: int = 0, _frame: FrameType | None = None) -> NoReturn:
    from stackfim.pipeline.local import log_file

    log_file.discard()
    with suppress(OSError, ValueError):
        # Not by a stream, which may be in the middle of something.
        os.write(sys.stderr.fileno(), f"{_MESSAGE}\n".encode())
    os._exit(EXIT_CODE)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    if not _asked.is_set():
        _asked.set()
        timer = threading.Timer(GRACE_S, _end)
        timer.daemon = True
        timer.start()
        from stackfim.pipeline.local.workers import end_children

        end_children()
    raise KeyboardInterrupt
