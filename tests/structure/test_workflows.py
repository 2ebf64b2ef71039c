"""What contributors and the CI run exists: targets of the Makefile, commands, modules and files."""

import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.structure.import_graph import product_modules

CI = Path(".github/workflows/ci.yml")
HOOKS = Path(".pre-commit-config.yaml")
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "model/tiny/README.md", "docs/*.md")


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    """The table `project` of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return table


@pytest.fixture(scope="module")
def targets(root: Path) -> set[str]:
    """The targets that the Makefile documents."""
    return set(re.findall(r"^([a-z-]+):.*## ", (root / "Makefile").read_text("utf-8"), re.M))


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[str, str]:
    """The text of every page of documentation, by its path."""
    paths = [path for pattern in PAGES for path in sorted(root.glob(pattern))]
    return {str(path.relative_to(root)): path.read_text("utf-8") for path in paths}


def test_jobs_run_targets_of_the_makefile_on_every_version_of_python(
    root: Path, targets: set[str], project: dict[str, Any]
) -> None:
    jobs = yaml.safe_load((root / CI).read_text("utf-8"))["jobs"]
    assert set(jobs) == {"lint", "test"}
    for name, job in jobs.items():
        commands = [step["run"].split() for step in job["steps"] if "run" in step]
        assert commands == [["make", name, "PYTHON=python"]]
        assert name in targets
    versions = jobs["test"]["strategy"]["matrix"]["python-version"]
    assert versions == ["3.11", "3.12", "3.13"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert {f"Programming Language :: Python :: {version}" for version in versions} <= set(project["classifiers"])


def test_hooks_run_programs_of_the_environment(root: Path) -> None:
    (repository,) = yaml.safe_load((root / HOOKS).read_text("utf-8"))["repos"]
    assert repository["repo"] == "local"
    assert [hook["id"] for hook in repository["hooks"]] == ["ruff", "ruff-format", "mypy"]
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        folder, _, program = hook["entry"].split()[0].rpartition("/")
        assert folder == ".venv/bin"
        assert Path(sys.executable).with_name(program).is_file(), program


def test_pages_name_targets_that_exist(pages: dict[str, str], targets: set[str]) -> None:
    named = {
        (page, target)
        for page, text in pages.items()
        for target in re.findall(r"(?:^|[`(]|\bor: )make ([a-z-]+)", text, re.M)
    }
    assert {"test", "lint", "sample"} <= {target for _, target in named}
    assert not [pair for pair in sorted(named) if pair[1] not in targets]


def test_pages_name_modules_that_exist(root: Path, pages: dict[str, str]) -> None:
    # The changelog also names modules of earlier versions.
    started = {
        (page, name)
        for page, text in pages.items()
        if page != "CHANGELOG.md"
        for name in re.findall(r"-m ((?:stackfim|benchmarks)(?:\.\w+)*)(?![.\w])", text)
    }
    assert len(started) > 5
    named = {(page, name) for page, text in pages.items() for name in re.findall(r"`(stackfim\.\w[\w.]*)(?<!\.)", text)}
    modules = product_modules(root)
    modules |= {f"benchmarks.{path.stem}": path for path in (root / "benchmarks").glob("*.py")}
    missing = [(page, name) for page, name in sorted(started) if name not in modules]
    missing += [(page, name) for page, name in sorted(named) if name != "stackfim.json" and not exists(name, modules)]
    assert not missing


def exists(name: str, modules: dict[str, Path]) -> bool:
    """Whether a dotted name is that of a module, or of a function, class or value that one defines."""
    module, _, member = name.rpartition(".")
    if name in modules or module not in modules:
        return name in modules
    defined: set[str] = set()
    for statement in ast.parse(modules[module].read_bytes()).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            defined.add(statement.name)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            defined |= {target.id for target in targets if isinstance(target, ast.Name)}
    return member in defined


def test_pages_name_files_that_exist(root: Path, pages: dict[str, str]) -> None:
    folders = "(?:benchmarks|deploy|docs|examples|model|pipeline|schemas|stackfim|tests|transforms)"
    named = {
        (page, path.rstrip("/"))
        for page, text in pages.items()
        if page != "CHANGELOG.md"
        for path in re.findall(rf"[`(]({folders}/[\w./-]*)[`)#]", text)
    }
    assert len(named) > 10
    missing = [(page, path) for page, path in sorted(named) if not (root / path).exists()]
    assert not [pair for pair in missing if not (root / Path(pair[0]).parent / pair[1]).exists()]


def test_the_newest_section_of_the_changelog_is_the_version(root: Path, project: dict[str, Any]) -> None:
    headings = re.findall(r"^## \[([\d.]+)\]", (root / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert headings[0] == project["version"]
    assert project["urls"]["Changelog"].endswith("/CHANGELOG.md")
