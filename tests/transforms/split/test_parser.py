"""Parsing ends: checks before it, a budget of steps during it, and a sound parser after it."""

from collections.abc import Callable

import pytest
import tree_sitter

from stackfim.transforms.lines import Lines
from stackfim.transforms.split.parser import MAX_INDENT_COLUMNS, BudgetedParser, ParseRefused, check_parseable
from tests.fixture_types import SourceFile

# Error recovery is quadratic in these: 8 s and more each, without a budget.
HANGS = {
    "Python": "<!--",
    "Rust": "-->",
    "Java": "-->",
    "C": "-->",
    "Go": "-->",
    "C#": "-->",
    "Ruby": "-->",
    "C++": "-->",
}


def steps_of(content: bytes) -> int:
    """The budget: 1,000 steps and 60 more per kilobyte."""
    return 1_000 + 60 * len(content) // 1024


class CountingParser:
    """Counts how often tree-sitter asks whether to continue."""

    def __init__(self, parser: tree_sitter.Parser) -> None:
        self.parser = parser
        self.steps = 0

    def parse(
        self,
        read: Callable[[int, object], bytearray],
        old_tree: tree_sitter.Tree | None = None,
        *,
        progress_callback: Callable[[int, bool], bool],
    ) -> tree_sitter.Tree:
        def counted(offset: int, has_error: bool) -> bool:
            self.steps += 1
            return progress_callback(offset, has_error)

        if old_tree is None:
            return self.parser.parse(read, progress_callback=counted)
        return self.parser.parse(read, old_tree, progress_callback=counted)


def shape(tree: tree_sitter.Tree) -> list[tuple[str, int, int, bool]]:
    """All nodes in order, by an explicit stack."""
    found, stack = [], [tree.root_node]
    while stack:
        node = stack.pop()
        found.append((node.type, node.start_byte, node.end_byte, node.is_missing))
        stack += reversed(node.children)
    return found


@pytest.mark.parametrize(("name", "text"), HANGS.items())
def test_inputs_that_hang_error_recovery_end_within_the_budget(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (text * 3_000).encode()
    parser = BudgetedParser(name)
    counter = CountingParser(parser._parser)
    monkeypatch.setattr(parser, "_parser", counter)
    try:
        parser.parse(content)
    except ParseRefused as refused:
        assert refused.reason == "parse_budget"
        assert f"{len(content)} bytes" in str(refused)
    assert 0 < counter.steps <= steps_of(content) + 1


def test_a_file_over_the_budget_is_refused_with_its_reason() -> None:
    with pytest.raises(ParseRefused) as refused:
        BudgetedParser("Python").parse(b"<!--" * 3_000)
    assert refused.value.reason == "parse_budget"


def test_the_budget_is_counted_so_that_the_same_file_is_refused_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock does not matter: a slow machine refuses what a fast one refuses."""
    counts = set()
    for _ in range(3):
        parser = BudgetedParser("Rust")
        counter = CountingParser(parser._parser)
        monkeypatch.setattr(parser, "_parser", counter)
        with pytest.raises(ParseRefused):
            parser.parse(b"-->" * 3_000)
        counts.add(counter.steps)
    assert len(counts) == 1


def test_real_files_stay_far_below_the_budget(
    sources: tuple[SourceFile, ...], installed: tuple[SourceFile, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (*sources, *installed):
        parser = BudgetedParser(file.language)
        counter = CountingParser(parser._parser)
        monkeypatch.setattr(parser, "_parser", counter)
        parser.parse(file.content)
        assert counter.steps < steps_of(file.content) / 2, file.name


@pytest.mark.parametrize("name", ["Python", "Rust", "JavaScript"])
def test_after_a_refusal_the_parser_gives_the_trees_of_a_fresh_one(name: str, sources: tuple[SourceFile, ...]) -> None:
    good = next(file.content for file in sources if file.language == name)
    parser = BudgetedParser(name)
    for content in (b"<!--" * 3_000, b"-->" * 3_000, b"((((<!-- " * 2_000):
        try:
            parser.parse(content)
        except ParseRefused:
            pass
        assert shape(parser.parse(good)) == shape(BudgetedParser(name).parse(good))


def test_an_incremental_parse_after_a_refused_one_is_right(sources: tuple[SourceFile, ...]) -> None:
    good = next(file.content for file in sources if file.language == "Python")
    parser = BudgetedParser("Python")
    tree = parser.parse(good)
    with pytest.raises(ParseRefused):
        parser.parse(b"<!--" * 3_000)
    edited = tree.copy()
    edited.edit(0, 0, 4, (0, 0), (0, 0), (1, 0))
    assert shape(parser.parse(b"x=1\n" + good, edited)) == shape(BudgetedParser("Python").parse(b"x=1\n" + good))


@pytest.mark.parametrize("pair", ["()", "[]", "{}"])
@pytest.mark.parametrize("break_", ["", "\n"])
def test_five_thousand_nested_brackets_parse_or_are_refused(each_language: str, pair: str, break_: str) -> None:
    content = ((pair[0] + break_) * 5_000 + (pair[1] + break_) * 5_000).encode()
    try:
        assert BudgetedParser(each_language).parse(content).root_node.end_byte <= len(content)
    except ParseRefused as refused:
        assert refused.reason == "parse_budget"


def test_texts_longer_than_a_chunk_parse_as_in_one_piece(sources: tuple[SourceFile, ...]) -> None:
    content = b"".join(file.content for file in sources if file.language == "Java") * 60
    assert len(content) > 2 * (1 << 16)
    whole = tree_sitter.Parser(BudgetedParser("Java")._grammar).parse(content)
    assert shape(BudgetedParser("Java").parse(content)) == shape(whole)


def test_a_line_indented_over_the_limit_is_refused() -> None:
    fits = b"x = 1\n" + b" " * MAX_INDENT_COLUMNS + b"y = 2\n"
    check_parseable(Lines(fits))
    check_parseable(Lines(b"x = " + b" " * 500 + b"1\n"))
    for blank in (b" ", b"\t"):
        with pytest.raises(ParseRefused) as refused:
            check_parseable(Lines(b"x = 1\n" + blank * (MAX_INDENT_COLUMNS + 1) + b"y = 2\n"))
        assert refused.value.reason == "indentation_too_deep"
        assert str(MAX_INDENT_COLUMNS) in str(refused.value)


def test_stairs_of_spaces_that_crash_the_grammar_are_refused() -> None:
    stairs = b"".join(b" " * row + b"if 1:\n" for row in range(513)) + b" " * 513 + b"'a'\n"
    with pytest.raises(ParseRefused):
        check_parseable(Lines(stairs))


def test_stairs_of_tabs_and_spaces_that_crash_the_grammar_are_refused() -> None:
    """513 indents that are all different, none of more than 72 characters: SIGSEGV in tree-sitter-python 0.25."""
    indents = [b"\t" * (row // 8) + b" " * (row % 8) for row in range(514)]
    stairs = b"".join(indent + b"if 1:\n" for indent in indents[:-1]) + indents[-1] + b"'a'\n"
    with pytest.raises(ParseRefused):
        check_parseable(Lines(stairs))
