"""The language of a file from its name, its first line or its editor's mode, by the language table.

An extension that several languages share is in the table only where one of them is by far the most common (`.h`, `.pl`);
others (`.m`, `.v`, `.cls`, `.inc`) name none. Source: https://github.com/github-linguist/linguist, languages.yml.
"""

import re

from stackfim.transforms.file_head import without_mark
from stackfim.transforms.languages.names import KNOWN_LANGUAGES
from stackfim.transforms.languages.shared_extensions import SHARED

SHEBANG_BYTES = 256
"""How much of a file's beginning `language_of_shebang` looks at."""

_BY_EXTENSION = {extension: row.name for row in KNOWN_LANGUAGES.values() for extension in row.files.extensions}
_BY_NAME = {name: row.name for row in KNOWN_LANGUAGES.values() for name in row.files.names}
_BY_STEM = {stem: row.name for row in KNOWN_LANGUAGES.values() for stem in row.files.stems}
_BY_INTERPRETER = {program: row.name for row in KNOWN_LANGUAGES.values() for program in row.files.interpreters}
_BY_EDITOR_MODE = {mode: row.name for row in KNOWN_LANGUAGES.values() for mode in row.files.editor_modes}
_SHEBANG = re.compile(rb"#!\s*(?:\S*/)?(?P<program>[^\s/]+)(?P<arguments>[^\r\n]*)")


def language_of_name(name: str) -> str:
    """The language of a file by its name without folders; empty where the name does not tell."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    stem, dot, extension = name.rpartition(".")
    if not dot:
        return ""
    return _BY_STEM.get(stem) or _BY_EXTENSION.get(extension.lower(), "")


def may_have_shebang(name: str) -> bool:
    """Whether a name without a known language may still be that of a script: it has no extension."""
    return "." not in name


def language_of_shebang(head: bytes) -> str:
    """The language of a script by its first line, such as `#!/usr/bin/env python3`; empty where it does not tell."""
    match = _SHEBANG.match(without_mark(head)[:SHEBANG_BYTES])
    if match is None:
        return ""
    program = match["program"]
    if program == b"env":
        words = [word for word in match["arguments"].split() if not word.startswith(b"-") and b"=" not in word]
        program = words[0].rpartition(b"/")[2] if words else b""
    name = re.sub(r"[\d.]+$", "", program.decode("utf-8", "replace").lower())
    return _BY_INTERPRETER.get(name, "")


def language_of_editor_mode(mode: str) -> str:
    """The language of a mode that a modeline of Emacs or Vim names, in lower case; empty for an unknown mode."""
    return _BY_EDITOR_MODE.get(mode, "")


def shared_extension(path: str) -> str:
    """The extension of a path in lower case where several languages share it, else empty."""
    _, dot, extension = path.rpartition("/")[2].lower().rpartition(".")
    return extension if dot and extension in SHARED else ""
