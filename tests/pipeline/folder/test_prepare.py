"""An output folder is cleared only if nothing else is in it, and what it holds is told by what differs."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.prepare import ANOTHER, Request, begin, clear, finished_report, refuse_overlap
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.manifest import Manifest

Run = Callable[..., subprocess.CompletedProcess[str]]
"""Runs the command; gives the finished process."""
Digest = Callable[[Path], dict[str, str]]
"""Digests of all files below a folder, by relative path."""


def manifest(**changes: Any) -> Manifest:
    """A manifest of a run of one file."""
    counts = ("counts", "rejected", "relabelled", "redacted", "removed", "examples", "refused", "unsupported_languages")
    members: dict[str, Any] = {name: {} for name in counts} | {"version": "1", "run_key": "a" * 64, "format": 2}
    members |= {
        "versions": {},
        "source": {},
        "locators": (),
        "configuration": {"seed": 1},
        "scoring": None,
        "partitioned_by": "repository",
        "files": (),
    }
    return Manifest(**(members | changes))


OWN = (
    *("README.md", "ATTRIBUTION.parquet", "work/run.json", "work/done/split-00000.json", "work/progress/1.json"),
    *("data/train-00000-of-00001.parquet", "data/validation-00000-of-00001.parquet", "data/.tmp-1-train"),
    *("rejections/filtered-00000-of-00001.parquet", "removals/removed-00000-of-00001.parquet", ".tmp-2-manifest.json"),
    *("fingerprints/kept-00000-of-00001.parquet", "filter_scores/scores-00000-of-00001.parquet"),
)
REQUEST = Request(run_key="a" * 64, settings={"configuration": {"seed": 1}})


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A folder with each kind of file that a run leaves or works with."""
    folder = tmp_path / "run"
    for path in OWN:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"")
    (folder / paths.REQUEST).write_bytes(REQUEST.to_json())
    (folder / paths.MANIFEST).write_bytes(manifest().to_json())
    return folder


@pytest.mark.parametrize("state", ["finished", "unfinished", "older"])
def test_a_run_is_cleared_with_all_that_it_left(state: str, run_folder: Path) -> None:
    if state == "unfinished":
        (run_folder / paths.MANIFEST).unlink()
    if state == "older":
        shutil.rmtree(run_folder / "work")
        (run_folder / paths.MANIFEST).write_text(json.dumps({"format": 1, "version": "0.1.0", "configuration": "{}"}))
    clear(Storage(str(run_folder)), paths.RUN, Manifest)
    assert Storage(str(run_folder)).files() == []


@pytest.mark.parametrize(
    "path",
    [
        "notes.txt",
        "data/notes.txt",
        "data/mine.parquet",
        "removals/train.csv",
        "more/a.parquet",
        "report.html",
        ".git/HEAD",
    ],
)
def test_nothing_is_removed_where_there_is_another_file(path: str, run_folder: Path, tree_digest: Digest) -> None:
    (run_folder / path).parent.mkdir(parents=True, exist_ok=True)
    (run_folder / path).write_text("mine")
    before = tree_digest(run_folder)
    with pytest.raises(UsageError, match=rf"files that are not part of a run \({path}\), so nothing was removed"):
        clear(Storage(str(run_folder)), paths.RUN, Manifest)
    assert tree_digest(run_folder) == before


@pytest.mark.parametrize("text", ['{"name": "of another program"}', "[]", "no JSON"])
def test_nothing_is_removed_where_no_run_is_known(text: str, run_folder: Path, tree_digest: Digest) -> None:
    shutil.rmtree(run_folder / "work")
    (run_folder / paths.MANIFEST).write_text(text)
    before = tree_digest(run_folder)
    with pytest.raises(UsageError, match=r"manifest\.json cannot be read"):
        clear(Storage(str(run_folder)), paths.RUN, Manifest)
    assert tree_digest(run_folder) == before


def test_nothing_is_removed_without_a_manifest_or_a_request(run_folder: Path, tree_digest: Digest) -> None:
    (run_folder / paths.MANIFEST).unlink()
    (run_folder / paths.REQUEST).unlink()
    before = tree_digest(run_folder)
    with pytest.raises(
        UsageError, match=r"something other than a run \(ATTRIBUTION\.parquet, README\.md, .* and 5 more\)"
    ):
        clear(Storage(str(run_folder)), paths.RUN, Manifest)
    assert tree_digest(run_folder) == before


def test_an_empty_folder_and_none_at_all_are_clear(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        clear(Storage(str(folder)), paths.RUN, Manifest)
    assert not (tmp_path / "nowhere").exists()


def test_overwrite_refuses_before_it_removes(
    built: Path, source_folder: Path, here: Run, tree_digest: Digest, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(built, folder)
    (folder / "notes.txt").write_text("mine")
    before = tree_digest(folder)
    arguments = ("build", "--model", "none", f"parquet:{source_folder}/part-0.parquet", "--out", folder, "--overwrite")
    refused = here(*arguments)
    assert refused.returncode == 2
    assert "not part of a run (notes.txt)" in refused.stderr
    assert tree_digest(folder) == before


def test_overwrite_replaces_a_run_with_filter_scores(
    built: Path, source_folder: Path, stackfim: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(built, folder)
    shutil.copytree(folder / "removals", folder / "filter_scores")
    spec = f"parquet:{source_folder}/part-0.parquet"
    done = stackfim("build", spec, "--out", folder, "--overwrite", "--filter-scores", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (folder / "filter_scores").iterdir()] == ["scores-00000-of-00001.parquet"]


def test_a_manifest_of_an_older_format_is_told_with_its_version(
    built: Path, source_folder: Path, here: Run, tree_digest: Digest, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(built, folder)
    (folder / paths.MANIFEST).write_text(json.dumps({"format": 1, "version": "0.1.0", "configuration": "{}"}))
    (tmp_path / "opt-out.txt").write_text("owner/name\n")
    before = tree_digest(folder)
    told = "the manifest has format 1, which stackfim 0.1.0 wrote, expected format 2; make the folder anew with this version"
    for arguments in (
        ("build", f"parquet:{source_folder}", "--model", "none", "--out", folder),
        ("build", f"parquet:{source_folder}", "--model", "none", "--out", tmp_path / "out", "--against", folder),
        ("verify", folder),
        ("purge", folder, "--opt-out", tmp_path / "opt-out.txt", "--out", tmp_path / "out"),
    ):
        done = here(*arguments)
        assert done.returncode == 2
        assert told in done.stderr
    assert tree_digest(folder) == before
    assert not (tmp_path / "out").exists()


def test_what_differs_is_told_with_both_values(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    theirs = {"seed": 1, "split": {"slots": 8, "weights": {"empty": 12}}, "languages": None, "same": 0}
    scoring = {"settings": {"model": "tiny"}, "diagnostics": {}}
    (tmp_path / paths.MANIFEST).write_bytes(manifest(configuration=theirs, scoring=scoring).to_json())
    ours = {"seed": 2, "split": {"slots": 4, "weights": {"empty": 12}}, "languages": ["Go"], "same": 0, "new": True}
    settings = {"configuration": ours, "versions": {"numpy": "2"}, "scoring": None}
    with pytest.raises(UsageError) as told:
        finished_report(storage, paths.RUN, Manifest, Request(run_key="b" * 64, settings=settings), "do as you like")
    assert str(told.value) == (
        f"--out {tmp_path}: holds a finished run with seed = 1 (now 2), split.slots = 8 (now 4), "
        'languages = null (now ["Go"]), new = null (now true), other versions of libraries and 1 more; do as you like'
    )


def test_a_difference_that_settings_do_not_show_is_in_the_input(tmp_path: Path) -> None:
    (tmp_path / paths.MANIFEST).write_bytes(manifest().to_json())
    request = Request(run_key="b" * 64, settings={"configuration": {"seed": 1}})
    with pytest.raises(UsageError, match="holds a finished run with another input"):
        finished_report(Storage(str(tmp_path)), paths.RUN, Manifest, request)


def test_a_folder_that_was_begun_is_taken_up_again(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "out"))
    begin(storage, paths.RUN, REQUEST)
    (tmp_path / "out" / "data").mkdir()
    left = tmp_path / "out" / "data" / ".tmp-1-train.parquet"
    left.write_bytes(b"half")
    assert finished_report(storage, paths.RUN, Manifest, REQUEST) is None
    begin(storage, paths.RUN, REQUEST)
    assert not left.exists()
    storage.write_record(paths.MANIFEST, manifest())
    assert finished_report(storage, paths.RUN, Manifest, REQUEST) == manifest()


def test_a_folder_in_which_a_writer_was_killed_at_once_is_not_someone_elses(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / ".tmp-1-run.json").write_bytes(b"{")
    assert finished_report(Storage(str(tmp_path)), paths.RUN, Manifest, REQUEST) is None


def test_folders_of_other_file_systems_do_not_overlap(tmp_path: Path) -> None:
    refuse_overlap(Storage(str(tmp_path)), Storage(f"memory:/{tmp_path}"))
    for folder in (f"memory:/{tmp_path}", f"memory:/{tmp_path}/below"):
        with pytest.raises(UsageError, match=ANOTHER):
            refuse_overlap(Storage(f"memory:/{tmp_path}"), Storage(folder))
