"""Passwords in URLs are found whatever the host is called; hosts and passwords of documentation are whole values."""

import pyarrow as pa
import pytest

from stackfim.transforms.filters.secrets import find_secrets


def passwords(text: str) -> list[str]:
    content = text.encode()
    return [content[found.start : found.end].decode() for found in find_secrets(pa.array([content], pa.binary()))]


@pytest.mark.parametrize(
    "host",
    [
        "redis-14.c10.cloud.fleetbox.io:6379/0",
        "db7.fleetbox.io:5432/app",
        "proxy-3.fleetbox.io",
        "server4.fleetbox.io",
        "mongo1.fleetbox.io",
        "postgres-main.fleetbox.io",
        "food-api.io",
        "barracks.io",
        "acmecorp.de",
        "domainfactory.de",
        "example-corp.com",
        "latest.io",
        "localhost.fleetbox.io",
        "93.184.216.34",
        "db:5432/app",
        "10.0.3.4:5432",
        "localhost",
    ],
)
def test_a_random_password_is_found_whatever_the_host_is_called(host: str) -> None:
    assert passwords(f'X = "redis://svc:To21oKpdaZPNtriSPv@{host}"') == ["To21oKpdaZPNtriSPv"]


@pytest.mark.parametrize(
    "host", ["example.com", "api.example.org", "a.test", "x.invalid", "foo.com", "domain.com", "example"]
)
def test_hosts_of_documentation_have_no_real_password(host: str) -> None:
    assert passwords(f"https://svc:To21oKpdaZPNtriSPv@{host}/x") == []


@pytest.mark.parametrize("password", ["p%40Ss9xQ2w", "Xk93user82Lq", "fakE9xQ2wLp8", "aB3$8xKq2L", "q7*Kz!9mWc"])
def test_a_password_may_have_any_character_and_any_word_by_chance(password: str) -> None:
    assert passwords(f"postgres://app:{password}@c9.fleetbox.io") == [password]


@pytest.mark.parametrize(
    "password", ["$PASSWORD", "${PASS}", "%s", "%(pw)s", "<password>", "****", "your-password", "{{pw}}", "secret"]
)
def test_variables_and_words_that_only_say_so_are_no_passwords(password: str) -> None:
    assert passwords(f"postgres://app:{password}@c9.fleetbox.io") == []
