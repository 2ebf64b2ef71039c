"""The line that shows a run's progress: phase, counts of all processes, and the time left once it can be told."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from stackfim.pipeline.local import progress as progress_module
from stackfim.pipeline.local.progress import Progress


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress_module, "time", clock)
    return clock


def progress_in(folder: Path, shards_filtered: int = 0, rows: int | None = 1_000) -> Progress:
    return Progress(Console(file=io.StringIO()), str(folder), 4, shards_filtered, rows)


def count(folder: Path, process: int, counts: dict[str, int]) -> None:
    """Leaves the tally of one process."""
    (folder / f"{process}.json").write_text(json.dumps(counts))


def test_the_counts_of_all_processes_and_of_an_earlier_start_are_added_up(tmp_path: Path) -> None:
    progress = progress_in(tmp_path / "p", shards_filtered=1)
    count(tmp_path / "p", 1, {"shards_filtered": 1, "rows_read": 10})
    count(tmp_path / "p", 2, {"rows_read": 5})
    (tmp_path / "p" / "3.json").write_text('{"rows_read": ')
    (tmp_path / "p" / "4.json.new").write_text('{"rows_read": 7}')
    assert progress.counts() == {"shards_filtered": 2, "rows_read": 15}


def test_the_first_pass_shows_speed_reasons_and_the_time_left(tmp_path: Path, clock: Clock) -> None:
    progress = progress_in(tmp_path)
    counts = {"shards_filtered": 1, "rows_read": 250, "bytes_read": 40_000_000, "survivors": 200}
    reasons = {"rejected:file:license:no_license": 30, "rejected:file:size:too_large": 12, "rejected:example:x:y": 99}
    count(tmp_path, 1, counts | reasons)
    clock.now_s += 20
    assert progress.line() == (
        "reading and filtering | shard 1/4 | 250 rows | 12 rows/s | 2.0 MB/s | kept 200 | "
        "rejected no_license 30, too_large 12 | about 1m00s left in this pass"
    )
    clock.now_s += 30
    assert progress.line().endswith("about 30s left in this pass"), "time passes though nothing is counted"
    clock.now_s += 40
    assert progress.line().endswith("nearly done with this pass")


def test_the_second_pass_starts_its_own_clock_and_counts_files(tmp_path: Path, clock: Clock) -> None:
    progress = progress_in(tmp_path, rows=None)
    count(tmp_path, 1, {"shards_filtered": 4, "survivors": 300})
    clock.now_s += 50
    assert progress.line() == "splitting | shard 0/4 | 0 files | 0 examples"
    count(tmp_path, 1, {"shards_filtered": 4, "survivors": 300, "rows_split": 100, "examples": 500})
    clock.now_s += 10
    assert progress.line() == "splitting | shard 0/4 | 100 files | 500 examples | about 20s left in this pass"


def test_after_an_earlier_start_the_second_pass_is_reckoned_by_shards(tmp_path: Path, clock: Clock) -> None:
    progress = progress_in(tmp_path, shards_filtered=3)
    count(tmp_path, 1, {"shards_filtered": 1, "survivors": 10, "rows_split": 9})
    progress.line()
    count(tmp_path, 1, {"shards_filtered": 1, "survivors": 10, "rows_split": 9, "shards_split": 1})
    clock.now_s += 10
    assert progress.line().endswith("about 30s left in this pass")
