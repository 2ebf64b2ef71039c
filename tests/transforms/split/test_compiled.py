"""The splitter compiled by mypyc (`make native`) gives the same rows, byte for byte, as the interpreted one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from tests.fixture_types import RowsOf, SourceFile

ROOT = Path(__file__).parents[3]
SPLIT = """
import sys
import pyarrow as pa
from stackfim.transforms.split import sampling
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.split_settings import SplitSettings

assert sampling.__file__.endswith(sys.argv[1]), sampling.__file__
with pa.OSFile(sys.argv[2]) as stream:
    rows = pa.ipc.open_file(stream).get_batch(0)
result = Splitter(SplitSettings(lines_per_slot=5), "0").split(rows)
for path, batch in zip(sys.argv[3:], (result.examples, result.rejections)):
    with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, batch.schema) as file:
        file.write_batch(batch)
"""


def read(path: Path) -> pa.RecordBatch:
    with pa.OSFile(str(path)) as stream:
        return pa.ipc.open_file(stream).get_batch(0)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_it_gives_the_same_rows_when_compiled(
    sources: tuple[SourceFile, ...], installed: tuple[SourceFile, ...], rows_of: RowsOf, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    for name in ("schemas", "transforms"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    shutil.copytree(ROOT / "stackfim", tree / "stackfim", symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    environment = {**os.environ, "STACKFIM_COMPILE": "1", "PYTHONPATH": str(tree)}
    files = [(file.language, file.content) for file in (*sources, *installed)]
    # C and Python may differ where a text breaks rules.
    files += [(language, content.replace(b"\n", b"\r\n")) for language, content in files]
    files += [(language, content[: len(content) // 2]) for language, content in files if content.isascii()]
    rows = rows_of(files)
    with pa.OSFile(str(tmp_path / "rows"), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as file:
        file.write_batch(rows)

    def split(suffix: str) -> list[pa.RecordBatch]:
        paths = [tmp_path / f"{name}{suffix}" for name in ("examples", "rejections")]
        arguments = [sys.executable, "-P", "-c", SPLIT, suffix, str(tmp_path / "rows"), *map(str, paths)]
        subprocess.run(arguments, cwd=tree, env=environment, check=True)
        return [read(path) for path in paths]

    expected = split(".py")
    build = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    subprocess.run(build, cwd=tree, env=environment, check=True, capture_output=True)
    assert split(".so") == expected
    assert expected[0].num_rows > len(files)
