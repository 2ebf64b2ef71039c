"""SPDX expressions from what package metadata says about licenses: free text, trove classifiers, addresses.

Names and expressions are read by stackfim.transforms.filters.license_expressions. A license is never guessed: text that names
no license, or a family without its variant (`BSD`), gives none.

Identifiers: https://spdx.org/licenses/; classifiers: the Python Package Index, list of trove classifiers.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from stackfim.pipeline.sources.code.license_texts import recognise
from stackfim.transforms.filters.license_addresses import address_license
from stackfim.transforms.filters.license_classifiers import CLASSIFIERS, FAMILIES, SILENT
from stackfim.transforms.filters.license_expressions import canonical_license, strict_license


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
    found = address_license(address)
    canonical = canonical_license(found) if found else None
    return [canonical] if canonical is not None else []


def classifier_licenses(classifiers: Iterable[str]) -> ClassifierLicenses | None:
    """What trove classifiers say about the license; None when they say nothing, or when one of them is not known.

    `MIT License` beside `Other/Proprietary License` must not pass for MIT.
    """
    licenses: list[str] = []
    families: list[str] = []
    for classifier in classifiers:
        parts = [part.strip() for part in classifier.split("::")]
        if parts[0] != "License" or parts[-1] in SILENT:
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
