"""License allow-list: a row stays when it has licenses and all of them are on the list.

The rule is The Stack's ("all licenses permissive", Kocetkov et al. 2022). The default list is the permissive and public
domain licenses of license-expression's index (the ScanCode LicenseDB), as a text file that a user can replace.
"""

import itertools
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import numpy as np
import pyarrow as pa

from transforms.filters.decision import Drops


def parse_license_list(text: str) -> frozenset[str]:
    """License identifiers of a list file: one a line, `#` begins a comment; compared without case."""
    return frozenset(line.partition("#")[0].strip().lower() for line in text.splitlines()) - {""}


@cache
def permissive_licenses() -> frozenset[str]:
    """The default list, in lower case."""
    return parse_license_list((files(__package__) / "permissive.txt").read_text("utf-8"))


def licenses_not_allowed(licenses: pa.ListArray, allowed: Iterable[str]) -> list[list[str]]:
    """For every row, those of its licenses that are not on the list."""
    allow = frozenset(name.lower() for name in allowed)
    flat = licenses.flatten().to_pylist()
    known = {name: name.lower() in allow for name in dict.fromkeys(flat)}
    borders = np.concatenate(([0], np.cumsum(licenses.value_lengths().to_numpy(zero_copy_only=False)))).tolist()
    return [[name for name in flat[start:stop] if not known[name]] for start, stop in itertools.pairwise(borders)]


def decide_licenses(licenses: pa.ListArray, not_allowed: list[list[str]]) -> Drops:
    """Drops rows without a license (`no_license`) and with one that is not on the list (`license_not_allowed`)."""
    lengths = licenses.value_lengths().to_pylist()
    drops: Drops = {}
    for row, (count, wrong) in enumerate(zip(lengths, not_allowed, strict=True)):
        if not count:
            drops[row] = ("no_license", "the source names no license; expected licenses of the allow-list only")
        elif wrong:
            drops[row] = ("license_not_allowed", f"{', '.join(wrong)}; expected licenses of the allow-list only")
    return drops
