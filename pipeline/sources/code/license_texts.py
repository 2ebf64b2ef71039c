"""Recognises licenses by phrases that only their texts have.

A text with a rider that restricts the license (Commons Clause) counts as no license. The text of a GNU license names its
version and grants no later one, so it counts as `-only`. Texts: https://spdx.org/licenses/.
"""

import re
from dataclasses import dataclass

MAX_TEXT_CHARS = 200_000
"""Longer files are not license texts: the longest license has 35,000 characters, and some projects join several."""


@dataclass(frozen=True)
class _Text:
    """A license whose text has all phrases of `has` and none of `lacks`; phrases are as `_flattened` leaves them."""

    license: str
    has: tuple[str, ...]
    lacks: tuple[str, ...] = ()


_MIT_GRANT = "permission is hereby granted, free of charge, to any person obtaining a copy of this software and"
_MIT_CONDITION = "above copyright notice and this permission notice"
_BSD_GRANT = "redistribution and use in source and binary forms, with or without modification, are permitted"
_BSD_BINARY = "redistributions in binary form must reproduce"
_BSD_NAMES = "to endorse or promote products derived from this software without"
_BSD_ADVERTISING = "all advertising materials mentioning features or use of this software"
_BSD_NO_PATENTS = "no express or implied licenses to any party's patent rights are granted"
_APACHE_1 = "the end-user documentation included with the redistribution"
_ISC_GRANT = "for any purpose with or without fee is hereby granted"
_ISC_CONDITION = "provided that the above copyright notice and this permission notice appear in all copies"
_HPND_GRANT = "software and its documentation for any purpose and without fee is hereby granted"
_PSF = "python software foundation license version 2"

_TEXTS = (
    _Text(
        "MIT", (_MIT_GRANT, _MIT_CONDITION), ("the name of the x consortium", "used for good, not evil", "ncsa open")
    ),
    _Text("MIT-0", (_MIT_GRANT, "without restriction"), (_MIT_CONDITION, "ncsa open")),
    _Text("X11", (_MIT_GRANT, _MIT_CONDITION, "the name of the x consortium")),
    _Text("JSON", (_MIT_GRANT, "used for good, not evil")),
    _Text("NCSA", ("university of illinois/ncsa open source license",)),
    _Text("ISC", ("permission to use, copy, modify, and", _ISC_GRANT, _ISC_CONDITION)),
    _Text("0BSD", ("permission to use, copy, modify, and", _ISC_GRANT), (_ISC_CONDITION,)),
    _Text("BSD-4-Clause", (_BSD_GRANT, _BSD_BINARY, _BSD_NAMES, _BSD_ADVERTISING), (_APACHE_1,)),
    _Text("BSD-3-Clause-Clear", (_BSD_GRANT, _BSD_BINARY, _BSD_NAMES, _BSD_NO_PATENTS)),
    _Text("BSD-3-Clause", (_BSD_GRANT, _BSD_BINARY, _BSD_NAMES), (_BSD_ADVERTISING, _BSD_NO_PATENTS, _APACHE_1)),
    _Text("BSD-2-Clause", (_BSD_GRANT, _BSD_BINARY), (_BSD_NAMES, _BSD_ADVERTISING, _APACHE_1)),
    _Text("BSD-1-Clause", (_BSD_GRANT, "must retain the above copyright notice"), (_BSD_BINARY, _BSD_NAMES)),
    _Text("Apache-1.1", (_BSD_GRANT, _APACHE_1)),
    _Text("Apache-2.0", ("apache license version 2.0, january 2004",)),
    _Text(
        "Apache-2.0", ("licensed under the apache license, version 2.0",), ("apache license version 2.0, january 2004",)
    ),
    _Text("MPL-2.0", ("mozilla public license version 2.0",)),
    _Text("MPL-2.0", ("subject to the terms of the mozilla public license, v. 2.0",), ("license version 2.0",)),
    _Text("MPL-1.1", ("mozilla public license version 1.1",)),
    _Text("GPL-2.0-only", ("gnu general public license version 2, june 1991",)),
    _Text("GPL-3.0-only", ("gnu general public license version 3, 29 june 2007",)),
    _Text("LGPL-2.0-only", ("gnu library general public license version 2, june 1991",)),
    _Text("LGPL-2.1-only", ("gnu lesser general public license version 2.1, february 1999",)),
    _Text("LGPL-3.0-only", ("gnu lesser general public license version 3, 29 june 2007",)),
    _Text("AGPL-3.0-only", ("gnu affero general public license version 3, 19 november 2007",)),
    _Text("EPL-1.0", ("eclipse public license - v 1.0",)),
    _Text("EPL-2.0", ("eclipse public license - v 2.0",)),
    _Text("CDDL-1.0", ("common development and distribution license (cddl) version 1.0",)),
    _Text("CDDL-1.1", ("common development and distribution license (cddl) version 1.1",)),
    _Text("EUPL-1.2", ("european union public licence v. 1.2",)),
    _Text("Unlicense", ("this is free and unencumbered software released into the public domain",)),
    _Text("CC0-1.0", ("cc0 1.0 universal",)),
    _Text("CC-BY-4.0", ("attribution 4.0 international",)),
    _Text("CC-BY-SA-4.0", ("attribution-sharealike 4.0 international",)),
    _Text("CC-BY-NC-4.0", ("attribution-noncommercial 4.0 international",)),
    _Text("CC-BY-NC-SA-4.0", ("attribution-noncommercial-sharealike 4.0 international",)),
    _Text("PSF-2.0", (_PSF,), ("beopen.com license agreement",)),
    _Text("Python-2.0", (_PSF, "beopen.com license agreement")),
    _Text(
        "Zlib",
        ("in no event will the authors be held liable", "the origin of this software must not be misrepresented"),
    ),
    _Text("BSL-1.0", ("boost software license - version 1.0",)),
    _Text("Artistic-2.0", ("the artistic license 2.0",)),
    _Text("WTFPL", ("do what the fuck you want to public license",)),
    _Text("UPL-1.0", ("the universal permissive license (upl), version 1.0",)),
    _Text("MS-PL", ("microsoft public license (ms-pl)",)),
    _Text("MulanPSL-2.0", ("mulan permissive software license", "mulan psl v2")),
    _Text("BlueOak-1.0.0", ("blue oak model license", "version 1.0.0")),
    _Text("OFL-1.1", ("sil open font license version 1.1",)),
    _Text("ZPL-2.1", ("zope public license (zpl) version 2.1",)),
    _Text(
        "PostgreSQL", ("software and its documentation for any purpose, without fee, and without a written agreement",)
    ),
    _Text("HPND", (_HPND_GRANT, "provided that the above copyright notice"), ("python", "sell")),
    _Text("MIT-CMU", (_HPND_GRANT, "be used in advertising or publicity pertaining to"), ("beopen.com", "cwi")),
    _Text("SSPL-1.0", ("server side public license version 1",)),
    _Text("BUSL-1.1", ("business source license 1.1",)),
    _Text("Elastic-2.0", ("elastic license 2.0",)),
)

_RESTRICTING_RIDERS = ("commons clause",)


def recognise(text: str) -> list[str]:
    """SPDX identifiers of the licenses whose texts are in `text`, in a fixed order; empty when none is recognised."""
    if len(text) > MAX_TEXT_CHARS:
        return []
    flat = _flattened(text)
    if any(rider in flat for rider in _RESTRICTING_RIDERS):
        return []
    found = [
        known.license
        for known in _TEXTS
        if all(phrase in flat for phrase in known.has) and not any(phrase in flat for phrase in known.lacks)
    ]
    return list(dict.fromkeys(found))


def _flattened(text: str) -> str:
    """Lower case, one space between words, without comment and quotation marks and markup."""
    text = re.sub(r"[’‘`]", "'", text.lower())
    text = re.sub(r"[\"“”*#>_]|^[^\S\n]*(?://+|;+|--|\.\.)", " ", text, flags=re.MULTILINE)
    return " ".join(text.split())
