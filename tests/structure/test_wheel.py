"""The wheel holds one package, and works in a folder whose own modules have the names of ours."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOSTILE = 'raise RuntimeError("the folder\'s own module was imported")\n'


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of what git tracks here: what lies about in the work tree is no part of it."""
    copy = tmp_path_factory.mktemp("tracked")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        source, target = ROOT / name, copy / name
        if not (source.is_symlink() or source.exists()):
            continue  # removed, not yet committed
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        else:
            os.link(source, target) if source.stat().st_dev == copy.stat().st_dev else target.write_bytes(
                source.read_bytes()
            )
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    environment = {name: value for name, value in os.environ.items() if name != "STACKFIM_COMPILE"}
    subprocess.run([*pip, "-w", str(out), str(copy)], check=True, env=environment)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with nothing but the wheel; its dependencies are found by a path file."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=False, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)}))
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), "install", "-q", "--no-deps"]
    subprocess.run([*pip, "--no-index", "--no-compile", str(wheel)], check=True)
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin"


@pytest.fixture(scope="module")
def hostile_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a user who has modules of the same names."""
    folder = tmp_path_factory.mktemp("hostile")
    for name in ("model", "schemas", "transforms"):
        (folder / f"{name}.py").write_text(HOSTILE)
    (folder / "pipeline").mkdir()
    (folder / "pipeline" / "__init__.py").write_text(HOSTILE)
    code = folder / "code" / "project"
    code.mkdir(parents=True)
    (code / "LICENSE").write_text((ROOT / "LICENSE").read_text())
    (code / "pyproject.toml").write_text('[project]\nname = "project"\nversion = "1"\nlicense = "MIT"\n')
    library = Path(sysconfig.get_path("stdlib"))
    for name in ("argparse.py", "bisect.py", "heapq.py", "textwrap.py"):
        (code / name).write_text((library / name).read_text())
    return folder


def test_the_wheel_is_pure_and_holds_stackfim_alone(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"stackfim"}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    ours = [name for name in tracked if name.startswith(("pipeline/", "transforms/", "model/", "schemas/"))]
    assert {f"stackfim/{name}" for name in ours if (ROOT / name).exists()} <= set(names)
    assert "stackfim/py.typed" in names


def test_the_installed_package_works_beside_modules_of_the_same_names(installed: Path, hostile_folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=hostile_folder, env=environment, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    python = str(installed / "python")
    place = run(python, "-c", "import stackfim, stackfim.model, stackfim.pipeline; print(stackfim.__file__)")
    assert place.startswith(str(installed.parent)), "the package of the environment, not of the work tree"
    settings = ["--model", "none", "--workers", "2"]
    run(str(installed / "stackfim"), "build", "code:code", "--out", "out", *settings)
    assert "0 violations" in run(python, "-m", "stackfim", "verify", "out")
    assert "examples" in run(python, "-m", "stackfim", "build", "code:code", "--out", "again", *settings)
