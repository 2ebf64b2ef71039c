"""`stackfim explain` and `--filter-scores`: what the filters measure, of one file or of all."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pyarrow.parquet as pq
import pytest

from stackfim.schemas.manifest import Manifest
from stackfim.transforms.filters.filter_list import FILTER_SCORE

Run = Callable[..., CompletedProcess[str]]


def test_one_file_is_explained_in_full(source_folder: Path, stackfim: Run) -> None:
    done = stackfim("explain", f"parquet:{source_folder}", "--path", "abc.py")
    assert done.returncode == 0, done.stderr
    assert "abc.py (Python)" in done.stdout
    for stage in ("license", "generated", "repetition", "personal_data"):
        assert stage in done.stdout
    assert "The file stays." in done.stdout


def test_json_has_the_same_as_values(source_folder: Path, stackfim: Run, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("[filters]\nmax_line_chars = 10\nswitched_off = ['markup']\n")
    rows = [row for path in source_folder.glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    repository = next(row["repository"] for row in rows if row["path"] == "abc.py")
    done = stackfim(
        "explain", f"parquet:{source_folder}", "--path", "abc.py", "--repository", repository, "--json",
        "--config", tmp_path / "run.toml",
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert (report["path"], report["repository"], report["kept"]) == ("abc.py", repository, False)
    filters = {report["stage"]: report for report in report["filters"]}
    assert filters["line_length"]["reason"] == "line_too_long"
    assert {score["score"]: score["limit"] for score in filters["line_length"]["scores"]}[
        "max_line_chars"
    ] == "at most 10"
    assert filters["markup"]["verdict"] == "off"
    assert filters["repetition"]["verdict"] == "kept"


@pytest.mark.parametrize(("path", "reason"), [("main.f90", "language_unsupported"), ("nul.py", "nul_byte")])
def test_the_reason_on_record_is_named(path: str, reason: str, source_folder: Path, stackfim: Run) -> None:
    done = stackfim("explain", f"parquet:{source_folder}", "--path", path)
    assert done.returncode == 0
    assert f"{reason}:" in done.stdout.replace("\n", " ")


def test_a_file_that_is_not_there_is_wrong_usage(source_folder: Path, stackfim: Run) -> None:
    done = stackfim("explain", f"parquet:{source_folder}", "--path", "abc.py", "--repository", "no/such")
    assert done.returncode == 2
    assert "no/such: abc.py" in done.stderr


def test_scores_of_every_file_are_written_where_a_run_wants_them(
    source_folder: Path, stackfim: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = stackfim("build", f"parquet:{source_folder}/part-0.parquet", "--out", out, "--filter-scores", "--workers", 1)
    assert done.returncode == 0, done.stderr
    (path,) = (out / "filter_scores").glob("*")
    assert path.name == "scores-00000-of-00001.parquet"
    assert pq.read_schema(path).equals(FILTER_SCORE)
    files = {(row["repository"], row["path"]) for row in pq.read_table(path).to_pylist()}
    manifest = Manifest.from_json((out / "manifest.json").read_bytes())
    assert pq.read_metadata(path).num_rows == manifest.counts["files_in"]
    assert f"filter_scores/{path.name}" in {file.path for file in manifest.files}
    for folder in ("data", "rejections"):
        rows = [row for part in (out / folder).glob("*") for row in pq.read_table(part).to_pylist()]
        assert rows
        assert {(row["repository"], row["path"]) for row in rows} <= files
    (tmp_path / "names").write_text("owner\n")
    assert stackfim("purge", out, "--opt-out", tmp_path / "names", "--out", tmp_path / "purged").returncode == 0
    left = pq.read_table(tmp_path / "purged" / "filter_scores" / path.name).to_pylist()
    assert left == [row for row in pq.read_table(path).to_pylist() if not row["repository"].startswith("owner/")]
