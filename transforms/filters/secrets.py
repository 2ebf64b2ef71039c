"""Secrets: keys and tokens, recognised by a known prefix and then by their structure, and passwords in URLs.

Formats are those that the issuers publish, as the rule sets of gitleaks and detect-secrets collect them. A prefix alone
is never enough: checksums are computed, headers decoded, lengths and alphabets compared, and what documentation and tests
write in place of a secret (EXAMPLE, xxxx, your-token) is left alone. Each prefix is searched for once in the bytes of the
whole batch, and an expression is tried only where a prefix was found.
"""

import base64
import binascii
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from stackfim.transforms.filters.filter import Filter, Score
from stackfim.transforms.filters.findings import DROP, Buffer, Finding, decide_findings, in_words, without_overlaps

Span = tuple[int, int]
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_WORD_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_PLACEHOLDER = re.compile(
    rb"(?i:example|sample|placeholder|dummy|fake|redacted|your[-_]?|changeme|insert|xxxx|\*\*\*|0{8}|1{8}|f{8}|a{8}|"
    rb"123456789|abcdefgh|test[-_]?(?:key|token|secret)|deadbeef|foobar)"
)


@dataclass(frozen=True)
class SecretKind:
    """One kind of secret."""

    name: str
    anchors: tuple[bytes, ...]
    """Every secret of the kind has one of these, which is searched for in the whole batch."""
    pattern: re.Pattern[bytes]
    """Tried where an anchor begins; the secret is its group `secret`, or else all of the match."""
    is_real: Callable[[bytes], bool]
    """Whether a match has the structure of the kind."""
    inside_word: bool = False
    """Whether letters may stand right before the anchor."""


def _varied(secret: bytes, least_bits: float = 3.0) -> bool:
    """Whether the entropy is at least `least_bits` a byte and there is no placeholder in it."""
    counts, size = Counter(secret).values(), len(secret)
    entropy = -sum(count / size * math.log2(count / size) for count in counts)
    return entropy >= least_bits and not _PLACEHOLDER.search(secret)


def _mixed(secret: bytes) -> bool:
    """Whether it is varied and has digits and letters."""
    return _varied(secret) and any(48 <= byte <= 57 for byte in secret) and any(byte >= 65 for byte in secret)


def _has_checksum(token: bytes) -> bool:
    """Whether a token of GitHub or npm ends in the CRC32 of the 30 characters before, as six digits in base 62.

    https://github.blog/engineering/behind-githubs-new-authentication-token-formats/
    """
    body, checksum = token[-36:-6], token[-6:].decode("ascii")
    value, digits = zlib.crc32(body), ""
    for _ in range(6):
        value, digit = divmod(value, 62)
        digits = _BASE62[digit] + digits
    return digits == checksum


def _is_jwt(token: bytes) -> bool:
    """Whether the header decodes to JSON with an algorithm (RFC 7519) and the token is not the one of all tutorials."""
    header, payload, _ = token.split(b".")
    claims = _decoded_json(payload)
    algorithm = (_decoded_json(header) or {}).get("alg")
    if not isinstance(algorithm, str) or claims is None or algorithm.lower() == "none":
        return False
    return claims.get("sub") != "1234567890" and claims.get("name") != "John Doe"


def _decoded_json(part: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


_WEAK_PASSWORDS = frozenset(
    b"password passwd pass pwd secret token user username admin root test guest login key apikey api_key foo bar baz pw p x y "
    b"postgres mysql example changeme s3cret p4ssw0rd passw0rd hunter2 credentials 1234 12345 123456 abc abcd qwerty "
    b"oauth2 oauth x-oauth-basic x-token-auth y0 pass1 pass2 user1 user2 mypass mypassword secretpassword".split()
)
_NO_PASSWORD = re.compile(
    rb"[${<%*#\[(\\]|\.\.\.|^:|^//|^\d{1,5}$|[{}<>|]|password|passwd|secret|user|\bpass\b", re.IGNORECASE
)


# Passwords such as `s3cr3t` and `pass:word` only say what they are.
_SAYS_SO = re.compile(rb"secret|passw|pwd")
_LOOKALIKES = bytes.maketrans(b"01345", b"oleas")
_SEPARATORS = b":@-_.!*+ "


def _is_password(password: bytes) -> bool:
    """Whether it is more than a variable, a placeholder or a word that only says what it is."""
    return (
        len(password) >= 5
        and password.lower() not in _WEAK_PASSWORDS
        and not _NO_PASSWORD.search(password)
        and not _PLACEHOLDER.search(password)
        and not _SAYS_SO.search(password.lower().translate(_LOOKALIKES, _SEPARATORS))
        and _varied(password, 1.5)
    )


KINDS: tuple[SecretKind, ...] = tuple(
    SecretKind(name, tuple(anchors.split()), re.compile(pattern), is_real, inside_word)
    for name, anchors, pattern, is_real, inside_word in (
        # Key ids are in base 32 (RFC 4648): letters and the digits 2 to 7.
        ("aws_access_key_id", b"AKIA ASIA", rb"A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9_])", _varied, False),
        ("github_token", b"ghp_ gho_ ghu_ ghs_ ghr_", rb"gh[pousr]_[A-Za-z0-9]{36}(?![A-Za-z0-9_])", _has_checksum, False),
        (
            "github_token",
            b"github_pat_",
            rb"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}(?![A-Za-z0-9_])",
            _mixed,
            False,
        ),
        ("gitlab_token", b"glpat-", rb"glpat-[A-Za-z0-9_\-]{20}(?![A-Za-z0-9_\-])", _mixed, False),
        (
            "slack_token",
            b"xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-",
            rb"xox[abeoprs]-(?:[0-9]{1,14}-){1,4}[A-Za-z0-9]{16,64}(?![A-Za-z0-9_])",
            _mixed,
            False,
        ),
        (
            "slack_webhook",
            b"hooks.slack.com/services/",
            rb"hooks\.slack\.com/services/(?P<secret>T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{20,32})(?![A-Za-z0-9])",
            _mixed,
            True,
        ),
        ("google_api_key", b"AIza", rb"AIza[A-Za-z0-9_\-]{35}(?![A-Za-z0-9_\-])", _mixed, False),
        ("google_oauth_secret", b"GOCSPX-", rb"GOCSPX-[A-Za-z0-9_\-]{28}(?![A-Za-z0-9_\-])", _varied, False),
        (
            "stripe_key",
            b"sk_live_ sk_test_ rk_live_ rk_test_",
            rb"[rs]k_(?:live|test)_[A-Za-z0-9]{20,247}(?![A-Za-z0-9_])",
            _mixed,
            False,
        ),
        (
            "json_web_token",
            b"eyJ",
            rb"eyJ[A-Za-z0-9_\-]{10,1000}\.eyJ[A-Za-z0-9_\-]{8,4000}\.[A-Za-z0-9_\-]{16,1000}(?![A-Za-z0-9_\-])",
            _is_jwt,
            False,
        ),
        ("npm_token", b"npm_", rb"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9_])", _has_checksum, False),
        # The fixed part is the header of a macaroon for pypi.org.
        ("pypi_token", b"pypi-AgE", rb"pypi-AgE[A-Za-z0-9_\-]{60,500}", _mixed, False),
        ("hugging_face_token", b"hf_", rb"hf_[A-Za-z0-9]{34}(?![A-Za-z0-9_])", _varied, False),
        # The letters in the middle are "OpenAI" in base 64.
        ("openai_key", b"sk-", rb"sk-[A-Za-z0-9_\-]{16,80}T3BlbkFJ[A-Za-z0-9_\-]{16,80}(?![A-Za-z0-9_\-])", _mixed, False),
        ("anthropic_key", b"sk-ant-", rb"sk-ant-[a-z]{3,5}[0-9]{2}-[A-Za-z0-9_\-]{80,100}(?![A-Za-z0-9_\-])", _mixed, False),
        ("sendgrid_key", b"SG.", rb"SG\.[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43}(?![A-Za-z0-9_\-])", _mixed, False),
        ("azure_storage_key", b"AccountKey=", rb"AccountKey=(?P<secret>[A-Za-z0-9+/]{86}==)", _mixed, True),
        ("digitalocean_token", b"dop_v1_ doo_v1_ dor_v1_", rb"do[opr]_v1_[a-f0-9]{64}(?![A-Za-z0-9_])", _mixed, False),
        ("shopify_token", b"shpat_ shpca_ shppa_ shpss_", rb"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}(?![A-Za-z0-9_])", _mixed, False),
        ("telegram_token", b":AA", rb":AA[A-Za-z0-9_\-]{33}(?![A-Za-z0-9_\-])", _mixed, True),
    )
)  # fmt: skip

_AWS_ANCHORS = (b"ecret", b"ECRET")
_AWS_SECRET = re.compile(rb"(?<![A-Za-z0-9/+=_\-.])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_\-.])")
_AWS_NAME = re.compile(rb"(?i:aws|amazon|s3)[^\n]{0,40}?(?i:secret)|(?i:secret[_\-]?access[_\-]?key)")
_URL = re.compile(
    rb"://[^\s:/@?#\"'`<>\\(){}$]{0,100}:(?P<secret>[^\s/@?#\"'`<>\\]{1,200})@(?P<host>[A-Za-z0-9][A-Za-z0-9.\-]*|\[[0-9a-fA-F:]+\])"
)
_PLAIN_HOST = re.compile(
    rb"(?i:localhost|127\.|0\.0\.0\.0|10\.|192\.168\.|host|server|hostname|proxy|domain|db|database|redis|postgres|mysql|"
    rb"mongo|rabbitmq)|(?i:.*(?:example|\.test|\.invalid|\.local|foo|bar|domain|somewhere|acme))",
)
_KEY_BEGIN = b"-----BEGIN "
_KEY_HEADER = re.compile(rb"-----BEGIN (?:[A-Z0-9]{2,10} )?(?:ENCRYPTED )?PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(rb"-----END (?:[A-Z0-9]{2,10} )?(?:ENCRYPTED )?PRIVATE KEY(?: BLOCK)?-----")
_KEY_LINE = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}|(?<=[\n\"'n ])[A-Za-z0-9+/]{4,15}={0,2}(?=[\s\"'\\])")
MAX_LINE_BYTES = 500
"""How far an AWS secret may be from its name, on either side."""
MIN_KEY_BYTES = 64
MAX_KEY_BYTES = 20_000


def find_secrets(content: pa.BinaryArray) -> list[Finding]:
    """The secrets of every row, in order, without overlaps. Each line of a private key's body is one finding."""
    buffer = Buffer(content)
    found = [*_prefixed(buffer), *_aws_secrets(buffer), *_url_passwords(buffer), *_private_keys(buffer)]
    return without_overlaps(found)


def _prefixed(buffer: Buffer) -> Iterator[Finding]:
    for kind in KINDS:
        for anchor in kind.anchors:
            for at in buffer.occurrences(anchor):
                row, start, end = buffer.row(at)
                if not kind.inside_word and _continues_word(buffer.bytes, start, at):
                    continue
                match = kind.pattern.match(buffer.bytes, at, end)
                if match and (span := _real_span(buffer, kind, match, start)):
                    yield Finding(row, span[0] - start, span[1] - start, kind.name)


def _continues_word(data: bytes, row_start: int, at: int) -> bool:
    if at == row_start or data[at - 1] not in _WORD_BYTES:
        return False
    # An escape before it, as in a string of several lines, ends in a letter as well.
    return at - 2 < row_start or data[at - 2 : at] not in (rb"\n", rb"\t", rb"\r")


def _real_span(buffer: Buffer, kind: SecretKind, match: re.Match[bytes], row_start: int) -> Span | None:
    group = "secret" if "secret" in kind.pattern.groupindex else 0
    secret = match.group(group)
    if not kind.is_real(secret):
        return None
    first = match.start(group)
    if kind.name == "telegram_token":
        # The bot's number comes before the colon.
        while first > row_start and 0x30 <= buffer.bytes[first - 1] <= 0x39:
            first -= 1
        if not 8 <= match.start(group) - first <= 10:
            return None
    return first, match.end(group)


def _aws_secrets(buffer: Buffer) -> Iterator[Finding]:
    """Forty characters of base 64 after a name that says AWS and secret, on the same line."""
    for anchor in _AWS_ANCHORS:
        for at in buffer.occurrences(anchor):
            row, start, end = buffer.row(at)
            line_start = buffer.bytes.rfind(b"\n", max(start, at - MAX_LINE_BYTES), at) + 1
            if not line_start and at - start > MAX_LINE_BYTES:
                continue
            line_start = max(line_start, start)
            line_end = buffer.bytes.find(b"\n", at, min(end, at + MAX_LINE_BYTES))
            line = buffer.bytes[line_start : line_end if line_end >= 0 else min(end, at + MAX_LINE_BYTES)]
            if not (name := _AWS_NAME.search(line)):
                continue
            for match in _AWS_SECRET.finditer(line, name.end()):
                secret = match.group()
                if _mixed(secret) and secret.lower() != secret and secret.upper() != secret and _varied(secret, 4.0):
                    yield Finding(
                        row,
                        line_start - start + match.start(),
                        line_start - start + match.end(),
                        "aws_secret_access_key",
                    )


def _url_passwords(buffer: Buffer) -> Iterator[Finding]:
    for at in buffer.occurrences(b"://"):
        row, start, end = buffer.row(at)
        match = _URL.match(buffer.bytes, at, end)
        if match and _is_password(match.group("secret")) and not _PLAIN_HOST.match(match.group("host")):
            yield Finding(row, match.start("secret") - start, match.end("secret") - start, "url_password")


def _private_keys(buffer: Buffer) -> Iterator[Finding]:
    """Base 64 between the two marks of a private key; in source code there may be quotes and escapes between its lines."""
    taken = 0
    for at in buffer.occurrences(_KEY_BEGIN):
        if at < taken:
            continue
        row, start, end = buffer.row(at)
        header = _KEY_HEADER.match(buffer.bytes, at, end)
        footer = _KEY_END.search(buffer.bytes, header.end(), min(end, header.end() + MAX_KEY_BYTES)) if header else None
        if not header or not footer:
            continue
        taken = footer.end()
        lines = [match.span() for match in _KEY_LINE.finditer(buffer.bytes, header.end(), footer.start())]
        body = b"".join(buffer.bytes[first:last] for first, last in lines)
        if len(body) >= MIN_KEY_BYTES and _varied(body, 4.0):
            for first, last in lines:
                yield Finding(row, first - start, last - start, "private_key")


SECRETS: Filter[list[str]] = Filter(
    stage="secrets",
    measure=lambda rows, plan: in_words(find_secrets(rows.column("content")), rows.num_rows),
    decide=lambda found, languages, plan: decide_findings(found, "secret"),
    scores=(
        Score(
            "found", pa.string(), lambda found: [words or None for words in found], lambda plan, language: plan.secrets
        ),
    ),
    active=lambda plan: plan.secrets == DROP,
)
