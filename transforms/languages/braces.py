"""The rows of languages whose blocks stand in braces."""

from stackfim.transforms.languages.row import LEGACY, Language, kinds

_JAVASCRIPT = Language(
    name="JavaScript",
    package="tree_sitter_javascript",
    blocks=kinds("program statement_block class_body switch_case switch_default"),
    after_token={"switch_case": ":", "switch_default": ":"},
    scopes=kinds(
        "function_declaration generator_function_declaration method_definition class_declaration class variable_declarator"
        " function_expression generator_function"
    ),
    opaque=kinds("string template_string regex jsx_text comment"),
    imports=kinds("import_statement"),
    # `;` alone would end the line before, where that has no semicolon of its own.
    neutral="debugger;",
    neutral_in={"class_body": "_;"},
    # Where a statement ends is decided by the scanner from what follows.
    neutral_by_grammar=False,
    markers=kinds("hash_bang_line"),
    heads=kinds("decorator"),
    collections=kinds("array object"),
)

_TYPESCRIPT_SCOPES = _JAVASCRIPT.scopes | kinds(
    "interface_declaration internal_module module abstract_class_declaration enum_declaration"
)
_TYPESCRIPT_BLOCKS = _JAVASCRIPT.blocks | kinds("interface_body")

_C = Language(
    name="C",
    package="tree_sitter_c",
    blocks=kinds("translation_unit compound_statement case_statement field_declaration_list preproc_ifdef"),
    after_token={"case_statement": ":", "preproc_ifdef": "identifier"},
    clauses=kinds("preproc_else preproc_elif preproc_elifdef"),
    neutral_in={"field_declaration_list": "int _;"},
    neutral_for={"case_statement": "case 0:;"},
    directives=True,
    scopes=kinds("function_definition struct_specifier union_specifier enum_specifier"),
    opaque=kinds("string_literal system_lib_string char_literal comment preproc_arg"),
    imports=kinds("preproc_include"),
    collections=kinds("initializer_list enumerator_list"),
)

_R = Language(
    name="R",
    package="tree_sitter_languages",
    function="tree_sitter_r",
    grammars=LEGACY,
    blocks=kinds("program brace_list"),
    # A function is a value; what it is assigned to has the name.
    scopes=kinds("left_assignment equals_assignment super_assignment"),
    opaque=kinds("string identifier comment"),
    imports=frozenset(),
    neutral="NULL",
    neutral_by_grammar=False,
    sound_trees_only=True,
)

BRACES: tuple[Language, ...] = (
    _JAVASCRIPT,
    Language(
        name="TypeScript",
        package="tree_sitter_typescript",
        function="language_typescript",
        blocks=_TYPESCRIPT_BLOCKS,
        after_token=_JAVASCRIPT.after_token,
        scopes=_TYPESCRIPT_SCOPES,
        opaque=kinds("string template_string regex comment"),
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
        blocks=kinds(
            "program block class_body interface_body enum_body_declarations constructor_body switch_block_statement_group"
            " annotation_type_body"
        ),
        # After a `switch` a `;` would make it an expression.
        neutral_in={"block": "{}", "constructor_body": "{}", "switch_block_statement_group": "{}"},
        after_token={"switch_block_statement_group": ":", "enum_body_declarations": ";"},
        scopes=kinds(
            "class_declaration interface_declaration enum_declaration record_declaration method_declaration"
            " constructor_declaration annotation_type_declaration"
        ),
        opaque=kinds("string_literal character_literal line_comment block_comment"),
        imports=kinds("import_declaration package_declaration"),
        collections=kinds("array_initializer element_value_array_initializer"),
    ),
    Language(
        name="Go",
        package="tree_sitter_go",
        blocks=kinds("source_file statement_list field_declaration_list"),
        neutral_in={"field_declaration_list": "_ int"},
        labels=kinds("expression_case type_case communication_case default_case"),
        scopes=kinds("function_declaration method_declaration type_spec"),
        opaque=kinds("interpreted_string_literal raw_string_literal rune_literal comment"),
        imports=kinds("import_declaration import_spec package_clause"),
        collections=kinds("literal_value"),
    ),
    Language(
        name="Rust",
        package="tree_sitter_rust",
        blocks=kinds("source_file block declaration_list match_block"),
        # After a macro call with braces a `;` would belong to the call.
        neutral_in={
            "match_block": "_ => (),",
            "source_file": "const _: u8 = 0;",
            "declaration_list": "const _: u8 = 0;",
            "block": "let _ = 0;",
        },
        scopes=kinds(
            "function_item function_signature_item impl_item trait_item mod_item struct_item union_item enum_item macro_definition"
        ),
        opaque=kinds("string_literal raw_string_literal char_literal line_comment block_comment"),
        imports=kinds("use_declaration extern_crate_declaration"),
        heads=kinds("attribute_item"),
        collections=kinds("array_expression"),
    ),
    _C,
    Language(
        name="C++",
        package="tree_sitter_cpp",
        # What `extern "C"` and macros before a function leave is read by what follows.
        neutral_by_grammar=False,
        blocks=_C.blocks | kinds("declaration_list"),
        after_token=_C.after_token,
        neutral_in=_C.neutral_in,
        # A declaration that ends a `case` leaves what follows to the switch; a `;` would take it into the case.
        neutral_for=_C.neutral_for
        | dict.fromkeys(("alias_declaration", "using_declaration", "static_assert_declaration"), "using _ = int;"),
        directives=True,
        clauses=_C.clauses,
        scopes=_C.scopes | kinds("class_specifier namespace_definition"),
        opaque=_C.opaque | kinds("raw_string_literal"),
        imports=_C.imports | kinds("using_declaration"),
        heads=kinds("access_specifier"),
        collections=_C.collections,
    ),
    Language(
        name="C#",
        package="tree_sitter_c_sharp",
        blocks=kinds("compilation_unit declaration_list block switch_section"),
        after_token={"switch_section": ":"},
        neutral_in={"declaration_list": "int _;"},
        scopes=kinds(
            "class_declaration interface_declaration struct_declaration record_declaration enum_declaration"
            " namespace_declaration method_declaration constructor_declaration property_declaration local_function_statement"
        ),
        opaque=kinds(
            "string_literal verbatim_string_literal raw_string_literal interpolated_string_expression character_literal comment"
        ),
        imports=kinds("using_directive"),
        directives=True,
        collections=kinds("initializer_expression collection_expression"),
    ),
    Language(
        name="PHP",
        package="tree_sitter_php",
        function="language_php",
        blocks=kinds("program compound_statement declaration_list case_statement default_statement colon_block"),
        after_token={"case_statement": ":", "default_statement": ":", "colon_block": ":"},
        neutral_in={"declaration_list": "const _ = 0;"},
        markers=kinds("php_tag text text_interpolation"),
        # `?>` may end a statement.
        neutral_by_grammar=False,
        scopes=kinds(
            "function_definition method_declaration class_declaration interface_declaration trait_declaration enum_declaration"
            " namespace_definition"
        ),
        opaque=kinds("string encapsed_string heredoc nowdoc text comment"),
        imports=kinds("namespace_use_declaration namespace_definition declare_statement"),
        collections=kinds("array_creation_expression"),
    ),
    Language(
        name="Dart",
        package="tree_sitter_dart",
        blocks=kinds(
            "program class_body extension_body block switch_block switch_statement_case switch_statement_default"
        ),
        after_token={"switch_statement_case": ":", "switch_statement_default": ":"},
        neutral_in=dict.fromkeys(("program", "class_body", "extension_body"), "int _;") | {"switch_block": "case 0:"},
        neutral_for={"import_or_export": "import 'a';", "library_name": "library a;"},
        neutral_by_grammar=False,
        sound_trees_only=True,
        # A function's signature and its body are siblings: neither names the other, so only classes are scopes.
        scopes=kinds("class_definition mixin_declaration extension_declaration enum_declaration"),
        opaque=kinds("string_literal comment documentation_comment"),
        imports=kinds("import_or_export library_name part_directive part_of_directive"),
        markers=kinds("script_tag"),
        heads=kinds("annotation"),
        collections=kinds("list_literal set_or_map_literal"),
    ),
    Language(
        name="Kotlin",
        package="tree_sitter_kotlin",
        blocks=kinds("source_file block class_body enum_class_body lambda_literal when_expression"),
        after_token={"lambda_literal": "->", "when_expression": "{"},
        neutral="Unit",
        neutral_in=dict.fromkeys(("source_file", "class_body", "enum_class_body"), "val _x = 0")
        | {"when_expression": "0 -> Unit"},
        # What names the package and what it imports come before all else.
        neutral_for={"package_header": "package a", "import": "import a"},
        neutral_by_grammar=False,
        sound_trees_only=True,
        scopes=kinds("class_declaration object_declaration companion_object function_declaration"),
        opaque=kinds("string_literal multiline_string_literal line_comment block_comment"),
        imports=kinds("import package_header"),
        markers=kinds("shebang"),
        collections=kinds("collection_literal"),
    ),
    Language(
        name="Scala",
        package="tree_sitter_scala",
        blocks=kinds(
            "compilation_unit template_body block indented_block case_block indented_cases case_clause enum_body enumerators"
        ),
        after_token={"case_clause": "=>", "template_body": ":", "enum_body": ":"},
        neutral="null",
        neutral_in=dict.fromkeys(("compilation_unit", "template_body"), "val _x = 0")
        | dict.fromkeys(("case_block", "indented_cases"), "case _ => null")
        | {"enum_body": "case _X", "enumerators": "_ <- Nil"},
        neutral_by_grammar=False,
        sound_trees_only=True,
        scopes=kinds(
            "class_definition object_definition trait_definition enum_definition given_definition function_definition"
        ),
        opaque=kinds("string interpolated_string_expression interpolated_string comment block_comment"),
        imports=kinds("import_declaration package_clause"),
        heads=kinds("annotation"),
    ),
    Language(
        name="Swift",
        package="tree_sitter_swift",
        blocks=kinds("source_file statements class_body enum_class_body protocol_body switch_statement"),
        after_token={"switch_statement": "{"},
        neutral="_ = 0",
        neutral_in={
            "class_body": "var _x: Int",
            "enum_class_body": "case _x",
            "protocol_body": "func _x()",
            "switch_statement": "case 0: break",
        },
        neutral_by_grammar=False,
        sound_trees_only=True,
        directives=True,
        scopes=kinds("class_declaration protocol_declaration function_declaration init_declaration"),
        opaque=kinds("line_string_literal multi_line_string_literal raw_string_literal comment multiline_comment"),
        imports=kinds("import_declaration"),
        markers=kinds("shebang_line"),
        # To the grammar these comments are members like others.
        heads=kinds("attribute directive multiline_comment"),
        collections=kinds("array_literal dictionary_literal"),
    ),
    Language(
        name="Perl",
        package="tree_sitter_perl",
        blocks=kinds("source_file block"),
        neutral_by_grammar=False,
        sound_trees_only=True,
        scopes=kinds("subroutine_declaration_statement method_declaration_statement class_statement"),
        opaque=kinds(
            "string_literal interpolated_string_literal heredoc_content quoted_word_list quoted_regexp match_regexp"
            " substitution_regexp transliteration_expression comment pod data_section"
        ),
        imports=kinds("use_statement package_statement"),
        markers=kinds("eof_marker data_section"),
        heads=kinds("pod"),
        lone_brackets=kinds("regexp_content string_content replacement"),
        collections=kinds("anonymous_array_expression anonymous_hash_expression list_expression"),
    ),
    _R,
)
"""Programming languages with braces."""
