"""Licenses that a file states at its head: where they contradict those of its repository, the header wins.

Two forms are read, in comments alone: tags (`SPDX-License-Identifier: GPL-2.0-only`, https://spdx.dev/learn/handling-license-info/)
and notices: those of the GNU licenses, MPL, EPL, CPL, CDDL, source-available licenses, and of proprietary code. A comment has
to put the file under the license in the words that such notices use; one that only mentions the GPL states nothing. Notices
of permissive licenses count only as the alternatives of a choice.
"""

import re
from typing import NamedTuple

import pyarrow as pa

from stackfim.transforms.file_head import head_of
from stackfim.transforms.filters.comment_lines import comment_lines
from stackfim.transforms.filters.cpu_budget import check_budget
from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.filter import Filter, Score
from stackfim.transforms.filters.license import LicensePolicy, license_problem
from stackfim.transforms.filters.license_expressions import parse_license
from stackfim.transforms.languages import Content, language_row

HEAD_BYTES = 4_096
HEAD_LINES = 80
PROPRIETARY = "LicenseRef-scancode-proprietary-license"

_HINTS = (
    b"spdx-license",
    b"general public",
    b"mozilla public",
    b"eclipse public",
    b"common public",
    b"netscape public",
    b"apple public",
    b"side public",
    b"gpl",
    b"cddl",
    b"common development",
    b"proprietary",
    b"confidential",
    b"unauthori",
    b"noncommercial",
    b"non-commercial",
    b"by-nc",
    b"elastic licen",
    b"source licen",
    b"polyform",
)
"""Every statement has one of these, in any case, on one line: they are found in a fraction of the time of the expressions."""
_WORDS = (b"licen", b"gpl", b"cddl", b"proprietary", b"confidential", b"unauthori", b"by-nc")
"""It has one of these as well, which fewer files have."""
_DECORATION = b" \t*#=-/<>!;:%|+\"'{}()\\."
_TAG = re.compile(rb"(?i:SPDX-License-Identifier):[ \t]*([^\r\n]*)")
_TAG_OF_PROSE = re.compile(rb"^[ \t]*(?:<!--|\.\.|%+)[ \t]*(?i:SPDX-License-Identifier):[ \t]*([^\r\n]*)", re.MULTILINE)
_TAG_REST = re.compile(r"(?:\*/|-->|\*\)|#\}|--%>|\?>|\"|'|\\n|;|,).*$")
# Tags that are no SPDX expressions and still say that the file has no open license.
_NO_OPEN_LICENSE = re.compile(r"(?i:(?:LicenseRef|DocumentRef)-\S+|UNLICENSED|NONE|proprietary\b.*)")
_IGNORED = b"REUSE-IgnoreStart"
"""Nothing after this mark is a statement (https://reuse.software/spec/)."""

_GNU = r"(?:(?P<kind>affero|lesser|library) )?general public licen[cs]e|\b(?P<letter>a|l)?gpl(?=v?\d|\b)"
_NAMES = re.compile(
    rf"(?P<gnu>{_GNU})"
    r"|(?P<mpl>mozilla public licen[cs]e|\bmpl\b)"
    r"|(?P<epl>eclipse public licen[cs]e|\bepl\b)"
    r"|(?P<cpl>common public licen[cs]e)"
    r"|(?P<cddl>common development and distribution licen[cs]e|\bcddl\b)"
    r"|(?P<npl>netscape public licen[cs]e)|(?P<apsl>apple public source licen[cs]e)"
    r"|(?P<sspl>server side public licen[cs]e)|(?P<elastic>elastic licen[cs]e)|(?P<busl>business source licen[cs]e)"
    r"|(?P<cc>creative commons[^.]{0,40}non-?commercial|\bcc[ -]by-nc(?:-\w\w)?\b)|(?P<polyform>polyform [a-z]+)"
)
# Words that put the file under the license named after them.
_GRANT = re.compile(
    r"(?:\b(?:licen[sc]ed|distribut\w+|releas\w+|redistribut\w+|modif\w+|publish\w+|provided|available|copied|copy|covered|"
    r"used?|placed|put|it|code|software|file)\b[^.;:]{0,60}?\b(?:under|according to|within)\b[^.;:]{0,110}?"
    r"|\b(?:governed|covered|licen[sc]ed) by\b[^.;:]{0,60}?|\bsubject to\b[^.;:]{0,80}?"
    r"|\blicen[sc]e: *(?:the |gnu )*)$"
)
# The same after nothing but sentences on copyright, which are read one by one: an expression for all of them could match
# a run of them in exponentially many ways.
_LICENSED_AS = re.compile(r"licen[sc]ed? as[ :]+(?:the |gnu )*$")
_COPYRIGHT_SENTENCE = re.compile(r"\W*(?:copyright|$)")
_NEGATED = re.compile(
    r"\b(?:not|cannot|can't|isn't|unlike|incompatible|except|rather than|no longer|without|if)\b[^.;]*$"
)
_VERSION = re.compile(r"\bv(?:ersion|\.)? ?\.?(?P<version>\d(?:\.\d)?)|^[ ,-]*(?P<bare>\d(?:\.\d)?)\b")
_LATER = re.compile(r"(?:any|or) (?:\(at your option\) )?(?:any )?(?:later|newer|greater|subsequent)|\d\+")
_CHOICE = re.compile(
    r"\bdual|\balternativ|\beither\b(?! version)|\bone of the above|\bmultiple licenses|tri-licen"
    r"|\bor (?:the )?(?:mit|bsd|apache|new bsd|modified bsd|l?gpl|gnu|mozilla|mpl)\b"
    r"|\b(?:mit|bsd|apache)\b[^.]{0,20}(?:/|\band\b|&) ?(?:the )?l?gpl"
    r"|\bl?gpl[^.]{0,12}(?:/|\band\b) ?(?:the )?(?:mit|bsd)"
)
_PERMISSIVE = (
    (re.compile(r"\bmit\b|permission is hereby granted, free of charge"), "MIT"),
    (re.compile(r"\bapache\b"), "Apache-2.0"),
    (re.compile(r"\bbsd\b|redistribution and use in source and binary forms"), "BSD-3-Clause"),
    (re.compile(r"\bartistic\b"), "Artistic-2.0"),
)
# A phrase in quotes is only mentioned.
_CONFIDENTIAL = re.compile(
    r"(?<![\"'`])(?:"
    r"unauthori[sz]ed (?:copying|reproduction|duplication|distribution|use|disclosure)\b[^.]{0,160}(?:prohibited|forbidden)"
    r"|proprietary (?:and|&|or|/) ?confidential|confidential (?:and|&|or|/) ?proprietary|proprietary/confidential"
    r"|(?:company|strictly|trade secrets? and|highly) confidential|proprietary information of\b|trade secrets? of\b"
    r"|confidential (?:property|information) of\b|this (?:file|code|software|source code) is (?:proprietary|confidential)\b"
    r"|strictly prohibited (?:without|unless)\b|express license agreement from [^.]{0,80}prohibited)"
)
# Files that may go into other programs by their license's own words: parts of Bison, Autoconf and Libtool.
_UNLIMITED = re.compile(
    r"gives unlimited permission to copy|contains part or all of the bison parser skeleton|"
    r"include (?:it|this file) under the same distribution terms"
)
_GRANTED_ANYWAY = re.compile(
    r"permission is (?:hereby )?granted|redistribution and use in source|licensed under the|under the terms of"
)

_VERSIONED = {"mpl": ("MPL", "1.1"), "epl": ("EPL", "1.0"), "cpl": ("CPL", "1.0"), "cddl": ("CDDL", "1.0"), "npl": ("NPL", "1.1"),
              "apsl": ("APSL", "2.0"), "sspl": ("SSPL", "1.0"), "elastic": ("Elastic", "2.0"), "busl": ("BUSL", "1.1")}  # fmt: skip
"""Identifiers, and the versions that are meant where a notice names none."""

_ANY_VERSION = {"A": "AGPL-3.0-or-later", "L": "LGPL-2.0-or-later", "": "GPL-1.0-or-later"}


class Statement(NamedTuple):
    """What a file's head says about its license."""

    licenses: tuple[str, ...]
    """SPDX expressions, or the text of a tag that is not one."""
    choice: bool
    """Whether it is enough that one of them is allowed."""


def stated_licenses(head: bytes, language: str) -> list[Statement]:
    """The statements in the comments of a file's first bytes, in order; none for most files."""
    known = language_row(language)
    if not known.has_comments or not _hints(head):
        return []
    head = head.partition(_IGNORED)[0]
    if known.content is Content.PROSE:
        return [tag for found in _TAG_OF_PROSE.finditer(head) if (tag := _tag(found[1])) is not None]
    statements: list[Statement] = []
    blocks: list[list[bytes]] = []
    last = -9
    lines = head.replace(b"\r", b"").split(b"\n")[:HEAD_LINES]
    for number, _, words in comment_lines(lines, language):
        words = words.strip(_DECORATION[:-1])
        tagged = _TAG.match(words)
        if tagged is not None:
            statement = _tag(tagged[1])
            statements += [statement] if statement is not None else []
            continue
        if number > last + 2:
            blocks.append([])
        blocks[-1].append(words)
        last = number
    found = [_notice(_flat(block)) for block in blocks if _hints(b" ".join(block))]
    notices = [notice for notice in found if notice is not None]
    if notices and any(_UNLIMITED.search(_flat(block)) for block in blocks):
        return statements
    return [*statements, *notices]


def _flat(block: list[bytes]) -> str:
    return " ".join(b" ".join(block).decode("utf-8", "replace").lower().split())


def _hints(text: bytes) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in _WORDS) and any(hint in lowered for hint in _HINTS)


def _tag(value: bytes) -> Statement | None:
    """The expression in a tag; None for a placeholder or a tag that was cut off."""
    text = _TAG_REST.sub("", value.decode("utf-8", "replace")).strip(" \t*#-/<>!")
    for candidate in (text, text.partition(" ")[0]):
        expression = parse_license(candidate)
        if expression is not None:
            return Statement((str(expression),), False)
    return Statement((text,), False) if _NO_OPEN_LICENSE.fullmatch(text) else None


def _notice(flat: str) -> Statement | None:
    """The license that a block of comments, in lower case and on one line, puts the file under; None for most."""
    granted: list[str] = []
    named: list[str] = []
    for match in _NAMES.finditer(flat):
        check_budget()
        before, after = flat[max(match.start() - 200, 0) : match.start()], flat[match.end() : match.end() + 160]
        license_id = _license_id(match, before, after)
        named.append(license_id)
        if _grants(before) and not _NEGATED.search(before):
            granted.append(license_id)
    if granted:
        choice = _CHOICE.search(flat) is not None
        others = [name for pattern, name in _PERMISSIVE if pattern.search(flat)] if choice else []
        return Statement(_distinct([*(named if choice else granted), *others]), choice)
    if _CONFIDENTIAL.search(flat) and not _GRANTED_ANYWAY.search(flat):
        return Statement((PROPRIETARY,), False)
    return None


def _grants(before: str) -> bool:
    """Whether the text before a license's name, at most 200 characters, puts the file under it."""
    if _GRANT.search(before):
        return True
    named = _LICENSED_AS.search(before)
    return named is not None and all(map(_COPYRIGHT_SENTENCE.match, before[: named.start()].split(".")))


def _distinct(licenses: list[str]) -> tuple[str, ...]:
    """The licenses without repeats, and without a GNU license of any version where one of a version is named."""
    family = {name.partition("-")[0] for name in licenses if name not in _ANY_VERSION.values()}
    return tuple(
        dict.fromkeys(
            name for name in licenses if name not in _ANY_VERSION.values() or name.partition("-")[0] not in family
        )
    )


def _license_id(match: re.Match[str], before: str, after: str) -> str:
    """The SPDX identifier of a license, by its name and the text around it."""
    kind = next(name for name in ("gnu", *_VERSIONED, "cc", "polyform") if match[name])
    behind = _VERSION.search(after[:100])
    version = (behind["version"] or behind["bare"]) if behind else ""
    if kind == "cc":
        return "CC-BY-NC-4.0"
    if kind == "polyform":
        return f"LicenseRef-{match['polyform'].replace(' ', '-')}"
    if kind != "gnu":
        name, usual = _VERSIONED[kind]
        number = version or usual
        return f"{name}-{number if '.' in number else number + '.0'}"
    letter = {"affero": "A", "lesser": "L", "library": "L", "a": "A", "l": "L"}.get(
        match["kind"] or match["letter"] or "", ""
    )
    if not version:
        inside = re.search(r"version (\d(?:\.\d)?)(?: or later)? of (?:the )?(?:gnu )?$", before)
        version = inside[1] if inside else ""
    number = version if "." in version else f"{version}.0"
    exact = f"{letter}GPL-{number}-{'or-later' if _LATER.search(before[-60:] + after) else 'only'}"
    # A version that does not exist belongs to something else.
    return exact if version and parse_license(exact) is not None else _ANY_VERSION[letter]


def all_stated_licenses(rows: pa.RecordBatch) -> list[list[Statement]]:
    """The statements at the head of every row (stackfim.schemas.source.ROW); (rows,)."""
    return [
        stated_licenses(_head(content.as_buffer()), language)
        for content, language in zip(rows.column("content"), rows.column("language").to_pylist(), strict=True)
    ]


def _head(content: pa.Buffer) -> bytes:
    return head_of(content, HEAD_BYTES)


def refused_licenses(statements: list[Statement], policy: LicensePolicy) -> list[str]:
    """The stated licenses that are not allowed, each once; none where a choice has one that is allowed."""
    wrong: list[str] = []
    for licenses, choice in statements:
        refused = [name for name in licenses if license_problem(name, policy) is not None]
        if refused and not (choice and len(refused) < len(licenses)):
            wrong += refused
    return list(dict.fromkeys(wrong))


def decide_license_headers(stated: list[list[Statement]], policy: LicensePolicy) -> Drops:
    """Drops `license_header` rows; the detail names the licenses that are not allowed."""
    return {
        row: ("license_header", f"the file itself states {', '.join(refused)}: not on the allow-list")
        for row, statements in enumerate(stated)
        if (refused := refused_licenses(statements, policy))
    }


def _names(statements: list[Statement]) -> str | None:
    """The stated licenses, each once; None where there are none."""
    names = dict.fromkeys(name for statement in statements for name in statement.licenses)
    return ", ".join(names) or None


LICENSE_HEADER: Filter[list[list[Statement]]] = Filter(
    stage="license_header",
    measure=lambda rows, plan: all_stated_licenses(rows),
    decide=lambda stated, languages, plan: decide_license_headers(stated, plan.licenses),
    scores=(
        Score(
            "stated",
            pa.string(),
            lambda stated: [_names(statements) for statements in stated],
            lambda plan, language: plan.licenses.in_words(),
        ),
    ),
)
