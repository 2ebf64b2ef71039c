"""pytest finds every file of tests."""

from fnmatch import fnmatch
from pathlib import Path

import pytest


def test_no_file_of_tests_is_passed_over(root: Path, pytestconfig: pytest.Config) -> None:
    files = [path.relative_to(root) for path in (root / "tests").rglob("test_*.py")]
    assert len(files) > 100
    patterns = pytestconfig.getini("norecursedirs")
    skipped = [path for path in files if any(fnmatch(folder, pattern) for folder in path.parts for pattern in patterns)]
    assert not skipped, f"norecursedirs = {patterns} passes over {skipped}"
