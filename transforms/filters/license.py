"""Licenses: which ones rows may have, by a list and a policy.

The default rule is The Stack's ("all licenses permissive", Kocetkov et al. 2022): a row stays when it has licenses and
every one of them is on the list. A license may be an SPDX expression: one alternative of a choice (`OR`) has to be on the
list, and all parts of a conjunction (`AND`). An exception (`WITH`) only adds permissions, so a license with one counts as
on the list when the license is, or when the two together are.
"""

from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import pyarrow as pa

from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.filter import Filter, Score
from stackfim.transforms.filters.license_expressions import INFORMAL, canonical_license, parse_license
from stackfim.transforms.filters.list_lines import ListLineError, list_entries

ALL, ANY = "all", "any"
POLICIES = (ALL, ANY)
PRESETS = ("permissive", "stack-v1", "public-domain")
"""Lists that come with stackfim, as text files in this folder; each says where it is from."""

NO_LICENSE, UNKNOWN, NOT_ALLOWED = "no_license", "license_unknown", "license_not_allowed"


def parse_license_list(text: str) -> frozenset[str]:
    """The license identifiers in a list file, in lower case: one on each line, as `list_entries` reads them."""
    return frozenset(entry.lower() for _, entry in list_entries(text))


def check_license_list(text: str) -> None:
    """Raises ListLineError, with the number of the line and a near name, for a line that names no license.

    A license is an SPDX expression, a name that `parse_license` knows, one of the lists of PRESETS, or one of a user's own:
    `LicenseRef-...`.
    """
    for number, entry in list_entries(text):
        if parse_license(entry) is None and entry.lower() not in _listed() and not _is_own(entry):
            near = get_close_matches(entry.lower(), _suggestions(), 1, 0.6)
            suggestion = f" (did you mean {_suggestions()[near[0]]}?)" if near else ""
            raise ListLineError(
                f"line {number} names no license: {entry[:120]!r}{suggestion}; expected an SPDX identifier or expression, "
                "or LicenseRef-... for one of your own"
            )


def _is_own(entry: str) -> bool:
    return entry.lower().startswith("licenseref-") and not entry[len("licenseref-") :].isspace()


@cache
def _listed() -> frozenset[str]:
    return frozenset().union(*map(preset_licenses, PRESETS))


@cache
def _suggestions() -> dict[str, str]:
    """What a misspelt name is compared with, in lower case, and how it is written; common ones first."""
    presets = [line for name in reversed(PRESETS) for _, line in list_entries(_preset_text(name))]
    return {name.lower(): name for name in [*sorted(set(INFORMAL.values())), *presets] if " " not in name}


@cache
def preset_licenses(name: str) -> frozenset[str]:
    """A list of PRESETS, in lower case. Raises ValueError for a name that is not there."""
    if name not in PRESETS:
        raise ValueError(f"no such list of licenses: {name}; expected one of {', '.join(PRESETS)}")
    return parse_license_list(_preset_text(name))


def _preset_text(name: str) -> str:
    return (files(__package__) / f"{name}.txt").read_text("utf-8")


def permissive_licenses() -> frozenset[str]:
    """The default list, in lower case."""
    return preset_licenses("permissive")


@dataclass(frozen=True)
class LicensePolicy:
    """Which licenses a row may have."""

    allowed: frozenset[str] = field(default_factory=permissive_licenses)
    """Identifiers or expressions, compared without case."""
    policy: str = ALL
    """Whether `all` licenses of a row have to be allowed, or `any` of them."""
    allow_unknown: bool = False
    """Whether a license is allowed that is neither an SPDX expression nor a known name."""
    allow_missing: bool = False
    """Whether a row without a license stays."""

    def __post_init__(self) -> None:
        """Raises ValueError for an unknown policy."""
        if self.policy not in POLICIES:
            raise ValueError(f"license policy: expected one of {', '.join(POLICIES)}, got {self.policy!r}")

    def in_words(self) -> str:
        """What a row's licenses are held against, in words."""
        return {ALL: "all on the allow-list", ANY: "one on the allow-list"}[self.policy]


def license_problem(name: str, policy: LicensePolicy) -> str | None:
    """Why one license string is not allowed, `license_unknown` or `license_not_allowed`; None where it is."""
    return _problem(name, policy.allowed, policy.allow_unknown)


@lru_cache(maxsize=50_000)
def _problem(name: str, allowed: frozenset[str], allow_unknown: bool) -> str | None:
    if name.strip().lower() in allowed:
        return None
    expression = parse_license(name)
    if expression is None:
        return None if allow_unknown else UNKNOWN
    return None if _is_allowed(expression, _current(allowed)) else NOT_ALLOWED


@lru_cache(maxsize=16)
def _current(allowed: frozenset[str]) -> frozenset[str]:
    """The list and the current SPDX form of each entry, so that `GPL-2.0` on it means `GPL-2.0-only`."""
    return allowed | {found.lower() for found in map(canonical_license, sorted(allowed)) if found is not None}


def _is_allowed(expression: Any, allowed: frozenset[str]) -> bool:
    if str(expression).lower() in allowed:
        return True
    arguments = getattr(expression, "args", ())
    if arguments:
        each = (_is_allowed(argument, allowed) for argument in arguments)
        return any(each) if expression.operator.strip() == "OR" else all(each)
    return hasattr(expression, "license_symbol") and _is_allowed(expression.license_symbol, allowed)


def license_problem_of_row(names: list[str], policy: LicensePolicy) -> tuple[str, list[str]] | None:
    """The reason for which a row with these license strings goes, and the strings at fault; None where it stays.

    A row without a license goes for `no_license`.
    """
    if not names:
        return None if policy.allow_missing else (NO_LICENSE, [])
    problems = {name: license_problem(name, policy) for name in names}
    wrong = [name for name in names if problems[name] is not None]
    if not wrong or (policy.policy == ANY and len(wrong) < len(names)):
        return None
    refused = [name for name in wrong if problems[name] == NOT_ALLOWED]
    return (NOT_ALLOWED, refused) if refused else (UNKNOWN, wrong)


def license_problems(licenses: pa.ListArray, policy: LicensePolicy) -> list[tuple[str, list[str]] | None]:
    """The same for every row of a batch; (rows,)."""
    # Most rows have the same licenses as another one.
    known: dict[tuple[str, ...], tuple[str, list[str]] | None] = {}
    rows = [tuple(names) for names in licenses.to_pylist()]
    for names in dict.fromkeys(rows):
        known[names] = license_problem_of_row(list(names), policy)
    return [known[names] for names in rows]


def decide_licenses(problems: list[tuple[str, list[str]] | None]) -> Drops:
    """Drops `no_license`, `license_unknown` and `license_not_allowed` rows."""
    expected = {
        NO_LICENSE: "the source names no license",
        UNKNOWN: "no SPDX expression and no known name",
        NOT_ALLOWED: "not on the allow-list",
    }
    drops: Drops = {}
    for row, problem in enumerate(problems):
        if problem is not None:
            reason, names = problem
            drops[row] = (reason, f"{', '.join(names)}: {expected[reason]}" if names else expected[reason])
    return drops


LICENSE: Filter[pa.ListArray] = Filter(
    stage="license",
    measure=lambda rows, plan: rows.column("licenses"),
    decide=lambda licenses, languages, plan: decide_licenses(license_problems(licenses, plan.licenses)),
    scores=(
        Score(
            "licenses",
            pa.string(),
            lambda licenses: [", ".join(names) for names in licenses.to_pylist()],
            lambda plan, language: plan.licenses.in_words(),
        ),
    ),
)
