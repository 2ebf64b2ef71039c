"""Half-written contexts: edits can be undone, the middle and what makes its end true stay, and names stay declared."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from stackfim.schemas.example import EMPTY, MULTI_LINE, RANDOM_SPAN, SINGLE_LINE
from stackfim.transforms.draws import Draws
from stackfim.transforms.lines import Lines
from stackfim.transforms.split.declarations import Role, role
from stackfim.transforms.split.edit_operations import OPERATIONS
from stackfim.transforms.split.examples import context_slice
from stackfim.transforms.split.half_written import HalfWritten, around_partner, half_write
from stackfim.transforms.split.parser import BudgetedParser
from stackfim.transforms.split.sampling import sample_sites
from stackfim.transforms.split.single_line import TOKEN_TO_EOL
from stackfim.transforms.split.site import Site
from stackfim.transforms.split.split_settings import HalfWrittenSettings, SplitSettings
from stackfim.transforms.split.syntax import ParsedFile
from stackfim.transforms.split.worth import MIN_CONTEXT_BYTES
from stackfim.transforms.verify.row_invariants import undone
from tests.fixture_types import Parsed, SourceFile

LATER_SIBLINGS = "later_siblings"
CUT_TO_EOF = "cut_to_eof"
LATER_STATEMENTS = "later_statements"
CLOSER = "closer"
IN_PROGRESS = "in_progress"
EARLIER_DEFINITIONS = "earlier_definitions"
WHITESPACE = "whitespace"

ALWAYS = HalfWrittenSettings(share=1.0)
MANY_SITES = SplitSettings(max_slots=24, lines_per_slot=8, context_bytes=8_000)
MAX_FILE_BYTES = 90_000
# Where indentation is syntax a block that is left empty is an error.
INDENTED = ("Python", "Haskell")


Sites = list[tuple[ParsedFile, Site, int, int]]
"""Sites with the bytes between which their contexts lie."""


class Case(NamedTuple):
    """A site of a real file with its context, as it is and half-written."""

    file: ParsedFile
    site: Site
    start: int
    end: int
    context: HalfWritten

    def originals(self) -> tuple[bytes, bytes, bytes]:
        """Prefix, middle and suffix as they stand in the content."""
        content, site = self.file.content, self.site
        return content[self.start : site.start], content[site.start : site.end], content[site.end : self.end]

    def removed(self) -> list[tuple[int, int]]:
        """The bytes of the content that are not in the edited context, found by replaying the edits on their offsets."""
        sides = {"prefix": list(range(self.start, self.site.start)), "suffix": list(range(self.site.end, self.end))}
        before = {place for places in sides.values() for place in places}
        for edit in self.context.edits:
            places, offset = sides[edit["side"]], edit["offset"]
            places[offset : offset + len(edit["removed"].encode())] = [-1] * len(edit["inserted"].encode())
        gone = sorted(before - set(sides["prefix"]) - set(sides["suffix"]))
        ranges: list[tuple[int, int]] = []
        for place in gone:
            if ranges and ranges[-1][1] == place:
                ranges[-1] = (ranges[-1][0], place + 1)
            else:
                ranges.append((place, place + 1))
        return ranges


@pytest.fixture(scope="module")
def sites(sources: tuple[SourceFile, ...], installed: tuple[SourceFile, ...], parsed: Parsed) -> Sites:
    """Sites of all kinds in real files of many languages, some with CRLF."""
    found = []
    for number, source in enumerate((*sources, *sources, *installed)):
        if len(source.content) > MAX_FILE_BYTES:
            continue
        is_copy = len(sources) <= number < 2 * len(sources)
        content = source.content.replace(b"\n", b"\r\n") if is_copy else source.content
        file = parsed(source.language, content)
        settings = SplitSettings(max_slots=6, lines_per_slot=8, context_bytes=8_000) if is_copy else MANY_SITES
        drawn, _ = sample_sites(file, BudgetedParser(source.language), f"{number} {source.name}", settings)
        found += [(file, site, *context_slice(file.lines, site.partner or site, 8_000)) for site in drawn]
    return found


def edited(sites: Sites, settings: HalfWrittenSettings) -> Iterator[Case]:
    for number, (file, site, start, end) in enumerate(sites):
        yield Case(file, site, start, end, half_write(file, site, start, end, Draws("test", number), settings))


@pytest.fixture(scope="module")
def cases(sites: Sites) -> list[Case]:
    """All sites, half-written wherever that is possible."""
    return list(edited(sites, ALWAYS))


@pytest.fixture(scope="module")
def cases_of(sites: Sites) -> Callable[[str], list[Case]]:
    """The sites that one operation edits, each with that operation alone."""
    known: dict[str, list[Case]] = {}

    def find(operation: str) -> list[Case]:
        if operation not in known:
            only = HalfWrittenSettings(1.0, {operation: 1.0}, (1.0,))
            known[operation] = [case for case in edited(sites, only) if case.context.half_written]
        return known[operation]

    return find


def operations(case: Case) -> set[str]:
    return {edit["kind"] for edit in case.context.edits} & set(OPERATIONS)


def visible(text: bytes) -> str:
    return "".join(letter for letter in text.decode() if not letter.isspace())


def test_undoing_gives_the_slice_and_the_middle_is_untouched(cases: list[Case]) -> None:
    for case in cases:
        _, middle, _ = case.originals()
        row = {
            "prefix": case.context.prefix.decode(),
            "suffix": case.context.suffix.decode(),
            "middle": middle.decode(),
        }
        assert undone({**row, "edits": case.context.edits}) == case.originals()


def test_nearly_all_contexts_can_be_half_written(cases: list[Case]) -> None:
    requested = [case for case in cases if case.site.kind.category != RANDOM_SPAN]
    assert len(requested) > 300
    assert sum(case.context.half_written for case in requested) > 0.97 * len(requested)
    assert len({case.site.kind.name for case in requested}) > 10


def test_flags_are_as_defined(cases: list[Case]) -> None:
    flags: Counter[bool] = Counter()
    for case in cases:
        whole, head, tail = (
            visible(text) for text in (b"".join(case.originals()), case.context.prefix, case.context.suffix)
        )
        fits = whole.startswith(head) and whole.endswith(tail) and len(head) + len(tail) <= len(whole)
        assert case.context.irreparable == (not fits)
        assert case.context.half_written == bool(operations(case))
        left_out = any(edit["removed"].strip() for edit in case.context.edits)
        assert case.context.open_ended == (left_out and fits)
        flags[case.context.irreparable] += 1
    assert min(flags.values()) > 0.1 * len(cases)


def test_cuts_are_at_whole_characters_and_line_breaks(cases: list[Case]) -> None:
    for case in cases:
        prefix, middle, suffix = case.context.prefix, case.originals()[1], case.context.suffix
        for text in (prefix, suffix):
            text.decode("utf-8")
        for first, last in case.removed():
            content = case.file.content
            assert content[first - 1 : first + 1] != b"\r\n"
            assert content[last - 1 : last + 1] != b"\r\n"
        assert not (prefix.endswith(b"\r") and (middle + suffix).startswith(b"\n"))
        if b"\r\n" in case.file.content:
            assert re.search(rb"(?<!\r)\n", prefix + middle + suffix) is None


def test_the_line_of_the_cursor_stays(cases: list[Case]) -> None:
    for case in cases:
        prefix, middle, suffix = case.originals()
        assert case.context.prefix.rpartition(b"\n")[2] == (prefix + case.site.typed).rpartition(b"\n")[2]
        if not middle.endswith(b"\n"):
            assert case.context.suffix.partition(b"\n")[0] == suffix.partition(b"\n")[0]


def test_what_makes_an_end_true_stays(cases: list[Case]) -> None:
    """The next logical line shows why a multi-line middle ends, and that silence is right: all up to it stays."""
    seen = 0
    for case in cases:
        if case.site.kind.category not in (EMPTY, MULTI_LINE):
            continue
        lines = case.file.lines
        last_line = lines.line_of(min(max(case.site.end - 1, case.site.start), len(case.file.content) - 1))
        following = case.file.next_logical_line(last_line)
        suffix = case.originals()[2]
        kept = suffix if following is None else suffix[: lines.next_start(following) - case.site.end]
        assert case.context.suffix.startswith(kept)
        seen += len(kept) < len(suffix)
    assert seen > 100


def test_silence_stays_right(cases: list[Case]) -> None:
    """With the edits made, a parse puts no error where the cursor is, unless the unedited context has one there."""
    parsers: dict[str, BudgetedParser] = {}

    def at_the_cursor(language: str, prefix: bytes, suffix: bytes) -> tuple[str, bool]:
        tree = parsers.setdefault(language, BudgetedParser(language)).parse(prefix + suffix)
        path = ParsedFile(prefix + suffix, language, tree, Lines(prefix + suffix)).path(max(len(prefix) - 1, 0))[-2:]
        return path[-1].type, any(node.is_error or node.is_missing for node in path)

    seen = 0
    for case in cases:
        if case.site.kind.category != EMPTY or not case.context.half_written:
            continue
        prefix, _, suffix = case.originals()
        head = case.file.content[: case.start]  # a context may begin inside a text
        before = at_the_cursor(case.file.language.name, head + prefix, suffix)
        edited_prefix = case.context.prefix[: len(case.context.prefix) - len(case.site.typed)]
        after = at_the_cursor(case.file.language.name, head + edited_prefix, case.context.suffix)
        assert after[0] == before[0]
        assert after[1] <= before[1]
        seen += not before[1]
    assert seen > 40


def test_a_free_copy_is_not_left_below_the_middle(cases: list[Case]) -> None:
    for case in cases:
        middle = case.originals()[1].decode().strip()
        last = middle.rpartition("\n")[2].strip()
        first = next((line.strip() for line in case.context.suffix.decode().split("\n") if line.strip()), None)
        if case.site.kind.category != RANDOM_SPAN and len(last.strip(")]}; \t")) >= 8:
            assert last != first


def test_enough_context_is_left(cases: list[Case]) -> None:
    for case in cases:
        if case.context.half_written:
            assert case.context.prefix.strip()
            assert len(visible(case.context.prefix + case.context.suffix)) >= MIN_CONTEXT_BYTES


def test_random_spans_and_a_share_of_nothing_stay_as_they_are(sites: Sites, cases: list[Case]) -> None:
    for case in [case for case in cases if case.site.kind.category == RANDOM_SPAN]:
        assert not case.context.half_written
    for case in edited(sites[:100], HalfWrittenSettings(share=0.0)):
        prefix, _, suffix = case.originals()
        assert (case.context.prefix, case.context.suffix) == (prefix + case.site.typed, suffix)
        assert not any((case.context.half_written, case.context.irreparable, case.context.open_ended))


def test_the_share_is_kept_and_the_same_draws_give_the_same(sites: Sites) -> None:
    settings = HalfWrittenSettings()
    first, second = list(edited(sites, settings)), list(edited(sites, settings))
    assert [case.context for case in first] == [case.context for case in second]
    requested = [case for case in first if case.site.kind.category != RANDOM_SPAN]
    assert abs(sum(case.context.half_written for case in requested) / len(requested) - settings.share) < 0.08


def test_operations_are_mixed(cases: list[Case]) -> None:
    done = [operations(case) for case in cases if case.context.half_written]
    shares = {name: sum(name in names for names in done) / len(done) for name in OPERATIONS}
    for name, share in shares.items():
        assert share < 0.45, shares
        assert share > 0.06, (name, shares)
    counts = Counter(map(len, done))
    assert set(counts) == {1, 2, 3}
    assert counts[1] > counts[2] > counts[3]


class TestOperations:
    """What each operation leaves out, at all sites where it finds something to do."""

    @pytest.mark.parametrize("name", list(OPERATIONS))
    def test_every_operation_finds_something(self, cases_of: Callable[[str], list[Case]], name: str) -> None:
        assert len(cases_of(name)) > 40
        assert {case.site.kind.category for case in cases_of(name)} >= {SINGLE_LINE, MULTI_LINE}
        assert all(operations(case) == {name} for case in cases_of(name))

    def test_cut_to_eof_leaves_nothing_after_the_cut(self, cases_of: Callable[[str], list[Case]]) -> None:
        for case in cases_of(CUT_TO_EOF):
            (edit,) = (edit for edit in case.context.edits if edit["kind"] == CUT_TO_EOF)
            assert edit["offset"] == len(case.context.suffix)
            assert case.originals()[2].startswith(case.context.suffix)

    @pytest.mark.parametrize("name", [LATER_SIBLINGS, LATER_STATEMENTS, EARLIER_DEFINITIONS])
    def test_whole_lines_go(self, cases_of: Callable[[str], list[Case]], name: str) -> None:
        for case in cases_of(name):
            content = case.file.content
            edits = [edit for edit in case.context.edits if edit["kind"] == name]
            assert 1 <= len(edits) <= (1 if name == LATER_SIBLINGS else 3)
            assert {edit["side"] for edit in edits} == {"prefix" if name == EARLIER_DEFINITIONS else "suffix"}
            for first, last in case.removed():
                assert first == 0 or content[first - 1 : first] == b"\n"
                assert last == case.end or content[last - 1 : last] == b"\n"

    @pytest.mark.parametrize("name", [LATER_SIBLINGS, LATER_STATEMENTS, EARLIER_DEFINITIONS])
    def test_whole_statements_go(self, cases_of: Callable[[str], list[Case]], name: str) -> None:
        """The rest of a file without errors has none either, except for empty blocks where these are not allowed."""
        parsers: dict[str, BudgetedParser] = {}
        clean = broken = 0
        for case in cases_of(name):
            language = case.file.language
            whole = case.start == 0 and case.end == len(case.file.content)
            if not whole or language.name in INDENTED or case.file.tree.root_node.has_error or case.site.typed:
                continue
            content = case.context.prefix + case.originals()[1] + case.context.suffix
            parser = parsers.setdefault(language.name, BudgetedParser(language.name))
            broken += parser.parse(content).root_node.has_error
            clean += 1
        assert clean > 20
        assert broken <= 0.03 * clean

    def test_a_closer_goes_alone(self, cases_of: Callable[[str], list[Case]]) -> None:
        for case in cases_of(CLOSER):
            assert {edit["removed"].strip() for edit in case.context.edits} <= {
                ")",
                "]",
                "}",
                "end",
                "fi",
                "done",
                "esac",
            }

    def test_a_statement_in_progress_is_broken_off_in_its_line(self, cases_of: Callable[[str], list[Case]]) -> None:
        for case in cases_of(IN_PROGRESS):
            ((first, last),) = case.removed()
            content, line = case.file.content, case.file.lines.line_of(first)
            assert case.file.lines.first_visible(line) < first
            assert last == case.file.lines.last_visible(line)
            assert content[first:last].strip(b" ;,")

    def test_whitespace_only_puts_in_blanks(self, cases_of: Callable[[str], list[Case]]) -> None:
        for case in cases_of(WHITESPACE):
            edits = [edit for edit in case.context.edits if edit["kind"] == WHITESPACE]
            assert [edit["removed"] for edit in edits] == [""]
            assert edits[0]["inserted"].isspace()
            assert not case.context.irreparable

    def test_silence_is_not_put_beside_broken_code(self, cases_of: Callable[[str], list[Case]]) -> None:
        for name in (CLOSER, IN_PROGRESS):
            assert all(case.site.kind.category != EMPTY for case in cases_of(name))


def site_at(text: str, category: str = SINGLE_LINE, **fields: Any) -> tuple[bytes, Site]:
    """A text without its marks `[[` and `]]`, and the site between them."""
    start, end = text.index("[["), text.index("]]") - 2
    content = text.replace("[[", "").replace("]]", "").encode()
    return content, Site(TOKEN_TO_EOL._replace(category=category), start, end, "expression_statement", **fields)


def only(parsed: Parsed, language: str, text: str, operation: str, draws: int = 30, **fields: Any) -> set[bytes]:
    """All prefixes (before `|`) and suffixes (after it) that an operation gives of a small text with a comment above it."""
    above = {"Python": "#", "C": "//", "Java": "//"}[language] + " enough for anyone who has to go on" * 2 + "\n\n"
    content, site = site_at(above + text, **fields)
    file = parsed(language, content)
    settings = HalfWrittenSettings(1.0, {operation: 1.0}, (1.0,))
    contexts = (half_write(file, site, 0, len(content), Draws(number), settings) for number in range(draws))
    found = {context.prefix + b"|" + context.suffix for context in contexts if context.half_written}
    return {text.removeprefix(above.encode()) for text in found if text.startswith(above.encode())}


def test_later_siblings_are_all_left_out_or_all_but_the_first(parsed: Parsed) -> None:
    text = "def f():\n    a = [[b]]\n    c()\n    d()\n    e()\n\n\ng()\n"
    head = b"def f():\n    a = |\n"
    kept = [b"", b"    c()\n", b"    c()\n    d()\n"]
    assert only(parsed, "Python", text, LATER_SIBLINGS) == {head + part + b"\n\ng()\n" for part in kept}


def test_gaps_of_blank_lines_do_not_meet(parsed: Parsed) -> None:
    """The rest is spaced as before: one gap between two statements, none before the end of a block."""
    text = "void f() {\n  a([[b);]]\n\n  c();\n\n  d();\n}\n"
    head = b"void f() {\n  a(|\n"
    assert only(parsed, "C", text, LATER_SIBLINGS) == {head + b"}\n", head + b"\n  c();\n}\n"}
    assert head + b"\n  d();\n}\n" in only(parsed, "C", text, LATER_STATEMENTS)


def test_a_multi_line_end_before_a_sibling_keeps_it(parsed: Parsed) -> None:
    text = "def f():\n    [[a()\n    b()]]\n\n    c()\n    d()\n"
    found = only(parsed, "Python", text, LATER_SIBLINGS, category=MULTI_LINE, stop_reason="newline")
    assert found == {b"def f():\n    |\n\n    c()\n"}


def test_the_closer_of_what_is_open_goes(parsed: Parsed) -> None:
    text = "void f() {\n  if (a) {\n    g([[b);]]\n  }\n  h();\n}\n"
    head = b"void f() {\n  if (a) {\n    g(|\n"
    assert only(parsed, "C", text, CLOSER) == {head + b"  h();\n}\n", head + b"  }\n  h();\n"}


def test_a_closer_that_another_part_follows_stays(parsed: Parsed) -> None:
    text = "void f() {\n  if (a) {\n    g([[b);]]\n  } else {\n    h();\n  }\n}\n"
    assert only(parsed, "C", text, CLOSER) == {b"void f() {\n  if (a) {\n    g(|\n  } else {\n    h();\n  }\n"}


def test_the_only_declaration_of_a_name_of_the_middle_stays(parsed: Parsed) -> None:
    text = "{}\n\n\nprint([[{})]]\n\n\n{}\n"
    for line, used in (("import os", "os.sep"), ("def load():\n    pass", "load()"), ("limit = 3", "limit + 1")):
        for above, below in ((line, "pass"), ("pass", line)):
            content = text.format(above, used, below)
            for operation in (EARLIER_DEFINITIONS, LATER_SIBLINGS, LATER_STATEMENTS, CUT_TO_EOF):
                first = line.partition("\n")[0].encode()
                assert all(first in part for part in only(parsed, "Python", content, operation))
            assert only(parsed, "Python", text.format(above, "1", below), CUT_TO_EOF)


def test_a_second_declaration_may_go(parsed: Parsed) -> None:
    text = "limit = 3\nprint([[limit)]]\nlimit = 4\n"
    assert only(parsed, "Python", text, LATER_SIBLINGS) == {b"limit = 3\nprint(|\n"}


def test_a_name_of_the_middle_is_not_broken_off(parsed: Parsed) -> None:
    text = "limit = 3\nother = 4\npass\nprint([[limit)]]\n"
    found = only(parsed, "Python", text, IN_PROGRESS, draws=60)
    assert any(part.startswith(b"limit =\n") for part in found)
    assert any(b"\noth\n" in part for part in found)
    assert all(part.startswith(b"limit") for part in found)


def test_no_copy_of_the_middle_comes_next_to_it(parsed: Parsed) -> None:
    text = "def f():\n    total = [[add(total, step)]]\n    a()\n    add(total, step)\n    b()\n"
    found = only(parsed, "Python", text, LATER_STATEMENTS, draws=60)
    assert any(b"a()" in part for part in found)
    assert not any(part.endswith(b"|\n    add(total, step)\n    b()\n") for part in found)


def test_what_is_typed_at_the_cursor_is_the_last_edit(parsed: Parsed) -> None:
    content, site = site_at(f"# {'enough ' * 12}\na()\n\nb()[[]]\n\nc()\nd()\n", EMPTY, typed=b"\n")
    file = parsed("Python", content)
    for settings in (ALWAYS, HalfWrittenSettings(share=0.0)):
        context = half_write(file, site, 0, len(content), Draws("typed"), settings)
        typed = {"side": "prefix", "kind": site.kind.name, "removed": "", "inserted": "\n"}
        assert context.edits[-1] == {**typed, "offset": len(context.prefix) - 1}
        assert context.prefix.endswith(b"b()\n")
        assert context.half_written == (settings is ALWAYS)


def test_halves_of_a_pair_have_one_context(cases: list[Case]) -> None:
    """The half with the middle has the other's edits; whether it can be repaired is decided for it alone."""
    pairs = 0
    for case in cases:
        partner = case.site.partner
        if partner is None:
            continue
        context = around_partner(case.file, partner, case.start, case.end, case.context)
        half = case._replace(site=partner, context=context)
        middle = half.originals()[1]
        assert context.prefix + middle == case.context.prefix
        assert context.suffix == case.context.suffix
        row = {"prefix": context.prefix.decode(), "suffix": context.suffix.decode(), "middle": middle.decode()}
        assert undone({**row, "edits": context.edits}) == half.originals()
        whole, head, tail = (visible(text) for text in (b"".join(half.originals()), context.prefix, context.suffix))
        fits = whole.startswith(head) and whole.endswith(tail) and len(head) + len(tail) <= len(whole)
        assert context.irreparable == (not fits)
        pairs += context.half_written
    assert pairs > 5


def test_no_python_name_loses_its_only_declaration(cases: list[Case]) -> None:
    """Another parser agrees: no name that the middle reads is bound in what goes and nowhere in what stays."""
    known: dict[int, tuple[list[tuple[str, int]], list[tuple[str, int]]]] = {}
    looked_at = 0
    for case in cases:
        if case.file.language.name != "Python" or not case.removed():
            continue
        if id(case.file) not in known:
            known[id(case.file)] = _names_of_python(case.file.content)
        bound, used = known[id(case.file)]
        gone = case.removed()
        written = case.site.partner or case.site
        for name in sorted({name for name, place in used if written.start <= place < written.end} - {"self", "cls"}):
            places = [place for other, place in bound if other == name and case.start <= place < case.end]
            stay = [place for place in places if not any(first <= place < last for first, last in gone)]
            assert stay or not places, (name, case.context.edits)
            looked_at += len(stay) < len(places)
    assert looked_at > 30


def _names_of_python(content: bytes) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Names bound and names read in a file, with the byte where each stands or its definition begins."""
    starts = Lines(content).starts
    bound: list[tuple[str, int]] = []
    used: list[tuple[str, int]] = []
    for node in ast.walk(ast.parse(content)):
        if not isinstance(node, (ast.stmt, ast.expr, ast.arg, ast.alias, ast.ExceptHandler)):
            continue
        place = starts[node.lineno - 1] + node.col_offset
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                bound.append((node.name, place))
            case ast.arg():
                bound.append((node.arg, place))
            case ast.alias():
                bound.append(((node.asname or node.name).split(".")[0], place))
            case ast.ExceptHandler() if node.name:
                bound.append((node.name, place))
            case ast.Name():
                (used if isinstance(node.ctx, ast.Load) else bound).append((node.id, place))
            case ast.Attribute():
                assert node.end_lineno is not None
                assert node.end_col_offset is not None
                end = starts[node.end_lineno - 1] + node.end_col_offset - len(node.attr.encode())
                (used if isinstance(node.ctx, ast.Load) else bound).append((node.attr, end))
    return bound, used


# By language: how a line looks that declares NAME.
DECLARING = {
    "C": r"#\s*define\s+NAME\b|\b(?:struct|enum|union)\s+NAME\s*\{",
    "C++": r"#\s*define\s+NAME\b|\b(?:struct|enum|class|namespace)\s+NAME\b[^;()]*\{",
    "Java": r"\b(?:class|interface|enum|record)\s+NAME\b",
    "C#": r"\b(?:class|interface|enum|record|struct)\s+NAME\b",
    "Go": r"\bfunc\s+(?:\([^)]*\)\s*)?NAME\(|\btype\s+NAME\b|\bNAME\s*:=",
    "Rust": r"\b(?:fn|struct|enum|trait|mod|let|let mut|const)\s+NAME\b",
    "JavaScript": r"\b(?:function|class|const|let|var)\s+NAME\b",
    "TypeScript": r"\b(?:function|class|const|let|var|interface|type|enum)\s+NAME\b",
    "TSX": r"\b(?:function|class|const|let|var|interface|type|enum)\s+NAME\b",
    "Ruby": r"\b(?:def|class|module)\s+(?:self\.)?NAME\b",
    "PHP": r"\b(?:function|class|interface|trait|const)\s+NAME\b",
}


def test_no_name_loses_the_only_line_that_declares_it(cases: list[Case], cases_of: Callable[[str], list[Case]]) -> None:
    """The text agrees: where lines that declare a name go, something that stays looks like a declaration of it."""
    looked_at = 0
    for case in (*cases, *cases_of(EARLIER_DEFINITIONS), *cases_of(LATER_STATEMENTS), *cases_of(CUT_TO_EOF)):
        pattern = DECLARING.get(case.file.language.name)
        if pattern is None or not case.removed():
            continue
        kept = (case.context.prefix + case.originals()[1] + case.context.suffix).decode()
        gone = "\n".join(case.file.content[first:last].decode() for first, last in case.removed())
        partner = case.site.partner or case.site
        words = set(re.findall(r"[A-Za-z_]\w*", case.file.content[partner.start : partner.end].decode()))
        for name in sorted(words):
            declared = pattern.replace("NAME", name)
            if not re.search(declared, gone):
                continue
            looked_at += 1
            bound = rf"{declared}|\b{name}\s*(?::=|=(?!=)|:|,|\)|;)|[\w>*&\]]\s+[*&]?{name}\b"
            assert re.search(bound, kept), (name, case.file.language.name, case.context.edits)
    assert looked_at > 10


ROLES = [
    ("Python", "def load(path): pass", "load", Role.DECLARATION),
    ("Python", "def load(path): pass", "path", Role.DECLARATION),
    ("Python", "self.cache = build(size)", "cache", Role.DECLARATION),
    ("Python", "self.cache = build(size)", "self", Role.USE),
    ("Python", "self.cache = build(size)", "build", Role.USE),
    ("Python", "self.cache = build(size)", "size", Role.USE),
    ("Python", "import numpy as np", "np", Role.DECLARATION),
    ("Python", "for item in items: pass", "item", Role.DECLARATION),
    ("Python", "for item in items: pass", "items", Role.USE),
    ("Python", "limit + 1", "limit", Role.USE),
    ("Python", "first, last = ends()", "last", Role.DECLARATION),
    ("Python", "with open() as f: pass", "f", Role.DECLARATION),
    ("Python", "call(name=value)", "name", Role.USE),
    ("Python", "x = 'name'", "name", Role.USE),
    ("JavaScript", "const {first} = all();", "first", Role.DECLARATION),
    ("JavaScript", "const {first} = all();", "all", Role.USE),
    ("JavaScript", "run(first);", "first", Role.USE),
    ("TypeScript", "interface Box { lid: Lid }", "Box", Role.DECLARATION),
    ("TypeScript", "interface Box { lid: Lid }", "Lid", Role.USE),
    ("Java", "class A { int size = count(b); }", "size", Role.DECLARATION),
    ("Java", "class A { int size = count(b); }", "count", Role.USE),
    ("Java", "class A { int size = count(b); }", "b", Role.USE),
    ("Go", "package p\nfunc f() { n := g(m) }", "n", Role.DECLARATION),
    ("Go", "package p\nfunc f() { n := g(m) }", "m", Role.USE),
    ("Go", "package p\nfunc (s *Set) Add() {}", "Add", Role.DECLARATION),
    ("Go", "package p\nfunc (s *Set) Add() {}", "Set", Role.USE),
    ("Rust", "fn f(a: Kind) { let b = c; }", "b", Role.DECLARATION),
    ("Rust", "fn f(a: Kind) { let b = c; }", "Kind", Role.USE),
    ("Rust", "fn f(a: Kind) { let b = c; }", "c", Role.USE),
    ("C", "struct node *next(int depth);", "next", Role.DECLARATION),
    ("C", "struct node *next(int depth);", "node", Role.USE),
    ("C", "struct node { int depth; };", "node", Role.DECLARATION),
    ("C", "#define LIMIT 3", "LIMIT", Role.DECLARATION),
    ("C", "#ifdef LIMIT\n#endif", "LIMIT", Role.UNSURE),
    ("C", "int f(void) { return g(h); }", "h", Role.USE),
    ("C++", "void Box::open() { lid(); }", "open", Role.DECLARATION),
    ("C++", "void Box::open() { lid(); }", "lid", Role.USE),
    ("C#", "class A { int Size => Count(b); }", "Size", Role.DECLARATION),
    ("C#", "class A { int Size => Count(b); }", "Count", Role.USE),
    ("Ruby", "def load(path)\n  read(path)\nend", "load", Role.DECLARATION),
    ("Ruby", "attr_reader :lid", "lid", Role.UNSURE),
    ("Ruby", "total = sum(parts)", "parts", Role.USE),
    ("PHP", "<?php $total = sum($parts);", "total", Role.DECLARATION),
    ("PHP", "<?php $total = sum($parts);", "parts", Role.USE),
]


@pytest.mark.parametrize(("language", "text", "name", "wanted"), ROLES)
def test_declarations_are_told_from_uses(parsed: Parsed, language: str, text: str, name: str, wanted: Role) -> None:
    file = parsed(language, text)
    offset = next(match.start() for match in re.finditer(rf"\b{name}\b", text))
    assert role(file, file.tree.walk(), offset, name.encode()) is wanted
