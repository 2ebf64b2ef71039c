"""Real documents: the sources of Python's standard library, which every machine that runs the tests has."""

import sysconfig
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def library_sources() -> list[bytes]:
    """The first 150 modules of the standard library by name: about 3 MB."""
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    assert len(files) > 100
    return [file.read_bytes() for file in files[:150]]
