"""The lock of an output folder: one process at a time writes there, and a process that died holds nothing.

The lock is a small file in `work/` that says who holds it, and whose time of modification the holder renews. On the same
machine a lock ends with its process; from another machine, or another container, a process cannot be seen, and there a lock
counts as left behind once it has not been renewed for `LEFT_S`.
"""

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.record import Record, RecordMismatch

RENEW_S = 10.0
"""How often the holder renews the lock."""
LEFT_S = 120.0
"""After how long without renewal the lock of a process that cannot be seen from here counts as left behind."""
_SETTLE_S = 1.0
"""How long two that take a lock at the same moment may be apart where a file system cannot create a file exclusively."""


class Holder(Record):
    """Who holds a lock."""

    token: str
    """A random name of this very lock."""
    host: str
    """Name of the machine, for messages."""
    processes: str
    """What is the same for all processes that can see each other: a start of a machine, and there a container."""
    pid: int
    """Process id there."""
    started: float
    """When that process was started, in seconds since 1970: ids are used again."""

    @classmethod
    def this_process(cls) -> "Holder":
        """A new lock's holder: the process that asks."""
        return cls(
            token=uuid.uuid4().hex,
            host=socket.gethostname(),
            processes=_processes(),
            pid=os.getpid(),
            started=psutil.Process().create_time(),
        )


def refuse_used(storage: Storage) -> None:
    """Raises UsageError while another process writes to the folder."""
    holder = _read(storage)
    if holder is None or _is_gone(storage, holder):
        return
    where = f"process {holder.pid} on {holder.host}"
    if holder.processes == _processes():
        raise UsageError(
            f"--out {storage.root}: {where} is writing there; wait until it is done, or choose another --out"
        )
    raise UsageError(
        f"--out {storage.root}: {where} is writing there, or died less than {LEFT_S:g} s ago; wait until it is done, "
        "or choose another --out"
    )


@contextmanager
def locked(storage: Storage) -> Iterator[None]:
    """Inside the block the folder is this process's alone. Raises UsageError where another one writes there."""
    holder = _take(storage)
    over = threading.Event()

    def renew() -> None:
        while not over.wait(RENEW_S):
            # What fails now may succeed the next time; without a renewal for long, others take the folder for left behind.
            with suppress(Exception):
                storage.renew(paths.LOCK)

    thread = threading.Thread(target=renew, daemon=True, name="renew-lock")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        _release(storage, holder)


def _take(storage: Storage) -> Holder:
    holder = Holder.this_process()
    refuse_used(storage)
    left = storage.exists(paths.LOCK)
    if left:
        storage.remove(paths.LOCK)
    try:
        created = storage.create_new(paths.LOCK, holder.to_json())
    except BaseException:
        storage.remove_empty(paths.WORK)
        raise
    if not created or not storage.is_local or left:
        # Another process may have taken it at the same moment: who wrote last has it.
        time.sleep(_SETTLE_S)
    found = _read(storage)
    if found != holder:
        refuse_used(storage)
        raise UsageError(f"--out {storage.root}: another process has begun to write there; give the command again")
    return holder


def _release(storage: Storage, holder: Holder) -> None:
    # A lock that cannot be removed is known to be left behind when this process has ended.
    with suppress(Exception):
        if _read(storage) == holder:
            storage.remove(paths.LOCK)
            storage.remove_empty(paths.WORK)


def _read(storage: Storage) -> Holder | None:
    """Who holds the lock; None where nobody does, or where who took it was killed before its name was written."""
    for attempt in range(2):
        try:
            return storage.read_record(paths.LOCK, Holder)
        except RecordMismatch:
            if attempt == 0:
                time.sleep(_SETTLE_S)
    return None


def _is_gone(storage: Storage, holder: Holder) -> bool:
    if holder.processes == _processes():
        try:
            return bool(psutil.Process(holder.pid).create_time() != holder.started)
        except psutil.NoSuchProcess:
            return True
    age_s = storage.age_s(paths.LOCK)
    return age_s is None or age_s > LEFT_S


def _processes() -> str:
    """The start of this machine, and the container: of processes with another one the ids say nothing here."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # no Linux
        return f"{uuid.getnode():x}"
