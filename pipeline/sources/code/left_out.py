"""What is left out of a folder that git does not tell about: what `.gitignore` names, dependencies, and outputs of builds."""

import os
import re
from collections.abc import Iterable, Sequence

from pathspec import GitIgnoreSpec

from stackfim.pipeline.sources.code.bounded_files import NotRead, read_regular_file

IGNORE_FILE = ".gitignore"
SKIPPED_NAMES = (".git", ".hg", ".svn", "__pycache__")
"""Never listed, in folders of installed packages neither."""

DIST_INFO = ".dist-info"
_PACKAGES = frozenset(("bower_components", "dist-packages", "node_modules", "site-packages"))

_ALWAYS = frozenset(
    (
        ".bundle",
        ".dart_tool",
        ".direnv",
        ".eggs",
        ".gradle",
        ".hypothesis",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".next",
        ".nox",
        ".nuxt",
        ".nyc_output",
        ".pnpm-store",
        ".pytest_cache",
        ".ruff_cache",
        ".svelte-kit",
        ".terraform",
        ".tox",
        ".venv",
        ".yarn",
        "__pypackages__",
        "bower_components",
        "htmlcov",
        "jspm_packages",
        "node_modules",
        "venv",
    )
)
_OUTPUTS = frozenset(("build", "dist", "target"))
"""Left out unless sources lie directly in it: packages of Java, Go and Python may be called so."""
_PACKAGE_FILE = re.compile(r"__init__\.pyi?|.+\.(?:go|java|kt|scala|rs|cs)")
_VENDOR = "vendor"
_VENDOR_MARKS = frozenset(("modules.txt", "autoload.php", "composer", "bundle", "gems"))
"""What Go, Composer and Bundler put into the folder of dependencies that they fill."""
_CARGO_MARK = ".cargo-checksum.json"
_BESIDE = {
    "Pods": re.compile(r"Podfile"),
    "Carthage": re.compile(r"Cartfile"),
    "bin": re.compile(r".+\.(?:cs|fs|vb)proj"),
    "obj": re.compile(r".+\.(?:cs|fs|vb)proj"),
    "deps": re.compile(r"mix\.exs"),
    "_build": re.compile(r"mix\.exs|rebar\.config|dune-project|conf\.py"),
    "bazel-out": re.compile(r"WORKSPACE|MODULE\.bazel"),
}
"""Folders that are left out where a file of such a name lies beside them."""

_MAX_RULES_BYTES = 1 << 18
_MAX_RULES = 2_000
_MAX_STARS = 3
"""The library makes expressions that backtrack, so a part of a path with more stars than any real rule has is no rule."""


def holds_packages(folder: str, names: Iterable[str]) -> bool:
    """Whether packages are installed in a folder that holds `names`, or around it: nothing is left out of them."""
    return not _PACKAGES.isdisjoint(folder.split("/")) or any(name.endswith(DIST_INFO) for name in names)


def is_dependency_or_output(folder: str, beside: Iterable[str]) -> bool:
    """Whether a folder holds installed dependencies or what a build made; `beside` are the names in its parent."""
    name = os.path.basename(folder)
    if name in _ALWAYS:
        return True
    if name in _BESIDE:
        return any(_BESIDE[name].fullmatch(other) for other in beside)
    if name in _OUTPUTS:
        return not any(_PACKAGE_FILE.fullmatch(inner) for inner in _names(folder))
    if name == _VENDOR:
        inside = _names(folder)
        return not _VENDOR_MARKS.isdisjoint(inside) or any(
            os.path.exists(os.path.join(folder, inner, _CARGO_MARK)) for inner in inside
        )
    return os.path.isfile(os.path.join(folder, "pyvenv.cfg"))


class IgnoreRules:
    """The rules of the `.gitignore` files from the top to a folder; rules further down count more."""

    def __init__(self, rules: Sequence[tuple[str, GitIgnoreSpec]] = ()) -> None:
        """`rules` are those of each folder, from the top, with its path and a slash."""
        self._rules = tuple(rules)

    def entered(self, root: str, folder: str) -> "IgnoreRules":
        """The rules that hold in `folder`, a path relative to `root`, when these hold around it."""
        path = os.path.join(root, folder, IGNORE_FILE)
        try:
            text = read_regular_file(path, _MAX_RULES_BYTES).decode("utf-8-sig", "replace")
        except NotRead:
            return self
        lines = [line for line in text.splitlines() if _is_rule(line)][:_MAX_RULES]
        return IgnoreRules((*self._rules, (f"{folder}/" if folder else "", _spec(lines)))) if lines else self

    def ignored(self, path: str, *, is_folder: bool) -> bool:
        """Whether a path, relative to the top, is ignored; what is in an ignored folder is not asked for."""
        for folder, spec in reversed(self._rules):
            found = spec.check_file(path.removeprefix(folder) + ("/" if is_folder else "")).include
            if found is not None:
                return found
        return False


def _is_rule(line: str) -> bool:
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith("#") and not _backtracks(stripped)


def _backtracks(rule: str) -> bool:
    parts = rule.split("/")
    return len(rule) > 1_000 or parts.count("**") > _MAX_STARS or any(part.count("*") > _MAX_STARS for part in parts)


def _spec(lines: list[str]) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:  # a broken rule ignores nothing, as in git
        return GitIgnoreSpec.from_lines([line for line in lines if _is_valid(line)])


def _is_valid(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
