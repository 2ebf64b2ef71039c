"""License names as SPDX expressions: identifiers, old and informal ones, expressions of several.

Every license string of a run is read here, whether it is from a package's metadata or from a column of a data set, and the
filter decides on the outcome. A license is never guessed: text that names none, or a family without its variant (`BSD`),
is unknown. Two conventions: `Apache` alone is Apache-2.0, the foundation's only license since 2004, and a GNU license
without a version is any version of it (GPL-2.0, section 9).

Names are those of SPDX's own list and of GitHub, classifiers, addresses, CRAN's forms, and lists that are written as text.

Identifiers and the syntax: https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/, read by license-expression.
"""

import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from stackfim.transforms.filters.license_addresses import address_license
from stackfim.transforms.filters.license_classifiers import CLASSIFIERS
from stackfim.transforms.filters.license_lists import written_list

_MAX_EXPRESSION_CHARS = 1_000
_DEPRECATED = "deprecated_"
"""How The Stack's license detector begins identifiers that SPDX has renamed."""

INFORMAL: dict[str, str] = {
    "0 clause bsd": "0BSD",
    "2 clause bsd": "BSD-2-Clause",
    "3 clause bsd": "BSD-3-Clause",
    "academic free 2.1": "AFL-2.1",
    "academic free 3": "AFL-3.0",
    "afl 2.1": "AFL-2.1",
    "afl 3": "AFL-3.0",
    "agpl": "AGPL-3.0-or-later",
    "agpl 3": "AGPL-3.0-only",
    "agpl 3 or later": "AGPL-3.0-or-later",
    "agpl 3+": "AGPL-3.0-or-later",
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2 january 2004": "Apache-2.0",
    "apache 2+": "Apache-2.0",
    "apl 2": "Apache-2.0",
    "artistic 1": "Artistic-1.0",
    "artistic 2": "Artistic-2.0",
    "asl 2": "Apache-2.0",
    "blue oak model 1": "BlueOak-1.0.0",
    "boost": "BSL-1.0",
    "boost 1": "BSL-1.0",
    "bsd 0 clause": "0BSD",
    "bsd 2": "BSD-2-Clause",
    "bsd 2 clause": "BSD-2-Clause",
    "bsd 3": "BSD-3-Clause",
    "bsd 3 clause": "BSD-3-Clause",
    "bsd new": "BSD-3-Clause",
    "bsd simplified": "BSD-2-Clause",
    "cc by 4": "CC-BY-4.0",
    "cc by nc 4": "CC-BY-NC-4.0",
    "cc by sa 4": "CC-BY-SA-4.0",
    "cc0": "CC0-1.0",
    "cc0 1": "CC0-1.0",
    "cc0 1 universal": "CC0-1.0",
    "cc0 1 universal public domain dedication": "CC0-1.0",
    "cddl 1": "CDDL-1.0",
    "creative commons attribution 4": "CC-BY-4.0",
    "creative commons attribution noncommercial 4": "CC-BY-NC-4.0",
    "creative commons attribution sharealike 4": "CC-BY-SA-4.0",
    "creative commons cc0": "CC0-1.0",
    "creative commons cc0 1 universal": "CC0-1.0",
    "creative commons zero": "CC0-1.0",
    "creative commons zero 1": "CC0-1.0",
    "do what fuck you want to public": "WTFPL",
    "do what fuck you want to public 2": "WTFPL",
    "eclipse distribution 1": "BSD-3-Clause",
    "eclipse public 1": "EPL-1.0",
    "eclipse public 2": "EPL-2.0",
    "edl 1": "BSD-3-Clause",
    "epl 1": "EPL-1.0",
    "epl 2": "EPL-2.0",
    "eupl 1.2": "EUPL-1.2",
    "expat": "MIT",
    "freebsd": "BSD-2-Clause",
    "gnu affero general public 3": "AGPL-3.0-only",
    "gnu affero general public 3 or later": "AGPL-3.0-or-later",
    "gnu agpl": "AGPL-3.0-or-later",
    "gnu agpl 3": "AGPL-3.0-only",
    "gnu general public": "GPL-1.0-or-later",
    "gnu general public 2": "GPL-2.0-only",
    "gnu general public 2 or later": "GPL-2.0-or-later",
    "gnu general public 3": "GPL-3.0-only",
    "gnu general public 3 or later": "GPL-3.0-or-later",
    "gnu gpl": "GPL-1.0-or-later",
    "gnu gpl 2": "GPL-2.0-only",
    "gnu gpl 2 or later": "GPL-2.0-or-later",
    "gnu gpl 2+": "GPL-2.0-or-later",
    "gnu gpl 3": "GPL-3.0-only",
    "gnu gpl 3 or later": "GPL-3.0-or-later",
    "gnu gpl 3+": "GPL-3.0-or-later",
    "gnu lesser general public": "LGPL-2.0-or-later",
    "gnu lesser general public 2.1": "LGPL-2.1-only",
    "gnu lesser general public 2.1 or later": "LGPL-2.1-or-later",
    "gnu lesser general public 3": "LGPL-3.0-only",
    "gnu lesser general public 3 or later": "LGPL-3.0-or-later",
    "gnu lgpl": "LGPL-2.0-or-later",
    "gnu lgpl 2.1": "LGPL-2.1-only",
    "gnu lgpl 3": "LGPL-3.0-only",
    "gpl": "GPL-1.0-or-later",
    "gpl 2": "GPL-2.0-only",
    "gpl 2 only": "GPL-2.0-only",
    "gpl 2 or later": "GPL-2.0-or-later",
    "gpl 2+": "GPL-2.0-or-later",
    "gpl 3": "GPL-3.0-only",
    "gpl 3 only": "GPL-3.0-only",
    "gpl 3 or later": "GPL-3.0-or-later",
    "gpl 3+": "GPL-3.0-or-later",
    "historical permission notice and disclaimer": "HPND",
    "hpnd": "HPND",
    "isc": "ISC",
    "iscl": "ISC",
    "lgpl": "LGPL-2.0-or-later",
    "lgpl 2": "LGPL-2.0-only",
    "lgpl 2 or later": "LGPL-2.0-or-later",
    "lgpl 2+": "LGPL-2.0-or-later",
    "lgpl 2.1": "LGPL-2.1-only",
    "lgpl 2.1 or later": "LGPL-2.1-or-later",
    "lgpl 2.1+": "LGPL-2.1-or-later",
    "lgpl 3": "LGPL-3.0-only",
    "lgpl 3 or later": "LGPL-3.0-or-later",
    "lgpl 3+": "LGPL-3.0-or-later",
    "mit": "MIT",
    "mit 0": "MIT-0",
    "mit expat": "MIT",
    "mit no attribution": "MIT-0",
    "mit x11": "MIT",
    "modified bsd": "BSD-3-Clause",
    "mozilla public 1.1": "MPL-1.1",
    "mozilla public 2": "MPL-2.0",
    "mpl 1.1": "MPL-1.1",
    "mpl 2": "MPL-2.0",
    "ms pl": "MS-PL",
    "mulan psl 2": "MulanPSL-2.0",
    "ncsa": "NCSA",
    "new bsd": "BSD-3-Clause",
    "ofl 1.1": "OFL-1.1",
    "perl": "Artistic-1.0-Perl OR GPL-1.0-or-later",
    "perl 5": "Artistic-1.0-Perl OR GPL-1.0-or-later",
    "postgresql": "PostgreSQL",
    "psf": "PSF-2.0",
    "psf 2": "PSF-2.0",
    "psfl": "PSF-2.0",
    "public domain": "LicenseRef-scancode-public-domain",
    "python foundation": "PSF-2.0",
    "revised bsd": "BSD-3-Clause",
    "sil open font 1.1": "OFL-1.1",
    "simplified bsd": "BSD-2-Clause",
    "unlicense": "Unlicense",
    "upl 1": "UPL-1.0",
    "universal permissive 1": "UPL-1.0",
    "wtfpl": "WTFPL",
    "wtfpl 2": "WTFPL",
    "x11": "X11",
    "zero clause bsd": "0BSD",
    "zlib": "Zlib",
    "zlib libpng": "Zlib",
    "zlib/libpng": "Zlib",
    "zope public 2.1": "ZPL-2.1",
    "zpl 2.1": "ZPL-2.1",
}
"""Common ways to write a license, in the form that `normalised` gives."""

COMBINED: dict[str, str] = {
    "ecos-2.0": "GPL-2.0-or-later WITH eCos-exception-2.0",
    "gpl-2.0-with-autoconf-exception": "GPL-2.0-only WITH Autoconf-exception-2.0",
    "gpl-2.0-with-bison-exception": "GPL-2.0-or-later WITH Bison-exception-2.2",
    "gpl-2.0-with-classpath-exception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "gpl-2.0-with-font-exception": "GPL-2.0-only WITH Font-exception-2.0",
    "gpl-2.0-with-gcc-exception": "GPL-2.0-or-later WITH GCC-exception-2.0",
    "gpl-3.0-with-autoconf-exception": "GPL-3.0-only WITH Autoconf-exception-3.0",
    "gpl-3.0-with-gcc-exception": "GPL-3.0-only WITH GCC-exception-3.1",
    "wxwindows": "LGPL-2.0-or-later WITH WxWindows-exception-3.1",
}
"""Identifiers that SPDX replaced by a license with an exception, in lower case."""

_NOISE = ("the", "license", "licence", "licenses", "licensed", "under", "version", "software")
_SAYS_LICENSE = re.compile(r"licen[cs]e", re.IGNORECASE)
_TEMPLATES = ("MIT", "BSD-2-Clause", "BSD-3-Clause")
"""Licenses that CRAN states with a file for the year and the holder."""
_WITH_ABBREVIATION = re.compile(r"([^()]+)\(([^()]+)\)\s*")
_CHOICE = re.compile(r"\s*(?:/|\||\bor\b)\s*", re.IGNORECASE)
_TOGETHER = re.compile(r"\s*(?:;|,|&|\band\b)\s*", re.IGNORECASE)
# `or later` is a part of a name, not a choice.
_LATER = re.compile(r"\bor\s+(?=later|newer|greater|any\b|higher)", re.IGNORECASE)
_LATER_MARK = re.compile(r"\bor_(?=later|newer|greater|any\b|higher)", re.IGNORECASE)


@lru_cache(maxsize=10_000)
def parse_license(text: str) -> Any | None:
    """The expression that a license string stands for; None where it is unknown.

    Its symbols are current SPDX identifiers, or ScanCode's (`LicenseRef-scancode-...`) where SPDX has none. `/`, `|` and
    `or` between names are a choice; `;`, `,`, `&` and `and` mean all of them, and so does a list that is written as text.
    """
    text = text.strip().removeprefix(_DEPRECATED)
    if not text or len(text) > _MAX_EXPRESSION_CHARS:
        return None
    entries = written_list(text)
    if entries is None:
        return _one_or_several(text)
    each = [_one_or_several(entry.removeprefix(_DEPRECATED)) for entry in entries]
    return _joined("AND", each) if all(expression is not None for expression in each) else None


def _one_or_several(text: str) -> Any | None:
    text = COMBINED.get(text.lower(), text)
    found = _single(text)
    if found is not None:
        return found
    choices = [part for part in _CHOICE.split(_LATER.sub("or_", text)) if part]
    parts = [[_LATER_MARK.sub("or ", part) for part in _TOGETHER.split(choice) if part] for choice in choices]
    if sum(map(len, parts)) < 2:
        return None
    each = [[_single(part) for part in together] for together in parts]
    if not all(all(expression is not None for expression in together) for together in each):
        return None
    return _joined("OR", [_joined("AND", together) for together in each])


def canonical_license(text: str) -> str | None:
    """The same as SPDX text, without repeated parts; None where the license is unknown."""
    found = parse_license(text)
    return str(found) if found is not None else None


def strict_license(text: str) -> str | None:
    """As `canonical_license`, but None for everything that is not an SPDX expression."""
    found = _strict(text.strip()) if len(text) <= _MAX_EXPRESSION_CHARS else None
    return str(found) if found is not None else None


def _strict(text: str) -> Any | None:
    try:
        parsed = _licensing().parse(text, validate=True, strict=True)
    except Exception:  # besides its own errors the parser raises IndexError and others on odd input
        return None
    return _without_repeats(parsed) if parsed is not None else None


def _without_repeats(expression: Any) -> Any:
    """The expression with each operand once, in order, which the library's own simplification would change."""
    arguments = getattr(expression, "args", ())
    if not arguments:
        return expression
    kept = list(dict.fromkeys(_without_repeats(argument) for argument in arguments))
    return type(expression)(*kept) if len(kept) > 1 else kept[0]


def _joined(operator: str, expressions: list[Any]) -> Any:
    distinct = list(dict.fromkeys(expressions))
    return getattr(_licensing(), operator)(*distinct) if len(distinct) > 1 else distinct[0]


def _single(text: str) -> Any | None:
    readers = (_strict, _informal, _classifier, _address, _with_file)
    return next((found for read in readers if (found := read(text)) is not None), None)


def _informal(text: str) -> Any | None:
    plain = normalised(text)
    name = INFORMAL.get(plain) or _full_names().get(plain)
    # A single word, such as `doc` or `fair`, is a license only where the text says so.
    if name is not None and (plain in INFORMAL or " " in plain or _SAYS_LICENSE.search(text)):
        return _strict(name)
    both = _WITH_ABBREVIATION.fullmatch(text)
    if both is None:
        return None
    full, short = (_single(part.strip()) for part in both.groups())
    return full if full == short else None


def _classifier(text: str) -> Any | None:
    """What a trove classifier says, `License :: OSI Approved :: MIT License`; None for a family (`BSD License`)."""
    first, *others = (part.strip() for part in text.split("::"))
    if first != "License" or not others:
        return None
    name = CLASSIFIERS.get(others[-1])
    return _strict(name) if name is not None else None


def _address(text: str) -> Any | None:
    name = address_license(text)
    if name is None:
        return None
    found = _strict(name)
    return found if found is not None else _informal(name)


def _with_file(text: str) -> Any | None:
    """CRAN's `MIT + file LICENSE`, where the file has the year and the holder. With other licenses it restricts them:
    https://cran.r-project.org/doc/manuals/r-release/R-exts.html#Licensing.
    """
    name, _, file = text.rpartition("+")
    if file.split() not in (["file", "LICENSE"], ["file", "LICENCE"]):
        return None
    found = _informal(name.strip())
    return found if str(found) in _TEMPLATES else None


@cache
def _full_names() -> dict[str, str]:
    """SPDX identifiers by the full names of SPDX's own list, normalised."""
    lines = (files(__package__) / "spdx-names.txt").read_text("utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {normalised(name): identifier for identifier, name in rows}


def normalised(text: str) -> str:
    """The text in lower case, without filler words, with `v2.0` and `2.0` both written as `2`."""
    words = [word for word in re.split(r"[\s,()\"'_:-]+", text.lower()) if word and word not in _NOISE]
    spaced = " ".join(words)
    spaced = re.sub(r"\b(apache|a?gpl|lgpl|mpl|bsd|epl|psf|zpl|upl|apl|asl)v?\.?(?=\d)", r"\1 ", spaced)
    spaced = re.sub(r"\b(?:v|ver|v\.)\s?(?=\d)", "", spaced)
    spaced = re.sub(r"\b(?:or|and) (?:any )?(?:later|newer|greater|higher)\b", "or later", spaced)
    # CRAN's `(>= 2)` and `(== 2.0)`.
    spaced = re.sub(r">=\s?(\d+(?:\.\d+)*)", r"\1+", re.sub(r"==\s?(?=\d)", "", spaced))
    return re.sub(r"\b(\d+)(?:\.0)+(?!\d|\.)", r"\1", spaced)


@cache
def _licensing() -> Any:
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()
