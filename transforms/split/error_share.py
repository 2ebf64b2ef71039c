"""How much of a file its grammar makes nothing of: a last sign that it is in another language than it is said to be.

Extensions are shared: a `.h` may be C, C++ or Objective-C, a `.m` MATLAB, a `.ts` a translation, a `.pl` Prolog, a `.sql`
one of many dialects, a `.v` Coq. What their names and heads show is settled before (transforms/filters/actual_language.py);
here the parse that the splitter makes anyway has its say.
"""

from __future__ import annotations

import tree_sitter

from stackfim.transforms.languages.file_names import shared_extension
from stackfim.transforms.split.parser import ParseRefused

MAX_ERROR_SHARE = 0.5
"""What a file of such an extension may have of syntax errors. Grammars fail on good files as well, macros above all: of 1,472
files of eight packages, all in the language that they claim, 15 have more."""


def error_share(root: tree_sitter.Node) -> float:
    """Bytes under ERROR nodes, of all that a tree covers; 0 for an empty one."""
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
    """Raise ParseRefused (`mostly_syntax_errors`) for a file of a shared extension of which errors hold over `max_share`."""
    extension = shared_extension(path)
    if extension and (share := error_share(root)) > max_share:
        raise ParseRefused(
            "mostly_syntax_errors",
            f"read as {language}, errors hold {share:.3f} of the file, expected at most {max_share:g}: another language of "
            f".{extension}, or more than its grammar can read",
        )
