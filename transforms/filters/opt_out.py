"""Opt-outs: rows of repositories and owners that asked to be left out."""

from collections.abc import Iterable

import pyarrow as pa

from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.filter import Filter, Score
from stackfim.transforms.filters.license import parse_license_list


def parse_opt_outs(text: str) -> frozenset[str]:
    """The names in an opt-out file, in lower case: a repository (`owner/name`) or an owner on each line.

    `#` begins a comment. Addresses are read too: `https://github.com/owner/name.git` names `owner/name`.
    """
    return frozenset(_repository_name(name) for name in parse_license_list(text)) - {""}


def _repository_name(name: str) -> str:
    _, separator, rest = name.partition("://")
    if separator:
        name = rest.partition("/")[2]
    return name.strip("/").removesuffix(".git")


def opted_out(repositories: Iterable[str], names: frozenset[str]) -> list[bool]:
    """Whether each repository, or its owner (the part before the first `/`), is one of `names`, which are in lower case."""
    return [
        (lowered := name.lower()) in names or ("/" in lowered and lowered.partition("/")[0] in names)
        for name in repositories
    ]


def decide_opt_outs(repositories: list[str], names: frozenset[str]) -> Drops:
    """Drops `opted_out` rows."""
    return {
        row: ("opted_out", "the repository or its owner is on the opt-out list")
        for row, left_out in enumerate(opted_out(repositories, names))
        if left_out
    }


OPT_OUT: Filter[list[str]] = Filter(
    stage="opt_out",
    measure=lambda rows, plan: rows.column("repository").to_pylist(),
    decide=lambda repositories, languages, plan: decide_opt_outs(repositories, plan.opt_outs),
    scores=(
        Score(
            "repository",
            pa.string(),
            lambda repositories: repositories,
            lambda plan, language: f"none of {len(plan.opt_outs):,} names",
        ),
    ),
    active=lambda plan: bool(plan.opt_outs),
)
