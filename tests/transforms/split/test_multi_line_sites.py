"""Middles of several lines: whole statements from a fresh line to where their kind ends."""

from dataclasses import replace

import pytest

from stackfim.schemas.example import MULTI_LINE
from stackfim.transforms.draws import Draws
from stackfim.transforms.split.multi_line import LOOSE_END_SHARE, MAX_ROOT_LINES, block_body, siblings
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.single_line import IMPORT_SHARE
from stackfim.transforms.split.site import Finder, Refused, Site
from stackfim.transforms.split.syntax import ParsedFile
from tests.fixture_types import LineWith, Parsed, RefusalsOn, SitesOn

WIDE = MultiLineLimits(max_lines=200, max_chars=20_000, newline_in_middle_share=0.0)

# (file, text on the line in question, first line of the middle, last line of it, stop reason)
BLOCK_BODIES = [
    ("InvoiceService.java", "percent = years > 5", "percent = years > 5", "case OPEN: >> break;", "dedent"),
    ("InvoiceService.java", "text.isBlank()", "text.isBlank()", "result.add(new Line", "dedent"),
    ("InvoiceService.java", "private int sent", "private int sent", "log(String.format >> }); >> }", "dedent"),
    ("InvoiceService.java", "log(String.format", "if (id == number) {", "log(String.format >> }", "dedent"),
    ("OrdersController.cs", "return _served > 100", "lock (_store)", "return _served > 100 >> }", "dedent"),
    ("OrdersController.cs", "_store.Save(order)", "_store.Save(order)", "_store.Save >> break;", "dedent"),
    ("OrdersController.cs", "await _store.FindAsync", "await _store.FindAsync", "return order;", "dedent"),
    ("Router.php", "$result = $handler", "$result = $handler", "return new Response(200", "dedent"),
    ("Router.php", "Nothing at", "return $this->failure(404, <<<TEXT", "Nothing at >> TEXT);", "dedent"),
    ("Router.php", "$reason = 'Not Found'", "$reason = 'Not Found'", "$reason = 'Not Found' >> break;", "dedent"),
    ("config.rs", "Ok(text) => text,", "Ok(text) => text,", "Err(error) => return Err", "dedent"),
    ("config.rs", "let shown", "let shown", 'write!(f, "{shown}', "dedent"),
    ("config.rs", "eprintln!", "eprintln!", "eprintln! >> 8080", "dedent"),
    ("config.rs", "use super::*;", "use super::*;", "TEMPLATE.contains >> }", "dedent"),
    ("importer.rb", "@errors << e.message", "@errors << e.message", "false", "dedent"),
    ("importer.rb", 'log(:info, "imported', 'log(:info, "imported', 'log(:info, "imported >> true', "dedent"),
    ("importer.rb", "@store.execute(SQL", "@store.execute(SQL", "@count += 1", "dedent"),
    ("importer.rb", "started = Process", "started = Process", "@count += 1 >> end >> end", "dedent"),
    ("importer.rb", "next", '@errors << "line', "next", "dedent"),
    ("job_scheduler.python", "entry = Entry(job", "entry = Entry(job", "return job", "dedent"),
    ("job_scheduler.python", "for entry in sorted", "return [", "for entry in sorted >> ]", "dedent"),
    (
        "job_scheduler.python",
        "scheduler = Scheduler()",
        "scheduler = Scheduler()",
        "asyncio.run(scheduler.run())",
        "eof",
    ),
    ("job_scheduler.python", "def a job first", "log.error(", "def a job first >> return", "dedent"),
    ("ledger.ts", "account: string;", "account: string;", "memo?: string;", "dedent"),
    ("ledger.ts", "const [whole, cents]", "const [whole, cents]", "const [whole, cents] >> return `", "dedent"),
    ("ledger.ts", '"ROLLBACK"', '"ROLLBACK"', "throw error;", "dedent"),
    ("lru_cache.hpp", "++misses_;", "++misses_;", "return std::nullopt;", "dedent"),
    ("lru_cache.hpp", "++count;", "++count;", "return static_cast<char>", "dedent"),
    ("lru_cache.hpp", "entries_.pop_back", "index_.erase(entries_", "entries_.pop_back", "dedent"),
    ("orders_table.tsx", "const count = order", "const count = order", "money.format >> );", "dedent"),
    ("orders_table.tsx", "setKey(name);", "setKey(name);", "window.scrollTo", "dedent"),
    ("ring_buffer.c", "static int warned;", "static int warned;", "length = 4; >> break;", "dedent"),
    ("server.go", "s.mu.Lock()", "table, err := s.source.Load", "s.mu.Unlock()", "dedent"),
    ("server.go", "table  map[string]Entry", "mu     sync.RWMutex", "done   chan struct{}", "dedent"),
    (
        "settings_panel.jsx",
        "setSettings(user.settings)",
        "setSettings(user.settings)",
        "setSettings(user >> onClose();",
        "dedent",
    ),
    ("settings_panel.jsx", "event.returnValue", "const warn >> event.preventDefault", "event.returnValue", "dedent"),
    ("upload_queue.js", "this.active.delete", "this.active.delete", "return true;", "dedent"),
    ("upload_queue.js", "console.error(event.error)", "console.error(event.error)", "setTimeout(() => queue", "dedent"),
]

RESTS_OF_BLOCKS = [
    ("InvoiceService.java", "String[] parts", "String[] parts", "result.add(new Line", "dedent"),
    ("InvoiceService.java", "sent++;", "sent++;", "log(String.format >> });", "dedent"),
    ("OrdersController.cs", "Served?.Invoke", "Served?.Invoke", "return order;", "dedent"),
    ("OrdersController.cs", "public enum State", "public enum State", "Sent = 4, >> }", "dedent"),
    ("Router.php", "$object = $this->container", "$object = $this->container", "return fn (Request", "dedent"),
    ("Router.php", "private function failure", "private function failure", "'retry' => $retry]); >> }", "dedent"),
    ("config.rs", "Err(error) if error.kind()", "Err(error) if error.kind()", "Err(error) => return Err", "dedent"),
    ("config.rs", "values.insert(", "values.insert(", "Layer::File { line: index + 1 }), >> );", "dedent"),
    ("importer.rb", "@logger = logger", "@logger = logger", "@count = 0", "dedent"),
    ("importer.rb", "retry if", "retry if", "false", "dedent"),
    ("importer.rb", "begin", "begin", "importer.close >> end", "dedent"),
    ("job_scheduler.python", "# One task a job", "# One task a job", "raise error", "dedent"),
    ("job_scheduler.python", "self.entries[entry] = job", "self.entries[entry] = job", "return job", "dedent"),
    ("job_scheduler.python", "if __name__", "if __name__", "asyncio.run(scheduler.run())", "eof"),
    ("ledger.ts", "/** Postings of an account", "/** Postings of an account", "return postings; >> }", "dedent"),
    ("ledger.ts", "for (const { currency", "for (const { currency", "return sums as Amounts", "dedent"),
    ("lru_cache.hpp", "entries_.splice", "entries_.splice", "return found->second->second", "dedent"),
    ("server.go", "w.Header().Set(", "w.Header().Set(", 'fmt.Println("encode:" >> }', "dedent"),
    ("settings_panel.jsx", "window.addEventListener", "window.addEventListener", "return () => window", "dedent"),
    ("upload_queue.js", "// Windows refuses", "// Windows refuses", "return stem + extname", "dedent"),
]

# The nearest end before a blank line; where there is none, the nearest two.
SIBLINGS = [
    ("OrdersController.cs", "private readonly IStore", ["private int _served;"]),
    ("Router.php", "#[Pure]", ["return $this; >> }"]),
    ("config.rs", "Ok(text) => text,", ["Err(error) if error.kind()"]),
    ("importer.rb", "HEADERS =", ["ON CONFLICT DO NOTHING >> SQL"]),
    ("job_scheduler.python", "Job = Callable", ['"tags": >> }']),
    ("ledger.ts", "const known", ["await this.pool.query(`SELECT", "return known; >> }"]),
    ("lru_cache.hpp", "++hits_;", ["entries_.splice"]),
    ("orders_table.tsx", "React.useState<SortKey>", ["useQuery<T[]>"]),
    ("ring_buffer.c", "for (i = 0; i < count; i++)", ["r->head = (r->head + 1) >> }"]),
    ("server.go", "s.mu.RLock()", ["entry, ok :=", "s.mu.RUnlock()"]),
    ("server.go", "wg.Add(1)", ["failures <- err >> }()"]),
    ("settings_panel.jsx", "const change", ["const change >> };"]),
    ("upload_queue.js", "const { basename", ["const UNSAFE"]),
    ("upload_queue.js", "this.database = database;", ["this.options = {"]),
]

NOTHING = [
    ("rest_of_block", "job_scheduler.python", "self.entries: dict"),  # the block's first
    ("rest_of_block", "orders_table.tsx", "return String(a[key])"),  # one line
    ("rest_of_block", "upload_queue.js", "await sleep(delay)"),
    ("rest_of_block", "Router.php", "<?php"),
    ("rest_of_block", "Router.php", "} catch (NotFound"),  # goes on with the statement before
    ("rest_of_block", "importer.rb", "rescue CSV"),
    ("rest_of_block", "importer.rb", "when nil"),
    ("rest_of_block", "config.rs", ".map(|(value, _)|"),
    ("rest_of_block", "server.go", "source: source,"),  # a literal's lines are no statements
    ("rest_of_block", "ring_buffer.c", "r->data = malloc"),  # #ifdef splits the braces around it
    ("rest_of_block", "ring_buffer.c", "unsigned closed : 1;"),  # #ifdef further left is where an editor would stop
    ("block_body", "ring_buffer.c", "size_t size, head, tail;"),
    ("rest_of_block", "config.rs", "#[cfg(test)]"),  # the rest of a file of more than a few lines is no block
    ("siblings", "importer.rb", "INSERT INTO"),
    ("siblings", "job_scheduler.python", "return decorate"),  # nothing follows in its block
    ("siblings", "lru_cache.hpp", "private:"),
    ("siblings", "InvoiceService.java", "String text;"),
    ("siblings", "listing.php", "<html>"),
    ("block_body", "listing.php", "<html>"),
    ("block_body", "job_scheduler.python", "import asyncio"),  # a module has no opener
    ("block_body", "ring_buffer.c", "r->data = malloc"),
    ("block_body", "config.rs", "macro_rules! layers"),
]


def middle(file: ParsedFile, line_with: LineWith, first: str, last: str) -> str:
    """The text from the first visible byte of one line to the last one of another."""
    start = file.lines.first_visible(line_with(file, first))
    return file.content[start : file.lines.last_visible(line_with(file, last))].decode()


def text_of(file: ParsedFile, site: Site) -> str:
    return file.content[site.start : site.end].decode()


def of_kind(kind: str, found: set[Site]) -> set[Site]:
    assert all((site.kind.category, site.kind.name) == (MULTI_LINE, kind) for site in found)
    assert all(site.newline_owner == "suffix" and site.bracket_delta == 0 for site in found)
    return found


@pytest.mark.parametrize(("name", "at", "first", "last", "stop"), BLOCK_BODIES)
def test_a_block_body_is_all_of_the_block(
    parsed_sources: dict[str, ParsedFile],
    line_with: LineWith,
    sites_on: SitesOn,
    name: str,
    at: str,
    first: str,
    last: str,
    stop: str,
) -> None:
    file = parsed_sources[name]
    (site,) = of_kind("block_body", sites_on(file, "block_body", line_with(file, at)))
    assert text_of(file, site) == middle(file, line_with, first, last)
    assert site.stop_reason == stop


GO_CASES = """\
package p

func f(x any, c chan int) int {
	switch x {
	case 1:
		g()
		return 1
	case 2, 3:
		h()
		i()
	default:
		j()
		k()
	}
	switch v := x.(type) {
	case int:
		g()
		return v
	case string:
		h()
		i()
	}
	select {
	case n := <-c:
		g()
		return n
	default:
		h()
		i()
	}
	return 0
}
"""


@pytest.mark.parametrize("line", [11, 19, 27])
def test_the_last_case_of_go_is_a_block(parsed: Parsed, sites_on: SitesOn, line: int) -> None:
    (site,) = sites_on(parsed("Go", GO_CASES), "block_body", line)
    assert site.stop_reason == "dedent"


@pytest.mark.parametrize("line", [5, 8, 16, 24])
def test_an_earlier_case_of_go_is_one_too(parsed: Parsed, sites_on: SitesOn, line: int) -> None:
    file = parsed("Go", GO_CASES)
    (site,) = sites_on(file, "block_body", line)
    assert text_of(file, site).count("\n") == 1
    assert site.stop_reason == "dedent"


@pytest.mark.parametrize(("name", "at", "first", "last", "stop"), RESTS_OF_BLOCKS)
def test_the_rest_of_a_block_begins_at_a_statement_and_ends_with_the_block(
    parsed_sources: dict[str, ParsedFile],
    line_with: LineWith,
    sites_on: SitesOn,
    name: str,
    at: str,
    first: str,
    last: str,
    stop: str,
) -> None:
    file = parsed_sources[name]
    (site,) = of_kind("rest_of_block", sites_on(file, "rest_of_block", line_with(file, at)))
    assert text_of(file, site) == middle(file, line_with, first, last)
    assert site.stop_reason == stop


@pytest.mark.parametrize(("name", "first", "ends"), SIBLINGS)
def test_siblings_end_before_a_blank_line_if_they_can(
    parsed_sources: dict[str, ParsedFile],
    line_with: LineWith,
    sites_on: SitesOn,
    name: str,
    first: str,
    ends: list[str],
) -> None:
    file = parsed_sources[name]
    found = of_kind("siblings", sites_on(file, "siblings", line_with(file, first)))
    assert {text_of(file, site) for site in found} == {middle(file, line_with, first, end) for end in ends}
    assert {site.stop_reason for site in found} == {"newline"}


@pytest.mark.parametrize(("kind", "name", "at"), NOTHING)
def test_where_no_whole_statements_are_there_is_nothing(
    parsed_sources: dict[str, ParsedFile], line_with: LineWith, sites_on: SitesOn, kind: str, name: str, at: str
) -> None:
    file = parsed_sources[name]
    assert sites_on(file, kind, line_with(file, at)) == set()


@pytest.mark.parametrize("kind", ["block_body", "rest_of_block", "siblings"])
def test_no_middle_is_over_a_cap_and_none_is_cut_to_fit(
    parsed_sources: dict[str, ParsedFile], sites_on: SitesOn, kind: str
) -> None:
    """Each site under tight caps is a site without them too."""
    tight = MultiLineLimits(max_lines=5, max_chars=160, newline_in_middle_share=0.0)
    for file in parsed_sources.values():
        for line in range(0, len(file.lines), 3):
            if file.lines.first_visible(line) < 0:
                continue
            for site in sites_on(file, kind, line, tight, draws=8):
                text = text_of(file, site)
                assert text.count("\n") < 5
                assert len(text) <= 160
                if kind == "rest_of_block":
                    assert site in sites_on(file, kind, line, WIDE, draws=8)


def test_a_block_over_the_cap_is_dropped_not_cut(parsed: Parsed, refusals_on: RefusalsOn, sites_on: SitesOn) -> None:
    lines = ["def f():", "    x = 0", *(f"    x += {number}" for number in range(40)), "    return x", ""]
    file = parsed("Python", "\n".join(lines))
    assert refusals_on(file, "block_body", 5) == {"over_the_cap"}
    assert refusals_on(file, "rest_of_block", 5) == {"over_the_cap"}
    assert sites_on(file, "block_body", 5, WIDE)
    # 32 lines are the most: from the eleventh of 42 on.
    rest = [line for line in range(1, 42) if sites_on(file, "rest_of_block", line)]
    assert rest == list(range(11, 42))


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_a_middle_may_keep_its_line_break(parsed: Parsed, sites_on: SitesOn, line_break: str) -> None:
    always = replace(WIDE, newline_in_middle_share=1.0)
    file = parsed("Go", line_break.join(["func f() {", "\ta()", "\tb()", "}", ""]))
    (site,) = sites_on(file, "block_body", 1, always)
    assert text_of(file, site) == line_break.join(["a()", "\tb()", ""])
    assert site.newline_owner == "middle"
    assert site.stop_reason == "dedent"


def test_the_last_line_break_of_a_file_stays_in_the_suffix(parsed: Parsed, sites_on: SitesOn) -> None:
    always = replace(WIDE, newline_in_middle_share=1.0)
    (site,) = sites_on(parsed("Python", "def f():\n    a()\n    b()\n"), "block_body", 1, always)
    assert (site.stop_reason, site.newline_owner) == ("eof", "suffix")
    (site,) = sites_on(parsed("Python", "def f():\n    a()\n    b()"), "block_body", 1, always)
    assert (site.stop_reason, site.newline_owner) == ("eof", "none")


def test_a_shallower_line_is_a_dedent_an_equal_one_a_newline(parsed: Parsed, sites_on: SitesOn) -> None:
    file = parsed("JavaScript", "if (a) {\n    b();\n    c();\n    }\nd();\ne();\n")
    # The closer of this block is indented like its statements.
    (site,) = sites_on(file, "block_body", 1)
    assert (text_of(file, site), site.stop_reason) == ("b();\n    c();", "newline")


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\u0085", "\u2028"])
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("Python", "def f():\n    a = 1\n    return a  # note{}\n\ng = 1\n"),
        ("C", "int f(void) {{\n  int a = 1;\n  return a; // note{}\n}}\n"),
    ],
)
def test_no_middle_ends_in_a_blank_of_any_alphabet(
    parsed: Parsed, sites_on: SitesOn, language: str, text: str, blank: str
) -> None:
    file = parsed(language, text.format(blank))
    for site in sites_on(file, "block_body", 1) | sites_on(file, "rest_of_block", 2):
        assert text_of(file, site) == text_of(file, site).strip()


def test_runs_of_imports_are_thinned_out_as_one_place(
    parsed_sources: dict[str, ParsedFile], line_with: LineWith
) -> None:
    file = parsed_sources["InvoiceService.java"]
    line = line_with(file, "import java.io.IOException")
    passed = 0
    for number in range(200):
        try:
            siblings(file, line, Draws("imports", number), MultiLineLimits())
            passed += 1
        except Refused as refused:
            assert str(refused) == "import"
    assert passed < 200 * IMPORT_SHARE * 1.5


def test_an_access_specifier_is_the_head_of_what_follows_not_the_end_of_a_run(
    parsed: Parsed, sites_on: SitesOn
) -> None:
    text = "class A {\npublic:\n  int b;\n  int c;\nprivate:\n\n  int d;\n  int e;\n  int f;\n};\n"
    file = parsed("C++", text)
    for line in range(1, 9):
        for site in sites_on(file, "siblings", line) | sites_on(file, "rest_of_block", line):
            assert not text_of(file, site).endswith(":")


LABELS = [
    # A comment, a label or a directive further left than the lines around it.
    ("C", "void f(void) {{\n    a();\n    b();\n{}again();\n    c();\n}}\n", "retry:\n    ", 1),
    ("Python", "def f():\n    a()\n    b()\n{}# note\n\n    c()\n    d()\n", "  ", 1),
    ("Ruby", "def f\n  a\n  b\n{}# note\n  c\nend\n", "", 1),
    ("Java", "class A {{\n  int a;\n{}// note\n  int b;\n}}\n", "", 1),
    ("JavaScript", "function f() {{\n  a();\n{}b();\n  c();\n}}\n", " ", 1),
    ("C#", "class A\n{{\n    int a;\n{}#region B\n    int b;\n{}#endregion\n}}\n", "", 2),
]


@pytest.mark.parametrize(("language", "text", "wrong", "line"), LABELS, ids=[case[0] for case in LABELS])
def test_all_that_a_middle_is_made_of_begins_at_its_indent(
    parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn, language: str, text: str, wrong: str, line: int
) -> None:
    """At a line further left an editor would stop; one further right is a slip."""
    indent = {"Python": "    ", "C": "    ", "C#": "    "}.get(language, "  ")
    even = parsed(language, text.format(indent, indent))
    uneven = parsed(language, text.format(wrong, wrong))
    assert sites_on(even, "block_body", line)
    assert sites_on(uneven, "block_body", line) == set()
    assert refusals_on(uneven, "block_body", line) == {"uneven_indent"}


def test_the_rest_of_a_file_is_no_block(parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn) -> None:
    lines = [f"name_{number} = {number}" for number in range(30)]
    file = parsed("Python", "\n".join(["import os", *lines]) + "\n")
    last = len(lines)
    near = range(last - MAX_ROOT_LINES + 1, last)
    assert [line for line in range(1, last + 1) if sites_on(file, "rest_of_block", line, draws=1)] == list(near)
    assert refusals_on(file, "rest_of_block", near[0] - 1) == {"rest_of_file"}
    # The same lines in a block are one.
    inside = parsed("Python", "\n".join(["def f():", "    import os", *("    " + line for line in lines)]) + "\n")
    assert sites_on(inside, "rest_of_block", near[0] - 1, draws=1)


LOOSE = [
    ("Python", "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\n"),
    ("Go", "package p\n\nvar a = 1\nvar b = 2\nvar c = 3\nvar d = 4\n"),
    ("C", "int a;\nint b;\nint c;\nint d;\n"),
]


@pytest.mark.parametrize(("language", "text"), LOOSE, ids=[case[0] for case in LOOSE])
def test_runs_seldom_end_between_simple_lines(parsed: Parsed, language: str, text: str) -> None:
    file = parsed(language, text)
    kept = 0
    for number in range(1_000):
        try:
            siblings(file, text.count("\n") - 4, Draws("loose", number), WIDE)
            kept += 1
        except Refused as refused:
            assert str(refused) == "no_more_siblings"
    assert 0.7 * LOOSE_END_SHARE < kept / 1_000 < 1.3 * LOOSE_END_SHARE


@pytest.mark.parametrize(
    ("language", "text", "line"),
    [
        ("Python", "a = 1\n\nb = 2\nc = 3\n\nd = 4\n", 0),
        ("C#", "class A {\n    bool _isRoot;\n\n    A() {\n        F();\n    }\n\n    int b;\n}\n", 1),
    ],
)
def test_a_line_before_a_blank_one_is_all_that_anyone_would_write(
    parsed: Parsed, refusals_on: RefusalsOn, language: str, text: str, line: int
) -> None:
    assert refusals_on(parsed(language, text), "siblings", line) == {"stops_at_once"}


def test_declarations_that_no_line_opens_are_no_body(
    parsed: Parsed, refusals_on: RefusalsOn, sites_on: SitesOn
) -> None:
    file = parsed(
        "Haskell", "module A where\n\nimport B\n\n-- | One.\none :: Int\none = b + 1\n\ntwo :: Int\ntwo = one + b\n"
    )
    assert refusals_on(file, "block_body", 5) == {"no_block"}
    assert sites_on(file, "rest_of_block", 8)


def test_a_whole_compound_statement_is_a_run_wherever_it_ends(parsed: Parsed, sites_on: SitesOn) -> None:
    file = parsed("Python", "a = 1\nif a:\n    b()\nc = 2\nd = 3\n")
    found = [site for number in range(40) for site in sites_on(file, "siblings", 1, draws=number + 1)]
    assert "if a:\n    b()" in {text_of(file, site) for site in found}
    # In every draw: only the rare draw may end it anywhere else.
    assert all(siblings(file, 1, Draws("whole", number), WIDE) for number in range(200))


def test_a_run_of_siblings_ends_with_a_statement(parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn) -> None:
    """A comment that stands alone belongs to what follows, if to anything."""
    text = "void f() {{\n  a();\n  b();\n  {}\n\n  c();\n  d();\n}}\n"
    for language in ("C++", "Java", "JavaScript"):
        whole = text if language != "Java" else f"class A {{{{\n{text}}}}}\n"
        whole = whole.replace("void", "function") if language == "JavaScript" else whole
        line = 2 if language == "Java" else 1
        remarked = parsed(language, whole.format("// note"))
        assert not any(text_of(remarked, site).endswith("note") for site in sites_on(remarked, "siblings", line))
        stated = parsed(language, whole.format("note();"))
        assert any(text_of(stated, site).endswith("note();") for site in sites_on(stated, "siblings", line))


@pytest.mark.parametrize("find", [block_body, siblings])
def test_middles_that_begin_with_imports_are_thinned_out(parsed: Parsed, find: Finder) -> None:
    imports = "    import a\n    import b\n\n    c()\n    d()\n"
    for first, share in ((imports, IMPORT_SHARE), (imports.replace("import ", "a."), 1.0)):
        file = parsed("Python", "def f():\n" + first)
        kept = 0
        for number in range(400):
            try:
                find(file, 1, Draws("imports", number), WIDE)
                kept += 1
            except Refused as refused:
                assert str(refused) == "import"
        assert 0.7 * share < kept / 400 < 1.3 * share
