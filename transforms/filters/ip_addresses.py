"""Public IP addresses of version 4 and 6, told from versions, object ids and revisions.

Left alone are private and special ranges (IANA), those that RFC 5737 and 3849 reserve for examples, and four numbers that are
a version: in files of dependencies and changes, after the name of a product or a package, and where two of the numbers are
small and nothing says that it is an address.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from stackfim.transforms.filters.findings import Buffer, Finding

IPV4 = "ipv4"
IPV6 = "ipv6"

_WORD = np.zeros(256, bool)
_WORD[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.%+-")] = True
_DIGIT = np.zeros(256, bool)
_DIGIT[list(b"0123456789")] = True
_HEX = np.zeros(256, bool)
_HEX[list(b"0123456789abcdefABCDEF")] = True

_FOUR = re.compile(
    rb"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}"
)
MIN_HOST_NUMBER = 10
"""An address whose third number is 0 is taken for a real one if its last number is at least this."""
VERSION_PART_AT_MOST = 20
"""Four numbers, the first three of them all at most this, are taken for a version, a section or an object id."""
SMALL_AT_MOST = 31
"""Where two of four numbers are at most this, it is taken for a version unless the text says that it is an address."""
_VERSION_FILE = re.compile(
    r"(?i)(?:^|/)(?:gemfile|podfile|cartfile|pipfile|brewfile|(?:requirements|constraints)[^/]*\.(?:txt|in)|[^/]*\.lock(?:file)?|"
    r"(?:package|package-lock|bower|composer|npm-shrinkwrap|vcpkg)\.json|pnpm-lock\.yaml|pom\.xml|ivy\.xml|build\.(?:xml|boot|sc)|"
    r"[^/]*\.(?:gradle|gradle\.kts|sbt|csproj|fsproj|vbproj|vcxproj|props|targets|nuspec|podspec|gemspec|cabal|rockspec)|"
    r"packages\.config|app\.config|web\.config|assemblyinfo\.[a-z]+|go\.(?:mod|sum)|cargo\.toml|[^/]*versions\.toml|"
    r"mix\.exs|rebar\.config|setup\.(?:py|cfg)|pyproject\.toml|conanfile\.[a-z]+|cmakelists\.txt|meson\.build|deps\.edn|project\.clj|"
    r"(?:changes?|changelogs?|history|news|releases?|release[_-]?notes|versions?)(?:[._\-][^/]*)?)$"
)
_VERSION_WORD = re.compile(
    rb"(?i:version|release|revision|\bver\b|\brev\b|build|upgrade|changelog|oid|section|rfc|posix|standard|assembly|==|>=|<=|~=|\^|~>"
    rb"|\bgem\b|\bpod\b|implementation|\bcompile\b|testcompile|require|depend|package|librar|artifact|snapshot|firmware|driver|"
    rb"\bsdk\b|patch|\bsince\b|milestone|\btag|mozilla|chrome|firefox|safari|\bopera|webkit|msie|trident|gecko|\bedge\b|"
    rb"user-?agent|plugin|bundle|toolchain|runtime|framework)"
)
_ADDRESS_BEFORE = re.compile(
    rb"(?i:\bips?\b|_ips?\b|\bip_?v?4?|addr|host|server|dns|gateway|\bgw\b|proxy|\bping\b|\bssh\b|listen|connect|remote|client|peer|"
    rb"endpoint|\ballow|\bdeny|\binet\b|\bfrom\b|\bcidr|subnet|network|route|socket|\bbind\b|whois|router)|\b(?:root|admin|ubuntu|user|deploy|ec2-user|pi|git|postgres|vagrant)@\Z"
)
_ADDRESS_AFTER = re.compile(rb":[0-9]{2,5}\b|/[0-9]{1,2}\b|[ \t]+[A-Za-z0-9\-]{1,60}\.[A-Za-z]{2,}")
_IN_AUTHORITY = re.compile(rb"://(?:[^\s/?#@\"']{0,80}@)?\Z")
# `Name/1.2.3.4` of products, `group:name:1.2.3.4` of build files, `name@1.2.3.4` of packages, `name (1.2.3.4)` of lock files.
_AFTER_PRODUCT = re.compile(
    rb"[A-Za-z)\]+][A-Za-z0-9_.+\-]{0,60}/\Z|[\w.\-]{1,60}:[\w.\-]{1,60}:\Z|^\s{0,20}[\w.\-/]{1,60} \([=~><! ]{0,4}\Z"
)
_HEADING = re.compile(rb"^(?:[#=*\-+]{1,6}|h[1-6]\.)?[ \t]*[\[(]?\Z")
_DATED = re.compile(
    rb"[\])]?[ \t:(\-,/|\xe2\x80\x93\x94]*+"
    rb"(?:[12][0-9]{3}[\-/.][01]?[0-9]|[A-Z][a-z]{2,8}\.? [0-3]?[0-9]|[0-3]?[0-9] [A-Z][a-z]{2,8} [12])"
)
# Public name servers, and what people write when any address will do.
_KNOWN_SERVERS = frozenset(
    b"8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 4.4.4.4 4.2.2.1 4.2.2.2 208.67.222.222 208.67.220.220 1.2.3.4 4.3.2.1 5.6.7.8 "
    b"172.10.20.30 11.22.33.44 12.34.56.78 123.123.123.123 123.45.67.89 111.111.111.111 222.222.222.222 99.99.99.99".split()
)
_NUMBER_BEFORE = re.compile(rb"(?<![0-9.\-])([0-9\-]*+\.[0-9.\-]+)[ ,]$")
MAX_VERSION_DISTANCE = 60


def ipv4_addresses(buffer: Buffer, paths: Sequence[str] | None) -> Iterator[Finding]:
    """Public addresses in every row; with the rows' `paths` those of dependencies and of changes hold versions."""
    for first in _first_dots(buffer.data):
        row, start, end = buffer.row(first)
        begin = first
        while begin > start and first - begin < 4 and _DIGIT[buffer.bytes[begin - 1]]:
            begin -= 1
        match = _FOUR.match(buffer.bytes, begin, end)
        if not match or not _stands_alone(buffer, begin, match.end(), start, end) or not _is_public_v4(match.group()):
            continue
        before = buffer.bytes[max(start, begin - MAX_VERSION_DISTANCE) : begin].rpartition(b"\n")[2]
        after = buffer.bytes[match.end() : min(end, match.end() + MAX_VERSION_DISTANCE)].partition(b"\n")[0]
        in_version_file = paths is not None and _VERSION_FILE.search(paths[row]) is not None
        if not is_version(match.group(), before, after, in_version_file=in_version_file):
            yield Finding(row, begin - start, match.end() - start, IPV4)


def _first_dots(data: npt.NDArray[np.uint8]) -> list[int]:
    """Positions of the first of three dots with numbers between them."""
    dots = np.flatnonzero(data == 0x2E)
    gaps = np.diff(dots)
    near = (gaps >= 2) & (gaps <= 4)
    at = dots[:-2][near[:-1] & near[1:]]
    at = at[(at > 0) & (at < len(data) - 1)]
    found: list[int] = at[_DIGIT[data[at - 1]] & _DIGIT[data[at + 1]]].tolist()
    return found


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


def is_version(four: bytes, before: bytes, after: bytes, *, in_version_file: bool) -> bool:
    """Whether four numbers with dots are a version by the text before and after them on their line."""
    if _IN_AUTHORITY.search(before):
        return False
    # In the coordinates of a path the number before it has a point and is no address.
    coordinate = _NUMBER_BEFORE.search(before)
    if coordinate and not _FOUR.fullmatch(coordinate.group(1)):
        return True
    if (
        _VERSION_WORD.search(before)
        or _AFTER_PRODUCT.search(before)
        or (_HEADING.search(before) and _DATED.match(after))
    ):
        return True
    if not in_version_file and not _looks_like_version(four):
        return False
    return not (_ADDRESS_BEFORE.search(before) or _ADDRESS_AFTER.match(after))


def _looks_like_version(four: bytes) -> bool:
    """Whether two of the numbers are small, and not the first two large: one in fifteen addresses has such numbers."""
    numbers = [int(number) for number in four.split(b".")]
    return sum(number <= SMALL_AT_MOST for number in numbers) >= 2 and min(numbers[:2]) < 64


MIN_GROUPS = 3
"""Two groups with `::` between them are a range of revisions as often as an address."""
_SIX = re.compile(rb"[0-9A-Fa-f:]{6,39}")


def ipv6_addresses(buffer: Buffer) -> Iterator[Finding]:
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
