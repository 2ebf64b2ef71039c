"""Planted secrets are found by their structure; what only looks like one is not. No secret stands here: all are made."""

import base64
import json
import random
import string
import zlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.filters.findings import Finding, counts_by_row, decide_findings, without_overlaps
from stackfim.transforms.filters.secrets import find_secrets

ALPHANUMERIC = string.ascii_letters + string.digits
URL_SAFE = ALPHANUMERIC + "-_"
BASE32 = string.ascii_uppercase + "234567"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


class Maker:
    """Makes secrets of every kind from a seed. Prefixes are put together here, so that no scanner takes them for one."""

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

    def make(self, kind: str) -> tuple[str, str]:
        """A secret and the text that it stands in, `{}` in its place."""
        draw, mixed = self.draw, self.mixed
        quoted = self.random.choice(
            ['key = "{}"', "key: {}", "export KEY={}", "KEY='{}';", '{{"key":"{}"}}', "({})", "{}"]
        )
        match kind:
            case "aws_access_key_id":
                return self.random.choice(["AK", "AS"]) + "IA" + draw(BASE32, 16), quoted
            case "aws_secret_access_key":
                return mixed(40, ALPHANUMERIC + "/+"), self.random.choice(
                    [
                        "aws_secret_access_key = {}",
                        'AWS_SECRET_KEY="{}"',
                        "secretAccessKey: '{}'",
                        '"SecretAccessKey": "{}"',
                    ]
                )
            case "github_token":
                if self.random.random() < 0.3:
                    return "github" + "_pat_" + mixed(22) + "_" + mixed(59), quoted
                return self.with_checksum("gh" + self.random.choice("pousr") + "_"), quoted
            case "gitlab_token":
                return "gl" + "pat-" + mixed(20, URL_SAFE), quoted
            case "slack_token":
                return (
                    f"xox{self.random.choice('bp')}-{draw('123456789', 11)}-{draw('123456789', 12)}-{mixed(24)}",
                    quoted,
                )
            case "slack_webhook":
                path = f"T{draw(BASE32, 8)}/B{draw(BASE32, 8)}/{mixed(24)}"
                return path, "https://hooks.slack." + "com/services/{}"
            case "google_api_key":
                return "AI" + "za" + mixed(35, URL_SAFE), quoted
            case "google_oauth_secret":
                return "GOC" + "SPX-" + mixed(28, URL_SAFE), quoted
            case "stripe_key":
                return self.random.choice("sr") + "k_" + self.random.choice(["live_", "test_"]) + mixed(24), quoted
            case "json_web_token":
                return self.jwt(), quoted
            case "npm_token":
                return self.with_checksum("npm" + "_"), "//registry.npmjs.org/:_authToken={}"
            case "pypi_token":
                return "py" + "pi-AgEIcHlwaS5vcmc" + mixed(120, URL_SAFE), "password = {}"
            case "hugging_face_token":
                return "h" + "f_" + draw(ALPHANUMERIC, 34), quoted
            case "openai_key":
                return "s" + "k-" + mixed(20) + "T3Blbk" + "FJ" + mixed(20), quoted
            case "anthropic_key":
                return "sk-" + "ant-api03-" + mixed(93, URL_SAFE) + "AA", quoted
            case "sendgrid_key":
                return "S" + "G." + mixed(22, URL_SAFE) + "." + mixed(43, URL_SAFE), quoted
            case "azure_storage_key":
                return mixed(
                    86, ALPHANUMERIC + "+/"
                ) + "==", "DefaultEndpointsProtocol=https;AccountName=x;Account" + "Key={};"
            case "digitalocean_token":
                return "dop" + "_v1_" + draw("0123456789abcdef", 64), quoted
            case "shopify_token":
                return "shp" + "at_" + draw("0123456789abcdef", 32), quoted
            case "telegram_token":
                return draw("123456789", 9) + ":A" + "A" + mixed(33, URL_SAFE), quoted
            case "url_password":
                place = self.random.choice(
                    ["https://deploy:{}@git.initech.io/a.git", "amqp://svc:{}@mq7.initech.io:5672/"]
                )
                return mixed(14), place
            case _:
                return self.private_key(), "{}"


KINDS = [
    *("aws_access_key_id", "aws_secret_access_key", "github_token", "gitlab_token", "slack_token", "slack_webhook"),
    *("google_api_key", "google_oauth_secret", "stripe_key", "json_web_token", "npm_token", "pypi_token"),
    *("hugging_face_token", "openai_key", "anthropic_key", "sendgrid_key", "azure_storage_key", "digitalocean_token"),
    *("shopify_token", "telegram_token", "url_password", "private_key"),
]


def column(texts: list[str | bytes]) -> pa.BinaryArray:
    return pa.array([text if isinstance(text, bytes) else text.encode() for text in texts], pa.binary())


def kinds_in(text: str | bytes) -> set[str]:
    return {finding.kind for finding in find_secrets(column([text]))}


def test_three_hundred_planted_secrets_are_found(installed) -> None:
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
    for row, (kind, secret) in enumerate(expected):
        values = [value for name, value in found.get(row, []) if name == kind]
        if kind == "private_key":
            right += values == secret.split(b"\n")[1:-1]
        else:
            right += secret in values
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


def test_a_token_that_goes_on_is_another_word() -> None:
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
def test_placeholders_variables_and_public_things_are_no_secrets(text: str) -> None:
    assert kinds_in(text) == set()


def test_real_files_have_none(sources, installed) -> None:
    assert find_secrets(pa.array([file.content for file in (*sources, *installed)], pa.binary())) == []


@given(st.data())
def test_a_scan_takes_any_text_row_by_row(text_columns, data: st.DataObject) -> None:
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


def test_of_findings_that_overlap_the_earlier_and_longer_stays() -> None:
    a, b, c, d = Finding(0, 0, 5, "a"), Finding(0, 3, 9, "b"), Finding(0, 9, 12, "c"), Finding(1, 0, 9, "d")
    assert without_overlaps([d, c, b, a]) == [a, c, d]
    assert without_overlaps([Finding(0, 0, 3, "x"), a]) == [a]


def test_counts_name_kinds_and_never_values() -> None:
    maker = Maker(9)
    first, second = maker.make("shopify_token")[0], maker.make("shopify_token")[0]
    stripe = maker.make("stripe_key")[0]
    found = find_secrets(column(["x", f"{stripe}\n{first}\n{second}\n{first}"]))
    assert counts_by_row(found) == {1: {"shopify_token": 3, "stripe_key": 1}}
    assert decide_findings(found, "secret") == {1: ("secret", "3 shopify_token, 1 stripe_key")}


@pytest.mark.parametrize("password", ["s3cr3t!", "p4ssw0rd1", "s:3:c:r:e:t", "erroneouspwd"])
def test_a_password_that_says_what_it_is_is_none(password: str) -> None:
    column = pa.array([f"https://ada:{password}@mq7.initech.io/".encode()], pa.binary())
    assert find_secrets(column) == []
    real = pa.array([b"https://ada:Vq8-zR2tLw@mq7.initech.io/"], pa.binary())
    assert [finding.kind for finding in find_secrets(real)] == ["url_password"]
