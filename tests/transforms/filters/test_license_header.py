"""Licenses that files state themselves: tags and notices in comments count, other mentions of licenses do not."""

import importlib.util
from pathlib import Path

import pyarrow as pa
import pytest

from stackfim.schemas.source import ROW
from stackfim.transforms.filters.license import LicensePolicy
from stackfim.transforms.filters.license_header import (
    HEAD_BYTES,
    PROPRIETARY,
    Statement,
    all_stated_licenses,
    decide_license_headers,
    refused_licenses,
    stated_licenses,
)

GPL = (
    "This program is free software; you can redistribute it and/or modify\nit under the terms of the GNU {kind}General "
    "Public License\nas published by the Free Software Foundation; either version {version}\nof the License, or (at your "
    "option) any later version.\n\nThis program is distributed in the hope that it will be useful,\nbut WITHOUT ANY "
    "WARRANTY; without even the implied warranty of\nMERCHANTABILITY. See the GNU {kind}General Public License for details."
)
MPL = (
    'The contents of this file are subject to the Mozilla Public License\nVersion 1.1 (the "License"); you may not use '
    "this file except in\ncompliance with the License."
)
ALTERNATIVELY = (
    '\n\nAlternatively, the contents of this file may be used under the terms\nof {which} (the "Other License"), in '
    "which case its provisions are applicable instead of those above."
)


def hashes(text: str) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in text.split("\n"))


def stars(text: str) -> str:
    return "/*\n" + "".join(f" * {line}".rstrip() + "\n" for line in text.split("\n")) + " */\n"


def slashes(text: str) -> str:
    return "".join(f"// {line}".rstrip() + "\n" for line in text.split("\n"))


STATED = [
    # language, head, licenses that it puts the file under
    ("Python", "#!/usr/bin/env python\n# SPDX-License-Identifier: GPL-2.0-only\nimport os\n", ["GPL-2.0-only"]),
    ("C", "/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */\nint x;\n",
     ["GPL-2.0-only WITH Linux-syscall-note"]),
    ("C", "// SPDX-License-Identifier: (GPL-2.0+ OR MIT)\n", ["GPL-2.0-or-later OR MIT"]),
    ("HTML", "<!-- SPDX-License-Identifier: MPL-2.0 -->\n<p>x</p>\n", ["MPL-2.0"]),
    ("Markdown", "<!-- SPDX-License-Identifier: CC-BY-SA-4.0 -->\n# Title\n", ["CC-BY-SA-4.0"]),
    ("reStructuredText", ".. SPDX-License-Identifier: GPL-2.0\n\nTitle\n=====\n", ["GPL-2.0-only"]),
    ("Go", "// SPDX-License-Identifier: BUSL-1.1\n\npackage x\n", ["BUSL-1.1"]),
    ("Java", stars("Copyright 2020\n\nSPDX-License-Identifier: EPL-2.0 OR LGPL-2.1"), ["EPL-2.0 OR LGPL-2.1-only"]),
    ("Solidity", "// SPDX-License-Identifier: UNLICENSED\n", ["UNLICENSED"]),
    ("Rust", "// SPDX-License-Identifier: LicenseRef-Acme-Commercial\n", ["LicenseRef-Acme-Commercial"]),
    ("C", stars(GPL.format(kind="", version="2")), ["GPL-2.0-or-later"]),
    ("C", "\ufeff" + stars(GPL.format(kind="", version="2")), ["GPL-2.0-or-later"]),
    ("Python", hashes(GPL.format(kind="", version="3")), ["GPL-3.0-or-later"]),
    ("Python", '"""Tool.\n\n' + GPL.format(kind="", version="3") + '\n"""\nimport os\n', ["GPL-3.0-or-later"]),
    ("Java", stars(GPL.format(kind="Lesser ", version="2.1")), ["LGPL-2.1-or-later"]),
    ("C++", slashes(GPL.format(kind="Library ", version="2")), ["LGPL-2.0-or-later"]),
    ("TypeScript", slashes(GPL.format(kind="Affero ", version="3")), ["AGPL-3.0-or-later"]),
    ("PHP", "<?php\n" + stars(GPL.format(kind="", version="2")), ["GPL-2.0-or-later"]),
    ("Perl", "# License: GPL v2 or later\n", ["GPL-2.0-or-later"]),
    ("Shell", "# This file is licensed under the GPL v2.\n", ["GPL-2.0-only"]),
    ("Python", "# This software may be used and distributed according to the terms of the\n# GNU General Public License, "
     "incorporated herein by reference.\n", ["GPL-1.0-or-later"]),
    ("JavaScript", stars(MPL), ["MPL-1.1"]),
    ("Rust", slashes("This Source Code Form is subject to the terms of the Mozilla Public\nLicense, v. 2.0. If a copy of "
     "the MPL was not distributed with this file"), ["MPL-2.0"]),
    ("Java", stars("All rights reserved. This program and the accompanying materials\nare made available under the terms "
     "of the Eclipse Public License v1.0\nwhich accompanies this distribution"), ["EPL-1.0"]),
    ("Java", stars("The contents of this file are subject to the terms of the Common Development\nand Distribution "
     "License (the License)."), ["CDDL-1.0"]),
    ("Go", slashes("Licensed under the Business Source License 1.1; you may not use"), ["BUSL-1.1"]),
    ("C#", slashes("Information Contained Herein is Proprietary and Confidential."), [PROPRIETARY]),
    ("PHP", "<?php\n" + stars("Unauthorized copying of this file, via any medium is strictly prohibited\nProprietary and "
     "confidential"), [PROPRIETARY]),
    ("Java", stars("ORACLE PROPRIETARY/CONFIDENTIAL. Use is subject to license terms."), [PROPRIETARY]),
]  # fmt: skip

SILENT = [
    ("C", stars("Permission is hereby granted, free of charge, to any person obtaining a copy")),
    ("C", stars("Copyright (c) 2001 The Regents of the University of California. All rights reserved.")),
    ("Python", 'GPL = "This program is free software; you can redistribute it under the terms of the GNU GPL"\n'),
    ("Python", "TAGS = '''\n# SPDX-License-Identifier: GPL-2.0-only\n'''\n"),
    ("Python", "# Finds files with SPDX-License-Identifier: GPL-2.0-only at their head.\n"),
    ("Python", "# Maps names such as GPL and Affero General Public License to identifiers.\nNAMES = {}\n"),
    ("Python", "# Whether the license is compatible with the GNU General Public License.\n"),
    ("Go", "// isGPL tells whether the text is that of the GPL.\nfunc isGPL() {}\n"),
    ("JSON", '{"license": "GPL-2.0", "text": "licensed under the GPL"}\n'),
    ("Markdown", "# Licenses\n\nThis list has code under the terms of the GNU General Public License version 2.\n"),
    ("Shell", "# SPDX-License-Identifier: <license>\n"),
    ("M4", "# This file is free software; the Free Software Foundation gives unlimited permission to copy\n# it.\n\n"
     "m4_define([_LT], [dnl\n" + hashes(GPL.format(kind="", version="2"))),
    ("C", stars(GPL.format(kind="", version="3") + "\n\nAs a special exception, you may create a larger work that contains\n"
     "part or all of the Bison parser skeleton and distribute that work\nunder terms of your choice")),
    ("Python", "# REUSE-IgnoreStart\n# SPDX-License-Identifier: GPL-3.0-only\n"),
    ("C", "int x;\n" * 900 + "/* SPDX-License-Identifier: GPL-2.0 */\n"),
    ("Python", '# Files that say "proprietary and confidential" are dropped.\n'),
    ("JavaScript", "// The password is confidential and must not be logged.\n"),
]  # fmt: skip

DUAL = [
    ("JavaScript", stars("Dual licensed under the MIT or GPL Version 2 licenses.")),
    ("JavaScript", stars("Released under the MIT, BSD, and GPL Licenses.")),
    ("C", stars("This source code is licensed under both the BSD-style license (found in the\nLICENSE file) and the "
     "GPLv2 (found\nin the COPYING file). You may select, at your option, one of the\nabove-listed licenses.")),
    ("C", stars(MPL + ALTERNATIVELY.format(which="the MIT license"))),
    ("C", "// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause\n"),
]  # fmt: skip


def rows(*files: tuple[str, str]) -> pa.RecordBatch:
    """Rows with languages and contents."""
    values = {name: pa.array([""] * len(files)) for name in ROW.names}
    values |= {"content": pa.array([text.encode() for _, text in files], pa.binary())}
    values |= {"language": pa.array([language for language, _ in files])}
    return pa.RecordBatch.from_arrays([values["content"], values["language"]], names=["content", "language"])


def refused(files: pa.RecordBatch, policy: LicensePolicy) -> list[list[str]]:
    """For each file, the licenses that it states and that are not allowed."""
    return [refused_licenses(statements, policy) for statements in all_stated_licenses(files)]


@pytest.mark.parametrize(("language", "head", "licenses"), STATED)
def test_what_a_head_states_is_read(language: str, head: str, licenses: list[str]) -> None:
    statements = stated_licenses(head.encode()[:HEAD_BYTES], language)
    assert [name for statement in statements for name in statement.licenses] == licenses


@pytest.mark.parametrize(("language", "head"), SILENT)
def test_a_file_that_mentions_licenses_states_none(language: str, head: str) -> None:
    assert refused(rows((language, head)), LicensePolicy()) == [[]]


@pytest.mark.parametrize(("language", "head"), DUAL)
def test_a_choice_with_an_allowed_license_is_no_contradiction(language: str, head: str) -> None:
    assert refused(rows((language, head)), LicensePolicy()) == [[]]
    assert refused(rows((language, head)), LicensePolicy(frozenset({"isc"}))) != [[]]


def test_a_choice_needs_an_alternative_that_is_allowed() -> None:
    head = stars(MPL + ALTERNATIVELY.format(which="either the GNU General Public License or the LGPL"))
    assert refused(rows(("C", head)), LicensePolicy()) == [["MPL-1.1", "GPL-1.0-or-later", "LGPL-2.0-or-later"]]
    assert refused(rows(("C", head)), LicensePolicy(frozenset({"mpl-1.1"}))) == [[]]


def test_the_header_is_judged_by_the_same_list_as_the_repository() -> None:
    mit, gpl = ("C", "// SPDX-License-Identifier: MIT\n"), ("C", slashes(GPL.format(kind="", version="2")))
    assert refused(rows(mit, gpl), LicensePolicy()) == [[], ["GPL-2.0-or-later"]]
    assert refused(rows(mit, gpl), LicensePolicy(frozenset({"gpl-2.0-or-later"}))) == [["MIT"], []]


def test_drops_name_the_licenses() -> None:
    stated = [[], [Statement(("GPL-2.0-only",), False), Statement(("MIT",), False), Statement(("MPL-2.0",), False)]]
    drops = decide_license_headers(stated, LicensePolicy())
    assert drops == {1: ("license_header", "the file itself states GPL-2.0-only, MPL-2.0: not on the allow-list")}


@pytest.mark.parametrize(
    "package", ["pydantic", "pip", "packaging", "datasets", "typer", "stackfim.pipeline", "stackfim.transforms"]
)
def test_permissive_packages_pass_even_where_they_are_about_licenses(package: str) -> None:
    """Real files, such as installers, checkers of licenses and this project's own filters."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    files = [file for place in spec.submodule_search_locations or [] for file in sorted(Path(place).rglob("*.py"))]
    contents = [("Python", file.read_text("utf-8", "replace")) for file in files]
    wrong = refused(rows(*contents), LicensePolicy())
    found = {str(file): names for file, names in zip(files, wrong, strict=True) if names}
    # A library that pip has a copy of: chardet was under the LGPL, and its files say so.
    assert [file for file in found if "chardet" not in file] == [], found
    assert len(files) > 5
