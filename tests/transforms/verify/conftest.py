"""Good rows to spoil: what the splitter makes of the hand-written sources and of installed files."""

import hashlib
import sysconfig
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stackfim.transforms.filters.license import LicensePolicy
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.parser import BudgetedParser, ParseRefused
from stackfim.transforms.split.split_settings import HalfWrittenSettings, SplitSettings
from stackfim.transforms.verify.original import Original
from stackfim.transforms.verify.row_invariants import Expected, check_content, check_row
from stackfim.transforms.verify.tree_invariants import check_tree
from stackfim.transforms.verify.violation import Violation

EXPECTED = Expected(32, 800, LicensePolicy(frozenset({"mit"})))

# Packages that the product and its tests need, and the languages of their files.
PACKAGES = "numpy pyarrow torch pydantic hypothesis rich fsspec jinja2 datasets scipy apache_beam typer _pytest"
LANGUAGE_OF_SUFFIX = {".py": "Python", ".c": "C", ".h": "C++", ".hpp": "C++", ".cpp": "C++", ".cc": "C++"}
FILES_OF_A_KIND = 28
MAX_FILE_BYTES = 24_000


class Case(NamedTuple):
    """A row and the content that it is cut from."""

    row: dict[str, Any]
    content: bytes


@pytest.fixture(scope="session")
def package_files() -> list[tuple[str, bytes]]:
    """Language and content of a few hundred files of installed packages: evenly from the sorted list of each package."""
    root = Path(sysconfig.get_path("purelib"))
    files: list[tuple[str, bytes]] = []
    for package in PACKAGES.split():
        paths = sorted(path for path in (root / package).rglob("*") if path.suffix in LANGUAGE_OF_SUFFIX)
        for path in paths[:: max(len(paths) // FILES_OF_A_KIND, 1)][:FILES_OF_A_KIND]:
            if 200 < path.stat().st_size <= MAX_FILE_BYTES:
                files.append((LANGUAGE_OF_SUFFIX[path.suffix], path.read_bytes()))
    return files


@pytest.fixture(scope="session")
def good(rows_of, sources, package_files) -> list[Case]:
    """Rows of every kind in finished contexts, whole files and parts of them; rows of one file stand together."""
    return _cases(rows_of, sources, package_files, half_written_share=0.0)


@pytest.fixture(scope="session")
def good_half_written(rows_of, sources, package_files) -> list[Case]:
    """The same in half-written contexts; a pair's half that was not edited is among them."""
    return _cases(rows_of, sources, package_files, half_written_share=1.0)


def _cases(rows_of, sources, package_files, half_written_share: float) -> list[Case]:
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


class Checker:
    """All invariants of a row beside its original, as `stackfim verify` asks them."""

    def __init__(self) -> None:
        self._parsers: dict[str, BudgetedParser] = {}
        self._originals: dict[tuple[str, str], Original | None] = {}

    def original(self, language: str, content: bytes) -> Original | None:
        """The parsed file; None where it is refused. The last few are kept."""
        key = (language, hashlib.sha1(content).hexdigest())
        if key not in self._originals:
            if len(self._originals) > 100:
                self._originals.clear()
            parser = self._parsers.setdefault(language, BudgetedParser(language))
            try:
                self._originals[key] = Original(content, language, parser)
            except ParseRefused:
                self._originals[key] = None
        return self._originals[key]

    def violations(self, row: dict[str, Any], content: bytes) -> list[Violation]:
        """What a row breaks by itself and beside the content; where it breaks nothing there, by the tree."""
        found = check_row(row, EXPECTED) + check_content(row, content)
        if found:
            return found
        original = self.original(row["language"], content)
        if original is None:
            return [Violation(row["example_id"], "kind", "the file cannot be parsed")]
        return check_tree(row, original)


@pytest.fixture(scope="session")
def checker() -> Checker:
    return Checker()
