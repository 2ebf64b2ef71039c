"""The rows of data and markup languages: no statements, so only rests of lines are taken from their files."""

from stackfim.transforms.languages.row import Language, kinds

_OPAQUE = {
    "JSON": "string comment",
    "YAML": "block_scalar double_quote_scalar single_quote_scalar plain_scalar comment",
    "Markdown": "fenced_code_block indented_code_block html_block inline",
    "HTML": "text raw_text comment",
    "CSS": "string_value comment js_comment",
    "SQL": "literal comment marginalia",
}

DATA: tuple[Language, ...] = tuple(
    Language(
        name=name,
        package=f"tree_sitter_{name.lower()}",
        blocks=frozenset(),
        scopes=frozenset(),
        opaque=kinds(opaque),
        imports=frozenset(),
        has_statements=False,
    )
    for name, opaque in _OPAQUE.items()
)
"""Data and markup languages."""
