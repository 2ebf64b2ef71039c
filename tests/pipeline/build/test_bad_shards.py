"""A shard that cannot be read: the run ends with its name or records it, and what was finished stays when it is repaired."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.manifest import read_manifest
from stackfim.pipeline.folder.storage import Storage
from tests.pipeline.fixture_types import Run


def function(number: int) -> str:
    name = f"value_of_{number * 7919 % 10007}"
    return (
        f"def {name}(first, second):\n    total = first * {number}\n    total += second\n    return total - {number}\n"
    )


@pytest.fixture
def source(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of five files of rows, and the one of them that is damaged."""
    folder = tmp_path / "rows"
    folder.mkdir()
    for file in range(5):
        numbers = range(file * 40, file * 40 + 40)
        rows = {
            "content": [function(number) for number in numbers],
            "lang": ["Python"] * 40,
            "path": [f"{number}.py" for number in numbers],
            "repository": [f"owner/{number}" for number in numbers],
            "licenses": [["MIT"]] * 40,
        }
        pq.write_table(pa.table(rows), folder / f"{file}.parquet", compression="none")
    return folder, folder / "2.parquet"


def damage(file: Path) -> bytes:
    """Overwrites pages in the middle of a file, whose footer stays; gives the bytes that it had."""
    data = file.read_bytes()
    broken = bytearray(data)
    broken[4:2_000] = b"\xff" * 1_996
    file.write_bytes(broken)
    return data


def test_a_bad_shard_ends_the_run_with_its_name_and_after_its_repair_finished_work_is_kept(
    source: tuple[Path, Path], stackfim: Run, tmp_path: Path
) -> None:
    folder, bad = source
    good = damage(bad)
    build = ("build", f"parquet:{folder}", "--out", tmp_path / "out", "--keep-work", "--workers", 1)
    done = stackfim(*build)
    assert done.returncode == 3
    assert str(bad) in done.stderr
    assert "--on-bad-shard skip" in done.stderr
    storage = Storage(str(tmp_path / "out"))
    finished = [index for index in range(5) if storage.exists(paths.filtered_marker(index))]
    before = {index: (tmp_path / "out" / paths.survivors(index)).stat().st_mtime_ns for index in finished}
    bad.write_bytes(good)
    done = stackfim(*build)
    assert done.returncode == 0, done.stderr
    assert before == {i: (tmp_path / "out" / paths.survivors(i)).stat().st_mtime_ns for i in finished}
    assert read_manifest(storage).counts["files_in"] == 200


def test_a_bad_shard_is_skipped_on_request_and_recorded(
    source: tuple[Path, Path], stackfim: Run, tmp_path: Path
) -> None:
    folder, bad = source
    damage(bad)
    out = tmp_path / "out"
    done = stackfim("build", f"parquet:{folder}", "--out", out, "--on-bad-shard", "skip", "--workers", 1)
    assert done.returncode == 0, done.stderr
    rejected = [row for file in (out / "rejections").glob("*.parquet") for row in pq.read_table(file).to_pylist()]
    (recorded,) = [row for row in rejected if row["reason"] == "shard_unreadable"]
    assert (recorded["stage"], recorded["path"]) == ("read", str(bad))
    assert "cannot be read to its end" in recorded["detail"]
    assert read_manifest(Storage(str(out))).counts["files_in"] == 161


def test_the_data_set_may_lie_in_the_folder_that_is_read(
    source: tuple[Path, Path], stackfim: Run, tmp_path: Path
) -> None:
    folder, _ = source
    build = ("build", f"parquet:{folder}", "--out", folder / "out", "--workers", 1)
    for _ in range(2):
        done = stackfim(*build)
        assert done.returncode == 0, done.stderr
    assert "nothing to do" in done.stdout
    assert read_manifest(Storage(str(folder / "out"))).counts["files_in"] == 200
