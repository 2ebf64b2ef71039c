"""Parsed source files, and the sites that each kind finds on a line of theirs."""

from collections.abc import Callable

import pytest

from stackfim.transforms.draws import Draws
from stackfim.transforms.lines import Lines
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.parser import BudgetedParser
from stackfim.transforms.split.sampling import FINDERS
from stackfim.transforms.split.site import Refused, Site
from stackfim.transforms.split.syntax import ParsedFile

# Enough draws to see all of a handful of choices.
DRAWS = 60
LIMITS = MultiLineLimits(newline_in_middle_share=0.0)


@pytest.fixture(scope="session")
def parsed() -> Callable[[str, str | bytes], ParsedFile]:
    """Parses a text of a language; the same text is parsed once."""
    known: dict[tuple[str, bytes], ParsedFile] = {}
    parsers: dict[str, BudgetedParser] = {}

    def parse(language: str, text: str | bytes) -> ParsedFile:
        content = text.encode() if isinstance(text, str) else text
        if (language, content) not in known:
            parser = parsers.setdefault(language, BudgetedParser(language))
            known[language, content] = ParsedFile(content, language, parser.parse(content), Lines(content))
        return known[language, content]

    return parse


@pytest.fixture(scope="session")
def parsed_sources(parsed, sources) -> dict[str, ParsedFile]:
    """The parsed files of tests/data/sources by name."""
    return {file.name: parsed(file.language, file.content) for file in sources}


@pytest.fixture(scope="session")
def row_with() -> Callable[[ParsedFile, str], int]:
    """The one row of a file that holds a text; ` >> ` leads on to the first later row that holds what follows."""

    def find(file: ParsedFile, text: str) -> int:
        found = -1
        for step in text.split(" >> "):
            found = _only(file, step, range(found + 1, len(file.lines)), first=found >= 0)
        return found

    return find


def _only(file: ParsedFile, text: str, rows: range, *, first: bool = False) -> int:
    lines = file.lines
    found = [row for row in rows if text.encode() in file.content[lines.starts[row] : lines.end(row)]]
    assert len(found) == 1 or (first and found), f"{text!r} is on rows {found}"
    return found[0]


@pytest.fixture(scope="session")
def sites_on() -> Callable[..., set[Site]]:
    """All sites that a kind finds on a row, over many draws; empty where each is refused."""

    def find(file: ParsedFile, kind: str, row: int, limits: MultiLineLimits = LIMITS, draws: int = DRAWS) -> set[Site]:
        found = set()
        for number in range(draws):
            try:
                found.add(FINDERS[kind](file, row, Draws("test", number), limits))
            except Refused:
                continue
        return found

    return find


@pytest.fixture(scope="session")
def refusals_on() -> Callable[..., set[str]]:
    """The reasons for which a kind refuses a row, over many draws; empty where none does."""

    def find(file: ParsedFile, kind: str, row: int, limits: MultiLineLimits = LIMITS) -> set[str]:
        found = set()
        for number in range(DRAWS):
            try:
                FINDERS[kind](file, row, Draws("test", number), limits)
            except Refused as refused:
                found.add(str(refused))
        return found

    return find
