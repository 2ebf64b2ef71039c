"""Scored examples are as good as the run that they are from: they can be purged, and later runs compared with them."""

import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest

from tests.pipeline.fixture_types import Run, TreeDigest


def rows(folder: Path, pattern: str) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob(pattern)) for row in pq.read_table(path).to_pylist()]


@pytest.fixture(scope="module")
def source(source_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("source")
    for part in (0, 1):
        pq.write_table(pq.read_table(source_folder / f"part-{part}.parquet").slice(0, 10), folder / f"{part}.parquet")
    return f"parquet:{folder}"


@pytest.fixture(scope="module")
def scored(source: str, checkpoint: Path, stackfim: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scored examples of a small run."""
    base = tmp_path_factory.mktemp("scored")
    for command in (
        ("build", source, "--out", base / "run", "--set", "split.max_slots=2"),
        ("score", base / "run", "--model", checkpoint, "--label", "--out", base / "scored"),
    ):
        done = stackfim(*command, "--workers", 1)
        assert done.returncode == 0, done.stderr
    return base / "scored"


def test_purged_scored_examples_have_none_of_the_named_and_verify(
    scored: Path, stackfim: Run, tree_digest: TreeDigest, tmp_path: Path
) -> None:
    before = rows(scored, "data/*")
    name = before[0]["repository"]
    (tmp_path / "names").write_text(f"{name.upper()}\n")
    out = tmp_path / "out"
    arguments = ("purge", scored, "--opt-out", tmp_path / "names", "--workers", 1, "--out")
    done = stackfim(*arguments, out)
    assert done.returncode == 0, done.stderr
    assert rows(out, "data/*") == [row for row in before if row["repository"] != name]
    assert rows(out, "fingerprints/*") == [row for row in rows(scored, "fingerprints/*") if row["repository"] != name]
    gone = {(row["path"], row["content_id"]) for row in before if row["repository"] == name}
    purged = [row for row in rows(out, "rejections/*") if row["stage"] == "purge"]
    assert {(row["path"], row["content_id"]) for row in purged} == gone
    assert f"{len(gone)} files were taken out" in done.stdout
    counts = json.loads((out / "scoring.json").read_text())["counts"]
    assert counts["files_in"] == json.loads((scored / "scoring.json").read_text())["counts"]["files_in"]
    assert "Taken down" in (out / "README.md").read_text()
    for folder in (scored, out):
        checked = stackfim("verify", folder, "--workers", 1)
        assert checked.returncode == 0, checked.stdout
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert sum(part.num_rows for part in loaded.values()) == counts["examples"]
    assert stackfim(*arguments, tmp_path / "again").returncode == 0
    assert tree_digest(tmp_path / "again") == tree_digest(out)


def test_a_shard_of_which_no_row_is_left_has_no_file(scored: Path, stackfim: Run, tmp_path: Path) -> None:
    (tmp_path / "names").write_text("owner\ncopies\n")
    done = stackfim("purge", scored, "--opt-out", tmp_path / "names", "--out", tmp_path / "out", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "out").glob("data/*"))
    checked = stackfim("verify", tmp_path / "out", "--workers", 1)
    assert checked.returncode == 0, checked.stdout


def test_a_later_run_leaves_out_what_scored_examples_were_made_of(
    source: str, scored: Path, stackfim: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = stackfim("build", source, "--out", out, "--against", scored, "--workers", 1)
    assert done.returncode == 0, done.stderr
    kept = {row["content_id"] for row in rows(scored, "fingerprints/*")}
    removed = rows(out, "removals/*")
    assert kept <= {row["kept_content_id"] for row in removed}
    assert not rows(out, "data/*")
