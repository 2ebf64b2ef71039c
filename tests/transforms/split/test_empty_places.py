"""Places where nothing is to be written: on a fresh line, inside text and pairs, between definitions."""

import pytest

from stackfim.transforms.split.site import Site
from stackfim.transforms.split.syntax import ParsedFile
from tests.fixture_types import LineWith, Parsed, RefusalsOn, SitesOn

PYTHON = '''"""A module about nothing in particular."""

import os


# Where the files are.
ROOT = os.getcwd()  # without a slash


def names(folder, suffix=""):
    # Hidden files come last,
    # in the order of the folder.
    found = sorted(os.listdir(folder))
    if not found:
        return []

    return [name for name in found if name.endswith(suffix)]


def count(folder):
    return len(names(folder))
'''

JAVA = """class Shelf {
    private final List<Book> books = new ArrayList<>();
    // Every book that was lent,
    // with its reader.
    private Map<Book, String> lent = Map.of();

    /** The first book of an author. */
    Book first(String author) {
        for (Book book : books) {
            if (book.author().equals(author)) {
                return book;
            }
        }
        return null;
    }

    void clear() {}

    int size() {
        return books.size();
    }
}
"""


def cursors(file: ParsedFile, sites: set[Site]) -> set[str]:
    """The line of each site with the cursor in it."""
    found = set()
    for site in sites:
        assert (site.kind.category, site.start, site.stop_reason) == ("empty", site.end, None)
        line = file.lines.line_of(site.start) if site.start < len(file.content) else len(file.lines) - 1
        before, after = (
            file.content[file.lines.starts[line] : site.start],
            file.content[site.start : file.lines.end(line)],
        )
        found.add(f"{before.decode()}|{after.decode()}".strip(" "))
    return found


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("found = sorted", None),  # another statement follows, as deep
        ("return []", {b"\n        ", b" "}),
        ("ROOT = os", None),  # a remark ends the line
        ("return [name", {b"\n    ", b" "}),
        ("return len", {b"\n    ", b" "}),
        ("import os", {b"\n", b" "}),
        ("if not found", None),
    ],
)
def test_enter_is_typed_where_nothing_follows_as_deep(
    parsed: Parsed, line_with: LineWith, sites_on: SitesOn, text: str, typed: set[bytes] | None
) -> None:
    file = parsed("Python", PYTHON)
    sites = sites_on(file, "after_enter", line_with(file, text))
    assert {site.typed for site in sites} == (typed or set())
    for site in sites:
        assert site.start == site.end == file.lines.last_visible(line_with(file, text))


def test_what_is_typed_has_the_line_break_of_the_file(parsed: Parsed, line_with: LineWith, sites_on: SitesOn) -> None:
    file = parsed("Python", PYTHON.replace("\n", "\r\n"))
    sites = sites_on(file, "after_enter", line_with(file, "return []"))
    assert {site.typed for site in sites} == {b"\r\n        ", b" "}


@pytest.mark.parametrize(
    ("language", "content", "text", "found"),
    [
        ("Python", PYTHON, "A module about", {'"""A module| about nothing in particular."""'}),
        ("Python", PYTHON, "Hidden files", {"# Hidden files| come last,", "# Hidden| files come last,"}),
        ("Python", PYTHON, "return [name", set()),
        ("Python", PYTHON, "def names", set()),
        ("Python", "x = f'{a + b + c} of many kinds'\n", "many", {"x = f'{a + b + c} of many| kinds'"}),
        ("JavaScript", "call(`${a + b} or so many more`, /a b c d/);\n", "call", {"call(`${a + b} or so| many more`, /a b c d/);"}),
        ("Java", JAVA, "The first book", {"/** The first| book of an author. */", "/** The first book of| an author. */"}),
        ("C", "#define ADD(a, b) first a and b then\n", "ADD", set()),
        ("Rust", "/// One of several words here.\nfn f() {}\n", "One of", {"/// One of| several words here."}),
    ],
)  # fmt: skip
def test_text_that_goes_on_right_of_the_cursor(
    parsed: Parsed, line_with: LineWith, sites_on: SitesOn, language: str, content: str, text: str, found: set[str]
) -> None:
    file = parsed(language, content)
    sites = sites_on(file, "inside_text", line_with(file, text))
    assert cursors(file, sites) >= found
    assert bool(sites) == bool(found)
    for site in sites:
        assert file.content[site.start : site.start + 1] == b" "
        assert site.newline_owner == "none"


@pytest.mark.parametrize(
    ("language", "content", "text", "found"),
    [
        ("Python", PYTHON, "def names", {'def names(folder, suffix=""|):'}),
        ("Python", PYTHON, "return []", {"return [|]"}),
        ("Python", PYTHON, "found = sorted", {"found = sorted(os.listdir(folder|))", "found = sorted(os.listdir(folder)|)"}),
        ("Python", "f(a, )\n", "f(", set()),
        ("Python", "f(*)\n", "f(", set()),
        ("Java", JAVA, "void clear", {"void clear(|) {}", "void clear() {|}"}),
        ("Java", JAVA, "new ArrayList", {"private final List<Book> books = new ArrayList<>(|);"}),
        ("Java", JAVA, "for (Book", {"for (Book book : books|) {"}),
        ("C", "int f(void) {\n  return g(a[i++], (int)b);\n}\n", "return", {"return g(a[i++|], (int)b);", "return g(a[i++], (int|)b);"}),
        ("C", "int f(void) {\n  for (;;) g();\n}\n", "for", {"for (;;|) g();", "for (;;) g(|);"}),
        ("Rust", "fn f() -> u8 {\n    g(h?, &[])\n}\n", "h?", {"g(h?, &[|])", "g(h?, &[]|)"}),
        ("JavaScript", "f('a)', `)`);\n", "f", {"f('a)', `)`|);"}),
    ],
)  # fmt: skip
def test_pairs_that_are_empty_and_lists_that_are_complete(
    parsed: Parsed, line_with: LineWith, sites_on: SitesOn, language: str, content: str, text: str, found: set[str]
) -> None:
    file = parsed(language, content)
    sites = sites_on(file, "closed_pair", line_with(file, text))
    assert cursors(file, sites) >= found
    assert bool(sites) == bool(found)
    for site in sites:
        assert site.newline_owner == "none"
        assert file.content[site.start :].lstrip()[:1] in (b")", b"]", b"}")


@pytest.mark.parametrize(
    ("language", "content", "text", "found"),
    [
        ("Python", PYTHON, "return [name", {"|"}),  # two blank lines part the functions
        ("Python", PYTHON, "return len", {"return len(names(folder))\n|"}),  # the file's end
        ("Python", PYTHON, "ROOT = os", {"ROOT = os.getcwd()  # without a slash|"}),
        ("Python", PYTHON, "in the order", {"# in the order of the folder.|"}),
        ("Python", PYTHON, "Hidden files", set()),  # the remark goes on
        ("Python", PYTHON, "return []", set()),
        ("Python", PYTHON, "import os", set()),
        ("Java", JAVA, "The first book", {"/** The first book of an author. */|"}),
        ("Java", JAVA, "return null; >> }", set()),  # what follows is of one line
        ("Java", JAVA, "Map<Book", set()),
        ("Go", "package p\n\nfunc f() {\n\tg(1)\n}\n\nfunc g() {\n\tf()\n}\n", "g(1) >> }", {"|"}),
        ("JavaScript", "f(a, // the first one\n  b);\n", "first one", set()),
    ],
)  # fmt: skip
def test_gaps_between_definitions(
    parsed: Parsed, line_with: LineWith, sites_on: SitesOn, language: str, content: str, text: str, found: set[str]
) -> None:
    file = parsed(language, content)
    sites = sites_on(file, "between_definitions", line_with(file, text))
    at_end = {site for site in sites if site.start == len(file.content)}
    assert cursors(file, sites - at_end) | ({"return len(names(folder))\n|"} if at_end else set()) == found


def test_a_license_is_no_finished_text(parsed: Parsed, refusals_on: RefusalsOn, line_with: LineWith) -> None:
    file = parsed("C", "/* Copyright 2020 by the authors of this file. */\nint a;\n")
    assert refusals_on(file, "inside_text", line_with(file, "Copyright")) == {"license_text"}
    assert "license_text" in refusals_on(file, "between_definitions", line_with(file, "Copyright"))


@pytest.mark.parametrize("kind", ["after_enter", "closed_pair"])
def test_errors_give_no_silence(parsed: Parsed, sites_on: SitesOn, kind: str) -> None:
    file = parsed("JavaScript", "function f() {\n  let a = g(1) = ;\n}\n")
    assert sites_on(file, kind, 1) == set()


LICENSED = """package main

// Licensed to the Somebody Foundation under one
// or more agreements, WITHOUT CONDITIONS OF ANY
// KIND, either express or implied by anyone.
func main() {
	// The first reader waits here
	// until the second one is done.
	wait()
}
"""


@pytest.mark.parametrize("kind", ["inside_text", "between_definitions"])
def test_a_license_in_a_comment_a_line_is_one_text(
    parsed: Parsed, sites_on: SitesOn, line_with: LineWith, kind: str
) -> None:
    file = parsed("Go", LICENSED)
    for words in ("Licensed to", "or more", "KIND, either"):
        assert sites_on(file, kind, line_with(file, words)) == set()
    assert sites_on(file, kind, line_with(file, "until the second"))


def test_a_license_above_a_blank_line_is_not_the_comment_below_it(
    parsed: Parsed, sites_on: SitesOn, line_with: LineWith
) -> None:
    license = "// Licensed to the Somebody Foundation under one\n// or more agreements.\n"
    file = parsed("Go", f"{license}\n// The first reader waits for the second one.\npackage main\n")
    assert sites_on(file, "inside_text", line_with(file, "The first reader"))
