"""Code that parsed before a redaction parses after it, whatever is replaced and wherever it stands."""

from collections.abc import Callable

import pyarrow as pa
import pytest
import tree_sitter

from stackfim.transforms.filters.redaction import redact
from stackfim.transforms.languages import load_grammar
from tests.transforms.filters.test_private_keys import BEGIN, BODY, END
from tests.transforms.filters.test_secrets import Maker

STRINGS = {
    "Python": "x = '{}'\n", "JavaScript": "const x = '{}';\n", "TypeScript": 'const x: string = "{}";\n', "Java": 'class A {{ String x = "{}"; }}\n',
    "Go": 'package a\n\nvar x = "{}"\n', "Rust": 'const X: &str = "{}";\n', "C": 'char *x = "{}";\n', "C++": 'auto x = "{}";\n',
    "C#": 'class A {{ string x = "{}"; }}\n', "Ruby": 'x = "{}"\n', "PHP": '<?php $x = "{}";\n', "Shell": 'X="{}"\n', "Scala": 'val x = "{}"\n',
    "Kotlin": 'val x = "{}"\n', "Swift": 'let x = "{}"\n', "Lua": 'x = "{}"\n', "Julia": 'x = "{}"\n', "Haskell": 'x = "{}"\n', "Elixir": 'x = "{}"\n',
    "JSON": '{{"x": "{}"}}\n', "YAML": 'x: "{}"\n', "CSS": 'a {{ content: "{}"; }}\n', "HTML": '<p title="{}">x</p>\n', "SQL": "SELECT '{}';\n",
}  # fmt: skip
UNQUOTED = {
    "Shell": "export API_KEY={}\ncurl https://deploy:{}@git.initech.io/x\n",
    "YAML": "api_key: {}\nmail: ada@initech.io\n",
    "Kotlin": "class Shelf(val name: String) {\n    inner class Label {\n        fun text() = \"on \" + this@Shelf.name\n    }\n}\n",
    "Python": "def scores(q, k):\n    return q@k.mT / 8 + w@q.net\n",
}  # fmt: skip


def errors(content: bytes, language: str) -> int:
    open_nodes = [tree_sitter.Parser(load_grammar(language)).parse(content).root_node]
    count = 0
    while open_nodes:
        node = open_nodes.pop()
        count += node.is_error or node.is_missing
        open_nodes += node.children
    return count


def values() -> list[str]:
    maker = Maker(5)
    url = f"https://deploy:{maker.mixed(14)}@git.initech.io/a.git"
    return [
        *(maker.make(kind)[0] for kind in ("github_token", "aws_access_key_id", "json_web_token", "telegram_token")),
        *("ada@initech.io", "151.101.65.69", "2a04:4e42:c00::347", url, f"\\n{maker.make('npm_token')[0]}\\n"),
        f"{BEGIN}\\n" + "\\n".join(BODY) + f"\\n{END}\\n",
    ]


@pytest.mark.parametrize("language", STRINGS)
def test_what_is_replaced_in_a_string_leaves_the_code_whole(
    language: str, rows_of: Callable[..., pa.RecordBatch]
) -> None:
    contents = [STRINGS[language].format(value).encode() for value in values()]
    done = redact(rows_of([(language, content) for content in contents]))
    assert len(done.replacements) == len(contents)
    for before, after in zip(contents, done.rows.column("content").to_pylist(), strict=True):
        assert errors(after, language) <= errors(before, language), after


@pytest.mark.parametrize("language", UNQUOTED)
def test_what_is_replaced_without_quotes_leaves_the_code_whole(
    language: str, rows_of: Callable[..., pa.RecordBatch]
) -> None:
    content = (
        UNQUOTED[language].replace("{}", Maker(6).mixed(24))
        if "API" in UNQUOTED[language].upper()
        else UNQUOTED[language]
    )
    after = redact(rows_of([(language, content.encode())])).rows.column("content")[0].as_py()
    assert errors(after, language) == errors(content.encode(), language) == 0
