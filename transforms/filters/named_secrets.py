"""Secrets without a form of their own, told by the name that they are assigned to and by being random.

Any assignment counts: `NAME=value` of shells and dotenv files, Docker's `ENV NAME value`, YAML, INI, JSON, XML, query strings,
options of commands, and calls such as `setToken("value")`, with quotes or without. The names are those of gitleaks' rule
`generic-api-key` and of its rules for services whose keys have no prefix.
"""

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from stackfim.transforms.filters.findings import Buffer, Finding
from stackfim.transforms.filters.secret_values import character_kinds, entropy, is_mixed, is_placeholder, is_random

AWS_SECRET, NAMED_SECRET, SERVICE_KEY, PASSWORD = "aws_secret_access_key", "named_secret", "service_key", "password"
MIN_RUN, MAX_RUN = 16, 256
"""How long a value is that is searched for by its letters and digits, in bytes."""
MAX_NAME_BYTES = 90
"""How far before a value its name may begin, on the same line."""
MAX_LINE_BYTES = 500
"""How far an AWS secret may be from its name, on either side."""

_VALUE = np.zeros(256, bool)
_VALUE[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/")] = True
_DIGIT = np.zeros(256, bool)
_DIGIT[list(b"0123456789")] = True
_ASSIGNED = re.compile(
    rb"(?P<name>[A-Za-z_][A-Za-z0-9_.\-]*+)[\"'`\]\\]{0,3}[ \t]{0,20}(?P<by>:=|:-|=>|->|<-|==|\?=|\|\||=|:|,|>|\()?[ \t]{0,20}"
    rb"(?:Bearer |Basic |[Tt]oken )?(?:[rbuf@$]|\\)?(?P<quote>[\"'`]?)\(?[\"'`]?\Z"
)
_BY_BLANK = re.compile(
    rb"(?:\b(?:ENV|ARG|machine)[ \t][^=:]*|(?:^|[ \t\"'])--?)[\w\-]+[ \t]+[\"']?\Z|[ \t:](?:Bearer|Basic|[Tt]oken) [\"']?\Z"
)
_NEEDS_QUOTE = (b",", b"(", b"||")
"""Between these and a secret there is a quote: without one a parameter or a variable follows."""
_VALUE_OF = re.compile(rb"(?i:value|default|content|string|const|val|text|data)\Z")
_SECRET_NAME = re.compile(
    rb"(?i:secret|token|passw(?:or)?d|passwd|pwd|passphrase|credential|bearer|(?:api|access|auth|private|encrypt(?:ion)?|"
    rb"sign(?:ing)?|account|master|app|consumer|license|subscription|storage|service|shared|hmac|write|read|admin|deploy|"
    rb"client|aes|webhook|session|session_?secret|jwt|crypt|cookie)[_\-. ]?key)"
)
_NO_SECRET_NAME = re.compile(
    rb"(?i:public|pubkey|hash|checksum|sha\d*(?:\b|_)|digest|md5|integrity|version|path|file|url|uri|csrf|xsrf|verification|"
    rb"placeholder|example|fixture|expect|mock|dummy|fake|sample|invalid|resource|fingerprint|thumbprint|commit|etag|"
    rb"token[_-]?(?:type|kind|address|name|count|symbol|contract)|tokeni[sz]|label|message|regex|pattern|selector|class|"
    rb"field|column|header|param|attr|prefix|suffix|icon|font|tooltip)"
)
_PUBLIC = re.compile(rb"(?i:public)[^\n=:\"']{0,24}[=:][^=:]{0,4}\Z")
_SERVICE = re.compile(
    rb"(?i:adafruit|adobe|airtable|algolia|alibaba|aliyun|asana|atlassian|confluence|jira|bitbucket|bittrex|beamer|cloudflare|codecov|"
    rb"cohere|coinbase|confluent|contentful|datadog|discord|droneci|dropbox|etsy|facebook|fastly|finicity|finnhub|flickr|"
    rb"freshbooks|gitter|gocardless|heroku|hubspot|intercom|jfrog|artifactory|kraken|kucoin|launchdarkly|linkedin|looker|"
    rb"mailchimp|mailgun|mattermost|meraki|message_?bird|netlify|new_?relic|nytimes|okta|pagerduty|plaid|rapidapi|sendbird|"
    rb"sentry|snyk|sonar|squarespace|sumo_?logic|travis|twilio|twitch|twitter|yandex|zendesk|mistral|deepseek|pinecone)"
    rb"[a-z0-9_\-.]{0,30}(?:key|token|secret|sid|auth|password|dsn|\Z)"
)
_AFTER = frozenset(b" \t\r\n\"'`;,&)]}<\\#|>@?=")
_PADDING = re.compile(rb"={1,2}(?![A-Za-z0-9=])")
_TWILIO = re.compile(rb"SK[0-9a-f]{32}")


def named_secrets(buffer: Buffer) -> Iterator[Finding]:
    """Random values of 16 bytes or more that are assigned to the name of a secret or of a service's key."""
    starts, ends = _runs(buffer.data)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        row, row_start, row_end = buffer.row(start)
        start, end = max(start, row_start), min(end, row_end)
        # In `${NAME:-value}` of shells and compose files the hyphen is not a part of the value.
        start += buffer.bytes[max(row_start, start - 1) : start + 1] == b":-"
        value = buffer.bytes[start:end]
        if len(value) < MIN_RUN or not _ends(buffer, end, row_end):
            continue
        before = buffer.bytes[max(row_start, start - MAX_NAME_BYTES) : start].rpartition(b"\n")[2]
        kind = _kind(before, value)
        if kind:
            padding = _PADDING.match(buffer.bytes, end, row_end)
            yield Finding(row, start - row_start, padding.end() - row_start if padding else end - row_start, kind)


def _runs(data: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where runs of a value's characters begin and end that are long enough and have two digits."""
    inside = np.concatenate(([False], _VALUE[data], [False]))
    borders = np.flatnonzero(inside[1:] != inside[:-1])
    starts, ends = borders[::2], borders[1::2]
    long = (ends - starts >= MIN_RUN) & (ends - starts <= MAX_RUN)
    starts, ends = starts[long], ends[long]
    digits = np.concatenate(([0], np.cumsum(_DIGIT[data], dtype=np.int64)))
    enough = digits[ends] - digits[starts] >= 2
    return starts[enough], ends[enough]


def _ends(buffer: Buffer, end: int, row_end: int) -> bool:
    return end == row_end or buffer.bytes[end] in _AFTER


def _kind(before: bytes, value: bytes) -> str | None:
    """The kind of a value after the text before it on its line; None for most."""
    if _TWILIO.fullmatch(value) and is_mixed(value):
        return SERVICE_KEY
    assigned = _ASSIGNED.search(before)
    if not assigned or not _is_assignment(assigned, before):
        return None
    name = assigned["name"]
    if _VALUE_OF.search(name):
        name = before
    if _NO_SECRET_NAME.search(name) or _PUBLIC.search(before):
        return None
    kind = NAMED_SECRET if _SECRET_NAME.search(name) else SERVICE_KEY if _SERVICE.search(name) else None
    return kind if kind and is_random(value) and value.lower() not in name.lower() else None


def _is_assignment(assigned: re.Match[bytes], before: bytes) -> bool:
    operator = assigned["by"]
    if operator is None:
        return _BY_BLANK.search(before) is not None
    return operator not in _NEEDS_QUOTE or bool(assigned["quote"])


_AWS_ANCHORS = (b"ecret", b"ECRET")
_AWS_VALUE = re.compile(rb"(?<![A-Za-z0-9/+_\-.])(?:[A-Za-z0-9/+]|%2[BbFf]|\\/){40}(?![A-Za-z0-9/+=_\-.])")
_AWS_NAME = re.compile(rb"(?i:aws|amazon|s3)[^\n]{0,40}?(?i:secret)|(?i:secret[_\-]?access[_\-]?key)")
_ESCAPE = re.compile(rb"%2[BbFf]|\\/")


def aws_secrets(buffer: Buffer) -> Iterator[Finding]:
    """Forty characters of base 64 after a name that says AWS and secret, on the same line."""
    searched = -1
    for anchor in _AWS_ANCHORS:
        for at in buffer.occurrences(anchor):
            row, start, end = buffer.row(at)
            first = max(start, at - MAX_LINE_BYTES)
            line_start = max(buffer.bytes.rfind(b"\n", first, at) + 1, first)
            if line_start == searched:
                continue
            stop = min(end, at + MAX_LINE_BYTES)
            line_end = buffer.bytes.find(b"\n", at, stop)
            line = buffer.bytes[line_start : line_end if line_end >= 0 else stop]
            if not (name := _AWS_NAME.search(line)):
                continue
            searched = line_start
            for match in _AWS_VALUE.finditer(line, name.end()):
                if _is_aws_secret(_ESCAPE.sub(b"/", match.group())):
                    at_line = line_start - start
                    yield Finding(row, at_line + match.start(), at_line + match.end(), AWS_SECRET)


def _is_aws_secret(secret: bytes) -> bool:
    return character_kinds(secret) == 3 and entropy(secret) >= 4.0 and not is_placeholder(secret)


_PASSWORD_ANCHORS = (b"assw", b"ASSW", b"pwd", b"PWD", b"assphrase", b"ASSPHRASE")
_PASSWORD = re.compile(
    rb"(?P<name>[A-Za-z]{2,8}(?:_[A-Za-z0-9]{1,12})?)(?:\\?[\"'`\]])?[ \t]{0,10}"
    rb"(?P<by>:=|:-|=>|\?=|=|:|,|>|\(|,?[ \t]{0,3}[\"']?[Vv]alue[\"']?[ \t]{0,3}[=:]|(?<=[ \t]))[ \t]{0,10}"
    rb"(?:(?P<quote>\\?[\"'`])(?P<quoted>[^\s\"'`\\<>{}]{8,64})(?P=quote)"
    rb"|(?P<bare>[A-Za-z0-9!#%*+\-/=?@^_~]{8,64})(?=[\s;&\"'<\\}]|\Z))"
)

# What a value follows after a blank: an option of a command, and Docker's instructions.
_TAKES_VALUE = re.compile(rb"(?:\b(?:ENV|ARG)[ \t]+|(?:^|[\s\"'])--?)[\w\-]*\Z")
_MAX_OPTION = 40


def assigned_passwords(buffer: Buffer) -> Iterator[Finding]:
    """Random values of 8 to 64 bytes that are assigned to a name that ends in a word for passwords."""
    for anchor in _PASSWORD_ANCHORS:
        for at in buffer.occurrences(anchor):
            row, start, end = buffer.row(at)
            match = _PASSWORD.match(buffer.bytes, at, end)
            if not match or _NO_SECRET_NAME.search(match["name"]):
                continue
            group = "quoted" if match["quoted"] is not None else "bare"
            if group == "bare" and match["by"] in _NEEDS_QUOTE:
                continue
            if not match["by"] and not _TAKES_VALUE.search(buffer.bytes[max(start, at - _MAX_OPTION) : at]):
                continue
            if is_password_like(match[group]):
                yield Finding(row, match.start(group) - start, match.end(group) - start, PASSWORD)


_CODE = re.compile(
    rb"^[$%@&*/]|[$%]\{|[a-z]\.[a-z]|::|->|==|//|__|\(|^[a-z]{3,}[A-Z][a-z]{2,}|[A-Za-z]{2}/[A-Za-z]{2,64}/"
)
# Passwords such as `s3cr3t` and `pass:word` only say what they are.
_SAYS_SO = re.compile(rb"secret|passw|pwd|token|^user|user$|^pass|pass$")
_LOOKALIKES = bytes.maketrans(b"01345", b"oleas")
_SEPARATORS = b":@-_.!*+ "
_CHANGES = re.compile(rb"[0-9][A-Za-z]|[A-Za-z][0-9]")


def says_that_it_is_one(password: bytes) -> bool:
    """Whether a password, read with `0` as `o` and so on, has a word in it that only says that it is a password."""
    return _SAYS_SO.search(password.lower().translate(_LOOKALIKES, _SEPARATORS)) is not None


def is_password_like(value: bytes) -> bool:
    """Whether a password without a known form is random, and neither code nor words with a number beside them."""
    if _CODE.search(value) or not is_random(value):
        return False
    if len(value) < 20 and says_that_it_is_one(value):
        return False
    return character_kinds(value) == 3 or (len(value) >= 12 and len(_CHANGES.findall(value)) >= 3)
