"""E-mail addresses of persons.

Left alone are addresses that RFC 2606 reserves for examples, role accounts of services, logins (`ssh user@host`,
`user@host:path`), message ids in links, versions of packages (`name@1.2.3`), and `@` as an operator, a label or a decorator.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from stackfim.transforms.filters.code_text import TextSpans, text_spans
from stackfim.transforms.filters.findings import Buffer, Finding

EMAIL = "email"

_WORD = np.zeros(256, bool)
_WORD[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.%+-")] = True

MAX_LOCAL_BYTES = 64
_LOCAL = re.compile(rb"[A-Za-z0-9](?:[A-Za-z0-9._%+\-]{0,62}[A-Za-z0-9_])?$")
_CODE_POINT = re.compile(rb"u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}")
_ESCAPED = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
# What looks like an address after this is a user's name and a host in a URL (RFC 3986, section 3.2), or names a message or
# a list's archive in its path, where other text would break the link.
_IN_URL = re.compile(rb"(?<!mailto)://[^\s?#\"'<>]*$")
_LOGIN_BEFORE = re.compile(
    rb"(?:\b(?:ssh|scp|sftp|rsync|mosh|ssh-copy-id|svn\+ssh|sshfs)\b[^\n|;&]*[\s\"']|(?:jdbc:|\bsqlplus\b|\bconn(?:ect)?\b)[^\n]*/)$"
)
_LOGIN_AFTER = re.compile(rb":(?:[~/.]|[A-Za-z0-9_.\-]{1,60}/|[A-Za-z0-9_.\-]{1,60}\.git\b)")
_MAX_BEFORE = 160
_DOMAIN = re.compile(
    rb"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.){1,20}[A-Za-z]{2,18}(?![A-Za-z0-9\-_(\[=@])"
)
_PACKAGE_VERSION = re.compile(rb"v[0-9]+\.|[0-9]+\.(?:[0-9]|x\b)|[0-9]x\.")
_SURE = frozenset(b"com org net edu gov mil".split())
# Generic top-level domains that people have addresses under; members of objects are called like many of them.
_GENERIC = _SURE | frozenset(
    b"int info biz name pro mobi dev app cloud online xyz site tech email blog page jobs coop museum "
    b"travel cat asia tel post software systems digital network agency company academy engineering science works design".split()
)
# Codes of countries (ISO 3166, as IANA delegates them), without those that files end in: `module@file.py`.
_COUNTRIES = frozenset(
    b"ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bt bw by bz ca cc cd cf cg "
    b"ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf "
    b"gg gh gi gl gm gn gp gq gr gt gu gw gy hk hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn "
    b"kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc me mg mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng "
    b"ni nl no np nr nu nz om pa pe pf pg ph pk pn pr ps pt pw qa re ro ru rw sa sc sd se sg si sk sl sm sn sr ss st su "
    b"sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za "
    b"zm zw".split()
)
_NO_PERSON = frozenset(
    b"noreply no-reply donotreply do-not-reply nobody npm example user username name email you foo bar baz john.doe johndoe "
    b"johnsmith jane.doe someone somebody root postmaster hostmaster mailer-daemon test tester".split()
)
# Words of code that an `@` follows without a blank: Kotlin's labels, Ruby's instance variables, PHP's silenced calls.
_KEYWORDS = frozenset(
    b"this super self return break continue puts print echo if unless and or not in yield then else do while until when "
    b"case raise throw import public private protected static class def fun let val var where".split()
)
_REPOSITORY_USERS = (b"git", b"hg", b"svn")
_RESERVED_DOMAIN = re.compile(
    rb"(?:^|.*\.)(?:example|test|invalid|localhost|local|localdomain|internal)$|(?:^|.*\.)example\.[a-z.]+$|"
    rb"^(?:domain|host\d*|yourdomain|company|email|foo|bar|baz|server|site|website|acme|contoso|attacker|test|[a-z]\d?|"
    rb"my[\-.]?(?:domain|company|host|site|server|org|e?mail|app|corp|website|project))\.(?:com|org|net)$|"
    rb"^(?:lists?|bugs?)\.[a-z0-9\-]+\.[a-z.]+$|^(?:googlegroups\.com|vger\.kernel\.org)$|"
    rb"users\.noreply\.github\.com$|^(?:github|gitlab|bitbucket)\.(?:com|org)$"
)
_CODE = re.compile(
    rb"[=(){}\[\];+*|&<>?^~]|->|\b(?i:return|let|val|var|yield|assert|if|elif|while|await|print|select|from|join|update|into|"
    rb"where|set|delete|in|then|else|case|of|when)[ \t(]"
)
_INTERPOLATED = re.compile(rb"\{[^{}\n\"']{0,80}$")


def email_addresses(buffer: Buffer, languages: Sequence[str] | None) -> Iterator[Finding]:
    """The addresses in every row; with the rows' `languages` an operator in code is told from an address."""
    spans: TextSpans | None = None
    spans_of = -1
    for at in _signs(buffer):
        row, start, end = buffer.row(at)
        domain = _DOMAIN.match(buffer.bytes, at + 1, end)
        if not domain:
            continue
        local = _local_part(buffer, start, at)
        name = buffer.bytes[local:at]
        if (
            not name
            or not _is_personal(name, domain.group())
            or _is_no_mail(buffer.bytes, start, local, at, domain.end())
        ):
            continue
        if languages is not None:
            if spans_of != row:
                spans, spans_of = text_spans(buffer.bytes[start:end], languages[row]), row
            if spans and _is_code(buffer.bytes[start:end], spans, local - start, domain.end() - start):
                continue
        yield Finding(row, local - start, domain.end() - start, EMAIL)


def _is_code(content: bytes, spans: TextSpans, local: int, stop: int) -> bool:
    """Whether an address stands in the code of a file, or in code that a string holds, as in `"{q@k.mT}"`.

    A line of words alone is text: what should be a comment, or a file whose language is not the one that its row names.
    """
    before = content[max(0, local - _MAX_BEFORE) : local].rpartition(b"\n")[2]
    opening = spans.start(local)
    if opening is not None:
        return content[opening : opening + 1] in (b'"', b"'") and _INTERPOLATED.search(before) is not None
    after = content[stop : stop + _MAX_BEFORE].partition(b"\n")[0]
    if before.endswith(b"<") and after.startswith(b">"):
        return False
    return _CODE.search(before) is not None or _CODE.search(after) is not None


def _signs(buffer: Buffer) -> list[int]:
    """Positions of `@` between two characters of words."""
    data = buffer.data
    signs = np.flatnonzero(data == 0x40)
    signs = signs[(signs > 0) & (signs < len(data) - 1)]
    found: list[int] = signs[_WORD[data[signs - 1]] & _WORD[data[signs + 1]]].tolist()
    return found


def _local_part(buffer: Buffer, row_start: int, at: int) -> int:
    """Where the part before the sign begins; the position of the sign itself where there is no such part."""
    first = max(row_start, at - MAX_LOCAL_BYTES)
    before = buffer.bytes[first:at]
    begin = len(before)
    while begin and _WORD[before[begin - 1]]:
        begin -= 1
    if begin == 0 and first > row_start:
        return at
    # Escapes and punctuation before an address are not a part of it: "\nme@", "%3Cme@", ".me@".
    word = before[begin:]
    if begin and before[begin - 1 : begin] == b"\\":
        code_point = _CODE_POINT.match(word)
        begin += code_point.end() if code_point else int(word[:1] in (b"n", b"t", b"r"))
    escaped = _ESCAPED.match(before, begin)
    begin = escaped.end() if escaped else begin
    if before[begin : begin + 1] == b"%":
        return at  # A conversion: `%s@host`.
    begin += len(before[begin:]) - len(before[begin:].lstrip(b"._%+-"))
    return first + begin if _LOCAL.match(before[begin:]) else at


def _is_personal(name: bytes, host: bytes) -> bool:
    """Whether the two parts are those of a person's address."""
    local, domain = name.lower(), host.lower()
    if local in _NO_PERSON or local in _KEYWORDS or _PACKAGE_VERSION.match(domain):
        return False
    labels = domain.split(b".")
    ending = host.rpartition(b".")[2]
    if labels[-1] not in _SURE and not _is_weak_domain(host, labels):
        return False
    if ending not in (ending.lower(), ending.upper()) or all(
        label.isdigit() and len(label) == 1 for label in labels[:-1]
    ):
        return False
    return not _RESERVED_DOMAIN.match(domain)


def _is_weak_domain(host: bytes, labels: list[bytes]) -> bool:
    """Whether a domain is one whose ending a member of an object may have as well: `Shelf.name`, `ys.tl`."""
    if labels[-1] not in _GENERIC and labels[-1] not in _COUNTRIES:
        return False
    in_one_case = all(label in (label.lower(), label.upper()) for label in host.split(b"."))
    return in_one_case and len(labels[-2]) > 1


def _is_no_mail(data: bytes, start: int, local: int, at: int, stop: int) -> bool:
    """Whether the text around says that it is a login, a part of a URL, or that the first part is a variable."""
    before = data[max(start, local - _MAX_BEFORE) : local].rpartition(b"\n")[2]
    if before[-1:] in (b"$", b"@", b"#") or _IN_URL.search(before) or _LOGIN_BEFORE.search(before):
        return True
    # Names as short as `xs@ys.tl` are variables, but for those in angle brackets.
    if at - local <= 3 and stop - at <= 6 and before[-1:] != b"<":
        return True
    after = data[stop : stop + 64]
    if _LOGIN_AFTER.match(after):
        return True
    # `git@host:path` names a repository.
    return data[local:at] in _REPOSITORY_USERS and after[:1] in (b":", b"/")
