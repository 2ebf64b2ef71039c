"""The language table: one row a language, in the words of its tree-sitter grammar.

Kinds are validated against the grammar when a language is loaded, so a grammar that renamed a node fails at once and by
name. A *block* is a node whose named children, comments apart, are statements (members of a class and arms of a match
are statements here too). *Heads* are siblings that belong to the definition after them, such as Rust's attributes.
"""

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import version

import tree_sitter

BRACKETS = {"(": ")", "[": "]", "{": "}"}
"""Closing token of each opening one, in every language of the table."""


@dataclass(frozen=True)
class Language:
    """One row of the table."""

    name: str
    """The Stack's name."""
    package: str
    """Module of the grammar's wheel."""
    blocks: frozenset[str]
    """Kinds of nodes that hold statements."""
    scopes: frozenset[str]
    """Kinds of definitions that have a name and a body."""
    opaque: frozenset[str]
    """Kinds of tokens that may span lines and hold text, not code; comments need not be named."""
    imports: frozenset[str]
    """Kinds of import statements, and of calls that import."""
    function: str = "language"
    """Function of the module that gives the grammar."""
    neutral: str = ";"
    """The empty statement: put in place of statements it leaves the tree around as it was."""
    neutral_in: dict[str, str] = field(default_factory=dict)
    """The same for kinds of blocks where `neutral` is not allowed."""
    neutral_for: dict[str, str] = field(default_factory=dict)
    """The same in place of kinds of statements: a `;` in place of a `case` would join the case before."""
    neutral_by_grammar: bool = True
    """Whether whole statements of a tree without errors always leave a neutral hole, so that no parse has to show it.
    True where a statement is derived alike whatever stands around it, and none of the corpus' sites said otherwise."""
    directives: bool = False
    """Whether lines that begin with `#` may stand anywhere and pair up across statements."""
    markers: frozenset[str] = frozenset()
    """Kinds of named children of a block that are no statements: PHP's tags, a `#!` line."""
    labels: frozenset[str] = frozenset()
    """Kinds of children of a bracket that begin a logical line each, such as the cases of Go's `switch`."""
    after_token: dict[str, str] = field(default_factory=dict)
    """For blocks that begin with a label or condition: the token after which the statements start."""
    heads: frozenset[str] = frozenset()
    """Kinds of siblings that belong to the definition after them."""
    clauses: frozenset[str] = frozenset()
    """Kinds of children of a block that continue the statement around it: an `else`, a `rescue`. Statements end before."""
    collections: frozenset[str] = frozenset()
    """Kinds of literal collections, whose rows may be data."""
    layout: bool = False
    """Whether indentation is syntax."""

    def neutral_text(self, block_kind: str, statement_kind: str) -> str:
        """What stands for statements, the first of `statement_kind`, in a block of `block_kind`."""
        return self.neutral_for.get(statement_kind, self.neutral_in.get(block_kind, self.neutral))


def _kinds(words: str) -> frozenset[str]:
    return frozenset(words.split())


_JAVASCRIPT = Language(
    name="JavaScript",
    package="tree_sitter_javascript",
    blocks=_kinds("program statement_block class_body switch_case switch_default"),
    after_token={"switch_case": ":", "switch_default": ":"},
    scopes=_kinds(
        "function_declaration generator_function_declaration method_definition class_declaration class variable_declarator"
        " function_expression"
    ),
    opaque=_kinds("string template_string regex jsx_text comment"),
    imports=_kinds("import_statement"),
    # `;` alone would end the line before, where that has no semicolon of its own.
    neutral="debugger;",
    neutral_in={"class_body": "_;"},
    # Where a statement ends is decided by the scanner from what follows.
    neutral_by_grammar=False,
    markers=_kinds("hash_bang_line"),
    heads=_kinds("decorator"),
    collections=_kinds("array object"),
)

_TYPESCRIPT_SCOPES = _JAVASCRIPT.scopes | _kinds(
    "interface_declaration internal_module module abstract_class_declaration enum_declaration"
)
_TYPESCRIPT_BLOCKS = _JAVASCRIPT.blocks | _kinds("interface_body")

_C = Language(
    name="C",
    package="tree_sitter_c",
    blocks=_kinds("translation_unit compound_statement case_statement field_declaration_list preproc_ifdef"),
    after_token={"case_statement": ":", "preproc_ifdef": "identifier"},
    clauses=_kinds("preproc_else preproc_elif preproc_elifdef"),
    neutral_in={"field_declaration_list": "int _;"},
    neutral_for={"case_statement": "case 0:;"},
    directives=True,
    scopes=_kinds("function_definition struct_specifier union_specifier enum_specifier"),
    opaque=_kinds("string_literal system_lib_string char_literal comment preproc_arg"),
    imports=_kinds("preproc_include"),
    collections=_kinds("initializer_list enumerator_list"),
)

LANGUAGES: dict[str, Language] = {
    row.name: row
    for row in (
        Language(
            name="Python",
            package="tree_sitter_python",
            blocks=_kinds("module block"),
            scopes=_kinds("function_definition class_definition"),
            opaque=_kinds("string comment line_continuation"),
            imports=_kinds("import_statement import_from_statement future_import_statement"),
            neutral="pass",
            collections=_kinds("list tuple dictionary set"),
            layout=True,
        ),
        _JAVASCRIPT,
        Language(
            name="TypeScript",
            package="tree_sitter_typescript",
            function="language_typescript",
            blocks=_TYPESCRIPT_BLOCKS,
            after_token=_JAVASCRIPT.after_token,
            scopes=_TYPESCRIPT_SCOPES,
            opaque=_kinds("string template_string regex comment"),
            imports=_JAVASCRIPT.imports,
            neutral=_JAVASCRIPT.neutral,
            neutral_in=_JAVASCRIPT.neutral_in | {"interface_body": "_: 0;"},
            neutral_by_grammar=False,
            markers=_JAVASCRIPT.markers,
            heads=_JAVASCRIPT.heads,
            collections=_JAVASCRIPT.collections,
        ),
        Language(
            name="TSX",
            package="tree_sitter_typescript",
            function="language_tsx",
            blocks=_TYPESCRIPT_BLOCKS,
            after_token=_JAVASCRIPT.after_token,
            scopes=_TYPESCRIPT_SCOPES,
            opaque=_JAVASCRIPT.opaque,
            imports=_JAVASCRIPT.imports,
            neutral=_JAVASCRIPT.neutral,
            neutral_in=_JAVASCRIPT.neutral_in | {"interface_body": "_: 0;"},
            neutral_by_grammar=False,
            markers=_JAVASCRIPT.markers,
            heads=_JAVASCRIPT.heads,
            collections=_JAVASCRIPT.collections,
        ),
        Language(
            name="Java",
            package="tree_sitter_java",
            blocks=_kinds(
                "program block class_body interface_body enum_body_declarations constructor_body switch_block_statement_group"
                " annotation_type_body"
            ),
            after_token={"switch_block_statement_group": ":", "enum_body_declarations": ";"},
            scopes=_kinds(
                "class_declaration interface_declaration enum_declaration record_declaration method_declaration"
                " constructor_declaration annotation_type_declaration"
            ),
            opaque=_kinds("string_literal character_literal line_comment block_comment"),
            imports=_kinds("import_declaration package_declaration"),
            collections=_kinds("array_initializer element_value_array_initializer"),
        ),
        Language(
            name="Go",
            package="tree_sitter_go",
            blocks=_kinds("source_file statement_list field_declaration_list"),
            neutral_in={"field_declaration_list": "_ int"},
            labels=_kinds("expression_case type_case communication_case default_case"),
            scopes=_kinds("function_declaration method_declaration type_spec"),
            opaque=_kinds("interpreted_string_literal raw_string_literal rune_literal comment"),
            imports=_kinds("import_declaration import_spec package_clause"),
            collections=_kinds("literal_value"),
        ),
        Language(
            name="Rust",
            package="tree_sitter_rust",
            blocks=_kinds("source_file block declaration_list match_block"),
            # After a macro call with braces a `;` would belong to the call.
            neutral_in={
                "match_block": "_ => (),",
                "source_file": "const _: u8 = 0;",
                "declaration_list": "const _: u8 = 0;",
                "block": "let _ = 0;",
            },
            scopes=_kinds(
                "function_item function_signature_item impl_item trait_item mod_item struct_item enum_item macro_definition"
            ),
            opaque=_kinds("string_literal raw_string_literal char_literal line_comment block_comment"),
            imports=_kinds("use_declaration extern_crate_declaration"),
            heads=_kinds("attribute_item"),
            collections=_kinds("array_expression"),
        ),
        _C,
        Language(
            name="C++",
            package="tree_sitter_cpp",
            blocks=_C.blocks | _kinds("declaration_list"),
            after_token=_C.after_token,
            neutral_in=_C.neutral_in,
            # A declaration that ends a `case` leaves what follows to the switch; a `;` would take it into the case.
            neutral_for=_C.neutral_for
            | dict.fromkeys(("alias_declaration", "using_declaration", "static_assert_declaration"), "using _ = int;"),
            directives=True,
            clauses=_C.clauses,
            scopes=_C.scopes | _kinds("class_specifier namespace_definition"),
            opaque=_C.opaque | _kinds("raw_string_literal"),
            imports=_C.imports | _kinds("using_declaration"),
            heads=_kinds("access_specifier"),
            collections=_C.collections,
        ),
        Language(
            name="C#",
            package="tree_sitter_c_sharp",
            blocks=_kinds("compilation_unit declaration_list block switch_section"),
            after_token={"switch_section": ":"},
            neutral_in={"declaration_list": "int _;"},
            scopes=_kinds(
                "class_declaration interface_declaration struct_declaration record_declaration enum_declaration"
                " namespace_declaration method_declaration constructor_declaration property_declaration local_function_statement"
            ),
            opaque=_kinds(
                "string_literal verbatim_string_literal raw_string_literal interpolated_string_expression character_literal comment"
            ),
            imports=_kinds("using_directive"),
            directives=True,
            collections=_kinds("initializer_expression collection_expression"),
        ),
        Language(
            name="Ruby",
            package="tree_sitter_ruby",
            blocks=_kinds("program body_statement block_body then do else begin ensure"),
            after_token={"else": "else", "begin": "begin", "then": "then", "do": "do", "ensure": "ensure"},
            clauses=_kinds("rescue else ensure elsif when in_clause"),
            neutral="nil",
            # Where a body begins may depend on a comment before it.
            neutral_by_grammar=False,
            scopes=_kinds("class module method singleton_method"),
            opaque=_kinds("string heredoc_body regex comment subshell string_array symbol_array uninterpreted"),
            imports=frozenset(),
            collections=_kinds("array hash"),
        ),
        Language(
            name="PHP",
            package="tree_sitter_php",
            function="language_php",
            blocks=_kinds("program compound_statement declaration_list case_statement default_statement colon_block"),
            after_token={"case_statement": ":", "default_statement": ":", "colon_block": ":"},
            neutral_in={"declaration_list": "const _ = 0;"},
            markers=_kinds("php_tag text text_interpolation"),
            # `?>` may end a statement.
            neutral_by_grammar=False,
            scopes=_kinds(
                "function_definition method_declaration class_declaration interface_declaration trait_declaration enum_declaration"
                " namespace_definition"
            ),
            opaque=_kinds("string encapsed_string heredoc nowdoc text comment"),
            imports=_kinds("namespace_use_declaration namespace_definition"),
            collections=_kinds("array_creation_expression"),
        ),
    )
}

# Other names that data sets and editors use for a language of the table.
ALIASES = {
    "python3": "Python",
    "js": "JavaScript",
    "jsx": "JavaScript",
    "ts": "TypeScript",
    "csharp": "C#",
    "c-sharp": "C#",
    "cpp": "C++",
    "golang": "Go",
}


class GrammarMismatch(RuntimeError):
    """The installed grammar does not have a kind that the table names."""


def language_name(name: str) -> str | None:
    """The table's name for `name`, whatever its case; None for a language that is not supported."""
    lowered = name.strip().lower()
    if lowered in ALIASES:
        return ALIASES[lowered]
    return next((known for known in LANGUAGES if known.lower() == lowered), None)


@cache
def load_grammar(name: str) -> tree_sitter.Language:
    """The tree-sitter grammar of a language of the table, its kinds validated.

    Raises GrammarMismatch, which names the kinds that the installed grammar lacks.
    """
    row = LANGUAGES[name]
    grammar = tree_sitter.Language(getattr(import_module(row.package), row.function)())
    named = {
        grammar.node_kind_for_id(kind) for kind in range(grammar.node_kind_count) if grammar.node_kind_is_named(kind)
    }
    wanted = (
        row.blocks
        | row.scopes
        | row.opaque
        | row.imports
        | row.heads
        | row.clauses
        | row.collections
        | set(row.after_token)
        | row.markers
        | row.labels
        | set(row.neutral_in)
        | set(row.neutral_for)
    )
    missing = sorted(wanted - named)
    if missing:
        raise GrammarMismatch(
            f"{row.package} {version(row.package.replace('_', '-'))} has no node kind {', '.join(missing)} for {name}"
        )
    return grammar


@dataclass(frozen=True)
class KindIds:
    """The table's kinds as a grammar numbers them: numbers compare faster than names, and paths are long."""

    blocks: frozenset[int]
    comments: frozenset[int]
    opaque: frozenset[int]
    """Kinds of tokens that hold text, comments among them."""
    labels: frozenset[int]


@cache
def kind_ids(name: str) -> KindIds:
    """The numbers of a language's kinds in the installed grammar."""
    row, grammar = LANGUAGES[name], load_grammar(name)
    names = {
        kind: grammar.node_kind_for_id(kind) or ""
        for kind in range(grammar.node_kind_count)
        if grammar.node_kind_is_named(kind)
    }
    comments = frozenset(kind for kind, text in names.items() if text == "comment" or text.endswith("_comment"))
    return KindIds(
        blocks=frozenset(kind for kind, text in names.items() if text in row.blocks),
        comments=comments,
        opaque=comments | frozenset(kind for kind, text in names.items() if text in row.opaque),
        labels=frozenset(kind for kind, text in names.items() if text in row.labels),
    )


def grammar_versions() -> dict[str, str]:
    """Version of each grammar wheel that the table uses, by distribution name, in order of name."""
    packages = sorted({row.package.replace("_", "-") for row in LANGUAGES.values()})
    return {package: version(package) for package in packages}
