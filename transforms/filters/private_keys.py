"""Private keys in all their forms: each run of their body is a finding, and the text around them stays.

PEM (RFC 7468) and OpenSSH, PGP (RFC 9580), SSH2 (RFC 4716 has its public form), PuTTY, XML (RSAKeyValue of XML Signature)
and JWK (RFC 7517): whole or cut off, in lines or in one, with line breaks written as escapes, and in the strings and comments
of any language.
"""

import re
from collections.abc import Iterator

from stackfim.transforms.filters.findings import Buffer, Finding
from stackfim.transforms.filters.secret_values import character_kinds, is_varied

PRIVATE_KEY = "private_key"
MIN_KEY_BYTES = 64
"""How long the body of a key is at least: an elliptic curve's smallest key is longer."""
MAX_KEY_BYTES = 20_000
_Span = tuple[int, int]

_BEGIN = re.compile(
    rb"-{4,5} ?BEGIN (?:[A-Z0-9.]{2,10} ){0,3}PRIVATE KEY(?: BLOCK)? ?-{4,5}|PuTTY-User-Key-File-[0-9]:|Private-Lines: ?[0-9]{1,3}"
)
_PEM_ANCHOR, _PUTTY_ANCHOR = b"BEGIN ", b"Private-Lines:"
_END = re.compile(rb"-{4,5} ?END |Private-MAC:|Private-Hash:")
_BREAK = rb"(?:\\{1,4}(?:[nrt]|u000[aAdD]|x0[aAdD]|012|015)|%0[AaDd]|%20|&#(?:x[aAdD]|1[03]);|&quot;|<br ?/?>)"
# What stands between two lines of a body: blanks, escapes, and the quotes, operators and comment marks of source code.
_GAP = re.compile(
    rb"(?:"
    + _BREAK
    + rb"|\\(?![A-Za-z/])|(?<=[\s\"'`])[+/](?=[\s\"'`/])|(?<=[\s/])/(?=[\s/])|[\s\"'`.,;:#*>|()\[\]{}&!-]){0,200}+"
)
_HEADER_LINE = re.compile(
    rb"(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID|Subject|X-[A-Za-z\-]{1,30}|P2/P3-[A-Za-z\-]{1,20}):[^\n\\]{0,200}"
)
_LINE = re.compile(rb"(?:[A-Za-z0-9+/]|\\/)++={0,2}")
_CHECKSUM = re.compile(rb"=[A-Za-z0-9+/]{4}(?![A-Za-z0-9+/=])")
MIN_LINE_BYTES = 32
"""How long the lines of a body are that has no end, but for its last one."""


def private_keys(buffer: Buffer) -> Iterator[Finding]:
    """The lines of all bodies, and the private numbers of keys in XML and JWK."""
    yield from _armored(buffer)
    yield from _xml_keys(buffer)
    yield from _json_keys(buffer)


def _armored(buffer: Buffer) -> Iterator[Finding]:
    taken = 0
    for anchor in (_PEM_ANCHOR, _PUTTY_ANCHOR):
        taken = 0
        for at in buffer.occurrences(anchor):
            row, start, end = buffer.row(at)
            if at < taken:
                continue
            first = at if anchor == _PUTTY_ANCHOR else max(start, at - 6)
            header = _BEGIN.search(buffer.bytes, first, min(end, at + 80))
            if not header or header.start() > at:
                continue
            lines = _body(buffer.bytes, header.end(), min(end, header.end() + MAX_KEY_BYTES))
            taken = lines[-1][1] if lines else taken
            body = b"".join(buffer.bytes[begin:stop] for begin, stop in lines)
            if len(body) >= MIN_KEY_BYTES and is_varied(body, 4.0):
                for begin, stop in lines:
                    yield Finding(row, begin - start, stop - start, PRIVATE_KEY)


def _body(data: bytes, at: int, limit: int) -> list[_Span]:
    """The lines of base 64 after a header, up to its end, or to where something else begins."""
    lines: list[_Span] = []
    whole = True
    while True:
        at = _after_gap(data, at, limit)
        if _END.match(data, at, limit) or (lines and data[at - 4 : at] == b"----"):
            return lines
        line = _LINE.match(data, at, limit) or _CHECKSUM.match(data, at, limit)
        if not line or not whole:
            return lines
        whole = len(line.group()) >= MIN_LINE_BYTES
        if not whole and not _may_be_last(data, line, lines, limit):
            return lines
        lines.append(line.span())
        at = line.end()


def _after_gap(data: bytes, at: int, limit: int) -> int:
    while True:
        gap = _GAP.match(data, at, limit)
        at = gap.end() if gap else at
        header = _HEADER_LINE.match(data, at, limit)
        if header:
            at = header.end()
        elif not gap or gap.end() == gap.start():
            return at


def _may_be_last(data: bytes, line: re.Match[bytes], lines: list[_Span], limit: int) -> bool:
    """Whether a short line ends a body: it is padded, or the end follows it. Other words are code after a key cut off."""
    if not lines:
        return False
    word = line.group()
    if word.endswith(b"=") or (len(word) >= 8 and character_kinds(word) == 3):
        return True
    after = _after_gap(data, line.end(), limit)
    return data[max(line.end(), after - 5) : after].count(b"-") >= 4 or bool(
        _END.match(data, after, limit) or _CHECKSUM.match(data, after, limit)
    )


_XML_PART = re.compile(rb"(?:<|&lt;)(?:P|Q|DP|DQ|InverseQ|D|X)(?:>|&gt;)\s*+([A-Za-z0-9+/=\s]{16,4000}+)(?:<|&lt;)/")
_XML_PRIVATE = re.compile(rb"(?:<|&lt;)(?:D|X)(?:>|&gt;)")
_XML_RUN = re.compile(rb"[A-Za-z0-9+/]{4,}+={0,2}")


def _xml_keys(buffer: Buffer) -> Iterator[Finding]:
    taken = 0
    for mark in (b"<RSAKeyValue", b"&lt;RSAKeyValue", b"<DSAKeyValue", b"&lt;DSAKeyValue"):
        taken = 0
        for at in buffer.occurrences(mark):
            if at < taken:
                continue
            row, start, end = buffer.row(at)
            stop = buffer.bytes.find(b"KeyValue", at + len(mark), min(end, at + MAX_KEY_BYTES))
            taken = stop = stop if stop >= 0 else min(end, at + MAX_KEY_BYTES)
            if not _XML_PRIVATE.search(buffer.bytes, at, stop):
                continue
            for part in _XML_PART.finditer(buffer.bytes, at, stop):
                if is_varied(part[1]):
                    for run in _XML_RUN.finditer(buffer.bytes, *part.span(1)):
                        yield Finding(row, run.start() - start, run.end() - start, PRIVATE_KEY)


_JWK_MEMBER = re.compile(
    rb"(?<![A-Za-z0-9_])(?P<name>dp|dq|qi|d|p|q|k)\\{0,3}[\"']?[ \t]{0,8}:\s{0,8}\\{0,3}[\"']"
    rb"(?P<value>[A-Za-z0-9_\-]{20,4000})={0,2}\\{0,3}[\"']"
)
_JWK_BEFORE, _JWK_AFTER = 6_000, 6_000


def _json_keys(buffer: Buffer) -> Iterator[Finding]:
    """The private members of the JSON objects that have a `kty`; `k` only in those of symmetric keys."""
    taken = 0
    for at in buffer.occurrences(b"kty"):
        row, start, end = buffer.row(at)
        first = max(start, taken, at - _JWK_BEFORE)
        first = max(first, buffer.bytes.rfind(b"{", first, at))
        stop = buffer.bytes.find(b"}", at, min(end, at + _JWK_AFTER))
        stop = stop if stop >= 0 else min(end, at + _JWK_AFTER)
        if at < taken:
            continue
        taken = stop
        for member in _JWK_MEMBER.finditer(buffer.bytes, first, stop):
            if is_varied(member["value"]):
                yield Finding(row, member.start("value") - start, member.end("value") - start, PRIVATE_KEY)
