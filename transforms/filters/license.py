"""Which licenses rows may have, by a list and a policy, and whose rows are left out on request.

The default rule is The Stack's ("all licenses permissive", Kocetkov et al. 2022): a row stays when it has licenses and
every one of them is on the list. A license may be an SPDX expression: of a choice (`OR`) one alternative has to be on the
list, of a conjunction (`AND`) all. An exception (`WITH`) only adds permissions, so a license with one is on the list when
the license is, or the two together are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import pyarrow as pa

from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.license_expressions import canonical_license, parse_license

ALL, ANY = "all", "any"
POLICIES = (ALL, ANY)
PRESETS = ("permissive", "stack-v1", "public-domain")
"""Lists that come along, as text files in this folder; each says where it is from."""

NO_LICENSE, UNKNOWN, NOT_ALLOWED = "no_license", "license_unknown", "license_not_allowed"


def parse_license_list(text: str) -> frozenset[str]:
    """License identifiers of a list file: one a line, `#` begins a comment; compared without case."""
    return frozenset(line.partition("#")[0].strip().lower() for line in text.splitlines()) - {""}


@cache
def preset_licenses(name: str) -> frozenset[str]:
    """A list of PRESETS, in lower case. Raises ValueError for another name."""
    if name not in PRESETS:
        raise ValueError(f"no such list of licenses: {name}; expected one of {', '.join(PRESETS)}")
    return parse_license_list((files(__package__) / f"{name}.txt").read_text("utf-8"))


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
    """Whether a license that is no SPDX expression and no known name is allowed."""
    allow_missing: bool = False
    """Whether a row without a license stays."""

    def __post_init__(self) -> None:
        """Raises ValueError for a policy that there is not."""
        if self.policy not in POLICIES:
            raise ValueError(f"license policy: one of {', '.join(POLICIES)}, got {self.policy!r}")


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
    """The list with the current SPDX form of each entry beside it, so that `GPL-2.0` on it means `GPL-2.0-only`."""
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
    """The reason for which a row with these license strings goes, and those at fault; None where it stays.

    A row without a license has `no_license`.
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
    """The same for every row of a batch; most rows have the licenses of another one."""
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


def opted_out(repositories: Iterable[str], names: frozenset[str]) -> list[bool]:
    """Whether each repository, or its owner (what stands before the first `/`), is one of `names` (lower case)."""
    return [
        (lowered := name.lower()) in names or ("/" in lowered and lowered.partition("/")[0] in names)
        for name in repositories
    ]


def parse_opt_outs(text: str) -> frozenset[str]:
    """Names of an opt-out file in lower case: a repository (`owner/name`) or an owner a line, `#` begins a comment.

    Addresses are taken too: of `https://github.com/owner/name.git` counts `owner/name`.
    """
    return frozenset(_repository_name(name) for name in parse_license_list(text)) - {""}


def _repository_name(name: str) -> str:
    _, separator, rest = name.partition("://")
    if separator:
        name = rest.partition("/")[2]
    return name.strip("/").removesuffix(".git")


def decide_opt_outs(repositories: list[str], names: frozenset[str]) -> Drops:
    """Drops `opted_out` rows."""
    return {
        row: ("opted_out", "the repository or its owner is on the opt-out list")
        for row, left_out in enumerate(opted_out(repositories, names))
        if left_out
    }
