"""An `@` in code is no e-mail address, and an address in a comment, a string or a file of data is one."""

import pyarrow as pa
import pytest

from stackfim.transforms.filters.personal_data import find_personal_data

CODE = [
    ("Kotlin", 'fun t() = "on " + this@Shelf.name + "!"'),
    ("Kotlin", "val x = this@outer.info"),
    ("Kotlin", '"${this@Main.app} and ${super@Main.name}"'),
    ("Kotlin", "return@forEach.it"),
    ("Kotlin", "loop@item.id { }"),
    ("Python", "return q@k.mT / 8"),
    ("Python", "y = x@self.net"),
    ("Python", "y = (a@b.com)"),
    ("Python", "z = weights@layer.info + b"),
    ("Python", 'print(f"{query@keys.io}")'),
    ("Python", "# y = x@w.mT"),
    ("OCaml", "let all = xs@ys.tl"),
    ("OCaml", "let all = first@Rest.name"),
    ("OCaml", "  | left@right.to -> 1"),
    ("Haskell", "f all@Foo.bar = x"),
    ("Haskell", "g xs = xs@list.id"),
    ("Haskell", 'read@Data.Int "1"'),
    ("Scala", "case all@node.info => 1"),
    ("Razor", "<td>item@Model.Name</td>"),
    ("HTML", '<a class="row@Model.Id">'),
    ("SQL", "select * from emp@hr.us.oracle.com where x = 1"),
    ("SQL", "SELECT * FROM scott.emp@sales.world"),
    ("PLSQL", "insert into t@link.name values (1)"),
    ("Ruby", "puts@user.name"),
    ("Ruby", "x = 1+@host.name"),
    ("Ruby", '"#{a}#@user.name"'),
    ("JSON", '"pkg@1.2.io": 1'),
    ("Markdown", "npm i react@18.2.0 vue@3.x.dev lodash@4.17.21.dev"),
    ("Makefile", "gcc -o $@ $<.name"),
    ("Makefile", "lib$@.so out.$@.io"),
    ("Swift", "@objc.name func f()"),
    ("Objective-C", '[x y]@"a.b"'),
    ("CSS", "}@media.name {}"),
    ("Shell", "git clone git@host.initech.io:owner/name.git"),
    ("Shell", "git clone ssh://git@initech.io/x"),
    ("Shell", "git clone deploy@git.initech.io:owner/name.git"),
    ("Shell", "scp x root@initech.io:/tmp"),
    ("Shell", "ssh -p 2 ada@box.initech.io"),
    ("Shell", 'echo "$USER@mail.initech.io"'),
    ("C", 'printf("%s@mail.initech.io", x)'),
    ("Shell", "echo ${arr[@]} ${x@Q}"),
    ("YAML", "uses: actions/checkout@v4.io"),
    ("Go", "x/tools@v0.1.2.dev"),
    ("Text", "icon@2x.ai"),
    ("Java", '"jdbc:oracle:thin:scott/tiger@db.initech.io:1521"'),
    ("CoffeeScript", "x = a@b.name"),
    ("Elixir", "x = mod@attr.name"),
]
MAIL = [
    ("Python", '"""Doc.\n\nBy ada@initech.io (work); x=1\n"""\n', "ada@initech.io"),
    ("Python", "# ada@initech.io", "ada@initech.io"),
    ("Python", 'x = "ada@initech.io"', "ada@initech.io"),
    ("Python", "__email__ = 'ada@initech.name'", "ada@initech.name"),
    ("Kotlin", "/** @author ada@initech.de */", "ada@initech.de"),
    ("Kotlin", 'val m = "ada@initech.io"', "ada@initech.io"),
    ("Haskell", "{- Ada <ada@initech.io> -}", "ada@initech.io"),
    ("SQL", "insert into t values ('ada@initech.io')", "ada@initech.io"),
    ("OCaml", "(* ada@initech.fr *)", "ada@initech.fr"),
    ("Scala", 'developers := "ada@initech.io"', "ada@initech.io"),
    ("Ruby", 's.email = "ada@initech.io"', "ada@initech.io"),
    ("YAML", "email: ada@initech.io", "ada@initech.io"),
    ("INI", "email = ada@initech.io", "ada@initech.io"),
    ("Shell", "git config user.email ada@initech.io", "ada@initech.io"),
    ("Shell", "ADMIN_EMAIL=ada@initech.io", "ada@initech.io"),
    ("Markdown", "Write to ada@initech.info: thanks", "ada@initech.info"),
    ("Java", "* @author ada@initech.io", "ada@initech.io"),
]
CASES = {
    "Kotlin": "inner class Label { fun text() = this@Shelf.name }",
    "Python": "return q@k.mT / 8",
    "OCaml": "let all = xs@ys.tl",
}


def found(text: str, language: str | None) -> list[str]:
    content = text.encode()
    column = pa.array([b"x = 1", content], pa.binary())
    findings = find_personal_data(column, None if language is None else ["Text", language])
    return [content[finding.start : finding.end].decode() for finding in findings if finding.row == 1]


@pytest.mark.parametrize(("language", "text"), CODE)
def test_operators_labels_logins_and_versions_are_no_addresses(language: str, text: str) -> None:
    assert found(text, language) == []


@pytest.mark.parametrize(("language", "text", "address"), MAIL)
def test_addresses_in_comments_strings_and_data_are_found(language: str, text: str, address: str) -> None:
    assert found(text, language) == [address]


@pytest.mark.parametrize("language", CASES)
def test_an_operator_is_none_where_the_language_is_not_known_either(language: str) -> None:
    assert found(CASES[language], language) == found(CASES[language], None) == []


def test_what_is_left_open_in_a_file_ends_with_its_line_or_the_file() -> None:
    assert found("x = 'it\ny = a@b.net + 1\n", "Python") == []
    assert found('"""\nx = 1; by ada@initech.io\n', "Python") == ["ada@initech.io"]
    assert found("/* x = 1; by ada@initech.io", "Kotlin") == ["ada@initech.io"]
