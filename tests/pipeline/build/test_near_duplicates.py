"""Near-duplicates in whole builds: what is removed, what later runs find, and that shards and workers change nothing."""

import hashlib
import json
import subprocess
import sysconfig
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackfim.pipeline.build.against import reference_files
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.config.validation import config_of
from stackfim.pipeline.folder.storage import Storage
from stackfim.pipeline.sources import SourceError
from stackfim.schemas.fingerprint import REFERENCE, SETTINGS
from stackfim.schemas.manifest import Manifest
from stackfim.schemas.removal import EXACT, NEAR, NEAR_ESTIMATED, REMOVAL
from stackfim.transforms.dedup.dedup_settings import DedupSettings
from stackfim.transforms.dedup.near import signature_batch
from stackfim.transforms.dedup.shingles import shingle_sets
from tests.pipeline.fixture_types import Command, Run, TreeDigest
from tests.waiting import wait_until

FIRST = ("bdb", "calendar", "cmd", "code", "codecs", "copy", "csv", "dis", "enum", "fileinput", "filecmp", "fractions")
"""Modules of the first source; the last four have no near copy there."""
SCHEMA = pa.schema(
    [("content", pa.binary()), ("lang", pa.string()), ("path", pa.string()), ("licenses", pa.list_(pa.string())),
     ("repository", pa.string()), ("stars", pa.int64())]
)  # fmt: skip


def near_copy(content: bytes) -> bytes:
    return content.replace(b"self", b"this", 3) + b"\n# one more line at the end\n"


def module(name: str) -> bytes:
    return (Path(sysconfig.get_path("stdlib")) / f"{name}.py").read_bytes()


def row(repository: str, path: str, content: bytes, stars: int | None) -> dict[str, Any]:
    return {"content": content, "lang": "Python", "path": path, "licenses": ["MIT"]} | {
        "repository": repository,
        "stars": stars,
    }


def write_source(folder: Path, rows: list[dict[str, Any]], parts: int = 5) -> Path:
    folder.mkdir(exist_ok=True)
    for part in range(parts):
        pq.write_table(pa.Table.from_pylist(rows[part::parts], schema=SCHEMA), folder / f"part-{part}.parquet")
    return folder


@pytest.fixture(scope="session")
def near_rows() -> list[dict[str, Any]]:
    """Twelve modules; near copies of eight, every other one with more stars; exact copies of files that stay and that go."""
    rows = [row(f"owner/p{number % 4}", f"{name}.py", module(name), 10) for number, name in enumerate(FIRST)]
    for number, name in enumerate(FIRST[:8]):
        rows.append(row("near/all", f"like_{name}.py", near_copy(module(name)), [3, 90][number % 2]))
    for number, name in enumerate(FIRST[:4]):
        content = module(name) if number < 2 else near_copy(module(name))
        rows.append(row("copies/all", f"copy_{name}.py", content, None))
    return rows


@pytest.fixture(scope="session")
def near_source(near_rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_source(tmp_path_factory.mktemp("near") / "source", near_rows)


@pytest.fixture(scope="session")
def near_built(near_source: Path, stackfim: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the near-duplicates with two workers."""
    out = tmp_path_factory.mktemp("near-built") / "out"
    done = stackfim("build", f"parquet:{near_source}", "--out", out, "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert "near-duplicate" in done.stdout
    return out


def removals_of(folder: Path) -> list[dict[str, Any]]:
    return [found for path in sorted(folder.glob("removals/*")) for found in pq.read_table(path).to_pylist()]


def manifest_of(folder: Path) -> dict[str, Any]:
    return Manifest.from_json((folder / "manifest.json").read_bytes()).model_dump()


def blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def similarity(left: bytes, right: bytes) -> float:
    first, second = (set(shingle_sets(pa.array([content]))[0].tolist()) for content in (left, right))
    return len(first & second) / len(first | second)


def test_removals_name_the_better_file_and_the_manifest_counts_them(
    near_built: Path, near_rows: list[dict[str, Any]]
) -> None:
    contents = {(found["repository"], found["path"]): found["content"] for found in near_rows}
    stars = {(found["repository"], found["path"]): found["stars"] or -1 for found in near_rows}
    removals = removals_of(near_built)
    assert all(pq.read_schema(path).equals(REMOVAL) for path in near_built.glob("removals/*"))
    gone = {(found["repository"], found["path"]) for found in removals}
    assert len(gone) == len(removals) == 12
    for found in removals:
        removed, kept = (found["repository"], found["path"]), (found["kept_repository"], found["kept_path"])
        assert kept not in gone
        assert found["content_id"] == blob_id(contents[removed])
        assert found["kept_content_id"] == found["cluster_id"] == blob_id(contents[kept])
        assert stars[kept] >= stars[removed]
        assert found["similarity"] == similarity(contents[removed], contents[kept]) >= 0.7
        assert found["method"] == (EXACT if contents[removed] == contents[kept] else NEAR)
    methods = [found["method"] for found in removals]
    manifest = manifest_of(near_built)
    assert manifest["removed"] == {method: methods.count(method) for method in (EXACT, NEAR)}
    assert manifest["counts"]["files_removed"] == len(removals)


def test_fingerprints_are_those_of_the_files_that_stayed(near_built: Path, near_rows: list[dict[str, Any]]) -> None:
    gone = {(found["repository"], found["path"]) for found in removals_of(near_built)}
    contents = {(found["repository"], found["path"]): found["content"] for found in near_rows}
    rejected = {
        (found["repository"], found["path"])
        for path in near_built.glob("rejections/filtered-*")
        for found in pq.read_table(path).to_pylist()
    }
    found = []
    for path in sorted(near_built.glob("fingerprints/*")):
        table = pq.read_table(path)
        assert table.schema.equals(REFERENCE)
        assert json.loads(table.schema.metadata[SETTINGS]) == {"ngram": 5, "permutations": 252, "seed": 1}
        found += table.to_pylist()
    named = {(entry["repository"], entry["path"]) for entry in found}
    assert len(named) == len(found)
    assert named == contents.keys() - gone - rejected
    for entry in found:
        content = contents[entry["repository"], entry["path"]]
        assert (entry["content_id"], entry["language"]) == (blob_id(content), "Python")
        made = signature_batch(pa.array([content]), DedupSettings()).to_pylist()[0]
        assert {name: entry[name] for name in made} == made
    recorded = {file["path"]: file["sha256"] for file in manifest_of(near_built)["files"]}
    for path in near_built.glob("fingerprints/*"):
        assert recorded[f"fingerprints/{path.name}"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("workers", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_any_number_of_workers_gives_the_same_bytes(
    workers: int, near_built: Path, near_source: Path, stackfim: Run, tree_digest: TreeDigest, tmp_path: Path
) -> None:
    done = stackfim("build", f"parquet:{near_source}", "--out", tmp_path / "out", "--workers", workers)
    assert done.returncode == 0, done.stderr
    assert tree_digest(tmp_path / "out") == tree_digest(near_built)


@pytest.mark.slow
def test_other_shards_and_another_order_remove_the_same(
    near_built: Path, near_rows: list[dict[str, Any]], stackfim: Run, tmp_path: Path
) -> None:
    source = write_source(tmp_path / "source", near_rows[::-1], parts=2)
    done = stackfim("build", f"parquet:{source}", "--out", tmp_path / "out", "--workers", 1)
    assert done.returncode == 0, done.stderr

    def by_name(found: dict[str, Any]) -> str:
        return f"{found['repository']} {found['path']}"

    assert sorted(removals_of(tmp_path / "out"), key=by_name) == sorted(removals_of(near_built), key=by_name)


@pytest.mark.slow
def test_killed_with_all_its_processes_it_resumes_with_the_same_removals(
    near_built: Path, near_source: Path, command: Command, stackfim: Run, tree_digest: TreeDigest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("build", f"parquet:{near_source}", "--out", out, "--workers", 1)
    process = subprocess.Popen(command(*arguments), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_until(lambda: list(out.glob("work/done/filtered-*.json")), process)
    for victim in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
        try:
            victim.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()
    assert not (out / "manifest.json").exists()
    done = stackfim(*arguments)
    assert done.returncode == 0, done.stderr
    assert tree_digest(out) == tree_digest(near_built)


def test_a_second_run_does_nothing(near_built: Path, near_source: Path, here: Run, tree_digest: TreeDigest) -> None:
    before = tree_digest(near_built)
    again = here("build", "--model", "none", f"parquet:{near_source}", "--out", near_built, "--workers", 2)
    assert again.returncode == 0, again.stderr
    assert "nothing to do" in again.stdout
    assert tree_digest(near_built) == before


def test_without_near_only_exact_copies_go_and_no_fingerprints_are_left(
    near_source: Path, stackfim: Run, tmp_path: Path
) -> None:
    config = tmp_path / "run.toml"
    config.write_text("[dedup]\nnear = false\n")
    out = tmp_path / "out"
    done = stackfim("build", f"parquet:{near_source}", "--out", out, "--workers", 1, "--config", config)
    assert done.returncode == 0, done.stderr
    assert {found["method"] for found in removals_of(out)} == {EXACT}
    assert manifest_of(out)["removed"] == {EXACT: 4}
    assert not (out / "fingerprints").exists()
    with pytest.raises(UsageError, match="that run kept no fingerprints; expected fingerprints/ in it"):
        reference_files((str(out),), Storage(str(tmp_path / "other")), DedupSettings())


@pytest.fixture(scope="session")
def later_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A later source: near copies and exact copies of files of the first run, with more stars, and a new file."""
    rows = [row("later/all", f"{name}.py", near_copy(module(name)), 500) for name in FIRST[8:10]]
    rows += [row("later/all", f"{name}.py", module(name), 500) for name in FIRST[10:12]]
    rows += [row("later/all", f"{name}.py", module(name), 500) for name in ("shlex",)]
    return write_source(tmp_path_factory.mktemp("later") / "source", rows, parts=2)


def test_what_a_reference_run_kept_is_removed_from_a_later_run(
    near_built: Path,
    near_source: Path,
    later_source: Path,
    stackfim: Run,
    here: Run,
    tree_digest: TreeDigest,
    tmp_path: Path,
) -> None:
    before = tree_digest(near_built)
    out = tmp_path / "out"
    spec = f"parquet:{later_source}"
    done = stackfim("build", spec, "--out", out, "--workers", 1, "--against", near_built)
    assert done.returncode == 0, done.stderr
    assert tree_digest(near_built) == before
    kept_before = {
        (found["repository"], found["path"])
        for path in near_built.glob("fingerprints/*")
        for found in pq.read_table(path).to_pylist()
    }
    removals = {found["path"]: found for found in removals_of(out)}
    assert set(removals) == {f"{name}.py" for name in FIRST[8:12]}
    for name in FIRST[8:12]:
        found = removals[f"{name}.py"]
        assert (found["kept_repository"], found["kept_path"]) in kept_before
        assert found["method"] == (EXACT if name in FIRST[10:12] else NEAR_ESTIMATED)
        expected = 1.0 if found["method"] == EXACT else similarity(near_copy(module(name)), module(name))
        assert found["similarity"] == pytest.approx(expected, abs=0.1)
    manifest = manifest_of(out)
    assert manifest["removed"] == {EXACT: 2, NEAR_ESTIMATED: 2}
    compared = manifest["source"]["against"]
    assert [entry["run_key"] for entry in compared] == [manifest_of(near_built)["run_key"]]
    assert not (out / "work").exists()
    # The same folder without --against is another run; with it, this one.
    other = here("build", "--model", "none", spec, "--out", out, "--workers", 2)
    assert other.returncode == 2
    assert "another input" in other.stderr
    again = here("build", "--model", "none", spec, "--out", out, "--workers", 1, "--against", near_built)
    assert again.returncode == 0
    assert "nothing to do" in again.stdout


def test_what_is_similar_to_rows_of_a_reference_source_is_removed(
    later_source: Path, stackfim: Run, tmp_path: Path
) -> None:
    """No filter drops a row of the reference source, and its language may have any of its names."""
    rows = [row("bench/mark", "one.py", module(FIRST[8]), None), row("bench/mark", "two.py", module("shlex"), None)]
    rows = [found | {"lang": "python", "licenses": ["GPL-3.0-only"]} for found in rows]
    benchmark = write_source(tmp_path / "benchmark", rows, parts=1)
    spec = f"parquet:{later_source}"
    arguments = ("build", spec, "--out", tmp_path / "out", "--workers", 1, "--against", f"parquet:{benchmark}")
    done = stackfim(*arguments)
    assert done.returncode == 0, done.stderr
    removals = {found["path"]: (found["kept_path"], found["method"]) for found in removals_of(tmp_path / "out")}
    assert removals == {f"{FIRST[8]}.py": ("one.py", NEAR_ESTIMATED), "shlex.py": ("two.py", EXACT)}
    # Other rows in the same place are another input.
    write_source(tmp_path / "benchmark", rows[:1], parts=1)
    other = stackfim(*arguments)
    assert other.returncode == 2
    assert "another input" in other.stderr


def test_a_reference_folder_that_is_no_run_is_wrong_usage(later_source: Path, here: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    done = here("build", f"parquet:{later_source}", "--out", out, "--against", tmp_path / "empty")
    assert done.returncode == 2
    assert "expected the folder of a finished run" in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()


def test_against_a_folder_that_is_called_like_a_scheme_means_that_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="--against code: expected the folder of a finished run"):
        reference_files(("code",), Storage(str(tmp_path / "out")), DedupSettings())


def test_messages_say_what_is_wrong_with_a_reference_folder(near_built: Path, tmp_path: Path) -> None:
    own = Storage(str(tmp_path / "out"))
    half = tmp_path / "half"
    half.mkdir()
    (half / "manifest.json").write_bytes((near_built / "manifest.json").read_bytes())
    with pytest.raises(UsageError, match="is missing or changed"):
        reference_files((str(half),), own, DedupSettings())
    with pytest.raises(UsageError, match="expected the folder of a finished run"):
        reference_files((str(tmp_path / "nowhere"),), own, DedupSettings())
    (half / "manifest.json").write_text('{"name": "of another program"}')
    with pytest.raises(UsageError, match="expected the folder of a finished run.*missing"):
        reference_files((str(half),), own, DedupSettings())
    with pytest.raises(UsageError, match="the folder of this run itself"):
        reference_files((f"{near_built}/",), Storage(str(near_built)), DedupSettings())
    with pytest.raises(SourceError, match="nowhere"):
        reference_files((f"parquet:{tmp_path}/nowhere",), own, DedupSettings())
    for name, value in (("ngram", 4), ("permutations", 256), ("seed", 2)):
        other = config_of({"dedup": {name: value}}).dedup_settings()
        assert other is not None
        with pytest.raises(UsageError, match=f'"permutations": 252.*this run has .*"{name}": {value}'):
            reference_files((str(near_built),), own, other)
    # What decides which files are compared, and not how signatures are made, may differ.
    files, sources, records = reference_files(
        (str(near_built),), own, replace(DedupSettings(), threshold=0.9, bands=20)
    )
    assert len(files) == 5
    assert not sources
    assert records[0]["run_key"] == manifest_of(near_built)["run_key"]
