"""Middles inside one line: the rest of it from a token on, or all of it after its indent."""

import pytest

from stackfim.transforms.draws import Draws
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.single_line import (
    COMMENT_SHARE,
    IMPORT_SHARE,
    MAX_LINE_CHARS,
    PUNCTUATION_SHARE,
    blank_line,
    token_to_eol,
)
from stackfim.transforms.split.site import Refused, Site
from stackfim.transforms.split.syntax import ParsedFile
from tests.fixture_types import LineWith, Parsed, RefusalsOn, SitesOn

# (file, text on the line, bracket delta of the whole line)
WHOLE_LINES = [
    ("InvoiceService.java", "private volatile boolean closed;", 0),
    ("InvoiceService.java", "if (text.isBlank()", 0),
    ("InvoiceService.java", "return new Runnable() {", 1),
    ("InvoiceService.java", "public Line {", 1),
    ("InvoiceService.java", "yield base + 1;", 0),
    ("InvoiceService.java", "try (BufferedReader", 1),
    ("OrdersController.cs", "public int Count { get;", 0),
    ("OrdersController.cs", "Console.WriteLine", 0),
    ("OrdersController.cs", "throw new InvalidOperationException", 0),
    ("Router.php", "foreach ($this->routes", 1),
    ("Router.php", "[$class, $method] =", 0),
    ("Router.php", "return static function", 1),
    ("config.rs", "Ok(text) => text,", 0),
    ("config.rs", "let Some((key, value))", 1),
    ("config.rs", "if number >= 1024 {", 1),
    ("config.rs", "impl fmt::Display", 1),
    ("importer.rb", "class << self", 0),
    ("importer.rb", "return importer unless", 0),
    ("importer.rb", "CSV.foreach", 0),
    ("importer.rb", "def log(level", 0),
    ("job_scheduler.python", "class JobFailed", 0),
    ("job_scheduler.python", "case [str() as text", 0),
    ("job_scheduler.python", "def stop(self):", 0),
    ("job_scheduler.python", "raise JobFailed", 0),
    ("job_scheduler.python", "async with asyncio", 0),
    ("ledger.ts", "type Amounts", 0),
    ("ledger.ts", "memo?: string;", 0),
    ("ledger.ts", "export const money", 1),
    ("ledger.ts", "async book(", 1),
    ("lru_cache.hpp", "~LruCache()", 0),
    ("lru_cache.hpp", "while (index_.size()", 1),
    ("orders_table.tsx", "const { data, error }", 0),
    ("orders_table.tsx", "setKey(name);", 0),
    ("ring_buffer.c", "typedef enum", 0),
    ("ring_buffer.c", "unsigned closed : 1;", 0),
    ("server.go", "failures <- err", 0),
    ("server.go", "go func() {", 1),
    ("server.go", "type Server struct {", 1),
    ("server.go", "entry, ok :=", 0),
    ("settings_panel.jsx", "const warn = (event)", 1),
    ("upload_queue.js", "static version = 3;", 0),
    ("upload_queue.js", "outer: for await", 1),
    ("upload_queue.js", "if (/^(con|prn", 1),
]

NO_WHOLE_LINES = [
    ("InvoiceService.java", "* Invoices from"),
    ("InvoiceService.java", "} finally {"),
    ("InvoiceService.java", "case PAID:"),
    ("InvoiceService.java", ".flatMap(List::stream)"),
    ("InvoiceService.java", 'invoice number="%d"'),
    ("OrdersController.cs", "public bool Busy"),  # the brace that opens it is on the next line
    ("OrdersController.cs", "where line.Due <"),
    ("OrdersController.cs", "WHERE note LIKE"),
    ("Router.php", "Nothing at"),
    ("Router.php", "} elseif ("),
    ("config.rs", "macro_rules! layers"),
    ("config.rs", "#[must_use]"),
    ("config.rs", ".or_else(|| self"),
    ("config.rs", "File { line: usize }"),
    ("importer.rb", "VALUES (:sku"),
    ("importer.rb", "log(:info >> ensure"),
    ("importer.rb", "elsif count"),
    ("importer.rb", "when nil"),
    ("job_scheduler.python", '"retries": 3'),
    ("job_scheduler.python", "@property"),
    ("job_scheduler.python", "except on as error"),
    ("job_scheduler.python", "+ len(entry.tags)"),
    ("job_scheduler.python", "def a job first"),
    ("job_scheduler.python", "# One task"),
    ("ledger.ts", "buckets: [1, 5, 25]"),
    ("lru_cache.hpp", "template <typename... Args>"),
    ("lru_cache.hpp", "private:"),
    ("lru_cache.hpp", "if (index_.count(key) != 0)"),  # its body is the next line, without braces
    ("orders_table.tsx", "<thead>"),
    ("orders_table.tsx", "active={name === key}"),
    ("ring_buffer.c", "(b) = swap_;"),
    ("ring_buffer.c", "for (i = 0"),
    ("server.go", '"encoding/json"'),
    ("server.go", "-port N"),
    ("server.go", "source: source,"),
    ("settings_panel.jsx", "{children}"),
    ("upload_queue.js", ".then(response"),
    ("upload_queue.js", "entry.error ? `last"),
]


def text_of(file: ParsedFile, site: Site) -> str:
    return file.content[site.start : site.end].decode()


@pytest.mark.parametrize(("name", "text", "delta"), WHOLE_LINES)
def test_a_simple_statement_or_the_opener_of_a_block_is_a_whole_line(
    parsed_sources: dict[str, ParsedFile], line_with: LineWith, sites_on: SitesOn, name: str, text: str, delta: int
) -> None:
    file = parsed_sources[name]
    line = line_with(file, text)
    (site,) = sites_on(file, "blank_line", line)
    whole = file.content[file.lines.starts[line] : file.lines.end(line)].decode()
    assert text_of(file, site) == whole.strip()
    assert (site.kind.category, site.kind.name, site.bracket_delta) == ("single_line", "blank_line", delta)
    assert (site.stop_reason, site.newline_owner) == (None, "suffix")


@pytest.mark.parametrize(("name", "text"), NO_WHOLE_LINES)
def test_a_line_that_is_part_of_a_statement_is_no_whole_line(
    parsed_sources: dict[str, ParsedFile], line_with: LineWith, sites_on: SitesOn, name: str, text: str
) -> None:
    file = parsed_sources[name]
    assert sites_on(file, "blank_line", line_with(file, text)) == set()


def test_the_tag_that_opens_php_is_no_whole_line(parsed_sources: dict[str, ParsedFile], sites_on: SitesOn) -> None:
    assert sites_on(parsed_sources["Router.php"], "blank_line", 0) == set()


REST_OF_LINE = [
    ("Python", "total = a.b(c[0], 'x y')", 0, {"= a.b(c[0], 'x y')", "c[0], 'x y')", ".b(c[0], 'x y')"}),
    ("Go", "package p\n\nfunc (s *S) f(n int) error {\n}\n", 2, {"error {", "f(n int) error {", "(s *S) f(n int) error {"}),
    ("Java", "class A {\n  List<String> a = new B<>();\n}\n", 1, {"a = new B<>();", "= new B<>();", "new B<>();", "<String> a = new B<>();"}),
    ("Rust", "fn f() {\n    let x: &'a str = y?;\n}\n", 1, {"x: &'a str = y?;", "= y?;", "y?;"}),
    ("C", "int f(void) {\n  return p->q[i++];\n}\n", 1, {"p->q[i++];", "->q[i++];", "i++];"}),
    ("Ruby", "def f\n  a.each { |x| puts x }\nend\n", 1, {"{ |x| puts x }", "puts x }", ".each { |x| puts x }"}),
    ("PHP", "<?php\n$a = $b['c'] ?? null;\n", 1, {"= $b['c'] ?? null;", "?? null;", "null;"}),
    ("JavaScript", "const f = async ({ a }) => `x${a}y`;\n", 0, {"async ({ a }) => `x${a}y`;", "=> `x${a}y`;", "a }) => `x${a}y`;"}),
    ("C#", "class A {\n  int B { get; } = C?.D ?? 0;\n}\n", 1, {"B { get; } = C?.D ?? 0;", "?? 0;", "get; } = C?.D ?? 0;"}),
    ("TSX", "const a = <B c={d}>e</B>;\n", 0, {"<B c={d}>e</B>;", "c={d}>e</B>;", "= <B c={d}>e</B>;"}),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "line", "some"), REST_OF_LINE, ids=[case[0] for case in REST_OF_LINE])
def test_the_rest_of_a_line_begins_at_any_token_inside_it(
    parsed: Parsed, sites_on: SitesOn, language: str, text: str, line: int, some: set[str]
) -> None:
    file = parsed(language, text)
    found = sites_on(file, "token_to_eol", line)
    whole = text.split("\n")[line]
    texts = {text_of(file, site) for site in found}
    assert some <= texts
    for site in found:
        assert whole.endswith(text_of(file, site))
        assert text_of(file, site) != whole.strip()
        tokens = [leaf.start_byte for leaf in file.leaves(0, len(file.content))]
        assert site.start in tokens
        before = whole.removesuffix(text_of(file, site))
        assert before.strip(), "the first token of a line is no place"
        assert (site.kind.name, site.newline_owner) == ("token_to_eol", "suffix" if text.endswith("\n") else "none")


COMMENTED = [
    ("Python", "a = 1  # one\n", 0, "#"),
    ("Go", "package p\n\nvar a = 1 // one\n", 2, "//"),
    ("Java", "class A {\n  int a = 1; /* one */\n}\n", 1, "/*"),
    ("Rust", "fn f() {\n    let a = 1; // one\n}\n", 1, "//"),  # its grammar has tokens inside comments
    ("Rust", "struct A {\n    a: u8, /* one */\n}\n", 1, "/*"),
    ("PHP", "<?php\n$a = 1; # one\n", 1, "#"),
]


@pytest.mark.parametrize(("language", "text", "line", "sign"), COMMENTED)
def test_a_comment_alone_is_never_the_rest_of_a_line(
    parsed: Parsed, sites_on: SitesOn, language: str, text: str, line: int, sign: str
) -> None:
    file = parsed(language, text)
    comment = text.index(sign)
    found = sites_on(file, "token_to_eol", line, draws=600)
    assert found
    assert all(site.start < comment for site in found)


@pytest.mark.parametrize(("language", "text", "line", "sign"), COMMENTED)
def test_rests_of_lines_that_end_in_a_comment_are_thinned_out(
    parsed: Parsed, language: str, text: str, line: int, sign: str
) -> None:
    file = parsed(language, text)
    kept = refused = 0
    for number in range(2_000):
        try:
            token_to_eol(file, line, Draws("share", number), MultiLineLimits())
            kept += 1
        except Refused as reason:
            assert str(reason) == "ends_in_comment"
            refused += 1
    assert 0.7 * COMMENT_SHARE < kept / (kept + refused) < 1.3 * COMMENT_SHARE


@pytest.mark.parametrize(
    "text", ["/// what is said here\n", "//! what is said here\n", "/** what is said */\n", "// it\n"]
)
def test_the_documentation_of_rust_has_no_place(parsed: Parsed, sites_on: SitesOn, text: str) -> None:
    file = parsed("Rust", f"fn f() {{}}\n\n{text}fn g() {{}}\n")
    assert sites_on(file, "token_to_eol", 2) == set()


@pytest.mark.parametrize(
    ("language", "text", "quote"),
    [("Python", 'a = "b"\n', '"'), ("JavaScript", "a = `b`\n", "`"), ("Ruby", "a = 'b'\n", "'")],
)
def test_a_lone_quote_is_no_middle(parsed: Parsed, sites_on: SitesOn, language: str, text: str, quote: str) -> None:
    file = parsed(language, text)
    texts = {text_of(file, site) for site in sites_on(file, "token_to_eol", 0, draws=600)}
    assert quote not in texts
    assert f"{quote}b{quote}" in texts


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("InvoiceService.java", '{ "total": %s }'),
        ("InvoiceService.java", "* Invoices from orders"),
        ("InvoiceService.java", "private static final String TEMPLATE"),  # its string continues on the next line
        ("OrdersController.cs", "private const string Query"),
        ("Router.php", "not->interpolated"),
        ("importer.rb", "ON CONFLICT"),
        ("job_scheduler.python", ">>> Scheduler()"),
        ("job_scheduler.python", '"retries": 3'),
        ("ring_buffer.c", "(a) = (b);"),
        ("ring_buffer.c", "A byte ring"),
        ("upload_queue.js", "* A name that"),
        ("upload_queue.js", "// Uploads"),
        ("listing.php", "<!DOCTYPE html>"),
    ],
)
def test_text_and_data_are_no_places_for_the_rest_of_a_line(
    parsed_sources: dict[str, ParsedFile], line_with: LineWith, sites_on: SitesOn, name: str, text: str
) -> None:
    file = parsed_sources[name]
    assert sites_on(file, "token_to_eol", line_with(file, text)) == set()


@pytest.mark.parametrize("kind", ["token_to_eol", "blank_line"])
def test_lines_over_the_limit_are_not_eligible(
    parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn, kind: str
) -> None:
    """The limit counts characters, not bytes."""
    fits = "x = '" + "é" * (MAX_LINE_CHARS - 6) + "'"
    assert len(fits) == MAX_LINE_CHARS
    assert sites_on(parsed("Python", fits + "\n"), kind, 0)
    over = parsed("Python", fits[:-1] + "é'\n")
    assert refusals_on(over, kind, 0) == {"line_too_long"}


def test_rows_of_literal_data_are_not_eligible(parsed: Parsed, refusals_on: RefusalsOn, sites_on: SitesOn) -> None:
    table = parsed("Python", "T = [\n    (1, 'a'),\n    (2, 'b'),\n    (f(x), 3),\n]\n")
    assert refusals_on(table, "token_to_eol", 1) == {"literal_data"}
    assert sites_on(table, "token_to_eol", 3)
    keyed = parsed("JavaScript", "const T = {\n  alpha: 1,\n  beta: 'b',\n  gamma: compute(2),\n};\n")
    assert refusals_on(keyed, "token_to_eol", 1) == {"literal_data"}
    assert sites_on(keyed, "token_to_eol", 3)


@pytest.mark.parametrize(
    ("language", "text", "share"),
    [
        ("Python", "import collections.abc", IMPORT_SHARE),
        ("Go", 'package p\n\nimport "fmt"', IMPORT_SHARE),
        ("C", "#include <stdio.h>", IMPORT_SHARE),
        ("Rust", "use std::fmt;", IMPORT_SHARE),
        ("Java", "import java.util.List;", IMPORT_SHARE),
        ("Ruby", 'require "json"', IMPORT_SHARE),
        ("PHP", "<?php\nuse Closure;", IMPORT_SHARE),
        ("C#", "using System.Linq;", IMPORT_SHARE),
        ("TypeScript", 'import { a } from "b";', IMPORT_SHARE),
        ("JavaScript", "const fs = require('fs');", IMPORT_SHARE),
        ("JavaScript", "export * from './a';", IMPORT_SHARE),
        ("TypeScript", 'export { a } from "b";', IMPORT_SHARE),
        ("TypeScript", "export const a = b;", None),
        ("JavaScript", "x()", None),
    ],
)
def test_imports_are_thinned_out(parsed: Parsed, language: str, text: str, share: float | None) -> None:
    file = parsed(language, text + "\n")
    line = text.count("\n")
    kept = 0
    for number in range(600):
        try:
            blank_line(file, line, Draws("share", number), MultiLineLimits())
            kept += 1
        except Refused as refused:
            assert str(refused) == "import"
    assert kept == 600 if share is None else 0.7 * share < kept / 600 < 1.3 * share


def test_middles_of_punctuation_alone_are_thinned_out(parsed: Parsed) -> None:
    file = parsed("C", "void f(void) {\n  g(h(i));\n}\n")
    kept = refused = 0
    for number in range(2_000):
        try:
            site = token_to_eol(file, 1, Draws("share", number), MultiLineLimits())
            kept += not any(map(str.isalnum, text_of(file, site)))
        except Refused as reason:
            assert str(reason) == "only_punctuation"
            refused += 1
    assert 0.5 * PUNCTUATION_SHARE < kept / (kept + refused) < 1.5 * PUNCTUATION_SHARE


@pytest.mark.parametrize(
    ("language", "text", "line", "middle", "delta"),
    [
        ("JavaScript", "f(function () {\n  g();\n});\n", 0, "function () {", 1),
        ("JavaScript", "f(function () {\n  g();\n});\n", 0, "() {", 1),
        ("Python", "a = b[c(d)]\n", 0, "d)]", -2),
        ("Ruby", 'a = "x#{b}y"\n', 0, 'b}y"', -1),
        ("TypeScript", "let a = `${b}`;\n", 0, "`${b}`;", 0),
        ("TypeScript", "let a = `${b}`;\n", 0, "b}`;", -1),
        ("C++", "std::vector<int> a(b[0]);\n", 0, "(b[0]);", 0),
    ],
)
def test_bracket_delta_is_what_the_middle_opens_less_what_it_closes(
    parsed: Parsed, sites_on: SitesOn, language: str, text: str, line: int, middle: str, delta: int
) -> None:
    file = parsed(language, text)
    (site,) = [site for site in sites_on(file, "token_to_eol", line) if text_of(file, site) == middle]
    assert site.bracket_delta == delta


def test_attributes_of_c_plus_plus_are_balanced(parsed: Parsed, sites_on: SitesOn) -> None:
    file = parsed("C++", "void f(int a) {\n  if (a) [[likely]] g(a);\n}\n")
    (site,) = [site for site in sites_on(file, "token_to_eol", 1) if text_of(file, site) == "[[likely]] g(a);"]
    assert site.bracket_delta == 0


@pytest.mark.parametrize("blank", ["\x0c", "\r", "\x0b"])
def test_a_line_whose_indent_holds_another_blank_is_no_fresh_line(
    parsed: Parsed, sites_on: SitesOn, blank: str
) -> None:
    file = parsed("Python", f"x = 1\n\n{blank}class A:\n    y = 2\n")
    assert sites_on(file, "blank_line", 2) == set()


def test_lines_with_errors_are_not_eligible(parsed: Parsed, sites_on: SitesOn) -> None:
    file = parsed("Java", "class A {\n  void f() {\n    int a = = 1;\n    int b = 2;\n  }\n}\n")
    assert sites_on(file, "blank_line", 2) == set()
    assert sites_on(file, "blank_line", 3)
