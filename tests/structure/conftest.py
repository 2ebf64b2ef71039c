"""Made-up trees, to show that the checks of the structure find what breaks a rule."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return ROOT


@pytest.fixture
def made_up(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Writes files, given by path and text, into a folder of their own, with an `__init__` in each folder; gives it."""

    def write(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            for folder in path.relative_to(tmp_path).parents:
                if folder != Path():
                    (tmp_path / folder / "__init__.py").touch()
        return tmp_path

    return write
