"""`stackfim purge`: named repositories and owners leave a data set, and everything that counts agrees."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stackfim.pipeline.derive import purge
from stackfim.pipeline.derive.purge import purge_folder
from stackfim.pipeline.derive.shard_by_shard import Made
from stackfim.pipeline.folder.manifest import read_manifest
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.manifest import Manifest

Run = Callable[..., subprocess.CompletedProcess[str]]
"""Runs the command; gives the finished process."""
Digest = Callable[[Path], dict[str, str]]
"""Digests of all files below a folder, by relative path."""


def rows(folder: Path, pattern: str) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob(pattern)) for row in pq.read_table(path).to_pylist()]


def manifest_of(folder: Path) -> Manifest:
    return read_manifest(Storage(str(folder)))


@pytest.fixture(scope="module")
def names(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository by its name in another case, and an owner; the owner's files are copies."""
    file = tmp_path_factory.mktemp("names") / "opt-out.txt"
    file.write_text("# asked in May\nOwner/Project3\ncopies\n")
    return file


@pytest.fixture(scope="module")
def purged(built: Path, names: Path, stackfim: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("purged") / "out"
    done = stackfim("purge", built, "--opt-out", names, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "files were taken out" in done.stdout
    return out


def is_named(row: dict[str, Any]) -> bool:
    repository: str = row["repository"]
    return repository == "owner/project3" or repository.startswith("copies/")


def test_rows_of_the_named_leave_and_all_others_stay(built: Path, purged: Path) -> None:
    before, after = rows(built, "data/*.parquet"), rows(purged, "data/*.parquet")
    assert any(is_named(row) for row in before)
    assert after == [row for row in before if not is_named(row)]
    kept = rows(built, "fingerprints/*.parquet")
    assert rows(purged, "fingerprints/*.parquet") == [row for row in kept if not is_named(row)]
    assert not any(is_named(row) for row in rows(purged, "ATTRIBUTION.parquet"))


def test_every_file_is_still_accounted_for(built: Path, purged: Path) -> None:
    old, new = manifest_of(built), manifest_of(purged)
    counts = new.counts
    examples = rows(purged, "data/*.parquet")
    rejected, removed = rows(purged, "rejections/*.parquet"), rows(purged, "removals/*.parquet")
    files = {(row["repository"], row["path"], row["content_id"]) for row in examples}
    assert counts["files_in"] == old.counts["files_in"] == len(files) + len(rejected) + len(removed)
    assert (counts["examples"], counts["files_with_examples"]) == (len(examples), len(files))
    assert counts["files_rejected"] == len(rejected)
    fresh = [row for row in rejected if row["stage"] == "purge"]
    assert len(fresh) == len(rejected) - len(rows(built, "rejections/*.parquet"))
    reasons = {
        reason: [row for row in fresh if row["reason"] == reason] for reason in ("opted_out", "kept_copy_opted_out")
    }
    assert all(is_named(row) for row in reasons["opted_out"])
    assert sum(map(len, reasons.values())) == len(fresh)
    assert new.rejected["file:purge:opted_out"] == len(reasons["opted_out"]) > 0
    assert new.examples["partition:train"] + new.examples["partition:validation"] == len(examples)
    assert not any(is_named(row) or row["kept_repository"] == "owner/project3" for row in removed)


def test_the_purged_folder_is_one_that_verify_and_the_reader_accept(purged: Path, stackfim: Run) -> None:
    checked = stackfim("verify", purged)
    assert checked.returncode == 0, checked.stdout
    assert "0 violations" in checked.stdout
    card = (purged / "README.md").read_text()
    assert "taken out on request" in card
    assert manifest_of(purged).configuration["purged"][0]["names"] == 2


def test_untouched_shards_keep_their_bytes(built: Path, purged: Path) -> None:
    old = {file.path: file.sha256 for file in manifest_of(built).files}
    new = {file.path: file.sha256 for file in manifest_of(purged).files}
    assert set(old) == set(new)
    same = [path for path in old if old[path] == new[path]]
    assert [path for path in same if path.startswith("rejections/filtered")]


def test_it_goes_on_where_it_broke_off(
    built: Path, purged: Path, names: Path, tree_digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    whole = purge._purge
    done: list[str | None] = []

    def breaks_off(task: purge._Task) -> Made:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(task.rejections)
        return whole(task)

    monkeypatch.setattr(purge, "_purge", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        purge_folder(str(built), str(names), str(out), 1)
    assert not (out / "manifest.json").exists()
    written = {path: path.stat().st_mtime_ns for path in out.glob("data/*.parquet")}
    monkeypatch.setattr(purge, "_purge", whole)
    purge_folder(str(built), str(names), str(out), 1)
    assert all(path.stat().st_mtime_ns == time for path, time in written.items())
    assert tree_digest(out) == tree_digest(purged)
    again = purge_folder(str(built), str(names), str(out), 1)
    assert again == manifest_of(purged)


def test_names_that_are_not_there_change_no_row(built: Path, stackfim: Run, tmp_path: Path) -> None:
    (tmp_path / "names").write_text("nobody/nothing\n")
    done = stackfim("purge", built, "--opt-out", tmp_path / "names", "--out", tmp_path / "out", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path / "out", "data/*.parquet") == rows(built, "data/*.parquet")
    assert manifest_of(tmp_path / "out").counts == manifest_of(built).counts
    assert manifest_of(tmp_path / "out").examples == manifest_of(built).examples


def test_wrong_usage_writes_nothing(built: Path, names: Path, here: Run, tree_digest: Digest, tmp_path: Path) -> None:
    before = tree_digest(built)
    (tmp_path / "empty").write_text("# nobody\n")
    for folder, file, out, told in (
        (built, tmp_path / "missing", tmp_path / "out", "missing"),
        (built, tmp_path / "empty", tmp_path / "out", "names nothing"),
        (built, names, built, "is the folder that is read; choose another --out"),
        (tmp_path, names, tmp_path / "out", "finished run"),
        (built, names, tmp_path, "holds something other than a run"),
    ):
        done = here("purge", folder, "--opt-out", file, "--out", out)
        assert done.returncode == 2
        assert told in done.stderr
    assert not (tmp_path / "out").exists()
    assert tree_digest(built) == before


def test_build_leaves_the_named_out_as_well(source_folder: Path, names: Path, stackfim: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = stackfim(
        "build", f"parquet:{source_folder}/part-0.parquet", "--out", out, "--opt-out", names, "--workers", 1
    )
    assert done.returncode == 0, done.stderr
    left_out = [row for row in rows(out, "rejections/*.parquet") if row["reason"] == "opted_out"]
    assert left_out
    assert all(is_named(row) and row["stage"] == "opt_out" for row in left_out)
    assert not any(is_named(row) for row in rows(out, "data/*.parquet"))
    assert manifest_of(out).configuration["opt_outs"]["names"] == 2
    assert "asked to be left out" in (out / "README.md").read_text()
