"""Passwords in URLs: `scheme://user:password@host` (RFC 3986, section 3.2.1), whatever the host is called.

A host that RFC 2606 reserves, or whose whole name is one that documentation uses, has no real password. On a host that
stands for another one (`localhost`, `db`, a private address) a password is real only where it is random.
"""

import re
from collections.abc import Iterator

from stackfim.transforms.filters.findings import Buffer, Finding
from stackfim.transforms.filters.named_secrets import is_password_like, says_that_it_is_one
from stackfim.transforms.filters.secret_values import is_placeholder, is_random, is_varied

URL_PASSWORD = "url_password"
_URL = re.compile(
    rb"(?::|%3[Aa]|\\?/)(?://|%2[Ff]%2[Ff]|\\/\\/)[^\s:/@?#\"'`<>\\(){}$]{0,100}:(?P<secret>[^\s/@?#\"'`<>\\]{1,200})@"
    rb"(?P<host>[A-Za-z0-9][A-Za-z0-9.\-]*|\[[0-9a-fA-F:]+\])"
)
_DOCUMENTED_HOST = re.compile(
    rb"(?i:(?:[a-z0-9\-]+\.)*(?:example|test|invalid)|(?:[a-z0-9\-]+\.)*example\.(?:com|org|net|edu|io|de)|"
    rb"(?:www\.|my\.|your\.|sub\.|some\.)?(?:foo|bar|baz|foobar|domain|somewhere|somehost|acme|company|yourdomain|mydomain|mysite|"
    rb"yoursite|your-?domain|my-?domain|host|hostname|server|site|website|contoso)\.(?:com|org|net|io|local|bar|tld))"
)
_STAND_IN_HOST = re.compile(
    rb"(?i:(?:[a-z0-9\-]+\.)*(?:localhost|local|localdomain|internal)|127(?:\.[0-9]+){3}|0\.0\.0\.0|10(?:\.[0-9]+){3}|"
    rb"192\.168\.[0-9]+\.[0-9]+|172\.(?:1[6-9]|2[0-9]|3[01])\.[0-9]+\.[0-9]+|"
    rb"(?:my|your|some|the)?[\-_]?(?:host|hosts|hostname|server|proxy|domain|db|database|redis|postgres|postgresql|pg|mysql|mariadb|"
    rb"mongo|mongodb|rabbitmq|rabbit|broker|cache|queue|foo|bar|baz|foobar|acme|somewhere|test|api|web|app|node|master|remote|ip|"
    rb"address|url|registry|repo)[0-9]{0,2})"
)
_WEAK = frozenset(
    b"password passwd pass pwd secret token user username admin root test guest login key apikey api_key foo bar baz pw p x y "
    b"postgres mysql example changeme s3cret p4ssw0rd passw0rd hunter2 credentials 1234 12345 123456 abc abcd qwerty "
    b"oauth2 oauth x-oauth-basic x-token-auth y0 pass1 pass2 user1 user2 mypass mypassword secretpassword".split()
)
_NO_PASSWORD = re.compile(
    rb"^\$|%20|\$[{(]|\$[A-Za-z_]{3}|^%|%[sd(]|\.\.\.|^:|^//|^\d{1,5}$|[{}<>|()\[\]]|^\*|\*\*\*|#\{|^env\.|^process\.env"
)


def url_passwords(buffer: Buffer) -> Iterator[Finding]:
    """The password of every URL that has a real one."""
    for at in buffer.occurrences(b"://"):
        row, start, end = buffer.row(at)
        match = _URL.match(buffer.bytes, at, end)
        if match and _is_real(match["secret"], match["host"]):
            yield Finding(row, match.start("secret") - start, match.end("secret") - start, URL_PASSWORD)


def _is_real(password: bytes, host: bytes) -> bool:
    if not _is_password(password) or _DOCUMENTED_HOST.fullmatch(host):
        return False
    return not _STAND_IN_HOST.fullmatch(host) or (len(password) >= 12 and is_password_like(password))


def _is_password(password: bytes) -> bool:
    """Whether it is more than a variable, a placeholder or a word that only says what it is."""
    if len(password) < 5 or password.lower() in _WEAK or _NO_PASSWORD.search(password):
        return False
    if is_placeholder(password) or not is_varied(password, 1.5):
        return False
    return (len(password) >= 12 and is_random(password)) or not says_that_it_is_one(password)
