"""A removal that breaks off at any file operation leaves a folder that the next run takes up, and what is not ours stays."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import lock, paths
from stackfim.pipeline.folder.lock import Holder, locked
from stackfim.pipeline.folder.prepare import Request, begin, clear, finished_report, refuse_clearing
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.manifest import Manifest
from tests.pipeline.folder.test_prepare import OWN, REQUEST, manifest

OPERATIONS = ("unlink", "remove", "rmdir", "replace", "rename", "mkdir")
OTHER = Request(run_key="b" * 64, settings={"configuration": {"seed": 2}})


class Killed(BaseException):
    """Stands for a process that is gone: nothing of it may run any more."""


@contextmanager
def killed_at(operation: int) -> Iterator[None]:
    """Inside the block the process dies at the file operation of that number, and at every one after it."""
    left = [operation]
    before = {name: getattr(os, name) for name in OPERATIONS}

    def counted(do: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return do(*arguments, **options)

        return count

    for name, do in before.items():
        setattr(os, name, counted(do))
    try:
        yield
    finally:
        for name, do in before.items():
            setattr(os, name, do)


def left_by(folder: Path, state: str) -> None:
    """What a run leaves there that is finished, or broke off."""
    for path in OWN:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"")
    (folder / paths.REQUEST).write_bytes(REQUEST.to_json())
    if state == "finished":
        (folder / paths.MANIFEST).write_bytes(manifest().to_json())
        shutil.rmtree(folder / "work")


def start(storage: Storage, request: Request, *, overwrite: bool) -> None:
    """As a run begins."""
    if overwrite:
        refuse_clearing(storage, paths.RUN, Manifest)
    else:
        assert finished_report(storage, paths.RUN, Manifest, request) is None
    with locked(storage):
        if overwrite:
            clear(storage, paths.RUN, Manifest)
        begin(storage, paths.RUN, request)


@pytest.mark.parametrize("state", ["finished", "unfinished"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_an_overwrite_killed_at_any_operation_is_taken_up(
    state: str, *, overwrite: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_SETTLE_S", 0.0)
    for operation in range(1_000):
        folder = tmp_path / str(operation)
        left_by(folder, state)
        storage = Storage(str(folder))
        try:
            with killed_at(operation):
                start(storage, OTHER, overwrite=True)
        except Killed:
            leave_to_the_dead(storage)
        else:
            assert operation > 10
            break
        if overwrite or (folder / paths.REMOVAL).exists() or not holds_first(storage):
            start(storage, OTHER, overwrite=overwrite)
            assert storage.files() == [paths.REQUEST], operation
    else:
        pytest.fail("it never ended")


def leave_to_the_dead(storage: Storage) -> None:
    """Makes a lock that is left that of a process which is gone."""
    holder = storage.read_record(paths.LOCK, Holder)
    if holder is not None:
        storage.write_record(paths.LOCK, holder.model_copy(update={"started": 1.0}))


def holds_first(storage: Storage) -> bool:
    """Whether the folder still holds what was to be replaced, which a run without --overwrite refuses as it did before."""
    try:
        finished_report(storage, paths.RUN, Manifest, OTHER)
    except UsageError as error:
        assert "finished run with seed = 1 (now 2)" in str(error)
        return True
    return False


def test_beginning_again_killed_at_any_operation_is_taken_up(tmp_path: Path) -> None:
    # As a derived folder of which a file is missing: it has a report and is made again.
    for operation in range(1_000):
        folder = tmp_path / str(operation)
        left_by(folder, "finished")
        storage = Storage(str(folder))
        try:
            with killed_at(operation):
                begin(storage, paths.RUN, REQUEST)
        except Killed:
            finished_report(storage, paths.RUN, Manifest, REQUEST)
            begin(storage, paths.RUN, REQUEST)
            assert finished_report(storage, paths.RUN, Manifest, REQUEST) is None
        else:
            assert operation > 2
            return


def test_a_removal_under_way_does_not_take_a_file_that_came_since(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    left_by(tmp_path, "unfinished")
    storage.write_bytes(paths.REMOVAL, b"")
    (tmp_path / "notes.txt").write_text("mine")
    before = storage.files()
    for overwrite in (True, False):
        with pytest.raises(UsageError, match=r"not part of a run \(notes\.txt\), so nothing was removed"):
            start(storage, OTHER, overwrite=overwrite)
    assert storage.files() == before
