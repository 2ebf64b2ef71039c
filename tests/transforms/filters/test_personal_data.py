"""E-mail and public IP addresses are found; addresses that belong to no person and other text are left alone."""

import random
import string

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.transforms.filters.personal_data import find_personal_data

AT = "@"


def found(text: str) -> list[tuple[str, str]]:
    data = text.encode()
    return [
        (finding.kind, data[finding.start : finding.end].decode())
        for finding in find_personal_data(pa.array([b"x@", data, b"y.de"], pa.binary()))
        if finding.row == 1
    ]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("# Author: Ada <{}>", "ada.lovelace@initech.io"),
        ("mailto:{}", "ada@mail.initech.co.uk"),
        ("({}),", "a_b-c+tag@sub-domain.initech.org"),
        ("{}.", "ada@initech.com"),
        ("ends with {}", "ada@initech.software"),
        (r'"line\n{}"', "ada@initech.io"),
        (r"<{}>", "ada@initech.io"),
        ("%3C{}%3E", "ada@initech.io"),
        ("联系{}谢谢", "ada@initech.io"),
        ("ADA: {}", "ADA@INITECH.IO"),
        ("mailto://{}", "ada@initech.io"),
        ("by {}", "me@initech.cc"),
        ("by {}", "ada@163.com"),
        ("by {}", "ada@mysqlab.net"),
        ("by {}", "git@initech.io"),
        ("...{}", "ada@initech.io"),
    ],
)
def test_email_addresses_are_found_whole(text: str, address: str) -> None:
    assert found(text.format(address)) == [("email", address)]


@pytest.mark.parametrize(
    "text",
    [
        f"me{AT}example.com",
        f"ada{AT}mail.example.org",
        f"ada{AT}host.test",
        f"git{AT}github.com:owner/name.git",
        f"git{AT}initech.io:owner/name.git",
        f"user2{AT}host2.com",
        f"ada{AT}x.com",
        f"ada{AT}my-company.org",
        f"https://mail-archive.com/dev{AT}commons.initech.org/1",
        f"noreply{AT}initech.io",
        f"https://ada{AT}initech.io/path",
        f"https://ada:s3{AT}initech.io/",
        "icon@2x.png",
        "lodash@4.17.21.js",
        "@property",
        "foo@bar",
        "matrix @ other.transpose",
        "a@b.c",
        "x = y@z.T(1)",
        "user@host.method()",
        "decorated@module.py",
    ],
)
def test_addresses_of_no_person_and_other_uses_of_the_sign_are_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("host = '{}'", "151.101.65.69"),
        ("http://{}:8080/", "93.184.216.34"),
        ("{}/24", "74.6.143.25"),
        ("reached {}.", "217.160.0.187"),
        ("[{}]", "2a04:4e42:c00::347"),
        ("dns6 = {}", "2606:4700:4700:0:0:0:0:1111"),
        ("from 10.0.0.1 {}", "151.101.65.69"),
    ],
)
def test_public_addresses_are_found_whole(text: str, address: str) -> None:
    assert [value for _, value in found(text.format(address))] == [address]


@pytest.mark.parametrize(
    "text",
    [
        *("10.0.0.1", "172.16.4.5", "192.168.1.77", "127.0.0.1", "0.0.0.0", "169.254.3.4", "255.255.255.0", "224.0.0.251"),
        *("192.0.2.44", "198.51.100.7", "203.0.113.99", "8.8.8.8", "1.1.1.1", "100.64.3.2"),
        *("208.67.222.222", "123.45.67.89", "1.2.3.4", "2.0.0.15", "version 151.101.65.69", "AssemblyVersion(\"21.42.63.84\")", "pkg==81.2.33.44", "v151.101.65.69"),
        *("1.3.6.1.4.1.311.21.20", "2.5.29.37", "300.1.2.3", "01.02.03.044", "151.101.65", "1151.101.65.69", "151.101.65.69.70"),
        *("192.160.0.1", "73.2.0.3", "172.10.20.30", "2020:2020:0:0:0:0:0:2020"),
        *("see section 91.4.33.2", "M 1.08.58 151.23.82.72 1.21"),
        *("2001:db8::1", "fe80::1", "::1", "fd00:1234:5678::1", "std::cout", "12:34:56:78:9a:bc", "2085::2093", "2020:01:02"),
    ],
)  # fmt: skip
def test_private_documented_and_version_numbers_are_left_alone(text: str) -> None:
    assert found(text) == []


@given(st.data())
def test_a_scan_takes_any_text_row_by_row(text_columns: st.SearchStrategy[pa.Array], data: st.DataObject) -> None:
    rows = data.draw(text_columns).to_pylist()
    draw = random.Random(data.draw(st.integers(0, 99)))
    name = "".join(draw.choice(string.ascii_lowercase) for _ in range(8))
    rows.insert(
        data.draw(st.integers(0, len(rows))), f"<{name}{AT}initech.io> from {draw.randrange(60, 90)}.44.55.66".encode()
    )
    together = find_personal_data(pa.array(rows, pa.binary()))
    alone = [
        finding._replace(row=row)
        for row, value in enumerate(rows)
        for finding in find_personal_data(pa.array([value], pa.binary()))
    ]
    assert together == alone
    assert {"email", "ipv4"} <= {finding.kind for finding in together}
