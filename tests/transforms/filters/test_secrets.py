"""Planted secrets are found by their structure, and nothing that only looks like one. All of them are made up here."""

from __future__ import annotations

import base64
import json
import random
import string
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.filters.findings import Finding, counts_by_row, decide_findings, in_words, without_overlaps
from stackfim.transforms.filters.secrets import find_secrets

if TYPE_CHECKING:
    from tests.fixture_types import SourceFile

ALPHANUMERIC = string.ascii_letters + string.digits
URL_SAFE = ALPHANUMERIC + "-_"
BASE32 = string.ascii_uppercase + "234567"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


class Maker:
    """Makes secrets of every kind from a seed. Prefixes are put together here, so that no scanner of secrets finds them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def draw(self, alphabet: str, length: int) -> str:
        return "".join(self.random.choice(alphabet) for _ in range(length))

    def mixed(self, length: int, alphabet: str = ALPHANUMERIC) -> str:
        return self.draw(alphabet, length - 3) + "7Kq"

    def with_checksum(self, prefix: str) -> str:
        body = self.draw(BASE62, 30)
        value, checksum = zlib.crc32(body.encode()), ""
        for _ in range(6):
            value, digit = divmod(value, 62)
            checksum = BASE62[digit] + checksum
        return prefix + body + checksum

    def jwt(self) -> str:
        def encoded(value: dict[str, object]) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

        header = encoded({"alg": self.random.choice(["HS256", "RS256", "ES512"]), "typ": "JWT"})
        return ".".join((header, encoded({"sub": self.draw(string.digits, 8), "iat": 1}), self.mixed(43, URL_SAFE)))

    def private_key(self) -> str:
        kind = self.random.choice(["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
        lines = [self.draw(ALPHANUMERIC + "+/", 64) for _ in range(6)] + [self.draw(ALPHANUMERIC, 22) + "=="]
        dashes = "-" * 5
        return "\n".join([f"{dashes}BEGIN {kind}PRIVATE KEY{dashes}", *lines, f"{dashes}END {kind}PRIVATE KEY{dashes}"])

    def github_token(self) -> str:
        if self.random.random() < 0.3:
            return "github" + "_pat_" + self.mixed(22) + "_" + self.mixed(59)
        return self.with_checksum("gh" + self.random.choice("pousr") + "_")

    def slack_token(self) -> str:
        numbers = (self.draw("123456789", 11), self.draw("123456789", 12))
        return "-".join((f"xox{self.random.choice('bp')}", *numbers, self.mixed(24)))

    def make(self, kind: str) -> tuple[str, str]:
        """A secret, and the text that it stands in with `{}` in its place."""
        return SECRETS[kind](self), self.random.choice(PLACES.get(kind, QUOTED))


HEX = "0123456789abcdef"
SECRETS: dict[str, Callable[[Maker], str]] = {
    "aws_access_key_id": lambda make: make.random.choice(["AK", "AS"]) + "IA" + make.draw(BASE32, 16),
    "aws_secret_access_key": lambda make: make.mixed(40, ALPHANUMERIC + "/+"),
    "github_token": Maker.github_token,
    "gitlab_token": lambda make: "gl" + "pat-" + make.mixed(20, URL_SAFE),
    "slack_token": Maker.slack_token,
    "slack_webhook": lambda make: f"T{make.draw(BASE32, 8)}/B{make.draw(BASE32, 8)}/{make.mixed(24)}",
    "google_api_key": lambda make: "AI" + "za" + make.mixed(35, URL_SAFE),
    "google_oauth_secret": lambda make: "GOC" + "SPX-" + make.mixed(28, URL_SAFE),
    "stripe_key": lambda make: (
        make.random.choice("sr") + "k_" + make.random.choice(["live_", "test_"]) + make.mixed(24)
    ),
    "json_web_token": Maker.jwt,
    "npm_token": lambda make: make.with_checksum("npm" + "_"),
    "pypi_token": lambda make: "py" + "pi-AgEIcHlwaS5vcmc" + make.mixed(120, URL_SAFE),
    "hugging_face_token": lambda make: "h" + "f_" + make.draw(ALPHANUMERIC, 34),
    "openai_key": lambda make: "s" + "k-" + make.mixed(20) + "T3Blbk" + "FJ" + make.mixed(20),
    "anthropic_key": lambda make: "sk-" + "ant-api03-" + make.mixed(93, URL_SAFE) + "AA",
    "sendgrid_key": lambda make: "S" + "G." + make.mixed(22, URL_SAFE) + "." + make.mixed(43, URL_SAFE),
    "azure_storage_key": lambda make: make.mixed(86, ALPHANUMERIC + "+/") + "==",
    "digitalocean_token": lambda make: "dop" + "_v1_" + make.draw(HEX, 64),
    "shopify_token": lambda make: "shp" + "at_" + make.draw(HEX, 32),
    "telegram_token": lambda make: make.draw("123456789", 9) + ":A" + "A" + make.mixed(33, URL_SAFE),
    "url_password": lambda make: make.mixed(14),
    "private_key": Maker.private_key,
}
KINDS = [*SECRETS]
QUOTED = ['key = "{}"', "key: {}", "export KEY={}", "KEY='{}';", '{{"key":"{}"}}', "({})", "{}"]
PLACES = {
    "aws_secret_access_key": [
        *("aws_secret_access_key = {}", 'AWS_SECRET_KEY="{}"', "secretAccessKey: '{}'", '"SecretAccessKey": "{}"')
    ],
    "slack_webhook": ["https://hooks.slack." + "com/services/{}"],
    "npm_token": ["//registry.example.org/:_authToken={}"],
    "pypi_token": ["password = {}"],
    "azure_storage_key": ["DefaultEndpointsProtocol=https;AccountName=x;Account" + "Key={};"],
    "url_password": ["https://deploy:{}@git.initech.io/a.git", "amqp://svc:{}@mq7.initech.io:5672/"],
    "private_key": ["{}"],
}


def column(texts: list[str | bytes]) -> pa.BinaryArray:
    return pa.array([text if isinstance(text, bytes) else text.encode() for text in texts], pa.binary())


def kinds_in(text: str | bytes) -> set[str]:
    return {finding.kind for finding in find_secrets(column([text]))}


def test_three_hundred_planted_secrets_are_found(installed: tuple[SourceFile, ...]) -> None:
    maker = Maker(1)
    hosts = [file.content for file in installed]
    files, expected = [], []
    for number in range(308):
        kind = KINDS[number % len(KINDS)]
        secret, place = maker.make(kind)
        host = hosts[number % len(hosts)]
        cut = host.find(b"\n", maker.random.randrange(len(host))) + 1
        files.append(host[:cut] + place.format(secret).encode() + b"\n" + host[cut:])
        expected.append((kind, secret.encode()))
    found: dict[int, list[tuple[str, bytes]]] = {}
    for finding in find_secrets(pa.array(files, pa.binary())):
        found.setdefault(finding.row, []).append((finding.kind, files[finding.row][finding.start : finding.end]))
    right = 0
    for row, (kind, made) in enumerate(expected):
        values = [value for name, value in found.get(row, []) if name == kind]
        right += values == made.split(b"\n")[1:-1] if kind == "private_key" else made in values
    assert right >= 0.98 * len(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_whole_among_rows_without(kind: str) -> None:
    maker = Maker(7)
    for _ in range(20):
        secret, place = maker.make(kind)
        text = place.format(secret)
        found = find_secrets(column(["", "x = 1\n", text, text[: len(text) // 3]]).slice(1))
        inside = [finding for finding in found if finding.row == 1]
        assert {finding.kind for finding in inside} == {kind}
        covered = [text.encode()[finding.start : finding.end].decode() for finding in inside]
        assert covered == (secret.split("\n")[1:-1] if kind == "private_key" else [secret])


def test_a_checksum_that_does_not_match_is_no_token() -> None:
    maker = Maker(3)
    for _ in range(50):
        token = maker.with_checksum("gh" + "p_")
        other = "A" if token[10] != "A" else "B"
        assert kinds_in(token) == {"github_token"}
        assert kinds_in(token[:10] + other + token[11:]) == set()


def test_a_token_inside_a_longer_word_is_not_found() -> None:
    maker = Maker(4)
    for kind in ("aws_access_key_id", "github_token", "google_api_key", "stripe_key", "shopify_token"):
        secret, _ = maker.make(kind)
        assert kinds_in(f"'{secret}'") == {kind}
        assert kinds_in("x" + secret) == set()
        assert kinds_in(secret + "x") in (set(), {kind} if kind == "stripe_key" else set())


def test_a_web_token_needs_a_header_with_an_algorithm() -> None:
    token = Maker(5).jwt()
    header, payload, signature = token.split(".")
    plain = base64.urlsafe_b64encode(b'{"typ":"JWT","kid":"abcdef"}').decode().rstrip("=")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    tutorial = base64.urlsafe_b64encode(b'{"sub":"1234567890","name":"John Doe"}').decode().rstrip("=")
    assert kinds_in(token) == {"json_web_token"}
    for other in (
        f"{plain}.{payload}.{signature}",
        f"{unsigned}.{payload}.{signature}",
        f"{header}.{tutorial}.{signature}",
    ):
        assert kinds_in(other) == set()


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "AKIA" + "A" * 16,
        "gh" + "p_" + "x" * 36,
        "sk_" + "live_" + "your_key_here_your_key_here",
        "AI" + "za" + "Sy" + "X" * 33,
        "https://user:password@example.com/",
        "https://user:hunter42x@localhost:8080/",
        "postgres://postgres:${DB_PASSWORD}@db.initech.io/x",
        "http://user:{password}@initech.io/",
        "redis://:%s@initech.io",
        "https://initech.io:8080/a@b",
        "ssh://git@github.com:22/x",
        "-----BEGIN "
        + "CERTIFICATE-----\n"
        + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0" * 4
        + "\n-----END CERTIFICATE-----",
        "-----BEGIN " + "PUBLIC KEY-----\n" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0" * 4 + "\n-----END PUBLIC KEY-----",
        "-----BEGIN " + "PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "aws_secret = hashlib.sha1(x) # " + "0123456789abcdef0123456789abcdef01234567",
        "secret_access_key = os.environ['AWS_SECRET_ACCESS_KEY_FOR_THE_BUCKET_OF_X']",
        "eyJ" + "hbGci.eyJzdWI.x",
    ],
)
def test_placeholders_variables_and_public_keys_are_no_secrets(text: str) -> None:
    assert kinds_in(text) == set()


def test_real_files_have_none(sources: tuple[SourceFile, ...], installed: tuple[SourceFile, ...]) -> None:
    assert find_secrets(pa.array([file.content for file in (*sources, *installed)], pa.binary())) == []


@given(st.data())
def test_a_scan_takes_any_text_row_by_row(text_columns: st.SearchStrategy[pa.Array], data: st.DataObject) -> None:
    drawn = data.draw(text_columns)
    maker = Maker(data.draw(st.integers(0, 99)))
    secret, place = maker.make(data.draw(st.sampled_from(KINDS)))
    rows = drawn.to_pylist()
    at = data.draw(st.integers(0, len(rows)))
    rows.insert(at, place.format(secret).encode())
    together = find_secrets(pa.array(rows, pa.binary()))
    alone = [
        finding._replace(row=row)
        for row, value in enumerate(rows)
        for finding in find_secrets(pa.array([value], pa.binary()))
    ]
    assert together == alone
    assert {finding.row for finding in together} == {at}


def test_of_findings_that_overlap_the_earlier_or_longer_one_stays() -> None:
    a, b, c, d = Finding(0, 0, 5, "a"), Finding(0, 3, 9, "b"), Finding(0, 9, 12, "c"), Finding(1, 0, 9, "d")
    assert without_overlaps([d, c, b, a]) == [a, c, d]
    assert without_overlaps([Finding(0, 0, 3, "x"), a]) == [a]


def test_counts_name_kinds_and_never_values() -> None:
    maker = Maker(9)
    first, second = maker.make("shopify_token")[0], maker.make("shopify_token")[0]
    stripe = maker.make("stripe_key")[0]
    found = find_secrets(column(["x", f"{stripe}\n{first}\n{second}\n{first}"]))
    assert counts_by_row(found) == {1: {"shopify_token": 3, "stripe_key": 1}}
    words = in_words(found, 3)
    assert words == ["", "3 shopify_token, 1 stripe_key", ""]
    assert decide_findings(words, "secret") == {1: ("secret", "3 shopify_token, 1 stripe_key")}


@pytest.mark.parametrize("password", ["s3cr3t!", "p4ssw0rd1", "s:3:c:r:e:t", "erroneouspwd"])
def test_a_word_that_says_that_it_is_a_password_is_not_a_secret(password: str) -> None:
    column = pa.array([f"https://ada:{password}@mq7.initech.io/".encode()], pa.binary())
    assert find_secrets(column) == []
    real = pa.array([b"https://ada:Vq8-zR2tLw@mq7.initech.io/"], pa.binary())
    assert [finding.kind for finding in find_secrets(real)] == ["url_password"]
