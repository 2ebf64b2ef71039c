"""What a parsed file knows about a place: units, logical lines, headers, scopes, tokens."""

import pytest

from stackfim.transforms.lines import Indent
from stackfim.transforms.split.nodes import is_comment
from stackfim.transforms.split.syntax import ParsedFile
from tests.fixture_types import LineWith, Parsed


def blocks_on(file: ParsedFile, line: int) -> list[str]:
    path = file.path(file.lines.first_visible(line))
    return [path[index].type for index in file.blocks(path)]


def innermost_units(file: ParsedFile, line: int) -> list[tuple[int, int, str | None]]:
    path = file.path(file.lines.first_visible(line))
    index = file.blocks(path)[0]
    return [
        (unit.start_line, unit.end_line, unit.statement.type if unit.statement else None)
        for unit in file.units(path, index)
    ]


def logical_rows(file: ParsedFile) -> list[int]:
    lines = file.lines
    visible = [line for line in range(len(lines)) if lines.first_visible(line) >= 0]
    return [line for line in visible if file.is_logical_line(line, file.path(lines.first_visible(line)))]


UNITS = [
    (
        "Python",
        "import a\n\n# about b\n# more\nb = 1; c = 2\n\n# alone\n\nd = (\n    3\n)  # three\n",
        0,
        [(0, 0, "import_statement"), (2, 4, "expression_statement"), (6, 6, None), (8, 10, "expression_statement")],
    ),
    (
        "Java",
        "class A {\n  /** About b. */\n  @Deprecated\n  int b;\n\n  // alone\n\n  int c; int d; // both\n}\n",
        3,
        [(1, 3, "field_declaration"), (5, 5, None), (7, 7, "field_declaration")],
    ),
    (
        "Rust",
        "/// About f.\n#[inline]\n#[must_use]\nfn f() {}\n\n#[test]\n\nfn g() {}\n",
        3,
        [(0, 3, "function_item"), (5, 5, None), (7, 7, "function_item")],
    ),
    (
        "Ruby",
        "def f\n  a = 1 # one\n  # about b\n  b = 2\nrescue E\n  c\nensure\n  d\nend\n",
        1,
        [(1, 1, "assignment"), (2, 3, "assignment")],
    ),
    (
        "C",
        "void f(int a) {\n  switch (a) {\n  case 1: // one\n    g();\n    break;\n  default:\n    h();\n  }\n}\n",
        3,
        [(3, 3, "expression_statement"), (4, 4, "break_statement")],
    ),
    (
        "TypeScript",
        "class A {\n  @Input()\n  b = 1;\n\n  @Output() c = 2;\n}\n",
        2,
        [(1, 2, "public_field_definition"), (4, 4, "public_field_definition")],
    ),
    ("C++", "class A {\nprivate:\n  int b;\n\n  int c;\npublic :\n\n  int d;\n};\n", 4, [(1, 2, "field_declaration"), (4, 4, "field_declaration"), (5, 5, None), (7, 7, "field_declaration")]),
    ("Go", "package p\n\nfunc f() {\n\ta()\n\tb()\n}\n", 3, [(3, 3, "expression_statement"), (4, 4, "expression_statement")]),
    ("PHP", "<?php\nif ($a) {\n  b();\n  # about c\n  c();\n}\n", 2, [(2, 2, "expression_statement"), (3, 4, "expression_statement")]),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "line", "expected"), UNITS, ids=[case[0] for case in UNITS])
def test_a_statement_with_its_comments_and_heads_is_one_unit(
    parsed: Parsed,
    language: str,
    text: str,
    line: int,
    expected: list[tuple[int, int, None] | tuple[int, int, str]] | list[tuple[int, int, str]],
) -> None:
    assert innermost_units(parsed(language, text), line) == expected


# Lines that start no logical line, by file: inside a token of several lines, or a bracket of the same statement.
CONTINUATIONS = {
    "job_scheduler.python": [
        "    >>> def tick",
        '"retries": 3,',
        "for entry in sorted",
        "def a job first",
        '"""nothing to run',
    ],
    "upload_queue.js": ["* A name that", "id: crypto.randomUUID", "entry.error ? `last", "added: Date.now()"],
    "orders_table.tsx": ["<thead>", "active={name === key}"],
    "server.go": ['"encoding/json"', "-port N", "source: source,"],
    "importer.rb": ["VALUES (:sku"],
    "Router.php": ["Nothing at", "private readonly Container", "default => null"],
    "InvoiceService.java": ['{ "total": %s }', "TreeMap::new,"],
    "lru_cache.hpp": ['"capacity": 100', "std::forward_as_tuple(std"],
    "OrdersController.cs": ["ORDER BY id", '{ "order"', 'State.Draft => "draft"'],
}
# Lines that do, though a bracket around them is open: the delimiters of blocks do not count.
LOGICAL = {
    "upload_queue.js": ["switch (response.status)", "case 409: {", "entry.attempts += 1;", "setTimeout(() => queue"],
    "settings_panel.jsx": ["setSettings(user.settings);", "return undefined;"],
    "orders_table.tsx": ["const count = order", "setKey(name);"],
    "server.go": ["defer wg.Done()", "w.WriteHeader("],
    "InvoiceService.java": ["if (id == number) {", "private int sent"],
    "config.rs": ["Err(error) if error.kind()", "eprintln!"],
    "importer.rb": ["missing = HEADERS", "when nil", "rescue CSV"],
    "ring_buffer.c": ["case 'u':", "#ifndef _WIN32"],
    "job_scheduler.python": ["case None:", "elif len(self.entries)"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in CONTINUATIONS.items() for text in texts])
def test_lines_inside_a_token_or_a_bracket_start_no_logical_line(
    parsed_sources: dict[str, ParsedFile], line_with: LineWith, name: str, text: str
) -> None:
    file = parsed_sources[name]
    line = line_with(file, text)
    assert not file.is_logical_line(line, file.path(file.lines.first_visible(line)))


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in LOGICAL.items() for text in texts])
def test_lines_of_a_block_inside_brackets_start_logical_lines(
    parsed_sources: dict[str, ParsedFile], line_with: LineWith, name: str, text: str
) -> None:
    file = parsed_sources[name]
    line = line_with(file, text)
    assert file.is_logical_line(line, file.path(file.lines.first_visible(line)))


def test_a_closer_of_a_block_is_a_logical_line_one_of_a_list_is_not(parsed: Parsed) -> None:
    block = parsed("JavaScript", "f(() => {\n  a();\n});\n")
    assert logical_rows(block) == [0, 1, 2]
    array = parsed("JavaScript", "f([\n  a(),\n]);\n")
    assert logical_rows(array) == [0]


def test_next_indent_skips_continuation_lines(parsed: Parsed) -> None:
    file = parsed("Python", "def f():\n    a = [\n  1,\n    ]\n    b = '''\n x\n'''\n    return\n")
    assert logical_rows(file) == [0, 1, 4, 7]
    assert file.next_indent(1, 1) is Indent.EQUAL
    assert file.next_indent(4, 4) is Indent.EQUAL
    assert file.next_indent(0, 0) is Indent.DEEPER
    assert file.next_indent(7, 7) is None


HEADERS = [
    ("Python", "class A:\n\n    # about\n    x = 1\n", 3, 0),
    ("Python", "def f(\n    a,\n):\n    x = 1\n", 3, 2),
    ("C#", "class A\n{\n  int b;\n}\n", 2, 1),
    ("Java", "class A {\n  int b;\n}\n", 1, 0),
    ("C", "void f(int a) {\n  switch (a) {\n  case 1:\n    g();\n  }\n}\n", 3, 2),
    ("JavaScript", "switch (a) {\n  default:\n    b();\n}\n", 2, 1),
    ("Ruby", "a.each do |b|\n  c\nend\n", 1, 0),
    ("Ruby", "def f(a,\n      b)\n  c\nend\n", 2, 1),
    ("Ruby", "if a\n  b\nelse\n  c\nend\n", 3, 2),
    ("Go", "package p\n\nfunc f() {\n\ta()\n}\n", 3, 2),
    ("Rust", "fn f()\nwhere T: A\n{\n  a();\n}\n", 3, 2),
    ("PHP", "<?php\nswitch ($a) {\n  case 1:\n    b();\n}\n", 3, 2),
]


@pytest.mark.parametrize(("language", "text", "line", "header"), HEADERS)
def test_the_header_line_holds_what_opens_the_block(
    parsed: Parsed, language: str, text: str, line: int, header: int
) -> None:
    file = parsed(language, text)
    path = file.path(file.lines.first_visible(line))
    assert file.header_line(path, file.blocks(path)[0]) == header
    assert file.header_line(path, 0) is None


SCOPES = [
    ("job_scheduler.python", "self.entries[entry] = job", "Scheduler.every.register"),
    ("OrdersController.cs", "return _served > 100", "Example.Shop.OrdersController.Busy"),
    ("lru_cache.hpp", "++misses_;", "store.LruCache.get"),
    ("importer.rb", "@count += 1", "Catalog.Importer.run!"),
    ("InvoiceService.java", "if (id == number)", "InvoiceService.reminder.run"),
    ("Router.php", "$result = $handler", "Router.resolve"),
    ("ledger.ts", 'case "JPY"', "Format.money"),
    ("ring_buffer.c", "static int warned", "escape_length"),
    ("server.go", "failures <- err", "Run"),
    ("upload_queue.js", "entry.attempts += 1", "UploadQueue.send"),
]


@pytest.mark.parametrize(("name", "text", "scope"), SCOPES)
def test_scope_names_the_definitions_around_a_place(
    parsed_sources: dict[str, ParsedFile], line_with: LineWith, name: str, text: str, scope: str
) -> None:
    file = parsed_sources[name]
    assert file.scope(file.path(file.lines.first_visible(line_with(file, text)))) == scope


def test_a_pattern_is_no_name_of_a_scope(parsed: Parsed) -> None:
    file = parsed("JavaScript", "function f() {\n  const { a, b } = g();\n}\n")
    assert file.scope(file.path(file.content.index(b"g()"))) == "f"


def test_leaves_are_the_tokens_in_order(parsed_sources: dict[str, ParsedFile]) -> None:
    for file in parsed_sources.values():
        found = file.leaves(0, len(file.content))
        starts = [leaf.start_byte for leaf in found]
        assert starts == sorted(set(starts))
        assert all(leaf.child_count == 0 or is_comment(leaf) for leaf in found)
        assert all(leaf.end_byte > leaf.start_byte for leaf in found)
        # Two slices of the text hold the tokens of both.
        middle = len(file.content) // 2
        parts = file.leaves(0, middle) + file.leaves(middle, len(file.content))
        assert [leaf.start_byte for leaf in parts] == starts
        # Only blanks, and text that grammars leave out of their leaves, stand between tokens.
        if file.language.has_statements:
            assert sum(leaf.end_byte - leaf.start_byte for leaf in found) > 0.6 * len(file.content.replace(b" ", b""))


def test_path_leads_from_the_root_to_the_token(parsed_sources: dict[str, ParsedFile]) -> None:
    for file in parsed_sources.values():
        for leaf in file.leaves(0, len(file.content))[::17]:
            path = file.path(leaf.start_byte)
            assert path[0] == file.tree.root_node
            assert all(
                parent.start_byte <= child.start_byte and child.end_byte <= parent.end_byte
                for parent, child in zip(path, path[1:], strict=False)
            )
            assert path[-1].start_byte == leaf.start_byte


def test_comments_are_told_from_code(parsed_sources: dict[str, ParsedFile]) -> None:
    for file in parsed_sources.values():
        for leaf in file.leaves(0, len(file.content)):
            text = file.content[leaf.start_byte : leaf.end_byte]
            if is_comment(leaf):
                assert text.startswith((b"#", b"//", b"/*", b"*", b"/", b" ", b"--", b"<!--")), text


def test_the_line_after_a_table_is_found_without_listing_the_table_for_each_of_its_lines(parsed: Parsed) -> None:
    # Listing the children of the table again for each line would take minutes and gigabytes here.
    table = "".join(f'    "line {number} of the text",\n' for number in range(20_000))
    file = parsed("C", f"static const char *const lines[] = {{\n{table}}};\n\nint count(void);\n")
    assert file.next_logical_line(0) == 20_003
