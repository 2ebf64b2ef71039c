"""`stackfim build --model`, `stackfim score` and `stackfim calibrate` as a user runs them."""

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackfim.model.checkpoint import SHIPPED
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.manifest import read_manifest
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.derived import ScoringReport
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.manifest import ScoringSummary
from stackfim.schemas.scored import SCORED
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.split_settings import SplitSettings
from tests.fixture_types import SourceFile
from tests.waiting import wait_until

Run = Callable[..., subprocess.CompletedProcess[str]]
"""Runs the command; gives the finished process."""
Digest = Callable[[Path], dict[str, str]]
"""Digests of all files below a folder, by relative path."""


# In the small network's own scale. Whole files lose their examples: few have an empty place, and most of the others go.
CONFIG = """
seed = 3
[split]
max_slots = 2
[score]
model = {model}
layouts = ["psm"]
[score.limits.single_line]
max_nll = 8.3
[score.limits.multi_line]
max_nll = 8.45
[score.limits.empty]
min_p_eot_start = 0.0
[score.actions]
never_stops = "label"
"""


def scoring_of(folder: Path) -> ScoringSummary:
    scoring = read_manifest(Storage(str(folder))).scoring
    assert scoring is not None
    return scoring


def report_of(folder: Path) -> ScoringReport:
    return ScoringReport.from_json((folder / paths.SCORING).read_bytes())


def table(folder: Path, pattern: str = "data/*.parquet") -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob(pattern))])


@pytest.fixture(scope="module")
def config(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "run.toml"
    path.write_text(CONFIG.format(model=json.dumps(str(checkpoint))))
    return path


@pytest.fixture(scope="module")
def small_source(source_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of the tests' source."""
    folder = tmp_path_factory.mktemp("small")
    for part in (0, 1):
        rows = pq.read_table(source_folder / f"part-{part}.parquet")
        pq.write_table(rows.slice(0, 12), folder / f"part-{part}.parquet")
    return folder


@pytest.fixture(scope="module")
def scored_run(small_source: Path, config: Path, stackfim: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with the small network and two workers."""
    out = tmp_path_factory.mktemp("scored") / "out"
    done = stackfim("build", f"parquet:{small_source}", "--config", config, "--out", out, "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert "Verdicts of the model: " in done.stdout
    return out


@pytest.fixture(scope="module")
def shards(
    rows_of: Callable[[Iterable[tuple[str, bytes]]], pa.RecordBatch],
    sources: tuple[SourceFile, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Some dozens of examples in three files, without scores."""
    folder = tmp_path_factory.mktemp("shards") / "few"
    (folder / "data").mkdir(parents=True)
    splitter = Splitter(SplitSettings(max_slots=4, context_bytes=1_000), "0")
    for part in range(3):
        rows = rows_of((file.language, file.content) for file in sources[part * 6 : part * 6 + 6])
        repository = rows.schema.get_field_index("repository")
        rows = rows.set_column(repository, rows.schema.field(repository), pa.array([f"owner/{part}"] * rows.num_rows))
        table = pa.Table.from_batches([splitter.split(rows).examples])
        pq.write_table(table, folder / "data" / f"train-{part:05d}-of-00003.parquet")
    return folder


@pytest.fixture(scope="module")
def labelled(shards: Path, checkpoint: Path, here: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same examples scored in both layouts, none dropped."""
    out = tmp_path_factory.mktemp("labelled") / "out"
    done = here("score", shards, "--model", checkpoint, "--out", out, "--label", "--workers", 1)
    assert done.returncode == 0, done.stderr
    return out


def test_a_run_with_a_model_has_scores_and_a_verdict_on_every_row(scored_run: Path, checkpoint: Path) -> None:
    for path in (scored_run / "data").iterdir():
        assert pq.read_schema(path).equals(SCORED), path
    rows = table(scored_run).to_pylist()
    assert all(row["score_spm"] is None for row in rows)
    scored = [row for row in rows if not row["verdict"].startswith("unscored:")]
    assert len(scored) > 5
    assert all(row["score_psm"] is not None for row in scored)
    assert {row["verdict"] for row in scored} <= {"accept", "never_stops"}
    settings = scoring_of(scored_run).settings
    assert settings["model"] == checkpoint.name
    assert len(settings["sha256"]) == 64
    assert settings["limits"]["single_line"]["max_nll"] == 8.3
    assert str(checkpoint) not in (scored_run / "manifest.json").read_text()


def test_every_file_is_accounted_for_when_verdicts_take_all_of_its_examples(
    scored_run: Path, small_source: Path
) -> None:
    counts = read_manifest(Storage(str(scored_run))).counts
    diagnostics = scoring_of(scored_run).diagnostics
    rejections = table(scored_run, "rejections/*.parquet").to_pylist()
    by_unit = Counter((row["unit"], row["stage"]) for row in rejections)
    emptied = [row for row in rejections if row["reason"] == "no_example_left"]
    assert emptied
    examples = table(scored_run)
    files = set(zip(*(examples[name].to_pylist() for name in ("repository", "path")), strict=True))
    assert not files & {(row["repository"], row["path"]) for row in emptied}
    removed = table(scored_run, "removals/*.parquet").num_rows
    rejected_files = sum(count for (unit, _), count in by_unit.items() if unit == "file")
    assert table(small_source, "*.parquet").num_rows == len(files) + rejected_files + removed
    assert (counts["files_with_examples"], counts["files_rejected"]) == (len(files), rejected_files)
    assert counts["examples_rejected"] == by_unit["example", "score"] > 0
    # The diagnostics tell of all rows, dropped ones too.
    judged = sum(sum(found.values()) for found in diagnostics["verdicts"].values())
    assert judged == counts["examples"] + counts["examples_rejected"]


def test_one_worker_gives_the_same_bytes_as_two(
    scored_run: Path, small_source: Path, config: Path, stackfim: Run, tree_digest: Digest, tmp_path: Path
) -> None:
    out = tmp_path / "one"
    done = stackfim("build", f"parquet:{small_source}", "--config", config, "--out", out, "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert tree_digest(out) == tree_digest(scored_run)
    assert table(out).num_rows


def test_a_scored_run_is_verified_and_a_changed_verdict_found(scored_run: Path, stackfim: Run, tmp_path: Path) -> None:
    good = stackfim("verify", scored_run, "--workers", 1)
    assert good.returncode == 0, good.stdout
    assert "score_sums" in good.stdout
    broken = tmp_path / "broken"
    shutil.copytree(scored_run, broken)
    path = next(path for path in sorted((broken / "data").iterdir()) if pq.read_metadata(path).num_rows)
    rows = pq.read_table(path)
    verdicts = pa.array(["unlikely"] * rows.num_rows)
    pq.write_table(rows.set_column(rows.schema.get_field_index("verdict"), SCORED.field("verdict"), verdicts), path)
    bad = stackfim("verify", broken, "--source", "none", "--json", "--workers", 1)
    assert bad.returncode == 1
    assert {json.loads(line)["invariant"] for line in bad.stdout.splitlines()} >= {"verdict", "checksum"}


def test_a_build_that_names_no_model_scores_with_the_one_that_comes_along(
    small_source: Path, stackfim: Run, tmp_path: Path
) -> None:
    config = tmp_path / "run.toml"
    config.write_text('[score]\nactions = { unlikely = "label" }\n')
    done = stackfim("build", f"parquet:{small_source}", "--config", config, "--out", tmp_path / "out", "--workers", 1)
    assert done.returncode == 0, done.stderr
    settings = scoring_of(tmp_path / "out").settings
    assert settings["model"] == "tiny"
    assert settings["context_tokens"] == json.loads((SHIPPED["tiny"] / "stackfim.json").read_text())["context_tokens"]
    rows = table(tmp_path / "out")
    assert rows["score_psm"].null_count == 0
    assert rows["score_spm"].null_count == rows.num_rows


def test_another_model_is_another_run(scored_run: Path, small_source: Path, here: Run, tree_digest: Digest) -> None:
    before = tree_digest(scored_run)
    other = here("build", "--model", "none", f"parquet:{small_source}", "--out", scored_run)
    assert other.returncode == 2
    assert "model" in other.stderr
    assert tree_digest(scored_run) == before


def test_scored_shards_are_rendered_and_shown_with_their_scores(labelled: Path, here: Run, tmp_path: Path) -> None:
    done = here("render", labelled, "--out", tmp_path / "rendered", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert table(tmp_path / "rendered").schema.names[: len(SCORED.names)] == SCORED.names
    shown = here("show", labelled, "--n", 1)
    assert "nll(psm)" in shown.stdout


def test_scores_are_added_to_shards_that_exist(shards: Path, labelled: Path) -> None:
    before, after = table(shards), table(labelled)
    assert after.schema.equals(SCORED)
    assert after.select(EXAMPLE.names).equals(before)
    report = report_of(labelled)
    assert report.counts["examples"] == report.counts["examples_in"] == before.num_rows
    assert set(report.diagnostics["distributions"]) == {"psm", "spm"}
    assert {path.name for path in labelled.iterdir()} == {"README.md", "data", "rejections", "scoring.json"}


def test_a_run_that_was_killed_goes_on_and_ends_with_the_same_bytes(
    shards: Path,
    labelled: Path,
    checkpoint: Path,
    command: Callable[..., list[str]],
    stackfim: Run,
    tree_digest: Digest,
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    arguments = ["score", shards, "--model", checkpoint, "--out", out, "--label", "--workers"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command(*arguments, 1), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    wait_until((out / "work/done/train-00000-of-00003.parquet.json").exists, process)
    psutil.Process(process.pid).kill()
    process.wait()
    assert not (out / "scoring.json").exists()
    (out / "data" / ".tmp-0-x").write_bytes(b"left")
    marked = {path: os.stat(path).st_mtime_ns for path in (out / "data").glob("train-00000-*")}
    done = stackfim(*arguments, 2)
    assert done.returncode == 0, done.stderr
    assert tree_digest(out) == tree_digest(labelled)
    assert marked == {path: os.stat(path).st_mtime_ns for path in marked}, "a complete shard was scored again"


def test_what_a_file_lost_is_told_when_scores_drop_it(shards: Path, config: Path, here: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = here("score", shards, "--config", config, "--out", out, "--workers", 1)
    assert done.returncode == 0, done.stderr
    counts = report_of(out).counts
    before, after = table(shards), table(out)
    rejections = table(out, "rejections/*.parquet").to_pylist()
    units = Counter(row["unit"] for row in rejections)
    assert counts["examples_in"] == before.num_rows == after.num_rows + units["example"]
    assert units["example"] > 0
    pairs = [zip(rows["repository"].to_pylist(), rows["path"].to_pylist(), strict=True) for rows in (before, after)]
    files = [len(set(found)) for found in pairs]
    assert files[0] == files[1] + units["file"]
    assert (counts["files_in"], counts["files_with_examples"], counts["files_rejected"]) == (*files, units["file"])
    again = here("score", shards, "--config", config, "--out", out, "--workers", 1)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    other = here("score", shards, "--config", config, "--layouts", "spm", "--out", out)
    assert other.returncode == 2
    assert "choose another --out" in other.stderr
    refused = here("calibrate", out)
    assert refused.returncode == 2
    assert "--label" in refused.stderr


def test_calibrated_limits_are_configuration_and_lie_beside_a_model(
    labelled: Path, shards: Path, checkpoint: Path, here: Run, tmp_path: Path
) -> None:
    written = here("calibrate", labelled, "--share", 0.3, "--min-rows", 15)
    assert written.returncode == 0, written.stderr
    assert "[score.limits.multi_line]" in written.stdout
    (tmp_path / "run.toml").write_text(written.stdout)
    model = tmp_path / "model"
    shutil.copytree(checkpoint, model)
    (model / "stackfim.json").write_text('{"note": "kept"}')
    assert (
        here("calibrate", labelled, "--share", 0.3, "--min-rows", 15, "--out", model / "stackfim.json").returncode == 0
    )
    assert json.loads((model / "stackfim.json").read_text())["note"] == "kept"
    by_configuration = ["--config", tmp_path / "run.toml", "--model", checkpoint]
    settings = []
    for name, arguments in (("a", by_configuration), ("b", ["--model", model])):
        done = here("score", shards, "--out", tmp_path / name, *arguments, "--workers", 1)
        assert done.returncode == 0, done.stderr
        settings.append(report_of(tmp_path / name).settings)
    # The limits beside a model are no part of what it is.
    assert settings[0]["limits"] == settings[1]["limits"]
    assert settings[0]["sha256"] == settings[1]["sha256"]
    doubted = 1 - table(tmp_path / "a").num_rows / table(shards).num_rows
    assert 0 < doubted <= 0.45


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--model", "none"], "expected a model"),
        (["--model", "nowhere/at/all"], "nowhere/at/all"),
        (["--model", "CHECKPOINT", "--layouts", "psm,xyz"], "xyz"),
        (["--config", "CONFIG", "--model", "CHECKPOINT"], "score.limits.empty.max_loss: no such limit"),
        (["--model", "WITHOUT_TOKENIZER"], "tokenizer"),
        (["--model", "WITH_BAD_LIMITS"], "limits.lines: no such category"),
    ],
)
def test_what_cannot_be_is_a_usage_error_and_writes_nothing(
    shards: Path, checkpoint: Path, here: Run, tmp_path: Path, arguments: list[str], told: str
) -> None:
    (tmp_path / "run.toml").write_text("[score.limits.empty]\nmax_loss = 1.0\n")
    places: dict[str, Any] = {"CHECKPOINT": checkpoint, "CONFIG": tmp_path / "run.toml"}
    for name in ("WITHOUT_TOKENIZER", "WITH_BAD_LIMITS"):
        places[name] = tmp_path / name
        shutil.copytree(checkpoint, places[name])
    (places["WITHOUT_TOKENIZER"] / "tokenizer.json").unlink()
    (places["WITH_BAD_LIMITS"] / "stackfim.json").write_text('{"limits": {"lines": {}}}')
    done = here("score", shards, "--out", tmp_path / "out", *(places.get(name, name) for name in arguments))
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert not (tmp_path / "out").exists()
