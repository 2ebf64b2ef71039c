"""Middles that begin inside a word, or end before closers that an editor typed or before another node of the line."""

import pytest

from stackfim.transforms.split.site import Site
from stackfim.transforms.split.syntax import ParsedFile
from tests.fixture_types import Parsed, RefusalsOn, SitesOn


def text_of(file: ParsedFile, site: Site) -> str:
    return file.content[site.start : site.end].decode()


@pytest.mark.parametrize(
    ("language", "text", "some", "none"),
    [
        ("Python", "total = value1 + 250", {"otal = value1 + 250", "lue1 + 250", "50"}, {"0", "= value1 + 250"}),
        ("Python", "return 'a long text'", {"eturn 'a long text'"}, {"ong text'", "ext'"}),
        ("Java", "class Ab { int cd = 0x1F; }", {"ass Ab { int cd = 0x1F; }", "F; }", "t cd = 0x1F; }"}, {"; }"}),
        ("JavaScript", "const $el = größe; // a note", {"öße; // a note", "el = größe; // a note"}, {"ote"}),
        ("Ruby", "@name = other_name", {"ame = other_name", "er_name"}, set()),
    ],
)
def test_a_word_of_code_is_gone_on_with(
    parsed: Parsed, sites_on: SitesOn, language: str, text: str, some: set[str], none: set[str]
) -> None:
    file = parsed(language, text + "\n")
    sites = sites_on(file, "mid_token", 0, draws=500)
    texts = {text_of(file, site) for site in sites}
    assert some <= texts
    assert not texts & none
    for site in sites:
        assert text.endswith(text_of(file, site))
        before, after = text.encode()[: site.start].decode(), text_of(file, site)
        assert before[-1].isalnum() or before[-1] in "_$@"
        assert after[0].isalnum()
        assert (site.kind.category, site.newline_owner) == ("single_line", "suffix")


def test_a_word_of_one_letter_has_no_inside(parsed: Parsed, refusals_on: RefusalsOn) -> None:
    assert refusals_on(parsed("C", "a = b;\n"), "mid_token", 0) == {"no_word"}


@pytest.mark.parametrize(
    ("language", "text", "word"),
    [
        ("Ruby", "def run\n  go\nend\n", "end"),
        ("Elixir", "if ready do\n  go()\nend\n", "end"),
        ("Shell", "if ready; then\n  go\nfi\n", "fi"),
        ("Shell", "while ready; do\n  go\ndone\n", "done"),
    ],
)
def test_a_word_that_closes_a_block_says_nothing(
    parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn, language: str, text: str, word: str
) -> None:
    assert refusals_on(parsed(language, text), "mid_token", 2) == {"no_word"}
    after = text.replace(f"{word}\n", f"{word}\n{word}ing = 1\n")
    assert sites_on(parsed(language, after), "mid_token", 3)


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("Python", "print(a, b)", {"a, b", ", b", "b"}),
        ("Python", 'f("a b", c[0])', {'"a b", c[0]', "a b", ", c[0]", "c[0]", "[0]", "0"} - {"a b"}),
        ("Python", "say('hello you')", {"'hello you'", "hello you"}),
        ("Python", "if f(a):", set()),  # the colon is typed after the closer
        ("JavaScript", "f(() => { g(a.b); });", {"g(a.b);", "a.b", ".b", "b", "(a.b);", "() => { g(a.b); }", "=> { g(a.b); }", "{ g(a.b); }"} - {"a.b", ".b", "b"}),
        ("C", "x = g(a);", {"a"}),
        ("C", "x = a;", set()),  # a semicolon alone closes nothing
        ("C", "x = g(a), b;", set()),
        ("C", "return a[b[0]];", {"b[0]", "[0]", "0"}),
    ],
)  # fmt: skip
def test_closers_that_an_editor_typed_stay(
    parsed: Parsed, sites_on: SitesOn, language: str, text: str, found: set[str]
) -> None:
    file = parsed(language, text + "\n")
    sites = sites_on(file, "before_closers", 0, draws=400)
    assert {text_of(file, site) for site in sites} >= found
    assert bool(sites) == bool(found)
    for site in sites:
        rest = text.encode()[site.end :].decode()
        assert rest.strip("\"') ]};") == ""
        assert rest.strip() != ";"
        assert (site.bracket_delta, site.newline_owner) == (0, "none")
        middle = text_of(file, site)
        for opener, closer in ("()", "[]", "{}"):
            assert middle.count(opener) == middle.count(closer)
        assert middle.count('"') % 2 == middle.count("'") % 2 == 0


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("Python", "x = f(a.b, [1, 2], k=v)", {"a.b", "[1, 2]", "k=v", "v"}),
        ("Python", "while left < right:", {"left < right", "left", "right"}),
        ("JavaScript", "if (a && !b.c) return d ? e1 : f1;", {"a && !b.c", "a", "!b.c", "e1", "f1"}),
        ("Java", "class A { int b = c1 + d1; }", {"c1 + d1", "c1", "d1"}),
        ("Python", "value", set()),
    ],
)
def test_a_whole_node_with_code_after_it(
    parsed: Parsed, sites_on: SitesOn, language: str, text: str, found: set[str]
) -> None:
    file = parsed(language, text + "\n")
    sites = sites_on(file, "inner_node", 0, draws=400)
    assert {text_of(file, site) for site in sites} >= found
    assert bool(sites) == bool(found)
    for site in sites:
        assert text.encode()[site.end :].strip()
        assert site.start > 0
        nodes = [node for node in file.path(site.start) if (node.start_byte, node.end_byte) == (site.start, site.end)]
        assert nodes


@pytest.mark.parametrize("kind", ["mid_token", "before_closers", "inner_node"])
@pytest.mark.parametrize("line", [1, 2])
def test_nothing_is_taken_inside_a_text_of_several_lines(
    parsed: Parsed, sites_on: SitesOn, kind: str, line: int
) -> None:
    file = parsed(
        "JavaScript", "f(1);\nconst text = `first ${g(alpha, beta)} (more)\n  second ${g(alpha, beta)} (more)`;\n"
    )
    for site in sites_on(file, kind, line, draws=200):
        assert site.start < file.content.index(b"`")
