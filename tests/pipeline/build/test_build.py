"""What a run leaves, and that neither workers nor interruptions change it."""

import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import datasets
import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.fingerprint import REFERENCE
from stackfim.schemas.manifest import Manifest
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.removal import REMOVAL
from tests.pipeline.fixture_types import Command, Run, TreeDigest
from tests.waiting import wait_until


def read(folder: Path, pattern: str) -> list[pa.Table]:
    return [pq.read_table(path) for path in sorted(folder.glob(pattern))]


def start(command: Command, out: Path, source: Path, workers: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("build", f"parquet:{source}", "--out", out, "--workers", workers),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore it, and so would the run.
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.default_int_handler),
    )


def stopped_in_the_middle(
    command: Command, out: Path, source: Path, workers: int, marker: str = "split"
) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A run that stands still with some shards complete and some not, and its processes."""
    for _ in range(5):
        process = start(command, out, source, workers)
        processes = stop_when_begun(process, out, marker)
        if processes:
            return process, processes
        process.communicate()
        shutil.rmtree(out)
    raise AssertionError("the run was always over before it could be stopped")


def stop_when_begun(process: subprocess.Popen[str], out: Path, marker: str) -> list[psutil.Process]:
    """The processes of a run, suspended once a shard is complete; none if the run was too fast, which then goes on."""
    wait_until(lambda: list(out.glob(f"work/done/{marker}-*.json")) or process.poll() is not None)
    with contextlib.suppress(psutil.NoSuchProcess):
        processes = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for each in processes:
            each.suspend()
        if len(list(out.glob("work/done/split-*.json"))) in range(5):
            return processes
        go_on(processes)
    return []


def go_on(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


def has_ended(process: psutil.Process) -> bool:
    """Whether it runs no more, even if its exit status is never read because its parent was killed."""
    try:
        return not process.is_running() or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "stackfim.pipeline.local.worker" in " ".join(child.cmdline())]


def test_a_run_leaves_what_the_documentation_says(built: Path) -> None:
    top = {path.name for path in built.iterdir()}
    assert top == {
        "README.md",
        "ATTRIBUTION.parquet",
        "data",
        "rejections",
        "removals",
        "fingerprints",
        "manifest.json",
    }
    names = {path.name for path in (built / "data").iterdir()}
    assert {f"train-{index:05d}-of-00006.parquet" for index in range(6)} < names
    assert all(pq.read_metadata(path).num_rows for path in (built / "data").iterdir())
    for pattern, schema in (
        ("data/*", EXAMPLE),
        ("rejections/*", REJECTION),
        ("removals/*", REMOVAL),
        ("fingerprints/*", REFERENCE),
    ):
        for path in built.glob(pattern):
            assert pq.read_schema(path).equals(schema), path


def test_every_file_in_is_accounted_for(built: Path, source_folder: Path) -> None:
    manifest = Manifest.from_json((built / "manifest.json").read_bytes())
    counts = manifest.counts
    files_in = sum(table.num_rows for table in read(source_folder, "*.parquet"))
    examples = read(built, "data/*.parquet")
    files = {
        pair
        for table in examples
        for pair in zip(table["repository"].to_pylist(), table["path"].to_pylist(), strict=True)
    }
    rejected = [row for table in read(built, "rejections/*.parquet") for row in table.to_pylist()]
    removed = sum(table.num_rows for table in read(built, "removals/*.parquet"))
    assert counts["files_in"] == files_in == len(files) + len(rejected) + removed
    assert counts["examples"] == sum(table.num_rows for table in examples)
    reasons = {row["reason"] for row in rejected}
    assert {"license_not_allowed", "not_utf8", "nul_byte", "language_unsupported"} <= reasons
    assert all(row["detail"] for row in rejected)
    assert manifest.unsupported_languages == {"Fortran": 1}


def test_the_copy_with_more_stars_stays(built: Path) -> None:
    removals = [row for table in read(built, "removals/*.parquet") for row in table.to_pylist()]
    assert removals
    assert {row["method"] for row in removals} == {"exact"}
    removed_copies = [row for row in removals if row["repository"] == "copies/all"]
    assert removed_copies
    assert all(row["kept_repository"] != "copies/all" for row in removed_copies)


def test_the_data_set_loads_with_both_partitions(built: Path, tmp_path: Path) -> None:
    loaded = datasets.load_dataset(str(built), cache_dir=str(tmp_path))
    assert set(loaded) == {"train", "validation"}
    assert loaded["train"].num_rows > 100
    assert loaded["validation"].num_rows > 0
    assert set(loaded["train"].unique("content_id")).isdisjoint(loaded["validation"].unique("content_id"))


def test_another_run_in_the_same_folder_is_not_loaded_from_the_cache_of_the_first(
    built: Path, source_folder: Path, stackfim: Run, tmp_path: Path
) -> None:
    folder, cache = tmp_path / "data", str(tmp_path / "cache")
    shutil.copytree(built, folder)
    before = datasets.load_dataset(str(folder), cache_dir=cache)
    spec = f"parquet:{source_folder}/part-1.parquet"
    done = stackfim("build", spec, "--out", folder, "--workers", 1, "--overwrite")
    assert done.returncode == 0, done.stderr
    after = datasets.load_dataset(str(folder), cache_dir=cache)
    rows = sum(pq.read_metadata(path).num_rows for path in (folder / "data").iterdir())
    assert sum(split.num_rows for split in after.values()) == rows
    assert rows < sum(split.num_rows for split in before.values())


def test_all_three_categories_are_there_near_their_weights(built: Path) -> None:
    counts: dict[str, int] = {}
    for table in read(built, "data/*.parquet"):
        for entry in pc.value_counts(table["category"]).to_pylist():
            counts[entry["values"]] = counts.get(entry["values"], 0) + entry["counts"]
    total = sum(counts.values())
    for category, weight in (("empty", 12 / 90), ("single_line", 43 / 90), ("multi_line", 35 / 90)):
        assert counts[category] / total == pytest.approx(weight, abs=0.08)


def test_one_worker_gives_the_same_bytes_as_two(
    built: Path, source_folder: Path, stackfim: Run, tree_digest: TreeDigest, tmp_path: Path
) -> None:
    out = tmp_path / "one"
    assert stackfim("build", f"parquet:{source_folder}", "--out", out, "--workers", 1).returncode == 0
    assert tree_digest(out) == tree_digest(built)


def test_a_remote_folder_gets_the_same_bytes(
    built: Path, source_folder: Path, here: Run, tree_digest: TreeDigest
) -> None:
    out = "memory://stackfim-test/out"
    done = here("build", "--model", "none", f"parquet:{source_folder}", "--out", out, "--workers", 1)
    assert done.returncode == 0, done.stderr
    storage = Storage(out)
    assert {path: storage.sha256(path) for path in storage.files()} == tree_digest(built)


def test_a_second_run_does_nothing_and_says_so(
    built: Path, source_folder: Path, here: Run, tree_digest: TreeDigest
) -> None:
    before = tree_digest(built)
    again = here("build", f"parquet:{source_folder}", "--out", built, "--workers", 2)
    assert again.returncode == 0
    assert "nothing to do" in again.stdout
    assert tree_digest(built) == before


def test_another_configuration_is_refused_and_nothing_touched(
    built: Path, source_folder: Path, here: Run, tree_digest: TreeDigest
) -> None:
    before = tree_digest(built)
    other = here("build", "--model", "none", f"parquet:{source_folder}", "--out", built, "--seed", 5)
    assert other.returncode == 2
    assert "seed" in other.stderr
    assert tree_digest(built) == before


def test_a_folder_with_other_files_is_refused(source_folder: Path, here: Run, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    refused = here("build", f"parquet:{source_folder}", "--out", tmp_path)
    assert refused.returncode == 2
    assert "thesis.txt" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("workers", "number"),
    [pytest.param(1, signal.SIGINT, marks=pytest.mark.slow), (2, signal.SIGINT), (2, signal.SIGTERM)],
)
def test_interrupted_in_the_middle_it_ends_with_a_sentence_and_resumes(
    workers: int,
    number: int,
    built: Path,
    source_folder: Path,
    command: Command,
    stackfim: Run,
    tree_digest: TreeDigest,
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    process, processes = stopped_in_the_middle(command, out, source_folder, workers)
    children = processes[1:]
    process.send_signal(number)
    go_on(processes)
    _, errors = process.communicate()
    assert process.returncode == 3
    assert "stackfim: interrupted." in errors
    assert "Traceback" not in errors
    assert "rpc" not in errors
    assert "same command again" in errors
    wait_until(lambda: all(map(has_ended, children)))
    assert not (out / "manifest.json").exists()
    done = stackfim("build", f"parquet:{source_folder}", "--out", out, "--workers", workers)
    assert done.returncode == 0, done.stderr
    assert tree_digest(out) == tree_digest(built)


def test_a_killed_worker_is_noticed_and_the_run_resumes(
    built: Path, source_folder: Path, command: Command, stackfim: Run, tree_digest: TreeDigest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process, processes = stopped_in_the_middle(command, out, source_folder, 2, "filtered")
    workers_of(process)[0].kill()
    go_on(processes)
    _, errors = process.communicate()
    assert process.returncode == 3
    assert "worker process died" in errors
    assert "same command again" in errors
    done = stackfim("build", f"parquet:{source_folder}", "--out", out, "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert tree_digest(out) == tree_digest(built)


def test_killed_with_all_its_processes_it_resumes(
    built: Path, source_folder: Path, command: Command, stackfim: Run, tree_digest: TreeDigest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process, processes = stopped_in_the_middle(command, out, source_folder, 2)
    for victim in processes:
        victim.kill()
    process.communicate()
    done = stackfim("build", f"parquet:{source_folder}", "--out", out, "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert tree_digest(out) == tree_digest(built)


def test_a_second_run_on_the_same_folder_is_refused_and_the_first_goes_on(
    built: Path, source_folder: Path, command: Command, here: Run, tree_digest: TreeDigest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process, processes = stopped_in_the_middle(command, out, source_folder, 2)
    before = tree_digest(out)
    for more in ((), ("--overwrite",), ("--seed", 5)):
        second = here("build", f"parquet:{source_folder}", "--out", out, *more)
        assert second.returncode == 2
        assert f"process {process.pid} on" in second.stderr
        assert second.stderr.splitlines()[-1].endswith("wait until it is done, or choose another --out")
    assert before.keys() <= tree_digest(out).keys(), "something was removed"
    go_on(processes)
    process.communicate()
    assert process.returncode == 0
    assert tree_digest(out) == tree_digest(built)


def test_workers_end_when_their_launcher_is_killed(source_folder: Path, command: Command, tmp_path: Path) -> None:
    process, (_, *children) = stopped_in_the_middle(command, tmp_path / "out", source_folder, 2, "filtered")
    process.kill()
    go_on(children)
    process.communicate()
    wait_until(lambda: all(map(has_ended, children)))


def test_a_shard_that_changed_between_runs_is_made_again(
    source_folder: Path, stackfim: Run, tree_digest: TreeDigest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert stackfim("build", f"parquet:{source_folder}", "--out", out, "--workers", 1, "--keep-work").returncode == 0
    whole = tree_digest(out)
    (out / "manifest.json").unlink()
    victim = out / "data" / "train-00002-of-00006.parquet"
    victim.write_bytes(victim.read_bytes()[:-10])
    (out / "data" / ".tmp-left-behind.parquet").write_bytes(b"half")
    assert stackfim("build", f"parquet:{source_folder}", "--out", out, "--workers", 1, "--keep-work").returncode == 0
    after = tree_digest(out)
    assert {path: digest for path, digest in after.items() if "progress" not in path} == {
        path: digest for path, digest in whole.items() if "progress" not in path
    }


def test_it_runs_in_a_folder_with_packages_of_the_same_names(
    source_folder: Path, stackfim: Run, tmp_path: Path
) -> None:
    for name in ("model", "pipeline", "transforms", "schemas"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('imported from the working folder')")
    done = stackfim("build", f"parquet:{source_folder}/part-0.parquet", "--out", "out", "--workers", 2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_overwrite_replaces_a_finished_run(built: Path, source_folder: Path, stackfim: Run, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "out")
    spec = f"parquet:{source_folder}/part-1.parquet"
    again = stackfim("build", spec, "--out", tmp_path / "out", "--workers", 1, "--seed", 9, "--overwrite")
    assert again.returncode == 0, again.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["configuration"]["seed"] == 9
    listed = {file["path"] for file in manifest["files"]}
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == listed | {"manifest.json", "README.md"}, "files of the run before are left"


def test_a_source_without_rows_leaves_a_data_set_without_rows(
    stackfim: Run, source_folder: Path, tmp_path: Path
) -> None:
    config = tmp_path / "run.toml"
    config.write_text("[filters]\nmin_alphanumeric_fraction = 1.0\n")
    spec = f"parquet:{source_folder}/part-0.parquet"
    done = stackfim("build", spec, "--out", tmp_path / "out", "--config", config, "--workers", 1)
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "out" / "data").iterdir():
        assert pq.ParquetFile(path).num_row_groups == 0


def test_progress_is_told_in_plain_lines_without_a_terminal(
    source_folder: Path, command: Command, tmp_path: Path
) -> None:
    line = command("build", f"parquet:{source_folder}", "--out", tmp_path / "out", "--workers", 1)
    environment = {**os.environ, "STACKFIM_PROGRESS_SECONDS": "0.2"}
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if "shard" in line]
    assert any("reading and filtering" in line and "rows/s" in line for line in lines) or any(
        "splitting" in line for line in lines
    )
    assert any("examples" in line and "rejected" in line for line in lines)
