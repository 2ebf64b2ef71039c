"""One process at a time writes to a folder, and a process that died holds nothing."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import lock, paths
from stackfim.pipeline.folder.lock import Holder, locked, refuse_used
from stackfim.pipeline.folder.storage import Storage
from tests.waiting import wait_until

HOLD = """
import sys, time
from stackfim.pipeline.folder.lock import locked
from stackfim.pipeline.folder.storage import Storage
with locked(Storage(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(1000)
"""


@pytest.fixture(params=["local", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """An empty folder, on this machine and in an object store."""
    if request.param == "local":
        yield Storage(str(tmp_path / "out"))
        return
    yield Storage(f"memory:/{tmp_path}/out")
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def holding(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of `tmp_path/out`."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    yield process
    process.kill()
    process.communicate()


def write(storage: Storage, **changes: object) -> Holder:
    """Leaves the lock of another process."""
    holder = Holder.this_process().model_copy(update={"token": "theirs"} | changes)
    storage.write_record(paths.LOCK, holder)
    return holder


def test_a_lock_leaves_nothing_behind(storage: Storage) -> None:
    with locked(storage):
        assert storage.files() == [paths.LOCK]
    assert storage.files() == []
    assert not storage.is_local or not storage.exists(paths.WORK)


def test_a_lock_that_went_with_the_work_files_is_no_failure(storage: Storage) -> None:
    with locked(storage):
        storage.remove(paths.WORK)
    assert storage.files() == []


def test_a_failure_inside_releases_it(storage: Storage) -> None:
    with pytest.raises(ZeroDivisionError), locked(storage):
        raise ZeroDivisionError
    with locked(storage):
        pass


def test_a_second_one_is_refused_by_name(storage: Storage) -> None:
    with locked(storage):
        with pytest.raises(UsageError, match=rf"process {Holder.this_process().pid} on .* is writing there; wait"):
            refuse_used(storage)
        with pytest.raises(UsageError), locked(storage):
            pass
        assert storage.files() == [paths.LOCK], "the lock of the first one stays"


def test_another_process_holds_it_until_it_is_killed(holding: subprocess.Popen[str], tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "out"))
    with pytest.raises(UsageError, match=f"process {holding.pid} on"):
        refuse_used(storage)
    holding.kill()
    holding.wait()
    with locked(storage):
        pass


def test_a_process_with_the_same_number_is_another_one(storage: Storage) -> None:
    write(storage, started=1.0)
    with locked(storage):
        pass


def test_a_process_elsewhere_holds_it_while_it_renews(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    write(storage, processes="another machine", host="far")
    with pytest.raises(UsageError, match=r"process \d+ on far is writing there, or died less than 120 s ago"):
        refuse_used(storage)
    monkeypatch.setattr(lock, "LEFT_S", -1.0)
    with locked(storage):
        pass


def test_the_holder_renews_it(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "RENEW_S", 0.01)
    with locked(storage):
        time.sleep(0.5)
        wait_until(lambda: (storage.age_s(paths.LOCK) or 0) < 0.3)


def test_what_was_killed_before_its_name_was_written_holds_nothing(storage: Storage) -> None:
    storage.write_bytes(paths.LOCK, b"")
    with locked(storage):
        pass


def test_who_wrote_last_has_it_where_files_are_not_created_exclusively(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage(f"memory:/{tmp_path}/raced")
    monkeypatch.setattr(time, "sleep", lambda _: write(storage))
    with pytest.raises(UsageError, match="is writing there"), locked(storage):
        pass
    assert storage.read_record(paths.LOCK, Holder) is not None, "the lock of the other one stays"


def test_a_full_disk_leaves_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage(str(tmp_path / "out"))

    def full(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Storage, "create_new", full)
    with pytest.raises(OSError, match="No space left"), locked(storage):
        pass
    assert storage.files() == []
