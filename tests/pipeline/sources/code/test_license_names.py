"""Licenses from expressions, classifiers, informal names and texts: exact where a license is stated, none otherwise."""

import importlib.metadata
import string
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from license_expression import get_spdx_licensing

from stackfim.pipeline.sources.code import license_texts
from stackfim.pipeline.sources.code.license_names import (
    ClassifierLicenses,
    address_licenses,
    classifier_licenses,
    expression_licenses,
    family_members,
    field_licenses,
)
from stackfim.pipeline.sources.code.license_texts import recognise
from stackfim.transforms.filters.license_addresses import ADDRESSES
from stackfim.transforms.filters.license_classifiers import CLASSIFIERS

ROOT = Path(__file__).parents[4]


def test_every_identifier_in_the_tables_is_a_current_one_of_spdx() -> None:
    known = get_spdx_licensing().known_symbols
    texts = {text.license for text in license_texts._TEXTS}
    used = {*CLASSIFIERS.values(), *ADDRESSES.values(), *texts}
    assert [name for name in sorted(used) if name not in known] == []


@pytest.mark.parametrize(
    ("expression", "licenses"),
    [
        ("MIT", ["MIT"]),
        ("mit", ["MIT"]),
        ("MIT or Apache-2.0", ["MIT OR Apache-2.0"]),
        ("Zlib AND (MIT OR BSD-3-Clause) AND MIT", ["Zlib AND (MIT OR BSD-3-Clause) AND MIT"]),
        ("Apache-2.0 WITH LLVM-exception", ["Apache-2.0 WITH LLVM-exception"]),
        ("GPL-2.0+", ["GPL-2.0-or-later"]),
        ("GPL-3.0", ["GPL-3.0-only"]),
        ("MIT AND LicenseRef-Mine", []),
        ("UNLICENSED", []),
        ("MIT OR", []),
        ("()", []),
        ("(" * 900, []),
        ("MIT OR " * 1_000 + "MIT", []),
        ("", []),
    ],
)
def test_expressions(expression: str, licenses: list[str]) -> None:
    assert expression_licenses(expression) == licenses


@pytest.mark.parametrize(
    ("text", "licenses"),
    [
        ("MIT", ["MIT"]),
        ("MIT License", ["MIT"]),
        ("The MIT License (MIT)", ["MIT"]),
        ("Mozilla Public License 2.0 (MPL 2.0)", ["MPL-2.0"]),
        ("MIT License (but not for you)", []),
        ("Apache 2.0", ["Apache-2.0"]),
        ("Apache License 2.0", ["Apache-2.0"]),
        ("Apache License, Version 2.0", ["Apache-2.0"]),
        ("Apache Software License 2.0", ["Apache-2.0"]),
        ("Apache-2", ["Apache-2.0"]),
        ("Apache2.0", ["Apache-2.0"]),
        ("BSD 3-Clause", ["BSD-3-Clause"]),
        ("3-Clause BSD License", ["BSD-3-Clause"]),
        ("New BSD", ["BSD-3-Clause"]),
        ("Simplified BSD License", ["BSD-2-Clause"]),
        ("GPLv3", ["GPL-3.0-only"]),
        ("GPL v2 or later", ["GPL-2.0-or-later"]),
        ("GNU General Public License v3.0", ["GPL-3.0-only"]),
        ("GNU General Public License v3 or later", ["GPL-3.0-or-later"]),
        ("LGPL 2.1", ["LGPL-2.1-only"]),
        ("MPL 2.0", ["MPL-2.0"]),
        ("ISC License", ["ISC"]),
        ("PSF", ["PSF-2.0"]),
        ("Boost Software License 1.0", ["BSL-1.0"]),
        ("MIT/Apache-2.0", ["MIT OR Apache-2.0"]),
        ("MIT License and Apache License 2.0", ["MIT AND Apache-2.0"]),
        ("BSD", []),
        ("GPL", ["GPL-1.0-or-later"]),  # without a version, any version: GPL-2.0, section 9
        ("Dual License", []),
        ("MIT and something of our own", []),
        ("Proprietary", []),
        ("UNKNOWN", []),
        ("see LICENSE", []),
        ("", []),
    ],
)
def test_free_text_fields(text: str, licenses: list[str]) -> None:
    assert field_licenses(text) == licenses


@given(st.text(max_size=200) | st.text(string.ascii_letters + " ()/-+.0123", max_size=60))
def test_any_text_gives_known_identifiers_or_none_and_never_fails(text: str) -> None:
    known = get_spdx_licensing().known_symbols
    for licenses in (expression_licenses(text), field_licenses(text), address_licenses(text), recognise(text)):
        words = [word for name in licenses for word in name.replace("(", " ").replace(")", " ").split()]
        assert all(word in known or word in ("OR", "AND", "WITH") for word in words)
        assert len(licenses) == len(set(licenses))


@pytest.mark.parametrize(
    ("classifiers", "found"),
    [
        (["License :: OSI Approved :: MIT License"], ClassifierLicenses(("MIT",), ())),
        (
            ["License :: OSI Approved", "License :: OSI Approved :: ISC License (ISCL)"],
            ClassifierLicenses(("ISC",), ()),
        ),
        (["License :: OSI Approved :: BSD License"], ClassifierLicenses((), ("BSD-",))),
        (
            ["License :: OSI Approved :: Apache Software License", "License :: OSI Approved :: BSD License"],
            ClassifierLicenses(("Apache-2.0",), ("BSD-",)),
        ),
        (["License :: OSI Approved :: MIT License", "License :: Other/Proprietary License"], None),
        (["License :: Public Domain"], None),
        (["Programming Language :: Python"], None),
        (["License :: OSI Approved"], None),
        ([], None),
    ],
)
def test_classifiers(classifiers: list[str], found: ClassifierLicenses | None) -> None:
    assert classifier_licenses(classifiers) == found


def test_a_family_is_made_exact_by_a_candidate_or_stays_open() -> None:
    assert family_members(["BSD-"], ["MIT", "BSD-2-Clause"]) == ["BSD-2-Clause"]
    assert family_members(["BSD-", "GPL-"], ["BSD-2-Clause"]) == []
    assert family_members(["GPL-"], ["LGPL-2.1-only"]) == []


@pytest.mark.parametrize(
    ("address", "licenses"),
    [
        ("https://www.apache.org/licenses/LICENSE-2.0.txt", ["Apache-2.0"]),
        ("http://www.opensource.org/licenses/mit-license.php", ["MIT"]),
        ("https://opensource.org/licenses/MIT", ["MIT"]),
        ("https://opensource.org/license/bsd-3-clause/", ["BSD-3-Clause"]),
        ("http://opensource.org/licenses/BSD-2-Clause", ["BSD-2-Clause"]),
        ("https://www.gnu.org/licenses/old-licenses/lgpl-2.1.html", ["LGPL-2.1-only"]),
        ("https://example.com/license", []),
        ("", []),
    ],
)
def test_addresses(address: str, licenses: list[str]) -> None:
    assert address_licenses(address) == licenses


# Texts


def test_the_license_of_this_project_is_recognised() -> None:
    assert recognise((ROOT / "LICENSE").read_text()) == ["Apache-2.0"]


def test_license_files_of_the_installed_packages_say_what_their_metadata_says() -> None:
    """Real texts: those of all installed packages with one plain license and one license file."""
    plain = ("MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "MPL-2.0")
    compared = 0
    for distribution in importlib.metadata.distributions():
        metadata = distribution.metadata
        stated = [*(metadata.get_all("License-Expression") or []), *(metadata.get_all("License") or []), ""]
        expression = stated[0]
        files = [file for file in distribution.files or [] if file.name.upper().startswith(("LICENSE", "COPYING"))]
        if expression in plain and len(files) == 1 and ".dist-info" in str(files[0]):
            text = Path(str(files[0].locate())).read_text(errors="replace")
            assert expression in recognise(text), f"{metadata['Name']}: {expression}"
            compared += 1
    assert compared > 10


@pytest.mark.parametrize(
    ("text", "licenses"),
    [
        ("GNU GENERAL PUBLIC LICENSE\n   Version 2, June 1991\n ...", ["GPL-2.0-only"]),
        ("GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007\n ...", ["GPL-3.0-only"]),
        ("GNU LESSER GENERAL PUBLIC LICENSE\n Version 2.1, February 1999", ["LGPL-2.1-only"]),
        ("GNU AFFERO GENERAL PUBLIC LICENSE\n Version 3, 19 November 2007", ["AGPL-3.0-only"]),
        ("Mozilla Public License Version 2.0\n====", ["MPL-2.0"]),
        ("# This is free and unencumbered software released\n# into the public domain.", ["Unlicense"]),
        ("Creative Commons Legal Code\n\nCC0 1.0 Universal", ["CC0-1.0"]),
        ("Boost Software License - Version 1.0 - August 17th, 2003", ["BSL-1.0"]),
        ('Licensed under the Apache License, Version 2.0 (the "License")', ["Apache-2.0"]),
        ("All rights reserved.", []),
        ("MIT", []),
        ("", []),
    ],
)
def test_titles_and_phrases(text: str, licenses: list[str]) -> None:
    assert recognise(text) == licenses


def test_a_restricting_rider_makes_a_license_unknown() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert recognise(f'"Commons Clause" License Condition v1.0\n\n{text}') == []


def test_a_huge_text_is_no_license() -> None:
    assert recognise((ROOT / "LICENSE").read_text() + " " * license_texts.MAX_TEXT_CHARS) == []


@pytest.mark.parametrize("text", ["\n" * 190_000, " " * 190_000, " \n" * 95_000, "\r" * 190_000])
def test_a_text_of_line_breaks_and_blanks_is_read_in_time_that_grows_with_its_size(text: str) -> None:
    started = time.process_time()
    assert recognise(text) == []
    assert time.process_time() - started < 3
