"""Whole compound statements, and the rest of a line with its block."""

import pytest

from stackfim.transforms.split.site import Site
from stackfim.transforms.split.syntax import ParsedFile
from tests.fixture_types import LineWith, Parsed, RefusalsOn, SitesOn

PYTHON = """@cached
def area(width, height):
    # Both in metres.
    if width < 0 or (
        height < 0
    ):
        return None
    if width == height:
        return width * width
    else:
        size = width * height
    return size


table = [
    area(1, 2),
    area(2, 3),
]
"""

JAVA = """class Queue {
    /** Adds one. */
    void add(Item item)
    {
        items.add(item);
    }

    void each(Consumer<Item> action) {
        items.forEach(item -> {
            action.accept(item);
        });
        try { flush(); } finally {
            closed = true;
        }
        if (items.isEmpty()) {
            clear();
        } else {
            notifyAll();
        }
    }
}
"""


def text_of(file: ParsedFile, site: Site) -> str:
    return file.content[site.start : site.end].decode()


@pytest.mark.parametrize(
    ("language", "content", "text", "last", "stop"),
    [
        ("Python", PYTHON, "@cached", "return size", "newline"),
        ("Python", PYTHON, "def area", None, None),  # its decorator is its head
        ("Python", PYTHON, "if width ==", "size = width * height", "newline"),
        ("Python", PYTHON, "else:", None, None),
        ("Python", PYTHON, "table = [", None, None),  # holds no block
        ("Python", PYTHON, "return size", None, None),
        ("Java", JAVA, "Adds one", "    }", "newline"),
        ("Java", JAVA, "items.forEach", "});", "newline"),
        ("Java", JAVA, "if (items", "}", "dedent"),
        ("Java", JAVA, "void each", "    }", "dedent"),
        ("Java", JAVA, "items.add", None, None),
    ],
)
def test_a_compound_statement_is_taken_whole(
    parsed: Parsed,
    line_with: LineWith,
    sites_on: SitesOn,
    language: str,
    content: str,
    text: str,
    last: str | None,
    stop: str | None,
) -> None:
    file = parsed(language, content)
    sites = sites_on(file, "compound", line_with(file, text))
    if last is None:
        assert sites == set()
        return
    (site,) = sites
    assert text_of(file, site).endswith(last)
    assert site.start == file.lines.first_visible(line_with(file, text))
    assert (site.kind.category, site.kind.name, site.stop_reason, site.bracket_delta) == (
        "multi_line",
        "compound",
        stop,
        0,
    )


@pytest.mark.parametrize(
    ("language", "content", "text", "starts", "last", "stop"),
    [
        ("Python", PYTHON, "def area", set(), None, None),  # the statement begins with its decorator
        ("Python", PYTHON, "if width ==", {"width ==", "== height", "height:", ":\n"}, "size = width * height", "dedent"),
        ("Python", PYTHON, "if width <", set(), None, None),  # the header continues on the next lines
        ("Java", JAVA, "void add", {"add(Item", "(Item item)\n"}, "}", "newline"),  # the brace on its own line is the base
        ("Java", JAVA, "void each", {"each(", "(Consumer<Item> action) {", "{\n"}, "}", "dedent"),
        ("Java", JAVA, "items.forEach", {".forEach", "forEach(", "(item -> {"}, "});", "dedent"),
        ("Java", JAVA, "if (items", {"(items.isEmpty()) {", "{\n"}, "}", "dedent"),
        ("Java", JAVA, "} else {", set(), None, None),
        ("Java", JAVA, "items.add", set(), None, None),
    ],
)  # fmt: skip
def test_the_rest_of_a_line_and_its_block(
    parsed: Parsed,
    line_with: LineWith,
    sites_on: SitesOn,
    language: str,
    content: str,
    text: str,
    starts: set[str],
    last: str | None,
    stop: str | None,
) -> None:
    file = parsed(language, content)
    line = line_with(file, text)
    sites = sites_on(file, "line_and_block", line, draws=200)
    texts = {text_of(file, site) for site in sites}
    for start in starts:
        assert any(found.startswith(start) for found in texts), (start, texts)
    assert bool(sites) == bool(starts)
    for site in sites:
        assert last is not None
        assert file.lines.line_of(site.start) == line
        assert site.start > file.lines.first_visible(line)
        assert text_of(file, site).endswith(last)
        assert (site.stop_reason, site.bracket_delta) == (stop, 0)
        for opener, closer in ("()", "{}"):
            assert text_of(file, site).count(opener) == text_of(file, site).count(closer)


def test_the_caps_hold(parsed: Parsed, refusals_on: RefusalsOn) -> None:
    body = "".join(f"    step_{number}(value)\n" for number in range(40))
    file = parsed("Python", f"def f(value):\n{body}\n\nf(1)\n")
    for kind in ("compound", "line_and_block"):
        assert refusals_on(file, kind, 0) == {"over_the_cap"}
