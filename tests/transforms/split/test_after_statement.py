"""Silence after a finished statement, on lines of real-looking files in every language."""

import pytest

from stackfim.transforms.draws import Draws
from stackfim.transforms.lines import Indent, compare_indents
from stackfim.transforms.split.empty import after_statement
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.single_line import IMPORT_SHARE
from stackfim.transforms.split.site import Refused
from stackfim.transforms.split.syntax import ParsedFile
from tests.fixture_types import LineWith, Parsed, RefusalsOn, SitesOn

SILENT = {
    "InvoiceService.java": [
        "package org.example.billing;",
        "import static java.util.Objects.requireNonNull;",
        "throw new IllegalArgumentException",
        "if (text.isBlank() || text.startsWith",
        "case CANCELLED: >> break;",
        "yield base + 1;",
        "yield base + 1; >> };",
        "Collectors.summingLong(Line::total)));",
        "log(String.format(TEMPLATE, id, list)); >> });",
        "System.out.println(requireNonNull(message)); >> }",
    ],
    "OrdersController.cs": [
        "ORDER BY id",
        "private int _served;",
        "set => _served = value ? 101 : 0; >> }",
        "return NoContent(); >> }",
        "select new { line.Sku, line.Due };",
        "State.Sent => >> };",
        "return NotFound",
        "GC.SuppressFinalize(this); >> }",
        "public record OrderEventArgs(Order Order);",
    ],
    "Router.php": [
        "declare(strict_types=1);",
        "not->interpolated >> HTML;",
        "throw new InvalidArgumentException",
        "$pattern = '/' . trim($pattern, '/'); >> }",
        "return $handler($request, ...$arguments);",
        "status === 429 >> };",
    ],
    "config.rs": [
        "use std::fmt;",
        'that never closes >> "#;',
        "Environment(&'static str), >> }",
        "Ok(text) => text,",
        "text.parse().unwrap_or_else >> })",
        "break number;",
        ".or_else(|| self.parent",
    ],
    "importer.rb": [
        "return importer unless block_given?",
        "@count += 1",
        "importer.close >> end",
        "retry if",
        "false",
        ":failed",
        ":failed >> end",
        "def log(level, message) =",
        "importer.run! or warn",
    ],
    "job_scheduler.python": [
        "from functools import",
        '"tags": >> }',
        "period_s: float = 60.0",
        "return await function",
        "for entry in sorted >> ]",
        "+ len(entry.tags) * 0.001",
        "raise TypeError(entry)",
        "def a job first >> )",
        "raise error",
    ],
    "ledger.ts": [
        "export type Currency",
        "memo?: string;",
        'Reversed = "reversed", >> }',
        '.join(", ")}`);',
        "Promise<State> { >> const rest = totals(postings);",
        "[posting.account, posting.amount.toString() >> );",
        "client.release(); >> }",
        "default: { >> return `",
    ],
    "lru_cache.hpp": [
        "quote and a { brace >> )json",
        "using Iterator",
        "~LruCache() noexcept = default;",
        "return false;",
        "std::forward<Args>(args)...));",
        "friend bool operator==",
        "enum class Level",
        "return static_cast<char> >> };",
        "c = upper(c);",
        "throw; >> }",
    ],
    "orders_table.tsx": [
        "type SortKey",
        "{props.children} >> );",
        "return String(a[key]) >> });",
        "}, [data, filter, key]);",
        "window.scrollTo",
        "money.format >> );",
    ],
    "ring_buffer.c": [
        "#include <string.h>",
        "#include <pthread.h> >> #endif",
        "typedef enum",
        "uint8_t *data;",
        "[RING_CLOSED] = >> };",
        "length = 4;",
        "while (length > 7);",
    ],
    "server.go": [
        '"time" >> )',
        "Key     string",
        "done:   make(chan struct{}), >> }",
        "defer ticker.Stop()",
        "failures <- err >> }()",
        "StatusNoContent) >> })",
        "var wg sync.WaitGroup",
    ],
    "settings_panel.jsx": [
        "import { saveSettings }",
        "</label> >> );",
        "event.returnValue = '';",
        "}, [dirty]);",
        "setError(failure.message); >> }",
        "onClick={() => { >> setSettings(user.settings);",
    ],
    "upload_queue.js": [
        "import { openDB } from 'idb'",
        "const RETRY_DELAYS",
        "added: Date.now(), >> };",
        "continue outer;",
        ": 'no error' >> }`);",
        "return response.status < 500;",
        "entry.error = error; >> });",
    ],
}

# More has to or could follow, or no statement ends with the line.
NOT_SILENT = {
    "InvoiceService.java": [
        "@Service",
        "private volatile boolean closed; >> @Override",
        "OPEN, PAID",
        "} catch (NumberFormatException",
        "case PAID:",
        "case 0, 1 -> 0;",
        ".flatMap(List::stream)",
        "* Invoices from orders",
        '{ "total": %s }',
        'invoice number="%d"',
    ],
    "OrdersController.cs": [
        "namespace Example.Shop",
        "[HttpGet]",
        "if (order is null)",
        "return NotFound >> }",
        "var late = from line in order.Lines",
        "orderby line.Due",
        "finally",
        "#region Actions",
        "case State.Draft:",
        "_store.Dispose(); >> }",
    ],
    "Router.php": [
        "namespace Example\\Http; >> #[Attribute",
        "final class Router",
        "private readonly Container",
        "'/'; >> } else {",
        "<<<'HTML'",
        "Nothing at",
        "default => null,",
    ],
    "config.rs": [
        "#[must_use]",
        "macro_rules! layers",
        "/// Built in.",
        "self.values >> .get(key)",
        "where",
        "} else {",
        "[server]",
    ],
    "importer.rb": [
        "require_relative >> module Catalog",
        "begin",
        "rescue CSV::MalformedCSVError",
        "SQL = <<~SQL",
        "VALUES (:sku",
        "when nil",
        "CSV.foreach",
        "status = if errors.empty?",
        '1,"a',
    ],
    "job_scheduler.python": [
        "class JobFailed",
        "@property",
        '"retries": 3',
        "except on as error:",
        "case None:",
        "total = entry.period_s",
        "for entry in sorted",
        "# One task a job",
        ">>> Scheduler()",
    ],
    "ledger.ts": ["@Injectable(", "buckets: [1, 5, 25],", "} catch (error) {", 'case "JPY":', ".map((["],
    "lru_cache.hpp": [
        "template <typename... Args>",
        "public:",
        ": capacity_(capacity)",
        "}  // namespace store",
        "try {",
    ],
    "orders_table.tsx": [
        "<thead>",
        "active={name === key}",
        "<td>#{order.id}</td>",
        "return rows; >> return (",
        "onClick={() => {",
    ],
    "ring_buffer.c": [
        "#include <windows.h> >> #else",
        "do {                       \\",
        "(b) = swap_;",
        "case 'x':",
        "static size_t",
        "default:",
    ],
    "server.go": [
        '"context"',
        "defer ticker.Stop() >> select {",
        "case <-s.done:",
        "case key == >> return",  # a value may follow
        "go func() {",
        "-port N",
        "maxBody     = 1 << 20",
    ],
    "settings_panel.jsx": ["<label className", "{children}", "} catch (failure) {", "Cancel", ") : null}"],
    "upload_queue.js": [
        "export class UploadQueue",
        "case 200:",
        "} else if (!stem) {",
        ".then(response => {",
        "* @param",
    ],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in SILENT.items() for text in texts])
def test_after_a_finished_statement_silence_is_right(
    parsed_sources: dict[str, ParsedFile], line_with: LineWith, sites_on: SitesOn, name: str, text: str
) -> None:
    file = parsed_sources[name]
    line = line_with(file, text)
    (site,) = sites_on(file, "after_statement", line)
    assert (site.kind.category, site.kind.name, site.stop_reason) == ("empty", "after_statement", None)
    assert site.start == site.end == file.lines.last_visible(line)
    assert site.newline_owner == "suffix"
    assert site.bracket_delta == 0


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in NOT_SILENT.items() for text in texts])
def test_where_more_must_follow_there_is_no_silence(
    parsed_sources: dict[str, ParsedFile], line_with: LineWith, sites_on: SitesOn, name: str, text: str
) -> None:
    file = parsed_sources[name]
    assert sites_on(file, "after_statement", line_with(file, text)) == set()


def test_the_tag_that_opens_php_is_no_statement(parsed_sources: dict[str, ParsedFile], sites_on: SitesOn) -> None:
    assert sites_on(parsed_sources["Router.php"], "after_statement", 0) == set()


def test_a_tag_that_opens_php_again_ends_no_statement(
    parsed_sources: dict[str, ParsedFile], line_with: LineWith, sites_on: SitesOn
) -> None:
    file = parsed_sources["listing.php"]
    assert sites_on(file, "after_statement", line_with(file, "endif; ?> >> <?php")) == set()


def test_silence_never_stands_before_a_deeper_line(parsed_sources: dict[str, ParsedFile], sites_on: SitesOn) -> None:
    """On every line of every file: a logical line that follows is as deep or shallower, so no block is about to open."""
    found = 0
    for file in parsed_sources.values():
        for line in range(len(file.lines)):
            if file.lines.first_visible(line) < 0 or not sites_on(file, "after_statement", line, draws=1):
                continue
            found += 1
            later = file.next_logical_line(line)
            if later is not None:
                indent = compare_indents(file.lines.indent(later), file.lines.indent(line))
                # A statement of several lines may end deeper than it began.
                assert indent is not Indent.DEEPER
    assert found > 500


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_the_cursor_stands_before_trailing_blanks_and_the_line_break(
    parsed: Parsed, sites_on: SitesOn, line_break: str
) -> None:
    text = line_break.join(["def f(x):", "    y = x  \t", "", "    return y", ""])
    file = parsed("Python", text)
    (site,) = sites_on(file, "after_statement", 1)
    assert text.encode()[: site.start].endswith(b"y = x")
    assert site.newline_owner == "suffix"


def test_at_the_end_of_a_file_without_a_line_break_nobody_owns_one(parsed: Parsed, sites_on: SitesOn) -> None:
    (site,) = sites_on(parsed("Python", "x = 1\ny = 2"), "after_statement", 1)
    assert site.newline_owner == "none"


def test_a_statement_with_a_syntax_error_gives_no_silence(parsed: Parsed, sites_on: SitesOn) -> None:
    file = parsed("JavaScript", "function f() {\n  let a = ;\n  let b = 2;\n}\n")
    assert sites_on(file, "after_statement", 1) == set()
    assert sites_on(file, "after_statement", 2)


def test_tabs_and_spaces_that_cannot_be_compared_give_no_silence(parsed: Parsed, refusals_on: RefusalsOn) -> None:
    file = parsed("C", "int f(void) {\n\tint a = 1;\n        int b = 2;\n        return a + b;\n}\n")
    assert refusals_on(file, "after_statement", 1) == {"incomparable_indent"}


@pytest.mark.parametrize(
    ("language", "text", "line"),
    [
        ("Python", "def f():\n    if a:\n        return{}\n    b()\n", 2),
        ("Python", "try:\n    a()\nexcept E:\n    raise{}\n", 3),
        ("Python", "def f():\n    while a:\n        yield{}\n", 2),
        ("Go", "package p\n\nfunc f() {{\n\tif a {{\n\t\treturn{}\n\t}}\n}}\n", 4),
        ("Ruby", "def f\n  if a\n    return{}\n  end\nend\n", 2),
        ("JavaScript", "function f() {{\n  if (a) {{\n    return{}\n  }}\n}}\n", 2),
    ],
)
def test_after_a_keyword_that_may_take_a_value_more_may_follow(
    parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn, language: str, text: str, line: int
) -> None:
    assert refusals_on(parsed(language, text.format("")), "after_statement", line) == {"may_go_on"}
    assert sites_on(parsed(language, text.format(" b")), "after_statement", line)


def test_after_a_colon_a_body_is_to_follow(parsed: Parsed, sites_on: SitesOn, refusals_on: RefusalsOn) -> None:
    text = "void f(int a) {{\n  switch (a) {{\n  case 1:{}\n  case 2:\n    b();\n  }}\n}}\n"
    assert refusals_on(parsed("C", text.format("")), "after_statement", 2) == {"may_go_on"}
    assert sites_on(parsed("C", text.format("\n    b();")), "after_statement", 3)


@pytest.mark.parametrize(
    ("language", "text"),
    [("Python", "import os"), ("Java", "import java.util.List;"), ("C", "#include <stdio.h>"), ("Rust", "use a::b;")],
)
def test_silence_after_imports_is_thinned_out(parsed: Parsed, language: str, text: str) -> None:
    file = parsed(language, text + "\n")
    kept = 0
    for number in range(600):
        try:
            after_statement(file, 0, Draws("share", number), MultiLineLimits())
            kept += 1
        except Refused as refused:
            assert str(refused) == "import"
    assert 0.7 * IMPORT_SHARE < kept / 600 < 1.3 * IMPORT_SHARE
