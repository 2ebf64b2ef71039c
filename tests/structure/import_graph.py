"""Which module imports which, read from the syntax of a tree of ours without running it.

A tree has the package's folders (`schemas`, `transforms`, `model`, `pipeline`) and `stackfim/` beside each other; the
modules of the folders are named `stackfim.FOLDER...`, as the links in `stackfim/` make them.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "stackfim"
FOLDERS = ("schemas", "transforms", "model", "pipeline")


@dataclass(frozen=True)
class Import:
    """One imported module."""

    importer: str
    """Dotted name of the module that imports."""
    imported: str
    """Dotted name of the module or package that is imported."""
    line: int
    runs_at_import: bool
    """Whether it is carried out when the importer is: not inside a function, not for the type checker alone."""


def product_modules(root: Path) -> dict[str, Path]:
    """All modules of the package in `root`, by dotted name, in order of names; a package's name is its `__init__`."""
    files = [path for folder in (PACKAGE, *FOLDERS) for path in (root / folder).rglob("*.py")]
    return dict(
        sorted((_module_name(path.relative_to(root)), path) for path in files if not _behind_a_link(root, path))
    )


def _behind_a_link(root: Path, path: Path) -> bool:
    return any((root / PACKAGE / folder) in path.parents for folder in FOLDERS)


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    if parts[-1] == "__init__":
        parts = parts[:-1]
    return ".".join(parts if parts[0] == PACKAGE else (PACKAGE, *parts))


def imports(modules: dict[str, Path]) -> list[Import]:
    """All imports of modules of the package by modules of the package, also those inside functions."""
    return [
        found for name, path in modules.items() for found in _imports_of(name, ast.parse(path.read_bytes()), modules)
    ]


def _imports_of(importer: str, tree: ast.Module, modules: dict[str, Path]) -> Iterator[Import]:
    for statement, runs in _import_statements(tree, True):
        for imported in dict.fromkeys(_imported_modules(statement, modules)):
            yield Import(importer, imported, statement.lineno, runs)


def _import_statements(node: ast.AST, runs: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Every import below `node`, and whether it is carried out when the module is imported."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node, runs
    elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for branch, is_run in ((node.body, False), (node.orelse, runs)):
            for statement in branch:
                yield from _import_statements(statement, is_run)
    else:
        runs = runs and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from _import_statements(child, runs)


def _imported_modules(statement: ast.Import | ast.ImportFrom, modules: dict[str, Path]) -> Iterator[str]:
    """The modules of the package that a statement names."""
    if isinstance(statement, ast.Import):
        names = [alias.name for alias in statement.names]
    else:
        base = statement.module or ""
        members = [f"{base}.{alias.name}" for alias in statement.names]
        names = [member if member in modules else base for member in members]
    yield from (name for name in names if _holds(PACKAGE, name))


def _holds(package: str, module: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def circles(found: Iterable[Import]) -> list[list[str]]:
    """Circles of imports that are carried out at import, each as the modules on its way, its first module again last.

    At least one for every knot of modules; none when each module can be loaded before those that import it.
    """
    edges: dict[str, list[str]] = {}
    for each in found:
        if each.runs_at_import:
            edges.setdefault(each.importer, []).extend(_loaded(each))
    done: set[str] = set()
    return [circle for start in sorted(edges) for circle in _circles_from(start, edges, [], done)]


def _loaded(found: Import) -> Iterator[str]:
    """The imported module and before it the packages that it is in, whose `__init__` runs first.

    One that holds the importer is loaded already: it counts only if it is the imported module itself.
    """
    parts = found.imported.split(".")
    packages = [".".join(parts[:count]) for count in range(1, len(parts))]
    yield from (package for package in packages if not _holds(package, found.importer))
    yield found.imported


def _circles_from(module: str, edges: dict[str, list[str]], way: list[str], done: set[str]) -> Iterator[list[str]]:
    if module in way:
        yield [*way[way.index(module) :], module]
    elif module not in done:
        for imported in edges.get(module, []):
            yield from _circles_from(imported, edges, [*way, module], done)
        done.add(module)
