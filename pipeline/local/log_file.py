"""What libraries and other processes write to standard error goes to a file, whose path is told when a command fails.

A worker that finds no space on the disk, or one whose launcher was killed, lets Beam and gRPC write hundreds of lines. What
this package itself says comes through `sys.stderr`, which stays where it was.
"""

import logging
import os
import secrets
import sys
import tempfile
import threading
import traceback
from contextlib import suppress

_kept: list[str] = []
"""The path of the file while there is one."""


def open_standard_files() -> None:
    """Opens the null device in place of standard files that are closed: the next files to be opened would take their numbers."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


def divert() -> None:
    """From now on, what this process and its children write to standard error other than by `sys.stderr` goes to a file."""
    said = os.dup(2)
    try:
        descriptor = _create()
    except OSError:  # no space, or no folder for temporary files
        descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    sys.stderr = open(said, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")  # noqa: SIM115
    log = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115

    def write(args: threading.ExceptHookArgs) -> None:
        with suppress(OSError):
            traceback.print_exception(args.exc_type, args.exc_value, args.exc_traceback, file=log)

    threading.excepthook = write
    # Beam would give the root logger a handler that writes to `sys.stderr`.
    logging.basicConfig(stream=log)
    # What the file has no space for is lost: told on standard error it would be what this file is there to prevent.
    logging.raiseExceptions = False
    logging.captureWarnings(True)


def _create() -> int:
    """A new file, open for writing. Its path is kept first: a signal may end the process at any moment, and it goes then."""
    path = os.path.join(tempfile.gettempdir(), f"stackfim-{secrets.token_hex(6)}.log")
    _kept.append(path)
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        _kept.remove(path)
        raise


def record(error: BaseException) -> str | None:
    """Writes where `error` was raised to the file, which stays; its path, None where it cannot be written."""
    try:
        if not _kept:
            os.close(_create())
        with open(_kept[0], "a", errors="backslashreplace") as log:
            traceback.print_exception(error, file=log)
    except OSError:
        return None
    return _kept.pop()


def discard() -> None:
    """Removes the file unless an error was written to it."""
    while _kept:
        with suppress(OSError):
            os.unlink(_kept.pop())
