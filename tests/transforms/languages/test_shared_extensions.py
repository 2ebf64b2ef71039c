"""Extensions that languages share: a file of each language shows that language, and ordinary files show no other."""

import re
import time

import pytest

from stackfim.transforms.languages.file_names import shared_extension
from stackfim.transforms.languages.shared_extensions import SHARED, language_shown, sharing_languages

SHOWN = [
    ("rs", "#pragma version(1)\n#pragma rs java_package_name(com.acme.blur)\nfloat radius;\n", "RenderScript"),
    ("rs", "use std::io;\n\nfn main() {}\n", "Rust"),
    ("rs", 'pub const A: &str = "x";\nconst SHADER: &str = "\n#include <a>\n";\n', "Rust"),
    ("rs", '<?xml version="1.0"?>\n<rs/>\n', "XML"),
    ("cs", "!Account methodsFor: 'money'!\ndeposit: amount\n    balance := balance + amount.! !\n", "Smalltalk"),
    ("cs", "using System;\n\nnamespace Shop\n{\n}\n", "C#"),
    ("cs", "namespace Shop;\npublic class A { string s = \"! a methodsFor: \"; }\n", "C#"),
    ("cs", "class A {}\n", None),
    ("ex", "include std/io.e\nprocedure greet(sequence name)\nend procedure\n", "Euphoria"),
    ("ex", 'defmodule A do\n  @moduledoc """\n  include all\n  """\nend\n', "Elixir"),
    ("ex", "x = 1\n", None),
    ("md", ";; Machine description.\n(define_insn \"addsi3\"\n  [(set)])\n", "GCC Machine Description"),
    ("md", "# Title\n\nText.\n", "Markdown"),
    ("md", "Text\n\n(define_insn is of GCC)\n", "Markdown"),
    ("php", "<?hh // strict\nfunction f(): void {}\n", "Hack"),
    ("php", "<?php\n$a = 1;\n", "PHP"),
    ("hh", "<?hh\nclass A {}\n", "Hack"),
    ("hh", "class A {};\n", None),
    ("tsx", '<?xml version="1.0" encoding="UTF-8"?>\n<tileset name="a"/>\n', "XML"),
    ("tsx", "export const A = () => <b/>;\n", None),
    ("r", 'REBOL [\n  Title: "a"\n]\n', "Rebol"),
    ("r", "#include \"Types.r\"\nresource 'STR ' (128) {\n};\n", "Rez"),
    ("r", "f <- function(x) x + 1\n", "R"),
    ("html", "<emu-clause id='a'>\n<h1>A</h1>\n</emu-clause>\n", "Ecmarkup"),
    ("html", "<!DOCTYPE html>\n<p>a</p>\n", None),
    ("pm", "/* XPM */\nstatic char *a[] = {};\n", "X PixMap"),
    ("al", "codeunit 50100 Greet\n{\n}\n", "AL"),
    ("al", "# NOTE: Derived from a.pm.\nsub greet {\n}\n", "Perl"),
    ("es", "#!/usr/bin/env escript\nmain(_) -> ok.\n", "Erlang"),
    ("es", "'use strict';\nexport default 1;\n", "JavaScript"),
    ("frag", "#version 330\nvoid main() {}\n", "GLSL"),
    ("sc", "A : B {\n  *new { ^super.new }\n}\n", "SuperCollider"),
    ("sc", "import scala.util.Try\n", "Scala"),
    ("inc", "<?php\n$a = 1;\n", "PHP"),
    ("inc", "#declare A = 1;\n", "POV-Ray SDL"),
    ("inc", "#include \"a.h\"\n#ifdef A\n", "C++"),
    ("mm", '<map version="1.0.1">\n</map>\n', "XML"),
    ("spec", "Name: a\n%description\nA.\n%files\n", "RPM Spec"),
    ("trigger", "trigger T on Account (before insert) {}\n", "Apex"),
    ("yaml", "Player:\n\tName: a\n", "MiniYAML"),
    ("yaml", "a:\n  b: |\n    x\n", None),
    ("yy", '{\n  "id": 1\n}\n', "JSON"),
    ("yy", "%{\n%}\n%%\nrule: A;\n", None),
    ("t", "% a program\nvar x := 1\nput x\n", "Turing"),
    ("m", "; a routine\n set x=1\n", "M"),
    ("m", ":- module a.\n", "Mercury"),
    ("v", "Lemma a : True.\nProof.\nQed.\n", "Coq"),
    ("fs", ": square dup * ;\n", "Forth"),
    ("fs", "module A\nlet x = 1\n", "F#"),
    ("d", "BEGIN\n{\n}\nsyscall:::entry\n", "DTrace"),
    ("d", "module a;\nimport std.stdio;\n", "D"),
    ("pro", "-keep class a.B\n", "Proguard"),
    ("pro", "HEADERS += a.h\nSOURCES += a.cpp\n", "QMake"),
    ("cls", "\\NeedsTeXFormat{LaTeX2e}\n\\ProvidesClass{a}\n", "TeX"),
    ("cls", "public with sharing class A {\n}\n", "Apex"),
    ("lsp", "(defun f (x) x)\n", "Common Lisp"),
    ("gd", "extends Node\nfunc a():\n", "GDScript"),
    ("gd", "DeclareOperation( \"A\", [ ] );\n", "GAP"),
    ("sol", "pragma solidity ^0.8.0;\ncontract A {}\n", "Solidity"),
    ("sol", "G75*\nM02*\n", "Gerber Image"),
    ("st", "Object subclass: #A\n\tinstanceVariableNames: ''\n", "Smalltalk"),
    ("stl", "solid a\nendsolid a\n", "STL"),
    ("srt", "1\n00:00:01,000 --> 00:00:02,000\nA\n", "SubRip Text"),
    ("url", "[InternetShortcut]\nURL=https://example.com\n", "INI"),
]  # fmt: skip


@pytest.mark.parametrize(("extension", "content", "language"), SHOWN)
def test_each_file_shows_its_language(extension: str, content: str, language: str | None) -> None:
    assert language_shown(extension, content.encode()) == language
    assert language_shown(extension, content.replace("\n", "\r\n").encode()) == language
    assert language is None or language in sharing_languages(extension)


@pytest.mark.parametrize("extension", sorted(SHARED))
def test_each_extension_is_shared_by_its_languages_and_an_empty_file_shows_none(extension: str) -> None:
    assert shared_extension(f"a.{extension}") == extension == extension.lower()
    assert language_shown(extension, b"") is None
    assert sharing_languages(extension)


def test_other_extensions_are_not_shared() -> None:
    assert (sharing_languages("py"), language_shown("py", b"x = 1\n")) == ((), None)


@pytest.mark.parametrize(
    "piece", ["\n", " ", "a", "a ", "a.", "(", "{", "<", "!", "_ ", "0", "a:", '"', "# ", "%", "@ ", ":-", "case "]
)
def test_no_sign_takes_more_than_linear_time(piece: str) -> None:
    content = (piece * 50_000)[:50_000].encode()
    for extension, signs in SHARED.items():
        for text in {text for sign in signs for text in (*sign.has, sign.lacks)}:
            pattern = re.compile(text.encode(), re.MULTILINE)
            started = time.process_time()
            pattern.search(content + b"\x01")
            assert time.process_time() - started < 1, (extension, text)
