"""SPDX identifiers from what package metadata says about licenses: expressions, trove classifiers, informal names.

A license is never guessed: what names no license, or a family without its variant (`BSD`), gives none. One
convention: `Apache` alone is Apache-2.0, the foundation's only license since 2004.

Identifiers: https://spdx.org/licenses/; classifiers: the Python Package Index, list of trove classifiers.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline.sources.license_texts import recognise

_MAX_EXPRESSION_CHARS = 1_000

# Classifiers that name one license, by the part after the last `::`.
CLASSIFIERS: dict[str, str] = {
    "Aladdin Free Public License (AFPL)": "Aladdin",
    "Apache Software License": "Apache-2.0",
    "Attribution Assurance License": "AAL",
    "Blue Oak Model License (BlueOak-1.0.0)": "BlueOak-1.0.0",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)": "CECILL-2.1",
    "CMU License (MIT-CMU)": "MIT-CMU",
    "CeCILL-B Free Software License Agreement (CECILL-B)": "CECILL-B",
    "CeCILL-C Free Software License Agreement (CECILL-C)": "CECILL-C",
    "Common Development and Distribution License 1.0 (CDDL-1.0)": "CDDL-1.0",
    "Common Public License": "CPL-1.0",
    "Eclipse Public License 1.0 (EPL-1.0)": "EPL-1.0",
    "Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    "Educational Community License, Version 2.0 (ECL-2.0)": "ECL-2.0",
    "European Union Public Licence 1.0 (EUPL 1.0)": "EUPL-1.0",
    "European Union Public Licence 1.1 (EUPL 1.1)": "EUPL-1.1",
    "European Union Public Licence 1.2 (EUPL 1.2)": "EUPL-1.2",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "Historical Permission Notice and Disclaimer (HPND)": "HPND",
    "IBM Public License": "IPL-1.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "MirOS License (MirOS)": "MirOS",
    "Motosoto License": "Motosoto",
    "Mozilla Public License 1.0 (MPL)": "MPL-1.0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Mulan Permissive Software License v2 (MulanPSL-2.0)": "MulanPSL-2.0",
    "NASA Open Source Agreement v1.3 (NASA-1.3)": "NASA-1.3",
    "Nethack General Public License": "NGPL",
    "Nokia Open Source License": "Nokia",
    "Nokia Open Source License (NOKOS)": "Nokia",
    "Open Group Test Suite License": "OGTSL",
    "Open Software License 3.0 (OSL-3.0)": "OSL-3.0",
    "PostgreSQL License": "PostgreSQL",
    "Python License (CNRI Python License)": "CNRI-Python",
    "Python Software Foundation License": "PSF-2.0",
    "Qt Public License (QPL)": "QPL-1.0",
    "Ricoh Source Code Public License": "RSCPL",
    "SIL Open Font License 1.1 (OFL-1.1)": "OFL-1.1",
    "Sleepycat License": "Sleepycat",
    "Sun Public License": "SPL-1.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "Universal Permissive License (UPL)": "UPL-1.0",
    "University of Illinois/NCSA Open Source License": "NCSA",
    "Vovida Software License 1.0": "VSL-1.0",
    "W3C License": "W3C",
    "Zero-Clause BSD (0BSD)": "0BSD",
    "zlib/libpng License": "Zlib",
}

# Classifiers that leave the version or variant open: what an identifier of the family starts with.
FAMILIES: dict[str, str] = {
    "Academic Free License (AFL)": "AFL-",
    "Apple Public Source License": "APSL-",
    "Artistic License": "Artistic-",
    "BSD License": "BSD-",
    "Eiffel Forum License": "EFL-",
    "Eiffel Forum License (EFL)": "EFL-",
    "GNU Free Documentation License (FDL)": "GFDL-",
    "GNU General Public License (GPL)": "GPL-",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-",
    "Netscape Public License (NPL)": "NPL-",
    "Zope Public License": "ZPL-",
}

# Classifiers that say nothing about which license it is.
_SILENT = ("OSI Approved", "DFSG approved")

# Common ways to write a license, after `_normalised`.
INFORMAL: dict[str, str] = {
    "0 clause bsd": "0BSD",
    "2 clause bsd": "BSD-2-Clause",
    "3 clause bsd": "BSD-3-Clause",
    "agpl 3": "AGPL-3.0-only",
    "agpl 3 or later": "AGPL-3.0-or-later",
    "agpl 3+": "AGPL-3.0-or-later",
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apl 2": "Apache-2.0",
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
    "cc0": "CC0-1.0",
    "cc0 1": "CC0-1.0",
    "cc0 1 universal": "CC0-1.0",
    "cddl 1": "CDDL-1.0",
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
    "gnu agpl 3": "AGPL-3.0-only",
    "gnu general public 2": "GPL-2.0-only",
    "gnu general public 2 or later": "GPL-2.0-or-later",
    "gnu general public 3": "GPL-3.0-only",
    "gnu general public 3 or later": "GPL-3.0-or-later",
    "gnu gpl 2": "GPL-2.0-only",
    "gnu gpl 2 or later": "GPL-2.0-or-later",
    "gnu gpl 3": "GPL-3.0-only",
    "gnu gpl 3 or later": "GPL-3.0-or-later",
    "gnu lesser general public 2.1": "LGPL-2.1-only",
    "gnu lesser general public 2.1 or later": "LGPL-2.1-or-later",
    "gnu lesser general public 3": "LGPL-3.0-only",
    "gnu lesser general public 3 or later": "LGPL-3.0-or-later",
    "gnu lgpl 2.1": "LGPL-2.1-only",
    "gnu lgpl 3": "LGPL-3.0-only",
    "gpl 2": "GPL-2.0-only",
    "gpl 2 or later": "GPL-2.0-or-later",
    "gpl 2+": "GPL-2.0-or-later",
    "gpl 3": "GPL-3.0-only",
    "gpl 3 or later": "GPL-3.0-or-later",
    "gpl 3+": "GPL-3.0-or-later",
    "historical permission notice and disclaimer": "HPND",
    "hpnd": "HPND",
    "isc": "ISC",
    "iscl": "ISC",
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
    "postgresql": "PostgreSQL",
    "psf": "PSF-2.0",
    "psf 2": "PSF-2.0",
    "psfl": "PSF-2.0",
    "python foundation": "PSF-2.0",
    "revised bsd": "BSD-3-Clause",
    "sil open font 1.1": "OFL-1.1",
    "simplified bsd": "BSD-2-Clause",
    "unlicense": "Unlicense",
    "upl 1": "UPL-1.0",
    "wtfpl": "WTFPL",
    "zero clause bsd": "0BSD",
    "zlib": "Zlib",
    "zlib libpng": "Zlib",
    "zope public 2.1": "ZPL-2.1",
    "zpl 2.1": "ZPL-2.1",
}

# Where pom.xml and old package.json files point: parts of addresses.
_ADDRESSES: dict[str, str] = {
    "apache.org/licenses/license-2.0": "Apache-2.0",
    "boost.org/license_1_0": "BSL-1.0",
    "creativecommons.org/publicdomain/zero/1.0": "CC0-1.0",
    "eclipse.org/legal/epl-2.0": "EPL-2.0",
    "eclipse.org/legal/epl-v10": "EPL-1.0",
    "eclipse.org/legal/epl-v20": "EPL-2.0",
    "eclipse.org/org/documents/edl-v10": "BSD-3-Clause",
    "gnu.org/licenses/agpl-3.0": "AGPL-3.0-only",
    "gnu.org/licenses/gpl-2.0": "GPL-2.0-only",
    "gnu.org/licenses/gpl-3.0": "GPL-3.0-only",
    "gnu.org/licenses/lgpl-2.1": "LGPL-2.1-only",
    "gnu.org/licenses/lgpl-3.0": "LGPL-3.0-only",
    "gnu.org/licenses/old-licenses/gpl-2.0": "GPL-2.0-only",
    "gnu.org/licenses/old-licenses/lgpl-2.1": "LGPL-2.1-only",
    "mozilla.org/mpl/2.0": "MPL-2.0",
    "unlicense.org": "Unlicense",
}
_OPENSOURCE_ADDRESS = re.compile(r"opensource\.org/licenses?/(?P<name>[\w.+-]+?)(?:\.php|\.html|/)?$", re.ASCII)

_NOISE = ("the", "license", "licence", "licenses", "licensed", "under", "version", "software")
_WITH_ABBREVIATION = re.compile(r"([^()]+)\(([^()]+)\)\s*")
_SEPARATORS = re.compile(r"\s*(?:/|;|\||&|\bor\b|\band\b)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class ClassifierLicenses:
    """What classifiers say: licenses named outright, and families of which a member must be found elsewhere."""

    licenses: tuple[str, ...]
    families: tuple[str, ...]


def expression_licenses(expression: str) -> list[str]:
    """The licenses in an SPDX expression, each once, without their exceptions; none for anything else.

    `MIT OR (Apache-2.0 WITH LLVM-exception)` gives MIT and Apache-2.0. Old identifiers give their new names.
    """
    if not expression.strip() or len(expression) > _MAX_EXPRESSION_CHARS:
        return []
    try:
        parsed = _licensing().parse(expression.strip(), validate=True, strict=True)
        symbols = parsed.get_literals() if parsed is not None else []
    except Exception:  # besides its own errors the parser raises IndexError and others on odd input
        return []
    keys = [str(getattr(symbol, "license_symbol", symbol).key) for symbol in symbols]
    return list(dict.fromkeys(keys))


def field_licenses(text: str) -> list[str]:
    """The licenses that a free-text field names: an SPDX expression, a common name, several of them, a whole text."""
    text = text.strip()
    if len(text) <= _MAX_EXPRESSION_CHARS and "\n" not in text:
        found = expression_licenses(text) or _informal(text)
        if found:
            return found
        parts = [part for part in _SEPARATORS.split(text) if part]
        each = [expression_licenses(part) or _informal(part) for part in parts]
        if len(parts) > 1 and all(each):
            return list(dict.fromkeys(name for names in each for name in names))
    return recognise(text)


def address_licenses(address: str) -> list[str]:
    """The license that a web address stands for, if it is one of the usual ones."""
    address = address.strip().lower()
    match = _OPENSOURCE_ADDRESS.search(address)
    if match is not None:
        return field_licenses(match["name"])
    return next(([name] for part, name in _ADDRESSES.items() if part in address), [])


def classifier_licenses(classifiers: Iterable[str]) -> ClassifierLicenses | None:
    """What trove classifiers say of the license; None when they say nothing, or when one of them is no known license.

    `MIT License` beside `Other/Proprietary License` must not pass for MIT.
    """
    licenses: list[str] = []
    families: list[str] = []
    for classifier in classifiers:
        parts = [part.strip() for part in classifier.split("::")]
        if parts[0] != "License" or parts[-1] in _SILENT:
            continue
        if parts[-1] in CLASSIFIERS:
            licenses.append(CLASSIFIERS[parts[-1]])
        elif parts[-1] in FAMILIES:
            families.append(FAMILIES[parts[-1]])
        else:
            return None
    if not licenses and not families:
        return None
    return ClassifierLicenses(tuple(dict.fromkeys(licenses)), tuple(dict.fromkeys(families)))


def family_members(families: Iterable[str], candidates: Iterable[str]) -> list[str]:
    """Those of `candidates` that belong to the families; none when a family has no member among them."""
    names = list(candidates)
    members = [[name for name in names if name.startswith(family)] for family in families]
    return list(dict.fromkeys(name for group in members for name in group)) if all(members) else []


def _informal(text: str) -> list[str]:
    name = INFORMAL.get(_normalised(text))
    if name is not None:
        return [name]
    both = _WITH_ABBREVIATION.fullmatch(text)
    if both is None:
        return []
    full, short = (expression_licenses(part) or _informal(part) for part in both.groups())
    return full if full == short else []


def _normalised(text: str) -> str:
    """Lower case, without filler words, `v2.0` and `2.0` both as `2`."""
    words = [word for word in re.split(r"[\s,()\"'_:-]+", text.lower()) if word and word not in _NOISE]
    spaced = " ".join(words)
    spaced = re.sub(r"\b(apache|a?gpl|lgpl|mpl|bsd|epl|psf|zpl|upl|apl|asl)v?\.?(?=\d)", r"\1 ", spaced)
    spaced = re.sub(r"\b(?:v|ver|v\.)\s?(?=\d)", "", spaced)
    return re.sub(r"\b(\d+)(?:\.0)+(?!\d|\.)", r"\1", spaced)


@cache
def _licensing() -> Any:
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()
