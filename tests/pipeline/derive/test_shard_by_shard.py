"""What `render`, `score`, `mix` and `purge` have in common: they know their folder again, go on after a break, and harm no other."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.derive.shard_by_shard import Derivation, Made, all_files, total_counts
from stackfim.pipeline.folder import paths
from stackfim.pipeline.folder.prepare import Request
from stackfim.pipeline.folder.storage import Storage
from stackfim.schemas.derived import RenderingReport

Run = Callable[..., subprocess.CompletedProcess[str]]
"""Runs the command; gives the finished process."""
Digest = Callable[[Path], dict[str, str]]
"""Digests of all files below a folder, by relative path."""
Write = Callable[..., Path]
"""Writes examples to files of a folder."""

NAMES = (
    "data/train-00000-of-00002.parquet",
    "data/train-00001-of-00002.parquet",
    "data/validation-00000-of-00002.parquet",
)
COMMANDS = ("render", "score", "mix", "purge")


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Conversations."""
    path = tmp_path_factory.mktemp("chat") / "pairs.parquet"
    verbs = ("Add", "Sort", "Print", "Count", "Reverse", "Merge")
    rows = [
        {
            "prompt": f"{verb} the numbers of list {number}.",
            "response": f"{verb.lower()}(values_{number}, key={number})",
        }
        for number, verb in enumerate(verbs)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.fixture(scope="module")
def opt_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that names a repository."""
    path = tmp_path_factory.mktemp("names") / "opt-out.txt"
    path.write_text("owner/project3\n")
    return path


@dataclass(frozen=True)
class Commands:
    """How each command is called."""

    here: Run
    checkpoint: Path
    chat: Path
    opt_out: Path

    def __call__(self, name: str, folder: Path, out: Path, *more: object) -> subprocess.CompletedProcess[str]:
        """Runs a command in this process."""
        options: dict[str, tuple[object, ...]] = {
            "render": (),
            "score": () if "--model" in more else ("--model", self.checkpoint, "--layouts", "psm", "--label"),
            "mix": ("--chat", self.chat, "--tokenizer", self.checkpoint, "--chat-license", "MIT"),
            "purge": ("--opt-out", self.opt_out),
        }
        return self.here(name, folder, "--out", out, "--workers", 1, *options[name], *more)


@pytest.fixture(scope="module")
def run(here: Run, checkpoint: Path, chat: Path, opt_out: Path) -> Commands:
    """Runs any of COMMANDS with the options that it needs."""
    return Commands(here, checkpoint, chat, opt_out)


@pytest.fixture(scope="module")
def folders(built: Path, write_examples: Write, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder that each command reads."""
    shards = write_examples(tmp_path_factory.mktemp("shards"), *NAMES)
    return dict.fromkeys(COMMANDS, shards) | {"purge": built}


@pytest.fixture(scope="module")
def made(run: Commands, folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What each command makes of its folder."""
    found: dict[str, Path] = {}
    for name in COMMANDS:
        found[name] = tmp_path_factory.mktemp("made") / name
        done = run(name, folders[name], found[name])
        assert done.returncode == 0, done.stderr
    return found


OUTPUTS = {"render": paths.RENDERED, "score": paths.SCORED, "mix": paths.MIXED, "purge": paths.RUN}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_leaves_what_the_list_says(name: str, made: dict[str, Path]) -> None:
    files = Storage(str(made[name])).files()
    assert not OUTPUTS[name].foreign(files)
    assert {OUTPUTS[name].report, paths.CARD} < set(files)
    assert not (made[name] / paths.WORK).exists()


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_same_command_again_writes_nothing(
    name: str, run: Commands, folders: dict[str, Path], made: dict[str, Path]
) -> None:
    before = times(made[name])
    assert run(name, folders[name], made[name]).returncode == 0
    assert times(made[name]) == before


@pytest.mark.parametrize("name", COMMANDS)
def test_a_finished_folder_that_lost_a_file_is_made_again(
    name: str, run: Commands, folders: dict[str, Path], made: dict[str, Path], tree_digest: Digest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(made[name], out)
    first, *_, last = sorted((out / "data").iterdir())
    first.unlink()
    last.write_bytes(b"half")
    done = run(name, folders[name], out)
    assert done.returncode == 0, done.stderr
    assert tree_digest(out) == tree_digest(made[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_not_such_an_output_is_left_alone(
    name: str, run: Commands, folders: dict[str, Path], made: dict[str, Path], tree_digest: Digest, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train-00000-of-00001.parquet").write_bytes(b"mine")
    (tmp_path / "notes.txt").write_text("mine")
    other = "score" if name == "render" else "render"
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / OUTPUTS[name].report).write_text("[]")
    for out, told in (
        (tmp_path, "something other than a"),
        (made[other], f"something other than a {OUTPUTS[name].kind} ({OUTPUTS[other].report}"),
        (tmp_path / "broken", f"{OUTPUTS[name].report} cannot be read (the text is []"),
    ):
        before = tree_digest(out)
        refused = run(name, folders[name], out)
        assert refused.returncode == 2
        assert told in refused.stderr
        assert "choose another --out" in refused.stderr
        assert tree_digest(out) == before


@pytest.mark.parametrize("name", COMMANDS)
def test_the_folder_that_is_read_is_not_written_to(
    name: str, run: Commands, folders: dict[str, Path], tree_digest: Digest, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(folders[name])
    before = tree_digest(folders[name])
    for out in (folders[name], link, folders[name] / "data", folders[name] / "data" / "more"):
        refused = run(name, folders[name], out)
        assert refused.returncode == 2
        assert "which is read; choose another --out" in refused.stderr or "is the folder that is read" in refused.stderr
    assert tree_digest(folders[name]) == before


def test_a_rendering_is_not_rendered_onto_itself(run: Commands, made: dict[str, Path], tree_digest: Digest) -> None:
    before = tree_digest(made["render"])
    refused = run("render", made["render"], made["render"])
    assert refused.returncode == 2
    assert "is the folder that is read; choose another --out" in refused.stderr
    assert tree_digest(made["render"]) == before


@pytest.mark.parametrize("name", ["render", "score", "mix"])
def test_nothing_is_written_among_shards_without_a_data_folder(
    name: str, run: Commands, write_examples: Write, tmp_path: Path
) -> None:
    # A second call would read what the first one wrote.
    folder = write_examples(tmp_path / "flat", "one.parquet")
    refused = run(name, folder, folder / "out")
    assert refused.returncode == 2
    assert f"overlaps with {folder}, which is read" in refused.stderr
    assert not (folder / "out").exists()


@pytest.mark.parametrize("name", ["render", "score", "mix"])
def test_other_shards_are_another_request(
    name: str, run: Commands, write_examples: Write, tree_digest: Digest, tmp_path: Path
) -> None:
    folder, out = write_examples(tmp_path / "folder", *NAMES), tmp_path / "out"
    assert run(name, folder, out).returncode == 0
    before = tree_digest(out)
    fewer = write_examples(tmp_path / "fewer", NAMES[0])
    changed = write_examples(tmp_path / "changed", *NAMES[:2])
    write_examples(changed, *NAMES[2:], first=3)
    for other in (fewer, changed):
        refused = run(name, other, out)
        assert refused.returncode == 2, refused.stdout
        assert "with other shards; choose another --out" in refused.stderr
        assert tree_digest(out) == before


@pytest.mark.parametrize("name", ["render", "score", "mix"])
def test_a_shard_that_changed_after_a_break_is_noticed(
    name: str, run: Commands, write_examples: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, out = write_examples(tmp_path / "folder", *NAMES), tmp_path / "out"

    def breaks_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Derivation, "close", breaks_off)
        run(name, folder, out)
    assert not (out / OUTPUTS[name].report).exists()
    changed = write_examples(tmp_path / "changed", *NAMES[:2])
    write_examples(changed, *NAMES[2:], first=3)
    refused = run(name, changed, out)
    assert refused.returncode == 2
    assert f"holds an unfinished {OUTPUTS[name].kind} with other shards" in refused.stderr
    assert run(name, folder, out).returncode == 0


def rows(folder: Path, pattern: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob(pattern)):
        found += pq.read_table(path).to_pylist()
    return found


@pytest.mark.parametrize("name", ["render", "score", "mix"])
def test_files_of_one_name_in_two_folders_below_data_stay_apart(
    name: str, run: Commands, write_examples: Write, tmp_path: Path
) -> None:
    names = ("data/a/train-0.parquet", "data/b/train-0.parquet", "data/b/validation-0.parquet")
    folder, out = write_examples(tmp_path / "folder", *names), tmp_path / "out"
    # Lengths and limits at which some rows are dropped.
    limits = {
        "render": ("--max-chars", 400),
        "score": ("--config", tmp_path / "run.toml"),
        "mix": ("--max-tokens", 200),
    }
    (tmp_path / "run.toml").write_text("[score.limits.multi_line]\nmax_nll = 7.5\n")
    here = run.here
    if name == "score":
        options: tuple[object, ...] = ("--model", run.checkpoint, "--layouts", "psm")
        done = here(name, folder, "--out", out, "--workers", 1, *options, *limits[name])
    else:
        # All conversations are few tokens beside the examples, so that none of these has to go.
        done = run(name, folder, out, *limits[name], *(("--share", 0.01) if name == "mix" else ()))
    assert done.returncode == 0, done.stderr
    examples = {row["example_id"] for row in rows(folder, "data/*/*.parquet")}
    kept = [row["example_id"] for row in rows(out, "data/**/*.parquet") if row.get("source") != "chat"]
    dropped = [row for row in rows(out, "rejections/**/*.parquet") if row["unit"] == "example"]
    dropped = [row for row in dropped if row["repository"].startswith("owner/")]
    assert dropped
    assert len(kept) == len(set(kept))
    assert set(kept) < examples
    assert len(kept) + len(dropped) == len(examples)


def test_scored_and_unscored_shards_are_not_rendered_together(
    run: Commands, write_examples: Write, made: dict[str, Path], tmp_path: Path
) -> None:
    folder = write_examples(tmp_path / "folder", NAMES[0])
    shutil.copy(sorted((made["score"] / "data").iterdir())[1], folder / "data")
    refused = run("render", folder, tmp_path / "out")
    assert refused.returncode == 2
    assert "is scored and" in refused.stderr
    assert not (tmp_path / "out").exists()


@dataclass(frozen=True)
class Square:
    """A task that writes the square of a number."""

    out: Storage
    number: int
    breaks: bool = False


def write_square(task: Square) -> Made:
    if task.breaks:
        raise RuntimeError("broken off")
    record = task.out.write_bytes(f"data/{task.number}", str(task.number**2).encode())
    return Made((record,), {"sum": task.number, "tasks": 1, "zero": 0})


def derivation(folder: Path, request: dict[str, Any]) -> Derivation[RenderingReport]:
    (folder / "in").mkdir(exist_ok=True)
    out = Storage(str(folder / "out"))
    return Derivation(Storage(str(folder / "in")), out, paths.RENDERED, RenderingReport, Request.of(request))


def tasks(folder: Path, count: int, breaks_at: int | None = None) -> dict[str, Square]:
    out = Storage(str(folder / "out"))
    return {f"part/{number}": Square(out, number, number == breaks_at) for number in range(count)}


def test_markers_come_in_the_order_of_tasks_and_add_up(tmp_path: Path) -> None:
    job = derivation(tmp_path, {"a": 1})
    assert job.finished() is None
    with job.begun():
        markers = job.run(write_square, tasks(tmp_path, 12), 1)
    assert [marker.files[0].path for marker in markers] == [f"data/{number}" for number in range(12)]
    assert total_counts(markers) == {"sum": 66, "tasks": 12, "zero": 0}
    assert list(total_counts(markers)) == ["sum", "tasks", "zero"]
    assert [file.path for file in all_files(markers)] == sorted(f"data/{number}" for number in range(12))


def test_only_tasks_that_are_not_complete_are_done(tmp_path: Path) -> None:
    job = derivation(tmp_path, {"a": 1})
    with pytest.raises(RuntimeError, match="broken off"), job.begun():
        job.run(write_square, tasks(tmp_path, 6, breaks_at=4), 1)
    assert job.marker("part/3") is not None
    assert job.marker("part/4") is None
    (tmp_path / "out" / "data" / "1").unlink()
    (tmp_path / "out" / "data" / "2").write_bytes(b"more bytes")
    (tmp_path / "out" / paths.marker("part/3")).write_text("{}")
    before = {number: (tmp_path / "out" / "data" / number).stat().st_ino for number in "023"}
    again = derivation(tmp_path, {"a": 1})
    assert again.finished() is None
    with again.begun():
        assert len(again.run(write_square, tasks(tmp_path, 6), 1)) == 6
    after = {number: (tmp_path / "out" / "data" / number).stat().st_ino for number in "023"}
    assert after["0"] == before["0"], "a complete task was done again"
    assert after["2"] != before["2"]
    assert after["3"] != before["3"], "a marker that cannot be read was believed"
    assert (tmp_path / "out" / "data" / "2").read_text() == "4"


def test_a_folder_that_was_begun_for_another_request_is_refused(tmp_path: Path) -> None:
    with derivation(tmp_path, {"settings": {"seed": 1, "family": "refact"}}).begun():
        pass
    with pytest.raises(
        UsageError, match=r"holds an unfinished rendering with seed = 1 \(now 2\); choose another --out"
    ):
        derivation(tmp_path, {"settings": {"seed": 2, "family": "refact"}}).finished()


def test_no_task_is_nothing_to_do(tmp_path: Path) -> None:
    job = derivation(tmp_path, {})
    with job.begun():
        assert job.run(write_square, {}, 4) == []


def test_two_commands_do_not_write_to_one_folder(tmp_path: Path) -> None:
    first, second = derivation(tmp_path, {"a": 1}), derivation(tmp_path, {"a": 1})
    with first.begun():
        with pytest.raises(UsageError, match=r"process \d+ on .* is writing there"):
            second.finished()
        with pytest.raises(UsageError, match="is writing there"), second.begun():
            pass
        first.run(write_square, tasks(tmp_path, 2), 1)
    assert second.finished() is None


def test_a_folder_that_was_made_between_check_and_begin_is_not_made_again(tmp_path: Path) -> None:
    job = derivation(tmp_path, {"a": 1})
    report = RenderingReport(
        version="1", settings={}, pack_tokens=None, source={}, run_key=job.request.run_key, counts={}, files=()
    )
    job.out.write_record(paths.RENDERED.report, report)
    with pytest.raises(UsageError, match="another process has just made it; give the command again"), job.begun():
        pass
    assert job.finished() == report
