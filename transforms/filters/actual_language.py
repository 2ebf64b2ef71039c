"""The language that a file is in, where its name and content show another one than the label of its row.

Rules: linguist's heuristics.yml and strategies (https://github.com/github-linguist/linguist), for the extensions that
several languages share. The first of these settles it: the content where the extension is shared, the extension where it
is not, a modeline, a shebang. Only evidence for another language counts: a file that shows none is what its label says.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import pyarrow as pa

from stackfim.schemas.source import ROW
from stackfim.transforms.file_head import head_of
from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.filter import Filter
from stackfim.transforms.languages import KNOWN_LANGUAGES, are_related, language_name
from stackfim.transforms.languages.file_names import (
    SHEBANG_BYTES,
    language_of_editor_mode,
    language_of_name,
    language_of_shebang,
    shared_extension,
)
from stackfim.transforms.languages.shared_extensions import language_shown, sharing_languages

HEAD_BYTES = 50_000
"""How much of a file the heuristics look at, which is linguist's figure."""
MODELINE_BYTES = 600

OBJECTIVE_C = "Objective-C"
NOTHING = ""


class Evidence(NamedTuple):
    """The language that a file shows, and by what."""

    language: str
    """The Stack's name; empty where the file is in none of the languages that share its extension."""
    by: str
    """`content`, `extension`, `modeline` or `shebang`."""


_COMMENTS = re.compile(rb"/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)
_FOR_CPP = re.compile(
    rb"^[ \t]*#[ \t]*if(?:def[ \t]+__cplusplus|[ \t]+defined[ \t]*\(?[ \t]*__cplusplus)[^\n]*\n.*?"
    rb"(?:^[ \t]*#[ \t]*(?:endif|else|elif)|\Z)",
    re.DOTALL | re.MULTILINE,
)
_OBJECTIVE_C = re.compile(
    rb"^[ \t]*(?:@(?:interface|protocol|class|implementation|property|end)\b|#import\b)", re.MULTILINE
)
_CPP = re.compile(
    rb"^[ \t]*(?:template[ \t]*<|(?:inline[ \t]+)?namespace(?:[ \t]+[\w:]+)?\s*\{|using[ \t]+namespace[ \t]+\w|"
    rb"(?:public|private|protected)[ \t]*:(?!:)|class[ \t]+(?:[A-Z_]+(?:\([^)]*\))?[ \t]+)?\w+(?:::\w+)*"
    rb"(?:[ \t]+final)?\s*(?:\{|;|:[ \t\n]*(?:public|private|protected|virtual|\w+))|"
    rb"#[ \t]*include[ \t]*<(?:string|vector|map|set|list|array|memory|functional|utility|iostream|sstream|algorithm|"
    rb"c(?:stdint|stddef|string|assert|stdlib|stdio))>)|"
    rb"\bstd::\w|\bstatic_cast<|\boperator[ \t]*[=+\-*/<>!\[(]|\)[ \t]*(?:const[ \t]+)?override\b",
    re.MULTILINE,
)
_CPP_HINTS = (
    b"class",
    b"namespace",
    b"template",
    b"std::",
    b"public",
    b"private",
    b"#include",
    b"# include",
    b"operator",
)
_OBJECTIVE_C_HINTS = (b"@", b"#import")

_PERL = re.compile(
    rb"^[ \t]*(?:use|no)[ \t]+(?:v?5\b|[\w:]+)[^\n]*;|^[ \t]*(?:sub|package)[ \t]+[\w:]+|^[ \t]*(?:my|our|local)\b[ \t]*[\$@%(]|"
    rb"^#![^\n]*perl|^=(?:pod|head\d|cut|begin|encoding)\b|[\$@%]\w+(?:->|[ \t]*(?:=~|\.=|=))|"
    rb"^[ \t]*(?:require|plan|ok|is|done_testing|print|die)\b[^\n]*;|^__(?:END|DATA)__",
    re.MULTILINE,
)
_PERL_PRAGMA = re.compile(rb"^(?:use|no)[ \t]+(?:strict|warnings|Test|Mojo|v?5)\b", re.MULTILINE)
_SHELL_SESSION = re.compile(rb"^  \$ \w", re.MULTILINE)
_RAKU = re.compile(
    rb"^[ \t]*(?:use[ \t]+v6\b|unit[ \t]+(?:module|class)\b|(?:my[ \t]+)?(?:class|role|grammar)[ \t]+[\w:]+[^\n]*\{)",
    re.MULTILINE,
)
_PROLOG = re.compile(rb"^[ \t]*:-[ \t]*\w|^[a-z]\w*(?:\([^\n]*\))?[ \t]*:-", re.MULTILINE)
_QT = re.compile(rb"\s*(?:<\?xml\b[^>]*>\s*)?(?:<!DOCTYPE TS>\s*)?<(?:TS|!DOCTYPE TS)\b")


def _header(head: bytes) -> str | None:
    """For `.h`: what only a compiler of C++ reads (`#ifdef __cplusplus`) does not count."""
    if not any(hint in head for hint in (*_CPP_HINTS, *_OBJECTIVE_C_HINTS)):
        return None
    code = _FOR_CPP.sub(b"", _COMMENTS.sub(b" ", head))
    if _OBJECTIVE_C.search(code):
        return OBJECTIVE_C
    return "C++" if _CPP.search(code) else None


def _perl(head: bytes) -> str | None:
    if _RAKU.search(head):
        return "Raku"
    if _PERL.search(head):
        return "Perl"
    return "Prolog" if _PROLOG.search(head) else None


def _test(head: bytes) -> str | None:
    """For `.t`: Perl's tests. Test scripts of other programs share the extension; some of them print Perl."""
    if _SHELL_SESSION.search(head) and not _PERL_PRAGMA.search(head):
        return NOTHING
    return _perl(head) or NOTHING


def _typescript(head: bytes) -> str | None:
    if _QT.match(head):
        return "XML"
    # An MPEG transport stream has the byte G every 188 bytes.
    return "MPEG" if head[:1] == head[188:189] == b"G" and b"\0" in head[:188] else None


_LOOKED_INTO: dict[str, Callable[[bytes], str | None]] = {
    "h": _header,
    "pl": _perl,
    "pm": _perl,
    "t": _test,
    "ts": _typescript,
}
"""For extensions whose languages take more than signs to tell apart: what gives the language that the content shows, or None."""

_MODELINE = re.compile(
    rb"-\*-(?:[^\n]{0,80}?\bmode:)?[ \t]*(?P<emacs>[A-Za-z][\w+#-]*)[ \t]*(?:;[^\n]{0,120})?-\*-|"
    rb"\b(?:vim?|ex):[^\n]{0,120}?\b(?:ft|filetype|syntax)=(?P<vim>[A-Za-z][\w+#-]*)"
)


def evidence(path: str, content: pa.Buffer, label: str) -> Evidence | None:
    """What a file's path and content show; None where they show no other language than `label`."""
    extension = shared_extension(path)
    if extension:
        found = _content_language(extension, content)
        if found is not None:
            return Evidence(found, "content") if _differs(found, label, extension) else None
        if any(_same(language, label) for language in sharing_languages(extension)):
            return None
    by_name = language_of_name(path.rpartition("/")[2])
    if by_name:
        return Evidence(by_name, "extension") if not _same(by_name, label) else None
    for by, found in (("modeline", _mode(content)), ("shebang", _shebang(content))):
        if found:
            return Evidence(found, by) if not _same(found, label) else None
    return None


def _content_language(extension: str, content: pa.Buffer) -> str | None:
    """The language that the content of a file with a shared extension shows, empty for none of them; None where it shows none."""
    head = head_of(content, HEAD_BYTES)
    shown = (_mode(content) if extension == "h" else "") or language_shown(extension, head)
    look = _LOOKED_INTO.get(extension)
    return shown or (look(head) if look else None)


def _differs(found: str, label: str, extension: str) -> bool:
    """Whether the content shows another language than the label. Only headers are told apart within a family."""
    if extension == "h":
        return found != (language_name(label) or label)
    return not _same(found, label)


def _same(found: str, label: str) -> bool:
    name = language_name(label) or label
    return are_related(found, name) or found.lower() == name.lower()


def _mode(content: pa.Buffer) -> str:
    head = head_of(content, MODELINE_BYTES)
    tail = content.slice(max(content.size - MODELINE_BYTES, 0)).to_pybytes() if content.size > MODELINE_BYTES else b""
    text = head + b"\n" + tail
    if b"-*-" not in text and b"vi" not in text and b"ex:" not in text:
        return ""
    for match in _MODELINE.finditer(text):
        found = language_of_editor_mode((match["emacs"] or match["vim"]).decode("ascii").lower().removesuffix("-mode"))
        if found:
            return found
    return ""


def _shebang(content: pa.Buffer) -> str:
    return language_of_shebang(head_of(content, SHEBANG_BYTES))


def all_evidence(rows: pa.RecordBatch) -> list[Evidence | None]:
    """What every row (stackfim.schemas.source.ROW) shows against its label; (rows,)."""
    return [
        evidence(path, content.as_buffer(), label)
        for path, content, label in zip(
            rows.column("path").to_pylist(), rows.column("content"), rows.column("language").to_pylist(), strict=True
        )
    ]


def relabelled(rows: pa.RecordBatch) -> tuple[pa.RecordBatch, dict[str, int]]:
    """The rows labelled with the language that their content, modeline or shebang shows, and the changes as `from>to`: count.

    A row whose extension alone shows another language stays as it is, since either of the two may be wrong, and so does one
    that shows a language which the table does not have.
    """
    languages = rows.column("language").to_pylist()
    counts: dict[str, int] = {}
    for row, found in enumerate(all_evidence(rows)):
        if found is not None and found.language in KNOWN_LANGUAGES and found.by != "extension":
            change = f"{languages[row]}>{found.language}"
            counts[change] = counts.get(change, 0) + 1
            languages[row] = found.language
    if not counts:
        return rows, {}
    place = ROW.get_field_index("language")
    return rows.set_column(place, ROW.field(place), pa.array(languages, pa.string())), dict(sorted(counts.items()))


def decide_languages_shown(labels: list[str], shown: list[Evidence | None]) -> Drops:
    """Drops `language_mismatch` rows: with the extension of another language, in none that shares their extension, or in one
    that the table of languages does not have.
    """
    drops: Drops = {}
    for row, found in enumerate(shown):
        if found is not None and (found.by == "extension" or found.language not in KNOWN_LANGUAGES):
            also = f"the {found.by} shows {found.language}" if found.language else "the content shows nothing of it"
            drops[row] = ("language_mismatch", f"the row says {labels[row]}, {also}")
    return drops


FILE_LANGUAGE: Filter[list[Evidence | None]] = Filter(
    stage="file_language",
    measure=lambda rows, plan: all_evidence(rows),
    decide=lambda shown, languages, plan: decide_languages_shown(languages, shown),
)
"""Where it is switched off no row is relabelled either."""
