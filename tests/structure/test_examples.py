"""The scripts in examples/ run as they stand, in a folder of their own."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
LIBRARY = Path(sysconfig.get_path("stdlib"))


def run(name: str, *arguments: object, cwd: Path) -> str:
    """The output of an example that ended well."""
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_example_is_run_here() -> None:
    tested = Path(__file__).read_text()
    assert all(path.name in tested for path in EXAMPLES.glob("*.py"))


def test_an_own_folder_becomes_shards(tmp_path: Path) -> None:
    for project in ("json", "importlib", "asyncio"):
        folder = tmp_path / "code" / project
        folder.mkdir(parents=True)
        (folder / "pyproject.toml").write_text(f'[project]\nname = "{project}"\nversion = "1"\n')
        for path in sorted((LIBRARY / project).glob("*.py"))[:5]:
            (folder / path.name).write_bytes(path.read_bytes())
    said = run("own_folder_to_shards.py", tmp_path / "code", tmp_path / "out", cwd=tmp_path)
    assert "examples from" in said
    assert "⟦" in said


def test_one_file_is_looked_at_from_all_sides(tmp_path: Path) -> None:
    said = run("one_file_to_examples.py", cwd=tmp_path)
    assert "0 violations" in said
    assert "<fim_middle>" in said
    assert "'accept'" in said


@pytest.fixture
def parquet_file(tmp_path: Path) -> Path:
    """Files of the standard library, one of them twice, one changed a little, one without a license."""
    rows = [
        {"content": path.read_text(), "lang": "Python", "path": path.name, "repository": "o/r", "licenses": ["MIT"]}
        for path in sorted((LIBRARY / "json").glob("*.py"))
    ]
    decoder = next(row for row in rows if row["path"] == "decoder.py")
    rows.append(decoder | {"path": "z_copy.py"})
    rows.append(
        decoder | {"path": "z_near.py", "content": str(decoder["content"]).replace("JSONDecodeError", "Oops", 1)}
    )
    rows.append(decoder | {"path": "unlicensed.py", "licenses": []})
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


def test_a_stream_is_filtered_and_deduplicated(parquet_file: Path, tmp_path: Path) -> None:
    said = run("filter_and_deduplicate_a_stream.py", parquet_file, cwd=tmp_path)
    assert "1 no_license" in said
    assert "2 were duplicates" in said
    assert "z_near.py is 9" in said


def test_rendered_examples_train(tmp_path: Path) -> None:
    said = run("render_and_train.py", 2, cwd=tmp_path)
    assert "step 2: loss" in said
