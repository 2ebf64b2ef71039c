"""Names by which code reaches the package's four folders otherwise than as `stackfim.…`.

Such a name works in the project's own folder alone, or finds a user's module of that name. They stand in import
statements, and in strings: what a test replaces, a module that a process is started with, code for `python -c`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.structure.import_graph import FOLDERS

_FOLDER = f"(?:{'|'.join(FOLDERS)})"
_STATEMENT = re.compile(
    rf"(?:^|;)\s*(?:from\s+({_FOLDER}[\w.]*)\s+import\b|import\s+({_FOLDER}[\w.]*)\s*(?:$|[,;]|as\b))", re.M
)
_STARTED = re.compile(rf"(?:^|\s)-m\s+({_FOLDER}(?:\.\w+)*)(?![\w.])")
_DOTTED = re.compile(rf"{_FOLDER}(?:\.[A-Za-z_]\w*)+")
_LOADERS = {"import_module", "__import__", "find_spec", "importorskip", "run_module", "reload"}


def other_names(root: Path, path: Path) -> list[str]:
    """Where the Python file `path` names a folder of `root` otherwise: `file:line: name`, in order of lines."""
    found = sorted(set(_names(root, ast.parse(path.read_bytes()))))
    return [f"{path.relative_to(root)}:{line}: {name}" for line, name in found]


def _names(root: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if _is_folder(alias.name))
        elif isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            if node.level or _is_folder(name):
                yield node.lineno, name
        elif isinstance(node, ast.Call):
            yield from _loaded(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from ((node.lineno, name) for name in _named_in_text(root, node.value))
        elif isinstance(node, ast.List | ast.Tuple):
            yield from _started(node)


def _is_folder(name: str) -> bool:
    return name.partition(".")[0] in FOLDERS


def _loaded(call: ast.Call) -> Iterator[tuple[int, str]]:
    """The module that a call such as `import_module("model")` loads."""
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    first = call.args[0] if call.args else None
    if function in _LOADERS and isinstance(first, ast.Constant) and _is_folder(str(first.value)):
        yield first.lineno, str(first.value)


def _started(arguments: ast.List | ast.Tuple) -> Iterator[tuple[int, str]]:
    """The module that follows `-m` in a command line."""
    texts = [element.value if isinstance(element, ast.Constant) else None for element in arguments.elts]
    for option, module in zip(texts, texts[1:], strict=False):
        if option == "-m" and isinstance(module, str) and _is_folder(module):
            yield arguments.lineno, module


def _named_in_text(root: Path, text: str) -> Iterator[str]:
    for match in _STATEMENT.finditer(text):
        yield match[1] or match[2]
    for match in _STARTED.finditer(text):
        yield match[1]
    if _DOTTED.fullmatch(text) and _is_module(root, text):
        yield text


def _is_module(root: Path, name: str) -> bool:
    """Whether a dotted name is that of a module of ours, or of something in one, and not of a file such as `model.gguf`."""
    beginning = root.joinpath(*name.split(".")[:2])
    return beginning.is_dir() or beginning.with_suffix(".py").is_file()
