"""Good rows to spoil: what the splitter makes of the hand-written sources and of installed files."""

import sysconfig
from pathlib import Path

import pytest

from stackfim.transforms.languages.file_names import language_of_name
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.split_settings import HalfWrittenSettings, SplitSettings
from tests.fixture_types import RowsOf, SourceFile
from tests.transforms.verify.cases import Case, Checker

# Packages that the product and its tests need, and the languages of their files.
PACKAGES = "numpy pyarrow torch pydantic hypothesis rich fsspec jinja2 datasets scipy apache_beam typer _pytest"
SUFFIXES = (".py", ".c", ".h", ".hpp", ".cpp", ".cc")
FILES_OF_A_KIND = 28
MAX_FILE_BYTES = 24_000


@pytest.fixture(scope="session")
def package_files() -> list[tuple[str, bytes]]:
    """Language and content of a few hundred files of installed packages: evenly from the sorted list of each package."""
    root = Path(sysconfig.get_path("purelib"))
    files: list[tuple[str, bytes]] = []
    for package in PACKAGES.split():
        paths = sorted(path for path in (root / package).rglob("*") if path.suffix in SUFFIXES)
        for path in paths[:: max(len(paths) // FILES_OF_A_KIND, 1)][:FILES_OF_A_KIND]:
            if 200 < path.stat().st_size <= MAX_FILE_BYTES:
                # The headers of these packages are in C++.
                language = "C++" if path.suffix == ".h" else language_of_name(path.name)
                files.append((language, path.read_bytes()))
    return files


@pytest.fixture(scope="session")
def good(rows_of: RowsOf, sources: tuple[SourceFile, ...], package_files: list[tuple[str, bytes]]) -> list[Case]:
    """Rows of every kind in finished contexts, whole files and parts of them; rows of one file stand together."""
    return _cases(rows_of, sources, package_files, half_written_share=0.0)


@pytest.fixture(scope="session")
def good_half_written(
    rows_of: RowsOf, sources: tuple[SourceFile, ...], package_files: list[tuple[str, bytes]]
) -> list[Case]:
    """The same in half-written contexts, among them halves of pairs that were not edited."""
    return _cases(rows_of, sources, package_files, half_written_share=1.0)


def _cases(
    rows_of: RowsOf,
    sources: tuple[SourceFile, ...],
    package_files: list[tuple[str, bytes]],
    half_written_share: float,
) -> list[Case]:
    """Rows of the hand-written sources, LF and CRLF, and of installed files."""
    files = [(file.language, file.content) for file in sources]
    files += [(file.language, file.content.replace(b"\n", b"\r\n")) for file in sources[::4]]
    files += package_files[::6]
    cases: list[Case] = []
    for number, (language, content) in enumerate(files):
        settings = SplitSettings(
            max_slots=16,
            lines_per_slot=5,
            context_bytes=3_000 if number % 3 else 0,
            half_written=HalfWrittenSettings(share=half_written_share),
        )
        rows = Splitter(settings, "0").split(rows_of([(language, content)])).examples.to_pylist()
        cases += [Case(row, content) for row in rows]
    return cases


@pytest.fixture(scope="session")
def checker() -> Checker:
    """Keeps parsers and the last originals for all tests."""
    return Checker()
