"""SPDX expressions from what package metadata says about licenses: free text, trove classifiers, addresses.

Names and expressions are read by stackfim.transforms.filters.license_expressions. A license is never guessed: text that names
no license, or a family without its variant (`BSD`), gives none.

Identifiers: https://spdx.org/licenses/; classifiers: the Python Package Index, list of trove classifiers.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from stackfim.pipeline.sources.code.license_texts import recognise
from stackfim.transforms.filters.license_expressions import canonical_license, strict_license

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

# Classifiers that leave the version or variant open, and what the identifiers of the family start with.
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

# Classifiers that do not say which license it is.
_SILENT = ("OSI Approved", "DFSG approved")

# Parts of the addresses that pom.xml and old package.json files give instead of names.
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


@dataclass(frozen=True)
class ClassifierLicenses:
    """What classifiers say: the licenses that they name, and families whose member must be found elsewhere."""

    licenses: tuple[str, ...]
    families: tuple[str, ...]


def expression_licenses(expression: str) -> list[str]:
    """An SPDX expression as rows have it, with current identifiers; an empty list for anything else.

    `MIT or GPL-2.0+` gives `MIT OR GPL-2.0-or-later`: whether one of the two is enough is for the license filter to say.
    """
    found = strict_license(expression)
    return [found] if found is not None else []


def field_licenses(text: str) -> list[str]:
    """The licenses that a free-text field holds as an SPDX expression, as common names or as a whole license text."""
    found = canonical_license(text)
    return [found] if found is not None else recognise(text)


def address_licenses(address: str) -> list[str]:
    """The license that a web address points to, if it is one of the usual addresses."""
    address = address.strip().lower()
    match = _OPENSOURCE_ADDRESS.search(address)
    if match is not None:
        return field_licenses(match["name"])
    return next(([name] for part, name in _ADDRESSES.items() if part in address), [])


def classifier_licenses(classifiers: Iterable[str]) -> ClassifierLicenses | None:
    """What trove classifiers say about the license; None when they say nothing, or when one of them is not known.

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
    """Those of `candidates` that belong to the families; an empty list when a family has no member among them."""
    names = list(candidates)
    members = [[name for name in names if name.startswith(family)] for family in families]
    return list(dict.fromkeys(name for group in members for name in group)) if all(members) else []
