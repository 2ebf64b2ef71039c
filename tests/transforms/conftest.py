"""Parsed source files, and the sites that each kind finds on a line of them."""

import pytest

from stackfim.transforms.draws import Draws
from stackfim.transforms.lines import Lines
from stackfim.transforms.split.kinds import KIND_BY_NAME
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.parser import BudgetedParser
from stackfim.transforms.split.site import Finder, Refused, Site
from stackfim.transforms.split.syntax import ParsedFile
from tests.fixture_types import LineWith, Parsed, RefusalsOn, SitesOn, SourceFile

# Enough draws to see all of a handful of choices.
DRAWS = 60
LIMITS = MultiLineLimits(newline_in_middle_share=0.0)


@pytest.fixture(scope="session")
def parsed() -> Parsed:
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
def parsed_sources(parsed: Parsed, sources: tuple[SourceFile, ...]) -> dict[str, ParsedFile]:
    """The parsed files of tests/data/sources by name."""
    return {file.name: parsed(file.language, file.content) for file in sources}


@pytest.fixture(scope="session")
def line_with() -> LineWith:
    """The one line of a file that holds a text; ` >> ` leads on to the first later line that holds what follows."""

    def find(file: ParsedFile, text: str) -> int:
        found = -1
        for step in text.split(" >> "):
            found = _only(file, step, range(found + 1, len(file.lines)), first=found >= 0)
        return found

    return find


def _only(file: ParsedFile, text: str, lines: range, *, first: bool = False) -> int:
    found = [line for line in lines if text.encode() in file.content[file.lines.starts[line] : file.lines.end(line)]]
    assert len(found) == 1 or (first and found), f"{text!r} is on lines {found}"
    return found[0]


def _finder(kind: str) -> Finder:
    find = KIND_BY_NAME[kind].find
    assert find is not None
    return find


@pytest.fixture(scope="session")
def sites_on() -> SitesOn:
    """All sites that a kind finds on a line, over many draws; empty where each is refused."""

    def find(file: ParsedFile, kind: str, line: int, limits: MultiLineLimits = LIMITS, draws: int = DRAWS) -> set[Site]:
        found = set()
        for number in range(draws):
            try:
                found.add(_finder(kind)(file, line, Draws("test", number), limits))
            except Refused:
                continue
        return found

    return find


@pytest.fixture(scope="session")
def refusals_on() -> RefusalsOn:
    """The reasons for which a kind refuses a line, over many draws; empty where none does."""

    def find(file: ParsedFile, kind: str, line: int, limits: MultiLineLimits = LIMITS) -> set[str]:
        found = set()
        for number in range(DRAWS):
            try:
                _finder(kind)(file, line, Draws("test", number), limits)
            except Refused as refused:
                found.add(str(refused))
        return found

    return find
