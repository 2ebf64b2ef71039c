"""Opt-outs: rows of repositories and owners that asked to be left out.

People write the same repository in many ways: `owner/name`, an address of any page of it, `git@host:owner/name.git`. All
of them stand for `owner/name`. What names neither a repository nor an owner is an error, since it would leave nobody out.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

import pyarrow as pa

from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.filter import Filter, Score
from stackfim.transforms.filters.list_lines import ListLineError, list_entries

_SCHEME = re.compile(r"(?:git\+|scm:git:)?[a-z][a-z0-9+.-]*://")
_SCP = re.compile(r"[\w.+-]+@(?P<host>[\w.-]+):(?P<path>.+)")
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?")
_PREFIX = re.compile(r"(?:pkg:)?(?:github|gitlab|bitbucket|codeberg|gh|gl|bb|repo|org|user|owner)[:/](?=[^/\s])")
_FORGES = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "gitee.com", "git.sr.ht", "huggingface.co")
_TWO_PARTS = (
    "github.com",
    "api.github.com",
    "raw.githubusercontent.com",
    "codeload.github.com",
    "bitbucket.org",
    "codeberg.org",
)
"""Hosts whose repositories are always owner/name; what follows is a page."""
_WEB_PAGES = (".github.io", ".gitlab.io")
"""Ends of hosts that begin with the owner, with the repository's name as the path."""
_NO_REPOSITORIES = ("gist.github.com",)
_LEADING = ("repos", "groups", "datasets", "spaces")
"""First parts of addresses that stand before the owner."""
_LEADING_OWNER = ("orgs", "users")
"""First parts of addresses of an owner's pages."""
_PAGES = re.compile(
    r"-|tree|blob|raw|src|blame|edit|commits?|branch(?:es)?|tags|issues|pulls?|merge_requests|wikis?|releases|actions|archive"
    r"|tarball|zipball|projects|security|pulse|graphs|network|forks|stargazers|settings"
)
"""Parts of an address after the repository, of which the rest is a page of it."""
_MOST_GROUPS = 20
_NAME = re.compile(r"[\w.+~:-]+(?:/[\w.+~:-]+)*")
_EXPECTED = "expected a repository (owner/name), its address, or an owner"


def parse_opt_outs(text: str) -> frozenset[str]:
    """The names in an opt-out file, in lower case: a repository (`owner/name`) or an owner on each line.

    Lines are as `list_entries` reads them. Addresses name their repository: `https://github.com/owner/name/tree/main`,
    `github.com/owner/name`, `git@github.com:owner/name.git`, `gh:owner/name`; `@owner`, `owner/` and `owner/*` an owner.
    Raises ListLineError, with the number of the line, for what names neither.
    """
    names = set()
    for number, entry in list_entries(text):
        name = _repository_name(entry.lower())
        if not name:
            raise ListLineError(f"line {number} names no repository and no owner: {entry[:120]!r}; {_EXPECTED}")
        names.add(name)
    return frozenset(names)


def _repository_name(entry: str) -> str:
    """The repository or the owner that an entry in lower case stands for; empty where it is neither."""
    entry = "/".join(part.strip() for part in entry.split("/"))
    scp, scheme = _SCP.fullmatch(entry), _SCHEME.match(entry)
    if scheme is not None:
        host, _, path = entry[scheme.end() :].partition("/")
        host = host.rpartition("@")[2]
        if ":" in host and not host.rpartition(":")[2].isdigit():  # ssh://git@host:owner/name
            host, _, first = host.partition(":")
            path = f"{first}/{path}"
    elif scp is not None:
        host, path = scp["host"], scp["path"]
    else:
        host, path = _without_scheme(entry)
    return _of_path(host.partition(":")[0].removeprefix("www."), path)


def _without_scheme(entry: str) -> tuple[str, str]:
    """The host, where the entry begins with one, and the path."""
    first, _, rest = entry.partition("/")
    known = first.partition(":")[0].removeprefix("www.")
    is_host = known in _FORGES or known.endswith(_WEB_PAGES)
    if is_host or (_HOST.fullmatch(first) and len([part for part in rest.split("/") if part]) > 1):
        return first, rest
    prefix = _PREFIX.match(entry)
    if prefix is not None and ":" in prefix[0]:
        entry = entry[prefix.end() :].lstrip("/")
    return "", entry


def _of_path(host: str, path: str) -> str:
    """The name that a path at a host gives; the host is empty where the entry has none."""
    if host in _NO_REPOSITORIES:
        return ""
    path = unquote(re.split(r"[?#]", path, maxsplit=1)[0])
    parts = [part for part in path.split("/") if part]
    if host:
        parts = _of_address(host, parts)
    elif len(parts) == 2 and parts[1] == "*":
        parts = parts[:1]
    if parts and not parts[0].startswith("@@"):
        parts[0] = parts[0].removeprefix("@")
    if len(parts) > 1:
        parts[-1] = re.sub(r"(?:\.git)?(?:@[\w./-]*)?$", "", parts[-1])
    name = "/".join(parts)
    is_name = _NAME.fullmatch(name) is not None and not {"", ".", ".."} & set(parts)
    return name if is_name and any(character.isalnum() for character in name) else ""


def _of_address(host: str, parts: list[str]) -> list[str]:
    """The parts of an address's path that name the repository or the owner."""
    if host.endswith(_WEB_PAGES):
        return [host.partition(".")[0], *parts[:1]]
    if parts and parts[0] in _LEADING_OWNER:
        return parts[1:2]
    if parts and parts[0] in _LEADING:
        parts = parts[1:]
    if parts:
        parts = [parts[0].removeprefix("~"), *parts[1:]]
    page = next((index for index, part in enumerate(parts) if index >= 2 and _PAGES.fullmatch(part)), len(parts))
    return parts[: 2 if host in _TWO_PARTS else page]


def opted_out(repositories: Iterable[str], names: frozenset[str]) -> list[bool]:
    """Whether each repository, its owner or one of its groups (`group/sub` of `group/sub/name`) is one of `names`.

    The names are in lower case. A row may have a package's name instead: `@owner/name`, or one with a host before it, as
    Go's modules have.
    """
    return [any(form in names for form in _forms(name)) for name in repositories]


@lru_cache(maxsize=50_000)
def _forms(repository: str) -> frozenset[str]:
    """What a list may call a repository: itself, its owner or groups, and all without a host or a sign before them."""
    lowered = repository.lower().removeprefix("@")
    forms = [repository.lower(), lowered]
    host, _, rest = lowered.partition("/")
    for path in (lowered, rest) if _HOST.fullmatch(host) else (lowered,):
        parts = path.split("/")
        forms += ["/".join(parts[:count]) for count in range(1, min(len(parts), _MOST_GROUPS) + 1)]
    return frozenset(forms)


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
