"""`stackfim verify` of every kind of folder: nothing is wrong as it was made, and whatever is changed is noticed."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.pipeline.fixture_types import Run

Write = Callable[..., Path]
NAMES = (
    "data/train-00000-of-00002.parquet",
    "data/train-00001-of-00002.parquet",
    "data/validation-00000-of-00002.parquet",
)
REPORTS = {
    "rendered": "rendering.json",
    "cut": "rendering.json",
    "packed": "rendering.json",
    "scored": "scoring.json",
    "mixed": "mixture.json",
}
KINDS = tuple(REPORTS)


@pytest.fixture(scope="module")
def folders(write_examples: Write, here: Run, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of each kind, from the same examples."""
    base = tmp_path_factory.mktemp("folders")
    shards = write_examples(base / "examples", *NAMES)
    (base / "chat").mkdir()
    chat = [
        {
            "prompt": f"Write a function that adds {number} to each value.",
            "completion": f"def add(values):\n    return [value + {number} for value in values]\n",
        }
        | {"license": "mit"}
        for number in range(40)
    ]
    pq.write_table(pa.Table.from_pylist(chat), base / "chat" / "train.parquet")
    tokenizer = ("--tokenizer", checkpoint)
    for name, command in (
        ("rendered", ("render", shards, "--format", "refact", "--max-chars", 900)),
        ("cut", ("render", shards, *tokenizer, "--tokenize", "--max-tokens", 400)),
        ("packed", ("render", shards, *tokenizer, "--pack", 2_000)),
        ("scored", ("score", shards, "--model", checkpoint, "--label")),
        ("mixed", ("mix", shards, *tokenizer, "--chat", base / "chat", "--share", 0.1)),
    ):
        done = here(*command, "--out", base / name, "--workers", 1)
        assert done.returncode == 0, (name, done.stderr)
    return base


def verify(here: Run, folder: Path) -> tuple[int, set[str], str]:
    """The exit code, the invariants that are broken, and all that is said."""
    done = here("verify", folder, "--json", "--workers", 1)
    assert "Traceback" not in done.stderr
    return done.returncode, {json.loads(line)["invariant"] for line in done.stdout.splitlines()}, done.stderr


def data_file(folder: Path) -> Path:
    return next(path for path in sorted((folder / "data").iterdir()) if "train" in path.name)


def rewrite(folder: Path, report: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Changes a shard and puts its new checksum in the report, as a forger would."""
    path = data_file(folder)
    pq.write_table(change(pq.read_table(path)), path)
    said = json.loads((folder / report).read_text())
    for file in said["files"]:
        if file["path"] == f"data/{path.name}":
            file["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
            file["size_bytes"] = path.stat().st_size
    (folder / report).write_text(json.dumps(said))


def instead(table: pa.Table) -> Callable[[pa.Table], pa.Table]:
    return lambda _: table


def with_value(name: str, value: Any) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        place, values = table.schema.get_field_index(name), table.column(name).to_pylist()
        return table.set_column(
            place, table.schema.field(name), pa.array([value, *values[1:]], table.schema.field(name).type)
        )

    return change


@pytest.mark.parametrize("kind", ["examples", *KINDS])
def test_nothing_is_wrong_with_a_folder_as_it_was_made(kind: str, folders: Path, here: Run) -> None:
    assert verify(here, folders / kind)[:2] == (0, set())


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("examples", "checksums, counts and attribution were not checked"),
        ("rendered", "which licenses were allowed"),
        ("cut", "Token ids were not checked"),
        ("packed", "Packs were checked for their form"),
        ("scored", "Scores were not computed again"),
        ("mixed", "Rows of a mixture were checked for the form"),
    ],
)
def test_what_was_not_checked_is_said(kind: str, sentence: str, folders: Path, here: Run) -> None:
    assert sentence in verify(here, folders / kind)[2]
    done = here("verify", folders / kind, "--workers", 1)
    assert sentence in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_went_and_files_that_changed_are_noticed(kind: str, folders: Path, here: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders / kind, tmp_path / "copy"))
    path = data_file(folder)
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    assert verify(here, folder)[1] >= {"checksum", "counts"}
    rewrite(folder, REPORTS[kind], lambda table: table)
    code, broken, _ = verify(here, folder)
    assert (code, broken) == (1, {"counts"})
    path.unlink()
    assert "checksum" in verify(here, folder)[1]
    stranger = folder / "data" / "train-00009-of-00002.parquet"
    pq.write_table(table, stranger)
    assert "checksum" in verify(here, folder)[1]


@pytest.mark.parametrize("kind", KINDS)
def test_counts_and_settings_that_were_changed_are_noticed(kind: str, folders: Path, here: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders / kind, tmp_path / "copy"))
    report = folder / REPORTS[kind]
    said = json.loads(report.read_text())
    name = {"mixed": "fim_rows", "scored": "examples"}.get(kind, "rows")
    report.write_text(json.dumps({**said, "counts": {**said["counts"], name: said["counts"][name] + 1}}))
    assert verify(here, folder)[1] == {"counts"}
    report.write_text(json.dumps({**said, "settings": {**said["settings"], "seed": 77}}))
    assert "run_key" in verify(here, folder)[1]
    report.write_text(json.dumps({**said, "settings": {}}))
    assert verify(here, folder)[0] == 2


@pytest.mark.parametrize(
    ("kind", "name", "value", "invariant"),
    [
        ("rendered", "prompt", "<fim_prefix>x<fim_suffix>y<fim_middle>", "rendered"),
        ("rendered", "completion", "nothing<|endoftext|>", "rendered"),
        ("rendered", "completion", "", "rendered"),
        ("rendered", "layout", "mps", "rendered"),
        ("cut", "prompt", "<fim_prefix>x<fim_suffix>y<fim_middle>", "rendered"),
        ("cut", "completion", "nothing<|endoftext|>", "rendered"),
        ("cut", "layout", "mps", "rendered"),
        ("cut", "middle", "else", "rendered"),
        ("scored", "licenses", [], "origin"),
        ("scored", "verdict", "splendid", "verdict"),
        ("scored", "category", "splendid", "labels"),
        ("rendered", "kind", "splendid", "labels"),
        ("packed", "seq_lengths", [5], "packed"),
        ("packed", "example_ids", [], "packed"),
        ("mixed", "source", "book", "mixed"),
        ("mixed", "prompt", "x", "mixed"),
        ("mixed", "licenses", [], "mixed"),
    ],
)
def test_a_row_that_was_changed_with_its_checksum_is_noticed(
    kind: str, name: str, value: Any, invariant: str, folders: Path, here: Run, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folders / kind, tmp_path / "copy"))
    rewrite(folder, REPORTS[kind], with_value(name, value))
    code, broken, _ = verify(here, folder)
    assert code == 1
    assert invariant in broken


@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_other_types_and_broken_files_are_violations(
    kind: str, folders: Path, here: Run, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folders / kind, tmp_path / "copy"))
    whole = pq.read_table(data_file(folder))
    for name in whole.schema.names:
        nulls = pa.nulls(whole.num_rows, whole.schema.field(name).type)
        for values in (nulls, pa.array([7.5] * whole.num_rows))[name.startswith("score_") :]:
            changed = whole.set_column(whole.schema.get_field_index(name), name, values)
            rewrite(folder, REPORTS[kind], instead(changed))
            code, broken, _ = verify(here, folder)
            assert code == (1 if broken else 0), name
            nullable = name in ("stop_reason", "score_psm", "score_spm")
            token_ids = kind == "cut" and name in ("input_ids", "labels", "completion_mask")
            assert "types" in broken or nullable or token_ids, name
        rewrite(folder, REPORTS[kind], instead(whole.drop_columns([name])))
        broken = verify(here, folder)[1]
        assert "types" in broken or (kind == "cut" and name in ("input_ids", "labels", "completion_mask")), name
    for data in (b"", b"PAR1 nothing", data_file(folders / kind).read_bytes()[:-500]):
        data_file(folder).write_bytes(data)
        assert "types" in verify(here, folder)[1]


def test_text_that_is_no_unicode_is_a_violation_of_its_row(folders: Path, here: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders / "scored", tmp_path / "copy"))
    table = pq.read_table(data_file(folder))
    values = table.column("prefix").cast(pa.binary()).to_pylist()
    spoiled = pa.array([b"\xff\xfe", *values[1:]], pa.binary()).view(pa.string())
    changed = table.set_column(table.schema.get_field_index("prefix"), "prefix", spoiled)
    rewrite(folder, "scoring.json", instead(changed))
    assert "types" in verify(here, folder)[1]
