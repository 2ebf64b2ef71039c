"""A row stays when it has licenses and every one of them is on the list."""

import re

import pyarrow as pa
import pytest

from transforms.filters.license import decide_licenses, licenses_not_allowed, parse_license_list, permissive_licenses

LISTS = pa.list_(pa.field("element", pa.string(), nullable=False))


def decide(rows: list[list[str]], allowed: set[str]) -> dict[int, tuple[str, str]]:
    # A slice, as batches are.
    licenses = pa.array([["GPL-3.0-only"], *rows], LISTS).slice(1)
    return decide_licenses(licenses, licenses_not_allowed(licenses, allowed))


def test_all_licenses_must_be_on_the_list() -> None:
    drops = decide(
        [["MIT"], ["MIT", "GPL-2.0-only", "Apache-2.0"], ["GPL-2.0-only", "SSPL-1.0"]], {"mit", "apache-2.0"}
    )
    assert {row: reason for row, (reason, _) in drops.items()} == {1: "license_not_allowed", 2: "license_not_allowed"}
    assert drops[1][1].startswith("GPL-2.0-only;")
    assert drops[2][1].startswith("GPL-2.0-only, SSPL-1.0;")


def test_a_row_without_a_license_goes() -> None:
    assert decide([[], ["MIT"]], {"mit"})[0][0] == "no_license"


def test_case_makes_no_difference_on_either_side() -> None:
    assert decide([["mit"], ["MIT"], ["Apache-2.0"], ["APACHE-2.0"]], {"Mit", "apache-2.0"}) == {}


def test_a_name_that_only_begins_like_an_allowed_one_is_another() -> None:
    assert list(decide([["MIT-feh"], ["MI"], ["MIT "]], {"mit"})) == [0, 1, 2]


@pytest.mark.parametrize(
    "name", ["MIT", "Apache-2.0", "BSD-3-Clause", "BSD-2-Clause", "Unlicense", "CC0-1.0", "ISC", "0BSD"]
)
def test_the_default_list_has_the_permissive_licenses_of_most_code(name: str) -> None:
    assert name.lower() in permissive_licenses()


@pytest.mark.parametrize(
    "family", ["gpl", "agpl", "lgpl", "mpl", "epl", "cddl", "sspl", "cc-by-nc", "cc-by-sa", "busl"]
)
def test_the_default_list_has_no_copyleft_or_restricted_family(family: str) -> None:
    in_family = re.compile(rf"^{family}(-|$)")
    assert [name for name in permissive_licenses() if in_family.match(name)] == []


def test_the_default_list_allows_no_choice_that_forces_copyleft() -> None:
    assert not permissive_licenses() & {"gpl-2.0-with-classpath-exception", "gpl-3.0-or-later", "lgpl-2.1", "mpl-2.0"}


def test_list_files_have_comments_blank_lines_and_any_line_break() -> None:
    text = "# ours\nMIT\r\n  Apache-2.0  # with its notice\n\n#GPL-3.0-only\nBSD-3-Clause"
    assert parse_license_list(text) == {"mit", "apache-2.0", "bsd-3-clause"}
    assert parse_license_list("") == frozenset()
