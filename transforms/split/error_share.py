"""How much of a file its grammar cannot read: a last sign that the file is in another language than its row says.

Languages share extensions (transforms/languages/shared_extensions.py): a `.h` may be C, C++ or Objective-C, a `.cs` Smalltalk,
a `.ts` a translation, a `.sql` one of many dialects. A filter has judged names and heads before
(transforms/filters/actual_language.py); here the parse that the splitter makes anyway is judged.
"""

from __future__ import annotations

import tree_sitter

from stackfim.transforms.languages.file_names import shared_extension
from stackfim.transforms.split.parser import ParseRefused

MAX_ERROR_SHARE = 0.5
"""Largest share of a file with a shared extension that may lie in syntax errors. Grammars fail on good files as well, above
all on macros: 15 of 1,472 files of eight packages have more, and all are in the language that they claim."""


def error_share(root: tree_sitter.Node) -> float:
    """The share of the bytes that a tree covers which ERROR nodes hold; 0 for an empty tree."""
    if not root.has_error:
        return 0.0
    if root.is_error:
        return 1.0
    size = root.end_byte - root.start_byte
    in_errors = 0
    nodes = [root]
    while nodes:
        for child in nodes.pop().children:
            if child.is_error:
                in_errors += child.end_byte - child.start_byte
            elif child.has_error:
                nodes.append(child)
    return in_errors / size if size else 0.0


def check_language(root: tree_sitter.Node, path: str, language: str, max_share: float) -> None:
    """Raise ParseRefused (`mostly_syntax_errors`) where an extension is shared and errors hold over `max_share` of the file."""
    extension = shared_extension(path)
    if extension and (share := error_share(root)) > max_share:
        raise ParseRefused(
            "mostly_syntax_errors",
            f"read as {language}, errors hold {share:.3f} of the file, expected at most {max_share:g}: another language of "
            f".{extension}, or more than its grammar can read",
        )
