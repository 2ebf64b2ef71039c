"""Small sources: each gives rows for training, and a folder that loads, whichever files give no example."""

import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackfim.pipeline.folder.paths import PARTITIONING
from stackfim.pipeline.folder.storage import Storage
from tests.pipeline.fixture_types import Run, TreeDigest

FUNCTION = '''"""Sums of the values of {name}."""


def total_{name}(values, limit):
    """The sum of the values of {name} below a limit."""
    result = 0
    for value in values:
        if value < limit:
            result += value * {number}
    return result


def largest_{name}(values):
    best = None
    for value in values:
        if best is None or value > best:
            best = value
    return best
'''
NOTHING = "x_{name} = {number}\n"
"""A file that gives no example: there is too little around any middle."""


def write(folder: Path, files: dict[str, list[str]], per_file: int = 1_000) -> str:
    """A source with the files (templates of content) of each repository."""
    rows = [
        {"content": template.format(name=f"n{index}_{number}", number=index * 100 + number), "lang": "Python"}
        | {"path": f"f{number}.py", "licenses": ["MIT"], "repository": repository}
        for index, (repository, templates) in enumerate(files.items())
        for number, template in enumerate(templates)
    ]
    folder.mkdir(exist_ok=True)
    for part, start in enumerate(range(0, len(rows), per_file)):
        pq.write_table(pa.Table.from_pylist(rows[start : start + per_file]), folder / f"{part:03d}.parquet")
    return f"parquet:{folder}"


def build(stackfim: Run, source: str, out: Path, *options: object) -> dict[str, Any]:
    done = stackfim("build", source, "--out", out, "--workers", 1, "--set", "dedup.near=false", *options)
    assert done.returncode == 0, done.stderr
    manifest: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    return manifest


def loaded(out: Path, cache: Path) -> dict[str, set[str]]:
    """The repository and path of the rows of each partition, as the library loads them."""
    found = datasets.load_dataset(str(out), cache_dir=str(cache))
    return {
        name: {f"{row['repository']}/{row['path']}" for row in rows.select_columns(["repository", "path"])}
        for name, rows in found.items()
    }


def check(out: Path, stackfim: Run) -> None:
    checked = stackfim("verify", out, "--workers", 1)
    assert checked.returncode == 0, checked.stdout
    assert all(pq.read_metadata(path).num_rows for path in out.glob("data/*"))


@pytest.mark.parametrize(
    ("files", "rule", "train", "validation"),
    [
        ({"me/lone": [FUNCTION]}, "none", 1, 0),
        ({"me/lone": [FUNCTION, NOTHING, NOTHING]}, "none", 1, 0),
        ({"me/lone": [FUNCTION] * 6}, "file", 5, 1),
        ({"me/lone": [FUNCTION] * 2 + [NOTHING] * 30}, "file", 1, 1),
        ({"me/one": [FUNCTION], "me/two": [FUNCTION]}, "file", 1, 1),
        ({f"me/{number}": [FUNCTION] for number in range(20)}, "repository", 19, 1),
        ({f"me/{number}": [FUNCTION if number > 17 else NOTHING] for number in range(20)}, "file", 1, 1),
        (
            {f"me/{number}": [FUNCTION if number > 17 else NOTHING] * 2 for number in range(38)},
            "repository",
            38,
            2,
        ),
    ],
)
def test_every_small_source_has_rows_for_training_and_loads(
    files: dict[str, list[str]], rule: str, train: int, validation: int, stackfim: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    manifest = build(stackfim, write(tmp_path / "source", files), out)
    assert manifest["partitioned_by"] == rule
    found = loaded(out, tmp_path / "cache")
    assert {name: len(paths) for name, paths in found.items()} == {
        name: count for name, count in (("train", train), ("validation", validation)) if count
    }
    assert not found["train"] & found.get("validation", set())
    check(out, stackfim)


def test_no_validation_on_request_leaves_no_file_of_it(stackfim: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    source = write(tmp_path / "source", {"me/lone": [FUNCTION] * 6})
    manifest = build(stackfim, source, out, "--set", "validation_share=0")
    assert manifest["partitioned_by"] == "none"
    assert [path.name for path in (out / "data").iterdir()] == ["train-00000-of-00001.parquet"]
    assert set(loaded(out, tmp_path / "cache")) == {"train"}


def test_a_source_without_examples_is_a_run_that_verify_accepts(stackfim: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert build(stackfim, write(tmp_path / "source", {"me/lone": [NOTHING]}), out)["counts"]["examples"] == 0
    assert not list(out.glob("data/*"))
    check(out, stackfim)


@pytest.mark.parametrize(
    "after", [3, *(pytest.param(after, marks=pytest.mark.slow) for after in (0, 1, 2, 4, 5, 6, 8, 11))]
)
def test_partitions_that_are_made_anew_are_the_same_after_a_break(
    after: int, stackfim: Run, tree_digest: TreeDigest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run breaks off when the files that it writes for new partitions are opened for the `after`th time."""
    files = {"me/lone": [NOTHING] * 30 + [FUNCTION] * 8 + [NOTHING] * 30}
    source = write(tmp_path / "source", files, per_file=17)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    build(stackfim, source, whole)
    found = loaded(whole, tmp_path / "cache")
    assert {name: len(paths) for name, paths in found.items()} == {"train": 7, "validation": 1}
    create, opened = Storage.create, 0

    def breaks_off(self: Storage, path: str) -> Any:
        nonlocal opened
        if opened or path == PARTITIONING:
            opened += 1
            if opened > after:
                raise KeyboardInterrupt
        return create(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "create", breaks_off)
        done = stackfim("build", source, "--out", broken, "--workers", 1, "--set", "dedup.near=false")
        assert done.returncode == 3, done.stderr
    build(stackfim, source, broken)
    assert tree_digest(broken) == tree_digest(whole)
