"""The rows of data and markup languages: no statements, so only rests of lines are taken from their files."""

from transforms.split.languages.row import Language, kinds

DATA: tuple[Language, ...] = (
    Language(
        name="JSON",
        package="tree_sitter_json",
        blocks=frozenset(),
        scopes=frozenset(),
        opaque=kinds("string comment"),
        imports=frozenset(),
        has_statements=False,
    ),
    Language(
        name="YAML",
        package="tree_sitter_yaml",
        blocks=frozenset(),
        scopes=frozenset(),
        opaque=kinds("block_scalar double_quote_scalar single_quote_scalar plain_scalar comment"),
        imports=frozenset(),
        has_statements=False,
    ),
    Language(
        name="Markdown",
        package="tree_sitter_markdown",
        blocks=frozenset(),
        scopes=frozenset(),
        opaque=kinds("fenced_code_block indented_code_block html_block inline"),
        imports=frozenset(),
        has_statements=False,
    ),
    Language(
        name="HTML",
        package="tree_sitter_html",
        blocks=frozenset(),
        scopes=frozenset(),
        opaque=kinds("text raw_text comment"),
        imports=frozenset(),
        has_statements=False,
    ),
    Language(
        name="CSS",
        package="tree_sitter_css",
        blocks=frozenset(),
        scopes=frozenset(),
        opaque=kinds("string_value comment js_comment"),
        imports=frozenset(),
        has_statements=False,
    ),
    Language(
        name="SQL",
        package="tree_sitter_sql",
        blocks=frozenset(),
        scopes=frozenset(),
        opaque=kinds("literal comment marginalia"),
        imports=frozenset(),
        has_statements=False,
    ),
)
"""Data and markup languages."""
