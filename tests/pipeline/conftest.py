"""Real sources for the pipeline's tests: Python's own standard library and the installed packages, under MIT by decree."""

import hashlib
import logging
import os
import subprocess
import sys
import sysconfig
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from stackfim.pipeline.commands.cli import app


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@pytest.fixture(scope="session")
def source_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six parquet files of real code: Python, C and JavaScript, with exact copies, bad licenses and broken bytes."""
    folder = tmp_path_factory.mktemp("source")
    library = Path(sysconfig.get_path("stdlib"))
    files = (
        sorted(library.glob("*.py"))[:40]
        + sorted((library / "json").glob("*.py"))
        + sorted((library / "asyncio").glob("*.py"))
    )
    packages = Path(sysconfig.get_path("purelib"))
    files += sorted((packages / "numpy").rglob("*.h"))[:15] + sorted(packages.rglob("*.js"))[:5]
    rows = []
    for number, path in enumerate(files):
        language = {".py": "Python", ".h": "C", ".js": "JavaScript"}[path.suffix]
        license_name = "GPL-3.0-only" if number % 11 == 10 else "MIT"
        row = {"content": path.read_bytes(), "lang": language, "path": path.name, "licenses": [license_name]}
        rows.append(row | {"repository": f"owner/project{number % 7}", "stars": number % 5})
        if number % 9 == 0:  # an exact copy elsewhere, with fewer stars
            rows.append(row | {"repository": "copies/all", "licenses": ["MIT"], "stars": None})
    rows.append(rows[0] | {"content": b"\xff\xfe broken", "path": "broken.py"})
    rows.append(rows[0] | {"content": b"x = 1\n\0\n", "path": "nul.py"})
    rows.append(rows[0] | {"content": b"program main\nend\n", "path": "main.f90", "lang": "Fortran"})
    schema = pa.schema(
        [("content", pa.binary()), ("lang", pa.string()), ("path", pa.string()), ("licenses", pa.list_(pa.string())),
         ("repository", pa.string()), ("stars", pa.int64())]
    )  # fmt: skip
    for part in range(6):
        pq.write_table(pa.Table.from_pylist(rows[part::6], schema=schema), folder / f"part-{part}.parquet")
    return folder


def _names_a_model(arguments: tuple[object, ...]) -> bool:
    configurations = [Path(str(path)) for option, path in pairwise(arguments) if option == "--config"]
    return "--model" in arguments or any(path.exists() and "[score" in path.read_text() for path in configurations)


@pytest.fixture(scope="session")
def command():
    """The command line that a user would type, for `subprocess`.

    Only a build that names a model, or has a configuration that does, scores its examples: that is most of its time.
    """

    def line(*arguments: object) -> list[str]:
        if arguments[0] == "build" and not _names_a_model(arguments):
            arguments = ("build", "--model", "none", *arguments[1:])
        return [str(Path(sys.executable).with_name("stackfim")), *map(str, arguments)]

    return line


@pytest.fixture(scope="session")
def stackfim(command):
    """Runs the command as a user does; gives the finished process."""

    def run(*arguments: object, timeout: float = 240, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments), capture_output=True, text=True, timeout=timeout, check=False, **options
        )

    return run


@pytest.fixture(scope="session")
def here():
    """Runs the command in this process, for what starts no workers; gives exit code, standard output and standard error.

    A process of its own takes seconds to import what a run needs, and dozens of tests ask for wrong usage.
    """

    def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        with pytest.MonkeyPatch.context() as patch:
            if cwd is not None:
                patch.chdir(cwd)
            try:
                done = CliRunner().invoke(app, list(map(str, arguments)))
            finally:
                logging.disable(logging.NOTSET)  # the command silences the libraries' warnings
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(list(map(str, arguments)), done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def built(source_folder: Path, stackfim, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the source with two workers."""
    out = tmp_path_factory.mktemp("built") / "out"
    done = stackfim("build", f"parquet:{source_folder}", "--out", out, "--workers", 2)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def tree_digest():
    """Digests of all files below a folder, by relative path."""

    def digests(folder: Path) -> dict[str, str]:
        return {
            os.path.relpath(path, folder): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    return digests
