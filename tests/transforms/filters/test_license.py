"""Which license strings are allowed: expressions, old and common names, lists and policies; and opt-outs."""

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from license_expression import get_spdx_licensing

from stackfim.pipeline.sources.code.license_names import field_licenses
from stackfim.schemas.source import license_lists
from stackfim.transforms.filters.license import (
    PRESETS,
    LicensePolicy,
    decide_licenses,
    license_problem,
    license_problems,
    parse_license_list,
    permissive_licenses,
    preset_licenses,
)
from stackfim.transforms.filters.license_expressions import COMBINED, INFORMAL, canonical_license, normalised
from stackfim.transforms.filters.opt_out import decide_opt_outs, parse_opt_outs

LISTS = pa.list_(pa.field("element", pa.string(), nullable=False))
ALLOWED, REFUSED, UNKNOWN = None, "license_not_allowed", "license_unknown"

STRINGS = [
    # text as data sets, metadata files and people write it, and what the default list makes of it
    ("MIT", ALLOWED),
    ("mit", ALLOWED),
    ("  MIT ", ALLOWED),
    ("Apache-2.0", ALLOWED),
    ("BSD-3-Clause", ALLOWED),
    ("BSD-2-Clause-FreeBSD", ALLOWED),
    ("BSD-2-Clause-NetBSD", ALLOWED),
    ("CC0-1.0", ALLOWED),
    ("Unlicense", ALLOWED),
    ("ISC", ALLOWED),
    ("MIT-feh", ALLOWED),
    ("deprecated_BSD-2-Clause-FreeBSD", ALLOWED),
    ("GPL-2.0", REFUSED),
    ("GPL-2.0+", REFUSED),
    ("GPL-3.0-or-later", REFUSED),
    ("deprecated_LGPL-2.1+", REFUSED),
    ("deprecated_GPL-3.0", REFUSED),
    ("AGPL-3.0", REFUSED),
    ("LGPL-2.1-only", REFUSED),
    ("MPL-2.0", REFUSED),
    ("EPL-2.0", REFUSED),
    ("CDDL-1.0", REFUSED),
    ("CC-BY-SA-4.0", REFUSED),
    ("CC-BY-NC-4.0", REFUSED),
    ("SSPL-1.0", REFUSED),
    ("BUSL-1.1", REFUSED),
    ("MIT OR Apache-2.0", ALLOWED),
    ("MIT OR GPL-2.0-only", ALLOWED),
    ("(GPL-2.0-only OR MIT)", ALLOWED),
    ("MIT AND GPL-2.0-only", REFUSED),
    ("MIT and Zlib", ALLOWED),
    ("MIT AND (GPL-3.0-only OR BSD-3-Clause)", ALLOWED),
    ("(MIT OR GPL-2.0-only) AND MPL-2.0", REFUSED),
    ("GPL-2.0-only WITH Classpath-exception-2.0", REFUSED),
    ("Apache-2.0 WITH LLVM-exception", ALLOWED),
    ("GPL-2.0-with-classpath-exception", REFUSED),
    ("eCos-2.0", REFUSED),
    ("wxWindows", REFUSED),
    ("LicenseRef-scancode-public-domain", ALLOWED),
    ("LicenseRef-scancode-proprietary-license", REFUSED),
    ("The MIT License (MIT)", ALLOWED),
    ("Apache License, Version 2.0", ALLOWED),
    ("Apache 2", ALLOWED),
    ("New BSD License", ALLOWED),
    ("BSD 3-Clause", ALLOWED),
    ("public domain", ALLOWED),
    ("GPLv3", REFUSED),
    ("GPL", REFUSED),
    ("LGPL", REFUSED),
    ("GNU General Public License v2 or any later version", REFUSED),
    ("Mozilla Public License 2.0 (MPL 2.0)", REFUSED),
    ("MIT/Apache-2.0", ALLOWED),
    ("MIT or GPL v2 or later", ALLOWED),
    ("GPL v2 or later; MIT", REFUSED),
    ("MIT, BSD-3-Clause and Apache 2.0", ALLOWED),
    ("Perl 5", REFUSED),
    ("BSD", UNKNOWN),
    ("MIT and something of our own", UNKNOWN),
    ("MIT OR", UNKNOWN),
    ("Proprietary", UNKNOWN),
    ("UNLICENSED", UNKNOWN),
    ("NOASSERTION", UNKNOWN),
    ("see LICENSE", UNKNOWN),
    ("LicenseRef-Ours", UNKNOWN),
    ("MIT AND LicenseRef-Ours", UNKNOWN),
    ("MI", UNKNOWN),
    ("(" * 500, UNKNOWN),
]

TEXTS = [
    # the beginnings of license texts, as a license field may hold them
    ("Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated\n"
     "files ... The above copyright notice and this permission notice shall be included", ALLOWED),
    ("Redistribution and use in source and binary forms, with or without\nmodification, are permitted ... "
     "Redistributions in binary form must reproduce", ALLOWED),
    ("                                 Apache License\n                           Version 2.0, January 2004", ALLOWED),
    ("This is free and unencumbered software released into the public domain.\n", ALLOWED),
    ("GNU GENERAL PUBLIC LICENSE\n   Version 2, June 1991\n", REFUSED),
    ("GNU AFFERO GENERAL PUBLIC LICENSE\n   Version 3, 19 November 2007\n", REFUSED),
    ("GNU LESSER GENERAL PUBLIC LICENSE\n Version 2.1, February 1999\n", REFUSED),
    ("Mozilla Public License Version 2.0\n==========", REFUSED),
    ("Eclipse Public License - v 2.0\n", REFUSED),
]  # fmt: skip


def decide(rows: list[list[str]], policy: LicensePolicy) -> dict[int, tuple[str, str]]:
    # A slice, as batches are.
    licenses = pa.array([["GPL-3.0-only"], *rows], LISTS).slice(1)
    return decide_licenses(license_problems(licenses, policy))


def allowing(*names: str, **settings: object) -> LicensePolicy:
    return LicensePolicy(frozenset(name.lower() for name in names), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "problem"), STRINGS)
def test_each_license_string_is_decided(text: str, problem: str | None) -> None:
    assert license_problem(text, LicensePolicy()) == problem


@pytest.mark.parametrize(("text", "problem"), TEXTS)
def test_each_license_text_is_decided(text: str, problem: str | None) -> None:
    assert [license_problem(name, LicensePolicy()) for name in field_licenses(text)] == [problem]


def test_informal_names_are_written_as_they_are_looked_up_and_stand_for_current_licenses() -> None:
    assert [name for name in INFORMAL if normalised(name) != name] == []
    for name in (*INFORMAL.values(), *COMBINED.values()):
        assert canonical_license(name) == name
    known = get_spdx_licensing().known_symbols
    assert all(part in known or part in ("OR", "WITH") for name in INFORMAL.values() for part in name.split())


@given(st.text(max_size=80) | st.sampled_from(["MIT", "GPL-2.0", "OR", "AND", "WITH", "(", ")", "bsd"]).map(str))
def test_any_string_is_decided_without_an_error_and_its_canonical_form_the_same(text: str) -> None:
    problem = license_problem(text, LicensePolicy())
    canonical = canonical_license(text)
    assert (canonical is None) == (problem == UNKNOWN)
    if canonical is not None:
        assert canonical_license(canonical) == canonical
        assert license_problem(canonical, LicensePolicy()) == problem


identifiers = st.sampled_from(["MIT", "Zlib", "GPL-2.0-only", "MPL-2.0"])
expressions = st.recursive(
    identifiers, lambda inner: st.tuples(inner, st.sampled_from(["OR", "AND"]), inner), max_leaves=6
)


@given(expressions)
def test_a_choice_needs_one_and_a_conjunction_all(expression: object) -> None:
    def text(part: object) -> str:
        return part if isinstance(part, str) else f"({text(part[0])} {part[1]} {text(part[2])})"  # type: ignore[index]

    def allowed(part: object) -> bool:
        if isinstance(part, str):
            return part in ("MIT", "Zlib")
        sides = (allowed(part[0]), allowed(part[2]))  # type: ignore[index]
        return any(sides) if part[1] == "OR" else all(sides)  # type: ignore[index]

    assert (license_problem(text(expression), LicensePolicy()) is None) == allowed(expression)


def test_all_licenses_of_a_row_must_be_allowed() -> None:
    drops = decide(
        [["MIT"], ["MIT", "GPL-2.0-only", "Apache-2.0"], ["GPL-2.0-only", "SSPL-1.0"], ["MIT", "?"], ["?", "GPL-2.0"]],
        allowing("MIT", "Apache-2.0"),
    )
    assert {row: reason for row, (reason, _) in drops.items()} == {1: REFUSED, 2: REFUSED, 3: UNKNOWN, 4: REFUSED}
    assert drops[1][1].startswith("GPL-2.0-only:")
    assert drops[2][1].startswith("GPL-2.0-only, SSPL-1.0:")
    assert drops[3][1].startswith("?:")


def test_any_license_of_a_row_is_enough_where_the_policy_says_so() -> None:
    drops = decide(
        [["GPL-3.0-only", "MIT"], ["GPL-3.0-only"], ["MIT AND GPL-3.0-only"], ["?"], []], allowing("MIT", policy="any")
    )
    assert {row: reason for row, (reason, _) in drops.items()} == {1: REFUSED, 2: REFUSED, 3: UNKNOWN, 4: "no_license"}
    with pytest.raises(ValueError, match="'most'"):
        LicensePolicy(policy="most")


def test_unknown_and_missing_licenses_stay_only_where_the_policy_allows_them() -> None:
    rows = [["Ours"], [], ["GPL-3.0-only"], ["MIT", "Ours"]]
    assert list(decide(rows, LicensePolicy())) == [0, 1, 2, 3]
    assert list(decide(rows, LicensePolicy(allow_unknown=True))) == [1, 2]
    assert list(decide(rows, LicensePolicy(allow_missing=True))) == [0, 2, 3]


def test_lists_of_lists_and_of_structs_are_one_list() -> None:
    nested = [[{"item": "MIT"}, {"item": "GPL-2.0-only"}], [{"item": "MIT"}], None]
    assert license_problems(license_lists(pa.array(nested)), LicensePolicy()) == [
        (REFUSED, ["GPL-2.0-only"]),
        None,
        ("no_license", []),
    ]
    deeper = license_lists(pa.array([[["MIT"], ["GPL-2.0"]], [["MIT OR GPL-2.0"]]]))
    assert license_problems(deeper, LicensePolicy()) == [(REFUSED, ["GPL-2.0"]), None]


def test_entries_of_a_list_are_compared_by_what_they_stand_for() -> None:
    ours = LicensePolicy(parse_license_list("# ours\nGPL-2.0\nBSD 3-Clause\nOur License\n"))
    for name in ("GPL-2.0-only", "gpl-2.0", "BSD-3-Clause", "our license", "Our License"):
        assert license_problem(name, ours) is None
    assert license_problem("GPL-2.0-or-later", ours) == REFUSED


def test_a_license_with_its_exception_can_be_on_a_list() -> None:
    ours = allowing("GPL-2.0-only WITH Classpath-exception-2.0")
    assert license_problem("GPL-2.0-with-classpath-exception", ours) is None
    assert license_problem("GPL-2.0-only", ours) == REFUSED


@pytest.mark.parametrize("preset", PRESETS)
def test_the_lists_of_stackfim_name_known_licenses(preset: str) -> None:
    names = preset_licenses(preset)
    unknown = [name for name in names if canonical_license(name) is None]
    # ScanCode has keys of its own for old forms of a license, as the default list holds them.
    assert len(unknown) <= (40 if preset == "permissive" else 0), unknown
    assert {"cc0-1.0", "unlicense"} <= names


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    "family", ["gpl", "agpl", "lgpl", "mpl", "epl", "cddl", "sspl", "cc-by-nc", "cc-by-sa", "busl"]
)
def test_no_list_has_a_copyleft_or_restricted_family(preset: str, family: str) -> None:
    in_family = re.compile(rf"^{family}(-|$)")
    assert [name for name in preset_licenses(preset) if in_family.match(name)] == []


def test_the_lists_differ_as_their_names_say() -> None:
    assert {"mit", "apache-2.0", "bsd-3-clause", "isc", "0bsd"} <= permissive_licenses()
    assert {"mit", "artistic-2.0", "ecl-2.0"} <= preset_licenses("stack-v1")
    assert not preset_licenses("public-domain") & {"mit", "apache-2.0", "bsd-2-clause"}
    assert preset_licenses("public-domain") <= permissive_licenses()
    with pytest.raises(ValueError, match="no such list"):
        preset_licenses("free")


def test_list_files_have_comments_blank_lines_and_any_line_break() -> None:
    text = "# ours\nMIT\r\n  Apache-2.0  # with its notice\n\n#GPL-3.0-only\nBSD-3-Clause"
    assert parse_license_list(text) == {"mit", "apache-2.0", "bsd-3-clause"}
    assert parse_license_list("") == frozenset()


def test_repositories_and_owners_are_left_out_whatever_the_case() -> None:
    names = parse_opt_outs("# asked on 1 May\nSome/Thing\nACME # all of it\nhttps://github.com/o/Other.git\n")
    assert names == {"some/thing", "acme", "o/other"}
    rows = ["some/thing", "SOME/THING", "some/thingy", "acme/a", "Acme/b", "acme", "acmes/a", "o/other", "x/acme", ""]
    drops = decide_opt_outs(rows, names)
    assert list(drops) == [0, 1, 3, 4, 5, 7]
    assert {reason for reason, _ in drops.values()} == {"opted_out"}
