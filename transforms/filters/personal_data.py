"""Personal data: e-mail addresses, and public IP addresses of version 4 and 6.

Rules: StarCoder's redaction (Li et al. 2023, section 4: e-mail, IP addresses, keys). Addresses that belong to no person are
left alone: those that RFC 2606, 5737 and 3849 reserve for examples, private and special ranges (IANA), role accounts of
services, and four numbers that are a version.
"""

import ipaddress
import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stackfim.transforms.filters.filter import Filter, Score
from stackfim.transforms.filters.findings import DROP, Buffer, Finding, decide_findings, in_words, without_overlaps

EMAIL = "email"
IPV4 = "ipv4"
IPV6 = "ipv6"

_WORD = np.zeros(256, bool)
_WORD[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.%+-")] = True
_DIGIT = np.zeros(256, bool)
_DIGIT[list(b"0123456789")] = True
_HEX = np.zeros(256, bool)
_HEX[list(b"0123456789abcdefABCDEF")] = True

MAX_LOCAL_BYTES = 64
_LOCAL = re.compile(rb"[A-Za-z0-9](?:[A-Za-z0-9._%+\-]{0,62}[A-Za-z0-9_+\-])?$")
_CODE_POINT = re.compile(rb"u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}")
# What looks like an address after this is a user's name and a host in a URL (RFC 3986, section 3.2), or names a message or
# a list's archive in its path, where other text would break the link.
_IN_URL = re.compile(rb"(?<!mailto)://[^\s?#\"'<>]*$")
_MAX_URL_BYTES = 160
_DOMAIN = re.compile(rb"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,18}(?![A-Za-z0-9\-_(\[=])")
# Generic top-level domains that people have addresses under. One of two letters is a country's, unless files end in it.
_GENERIC = frozenset(
    b"com org net edu gov mil int info biz name pro mobi dev app cloud online xyz site tech email blog page jobs coop museum "
    b"travel cat asia tel post software systems digital network agency company academy engineering science works design".split()
)
_FILE_ENDINGS = frozenset(b"js ts py rb rs hh hs md sh pl so vb cs go jl ml mm mk kt el ex".split())
_NO_PERSON = frozenset(
    b"noreply no-reply donotreply do-not-reply nobody npm example user username name email you foo bar baz john.doe johndoe "
    b"johnsmith jane.doe someone somebody root postmaster hostmaster mailer-daemon test tester".split()
)
_REPOSITORY_USERS = (b"git", b"hg", b"svn")
_RESERVED_DOMAIN = re.compile(
    rb"(?:^|.*\.)(?:example|test|invalid|localhost|local|localdomain|internal)$|(?:^|.*\.)example\.[a-z.]+$|"
    rb"^(?:domain|host\d*|yourdomain|company|email|foo|bar|baz|server|site|website|acme|contoso|attacker|test|[a-z]\d?|"
    rb"my[\-.]?(?:domain|company|host|site|server|org|e?mail|app|corp|website|project))\.(?:com|org|net)$|"
    rb"^(?:lists?|bugs?)\.[a-z0-9\-]+\.[a-z.]+$|^(?:googlegroups\.com|vger\.kernel\.org)$|"
    rb"users\.noreply\.github\.com$|^(?:github|gitlab|bitbucket)\.(?:com|org)$"
)


def find_personal_data(content: pa.BinaryArray) -> list[Finding]:
    """E-mail and public IP addresses of every row, in order, without overlaps."""
    buffer = Buffer(content)
    return without_overlaps([*_emails(buffer), *_ipv4(buffer), *_ipv6(buffer)])


def _emails(buffer: Buffer) -> Iterator[Finding]:
    data = buffer.data
    signs = np.flatnonzero(data == 0x40)
    signs = signs[(signs > 0) & (signs < len(data) - 1)]
    signs = signs[_WORD[data[signs - 1]] & _WORD[data[signs + 1]]]
    for at in signs.tolist():
        row, start, end = buffer.row(at)
        domain = _DOMAIN.match(buffer.bytes, at + 1, end)
        if not domain:
            continue
        local = _local_part(buffer, start, at)
        if _IN_URL.search(buffer.bytes[max(start, local - _MAX_URL_BYTES) : local]):
            continue
        name, after = buffer.bytes[local:at], buffer.bytes[domain.end() : domain.end() + 1]
        if name in _REPOSITORY_USERS and after in (b":", b"/"):
            continue  # `git@host:path` names a repository
        if name and _is_personal(name.lower(), domain.group().lower()):
            yield Finding(row, local - start, domain.end() - start, EMAIL)


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
    escaped = re.match(rb"(?:%[0-9A-Fa-f]{2})+", before[begin:])
    begin += escaped.end() if escaped else 0
    begin += len(before[begin:]) - len(before[begin:].lstrip(b"._%+-"))
    return first + begin if _LOCAL.match(before[begin:]) else at


def _is_personal(local: bytes, domain: bytes) -> bool:
    ending = domain.rpartition(b".")[2]
    if not (len(ending) == 2 or ending in _GENERIC) or ending in _FILE_ENDINGS:
        return False
    labels = domain.split(b".")
    if all(len(label) == 1 and label.isdigit() for label in labels[:-1]) or local in _NO_PERSON:
        return False
    return not _RESERVED_DOMAIN.match(domain)


_FOUR = re.compile(
    rb"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}"
)
MIN_HOST_NUMBER = 10
"""An address whose third number is 0 is taken for a real one if its last number is at least this."""
VERSION_PART_AT_MOST = 20
"""Four numbers, the first three of them all at most this, are taken for a version, a section or an object id."""
_VERSION_WORD = re.compile(
    rb"(?i:version|release|revision|\bver\b|\brev\b|build|upgrade|changelog|oid|section|rfc|posix|standard|assembly|==|>=|<=|~=|\^|~>)"
)
# Public name servers, and what people write when any address will do.
_KNOWN_SERVERS = frozenset(
    b"8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 4.4.4.4 4.2.2.1 4.2.2.2 208.67.222.222 208.67.220.220 1.2.3.4 4.3.2.1 5.6.7.8 "
    b"172.10.20.30 11.22.33.44 12.34.56.78 123.123.123.123 123.45.67.89 111.111.111.111 222.222.222.222 99.99.99.99".split()
)
_NUMBER_BEFORE = re.compile(rb"([0-9\-]*\.[0-9.\-]+)[ ,]$")
MAX_VERSION_DISTANCE = 60


def _ipv4(buffer: Buffer) -> Iterator[Finding]:
    data = buffer.data
    dots = np.flatnonzero(data == 0x2E)
    gaps = np.diff(dots)
    near = (gaps >= 2) & (gaps <= 4)
    at = dots[:-2][near[:-1] & near[1:]]
    at = at[(at > 0) & (at < len(data) - 1)]
    for first in at[_DIGIT[data[at - 1]] & _DIGIT[data[at + 1]]].tolist():
        row, start, end = buffer.row(first)
        begin = first
        while begin > start and first - begin < 4 and _DIGIT[buffer.bytes[begin - 1]]:
            begin -= 1
        match = _FOUR.match(buffer.bytes, begin, end)
        if not match or not _stands_alone(buffer, begin, match.end(), start, end):
            continue
        if _is_public_v4(match.group()) and not _says_version(buffer, begin, start):
            yield Finding(row, begin - start, match.end() - start, IPV4)


def _stands_alone(buffer: Buffer, begin: int, stop: int, start: int, end: int) -> bool:
    """Whether no letter, digit, dot or hyphen touches it on either side; a dot that ends a sentence may."""
    before = buffer.bytes[begin - 1] if begin > start else 0x20
    after = buffer.bytes[stop : min(stop + 2, end)]
    if _WORD[before] or before >= 0x80:
        return False
    return not after[:1] or not _WORD[after[0]] or (after[:1] == b"." and (len(after) == 1 or not _WORD[after[1]]))


def _is_public_v4(text: bytes) -> bool:
    address = ipaddress.IPv4Address(text.decode("ascii"))
    numbers = address.packed
    if not address.is_global or address.is_multicast or text in _KNOWN_SERVERS:
        return False
    # Tests are written with the first addresses of a network: 192.160.0.1, 73.2.0.3.
    if numbers[2] == 0 and numbers[3] < MIN_HOST_NUMBER:
        return False
    # Networks and masks end in 0 or 255; 2.5 begins the object ids of X.500.
    return numbers[3] not in (0, 255) and max(numbers[:3]) > VERSION_PART_AT_MOST and numbers[:2] != b"\x02\x05"


def _says_version(buffer: Buffer, begin: int, start: int) -> bool:
    before = buffer.bytes[max(start, begin - MAX_VERSION_DISTANCE) : begin].rpartition(b"\n")[2]
    # In the coordinates of a path the number before it has a point and is no address.
    coordinate = _NUMBER_BEFORE.search(before)
    return bool(_VERSION_WORD.search(before) or (coordinate and not _FOUR.fullmatch(coordinate.group(1))))


MIN_GROUPS = 3
"""Two groups with `::` between them are a range of revisions as often as an address."""
_SIX = re.compile(rb"[0-9A-Fa-f:]{6,39}")


def _ipv6(buffer: Buffer) -> Iterator[Finding]:
    """Addresses of the global range 2000::/3, all of which begin with four digits and a colon."""
    data = buffer.data
    colons = _colons_of_global(data)
    taken = -1
    for colon in colons.tolist():
        first = colon - 4
        row, start, end = buffer.row(first)
        if first < taken or (first > start and (_WORD[data[first - 1]] or data[first - 1] == 0x3A)):
            continue
        match = _SIX.match(buffer.bytes, first, end)
        if match and _is_public_v6(match.group()) and (match.end() == end or not _WORD[data[match.end()]]):
            taken = match.end()
            yield Finding(row, first - start, match.end() - start, IPV6)


def _colons_of_global(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    colons = np.flatnonzero(data == 0x3A)
    colons = colons[(colons >= 4) & (colons < len(data) - 1)]
    first = data[colons - 4]
    colons = colons[(first == 0x32) | (first == 0x33)]
    for place in (1, 2, 3):
        colons = colons[_HEX[data[colons - place]]]
    after = data[colons + 1]
    found: npt.NDArray[np.int64] = colons[_HEX[after] | (after == 0x3A)]
    return found


def _is_public_v6(text: bytes) -> bool:
    try:
        address = ipaddress.IPv6Address(text.decode("ascii"))
    except ValueError:
        return False
    groups = [group for group in text.split(b":") if group]
    numbers = {number for number in np.frombuffer(address.packed, ">u2").tolist() if number}
    # The likes of 2020:2020::2020 are patterns of tests.
    return address.is_global and not address.is_multicast and len(groups) >= MIN_GROUPS and len(numbers) > 1


PERSONAL_DATA: Filter[list[str]] = Filter(
    stage="personal_data",
    measure=lambda rows, plan: in_words(find_personal_data(rows.column("content")), rows.num_rows),
    decide=lambda found, languages, plan: decide_findings(found, "personal_data"),
    scores=(
        Score(
            "found",
            pa.string(),
            lambda found: [words or None for words in found],
            lambda plan, language: plan.personal_data,
        ),
    ),
    active=lambda plan: plan.personal_data == DROP,
)
