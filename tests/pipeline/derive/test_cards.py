"""`load_dataset` gives the rows of a derived folder: all of them, by partition, and never those of an earlier one in its place."""

import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackfim.schemas.example import EXAMPLE

Run = Callable[..., subprocess.CompletedProcess[str]]
"""Runs the command; gives the finished process."""
Write = Callable[..., Path]
"""Writes examples to files of a folder."""

NAMES = ("data/train-00000-of-00001.parquet", "data/validation-00000-of-00001.parquet")
CHAT = [{"prompt": f"Print the number {n} in words.", "response": f"print(words({n}, {n * n}))"} for n in range(40)]


def rows(files: Iterable[Path]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for path in sorted(files):
        found += pq.read_table(path).to_pylist()
    return found


@pytest.mark.parametrize("name", ["render", "score", "mix", "purge"])
def test_another_run_in_the_same_place_is_not_loaded_from_the_cache_of_the_first(
    name: str, built: Path, write_examples: Write, checkpoint: Path, here: Run, tmp_path: Path
) -> None:
    folder = built if name == "purge" else write_examples(tmp_path / "folder", *NAMES)
    pq.write_table(pa.Table.from_pylist(CHAT), tmp_path / "chat.parquet")
    for number in (1, 2):
        (tmp_path / f"names{number}").write_text(f"owner/project{number}\n")
    mixing = ("--chat", tmp_path / "chat.parquet", "--chat-license", "MIT", "--tokenizer", checkpoint)
    scoring = ("--model", checkpoint, "--label", "--layouts")
    options: dict[str, tuple[tuple[object, ...], ...]] = {
        "render": (("--format", "refact"), ("--format", "starcoder2")),
        "score": ((*scoring, "psm"), (*scoring, "spm")),
        "mix": ((*mixing, "--share", 0.02), (*mixing, "--share", 0.2)),
        "purge": (("--opt-out", tmp_path / "names1"), ("--opt-out", tmp_path / "names2")),
    }
    out, loaded = tmp_path / "out", []
    for given in options[name]:
        shutil.rmtree(out, ignore_errors=True)
        done = here(name, folder, "--out", out, "--workers", 1, *given)
        assert done.returncode == 0, done.stderr
        found = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
        assert set(found) == {"train", "validation"}
        for partition in found:
            assert found[partition].to_list() == rows((out / "data").glob(f"{partition}-*.parquet"))
        loaded.append(found["train"].to_list())
    assert loaded[0] != loaded[1]


@pytest.mark.parametrize(
    ("names", "train", "validation"),
    [
        (("one.parquet", "two.parquet"), 2, 0),
        (("data/train-0.parquet",), 1, 0),
        (("data/a/train-0.parquet", "data/b/train-0.parquet", "data/b/validation-0.parquet"), 2, 1),
        (("data/a: b/part #1.parquet", "data/train-0.parquet", "data/validation-0.parquet"), 2, 1),
        (("part-0.parquet", "part-1.parquet", "validation-0.parquet"), 2, 1),
    ],
)
def test_every_file_is_in_its_partition_whatever_its_name(
    names: tuple[str, ...], train: int, validation: int, write_examples: Write, here: Run, tmp_path: Path
) -> None:
    folder, out = write_examples(tmp_path / "folder", *names), tmp_path / "out"
    done = here("render", folder, "--out", out, "--workers", 1)
    assert done.returncode == 0, done.stderr
    found = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    repositories = {partition: set(found[partition].unique("repository")) for partition in found}
    expected = {"train": train, "validation": validation}
    assert {partition: len(names) for partition, names in repositories.items()} == {
        partition: count for partition, count in expected.items() if count
    }
    assert sum(split.num_rows for split in found.values()) == len(rows(out.glob("data/**/*.parquet")))


@pytest.mark.parametrize("name", ["render", "score", "mix"])
def test_a_partition_without_rows_does_not_keep_the_others_from_being_loaded(
    name: str, write_examples: Write, checkpoint: Path, here: Run, tmp_path: Path
) -> None:
    folder, out = write_examples(tmp_path / "folder", NAMES[0]), tmp_path / "out"
    pq.ParquetWriter(folder / NAMES[1], EXAMPLE).close()
    pq.write_table(pa.Table.from_pylist(CHAT), tmp_path / "chat.parquet")
    options: dict[str, tuple[object, ...]] = {
        "render": (),
        "score": ("--model", checkpoint, "--layouts", "psm", "--label"),
        "mix": ("--chat", tmp_path / "chat.parquet", "--chat-license", "MIT", "--tokenizer", checkpoint),
    }
    done = here(name, folder, "--out", out, "--workers", 1, *options[name])
    assert done.returncode == 0, done.stderr
    found = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert {partition: found[partition].to_list() for partition in found} == {"train": rows(out.glob("data/train-*"))}
