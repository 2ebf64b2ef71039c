"""What the pipeline's tests share: real sources, the command, and a finished run."""

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

from stackfim.pipeline.commands.subcommands import app
from tests.made_once import made_once
from tests.pipeline.fixture_types import Command, Finished, Run, TreeDigest

LANGUAGES = {".py": "Python", ".h": "C", ".js": "JavaScript"}
SOURCE = pa.schema(
    [("content", pa.binary()), ("lang", pa.string()), ("path", pa.string()), ("licenses", pa.list_(pa.string())),
     ("repository", pa.string()), ("stars", pa.int64())]
)  # fmt: skip


@pytest.fixture(scope="session")
def source_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six parquet files of real code: Python, C and JavaScript, with exact copies, bad licenses and broken bytes.

    The files are those of Python's standard library and of installed packages; that they are under MIT is made up.
    """
    return made_once(tmp_path_factory, "source", _write_source)


def _write_source(folder: Path) -> None:
    library = Path(sysconfig.get_path("stdlib"))
    files = (
        sorted(library.glob("*.py"))[:40]
        + sorted((library / "json").glob("*.py"))
        + sorted((library / "asyncio").glob("*.py"))
    )
    packages = Path(sysconfig.get_path("purelib"))
    files += sorted((packages / "numpy").rglob("*.h"))[:15] + sorted(packages.rglob("*.js"))[:5]
    rows: list[dict[str, object]] = []
    for number, path in enumerate(files):
        license_name = "GPL-3.0-only" if number % 11 == 10 else "MIT"
        row: dict[str, object] = {"content": path.read_bytes(), "lang": LANGUAGES[path.suffix], "path": path.name}
        row |= {"licenses": [license_name], "repository": f"owner/project{number % 7}", "stars": number % 5}
        rows.append(row)
        if number % 9 == 0:  # an exact copy elsewhere, with fewer stars
            rows.append(row | {"repository": "copies/all", "licenses": ["MIT"], "stars": None})
    rows.append(rows[0] | {"content": b"\xff\xfe broken", "path": "broken.py"})
    rows.append(rows[0] | {"content": b"x = 1\n\0\n", "path": "nul.py"})
    rows.append(rows[0] | {"content": b"program main\nend\n", "path": "main.f90", "lang": "Fortran"})
    for part in range(6):
        pq.write_table(pa.Table.from_pylist(rows[part::6], schema=SOURCE), folder / f"part-{part}.parquet")


def _names_a_model(arguments: list[str]) -> bool:
    configurations = [Path(path) for option, path in pairwise(arguments) if option == "--config"]
    return "--model" in arguments or any(path.exists() and "[score" in path.read_text() for path in configurations)


def _texts(arguments: tuple[object, ...]) -> list[str]:
    """The arguments of the command. A build that names no model, nor has a configuration that does, scores nothing:
    scoring is most of the time that a build takes."""
    texts = [str(argument) for argument in arguments]
    if texts[0] == "build" and not _names_a_model(texts):
        texts[1:1] = ["--model", "none"]
    return texts


@pytest.fixture(scope="session")
def command() -> Command:
    """The command line that a user would type, for `subprocess`."""
    return lambda *arguments: [str(Path(sys.executable).with_name("stackfim")), *_texts(arguments)]


@pytest.fixture(scope="session")
def stackfim(command: Command, here: Run) -> Run:
    """Runs the command as a user does and gives the finished process; with `--workers 1` it runs in this process.

    A process of its own takes seconds to import what a run needs.
    """

    def run(*arguments: object, cwd: Path | None = None) -> Finished:
        if ("--workers", "1") in pairwise(map(str, arguments)):
            return here(*arguments, cwd=cwd)
        return subprocess.run(command(*arguments), capture_output=True, text=True, cwd=cwd, check=False)

    return run


@pytest.fixture(scope="session")
def here() -> Run:
    """Runs the command in this process; gives exit code, standard output and standard error as of a process."""

    def run(*arguments: object, cwd: Path | None = None) -> Finished:
        variables = dict(os.environ)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "_exit", sys.exit)  # how a run fails whose threads still wait for workers
            if cwd is not None:
                patch.chdir(cwd)
            try:
                done = CliRunner().invoke(app, _texts(arguments))
            finally:
                os.environ.clear()
                os.environ.update(variables)
                logging.disable(logging.NOTSET)  # the command silences the libraries' warnings
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Finished(_texts(arguments), done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def built(source_folder: Path, stackfim: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the source with two workers."""

    def build(folder: Path) -> None:
        done = stackfim("build", f"parquet:{source_folder}", "--out", folder / "out", "--workers", 2)
        assert done.returncode == 0, done.stderr

    return made_once(tmp_path_factory, "built", build) / "out"


@pytest.fixture(scope="session")
def tree_digest() -> TreeDigest:
    """Digests of all files below a folder, by relative path."""

    def digests(folder: Path) -> dict[str, str]:
        return {
            os.path.relpath(path, folder): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    return digests
