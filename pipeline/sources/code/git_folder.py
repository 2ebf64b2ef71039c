"""Name, address and head commit of a git repository, from the files in `.git`; git itself is not run for them.

File formats: gitrepository-layout(5), git-config(1) part "Configuration file", git-pack-refs(1).
"""

import os
import re
from urllib.parse import unquote, urlsplit

from stackfim.pipeline.sources.code.bounded_files import NotRead, read_regular_file

_MAX_HEAD_BYTES = 1 << 12
_MAX_CONFIG_BYTES = 1 << 20
_MAX_PACKED_REFS_BYTES = 64 << 20
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REFERENCE = re.compile(r"ref:\s*(?P<name>refs/[^\s\0]+)")
_SECTION = re.compile(r'\[\s*(?P<section>[\w.-]+)\s*(?:"(?P<subsection>(?:[^"\\]|\\.)*)")?\s*\]')
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_NAME = re.compile(r"[\w.~+-]+(?:/[\w.~+-]+)*")


def head_commit(dot_git: str) -> str:
    """The commit that HEAD points to, as hex digits; empty where there is none or it cannot be read.

    `dot_git` is the path of `.git`: a folder, or the file that a submodule or another work tree has in its place.
    """
    folder = _git_folder(dot_git)
    head = _read(os.path.join(folder, "HEAD"), _MAX_HEAD_BYTES).strip()
    if _COMMIT.fullmatch(head):
        return head
    match = _REFERENCE.fullmatch(head)
    if match is None or ".." in match["name"].split("/"):
        return ""
    for place in dict.fromkeys((folder, _common_folder(folder))):
        commit = _read(os.path.join(place, match["name"]), _MAX_HEAD_BYTES).strip()
        if _COMMIT.fullmatch(commit):
            return commit
    packed = _read(os.path.join(_common_folder(folder), "packed-refs"), _MAX_PACKED_REFS_BYTES)
    for line in packed.splitlines():
        commit, _, name = line.partition(" ")
        if name.strip() == match["name"] and _COMMIT.fullmatch(commit):
            return commit
    return ""


def origin_name(dot_git: str) -> str:
    """The name that remote `origin` gives the repository, such as owner/name; empty where there is none.

    Only the path of the remote's address is used, so a user name, password or token in it goes no further.
    """
    return name_of_address(_origin(dot_git))


def origin_address(dot_git: str) -> str:
    """Where the remote `origin` can be looked at: `https://` with the host and the name; empty where there is none.

    A user name, password, token, port or query in the remote's address goes no further.
    """
    address = _origin(dot_git)
    name = name_of_address(address)
    host = (urlsplit(address).hostname or "") if "://" in address else address.partition(":")[0].rpartition("@")[2]
    return f"https://{host.lower()}/{name}" if name and _HOST.fullmatch(host) else ""


def _origin(dot_git: str) -> str:
    """The address of remote `origin` as it is written; empty where there is none."""
    config = _read(os.path.join(_common_folder(_git_folder(dot_git)), "config"), _MAX_CONFIG_BYTES)
    in_origin = False
    for line in config.splitlines():
        stripped = line.strip()
        section = _SECTION.match(stripped)
        if section is not None:
            in_origin = section["section"].lower() == "remote" and section["subsection"] == "origin"
            stripped = stripped[section.end() :].strip()
        key, separator, value = stripped.partition("=")
        if in_origin and separator and key.strip().lower() == "url":
            return value.strip().strip('"')
    return ""


def name_of_address(address: str) -> str:
    """owner/name (or group/subgroup/name) from a remote's address; empty for local paths and anything unclear."""
    if "://" in address:
        try:
            url = urlsplit(address)
        except ValueError:
            return ""
        if url.scheme not in ("http", "https", "ssh", "git", "git+ssh", "git+https") or not url.hostname:
            return ""
        path = url.path
    else:  # scp-like: [user@]host:path; a slash before the colon makes it a local path
        host, separator, path = address.partition(":")
        if not separator or "/" in host or "\\" in host or len(host) < 2:
            return ""
    name = unquote(path).strip("/").removesuffix(".git")
    if not _NAME.fullmatch(name) or any(part in (".", "..") for part in name.split("/")):
        return ""
    return name


def _git_folder(dot_git: str) -> str:
    if os.path.isdir(dot_git):
        return dot_git
    pointer = _read(dot_git, _MAX_HEAD_BYTES).strip()
    target = pointer.removeprefix("gitdir:").strip() if pointer.startswith("gitdir:") else ""
    return os.path.join(os.path.dirname(dot_git), target) if target and "\0" not in target else dot_git


def _common_folder(folder: str) -> str:
    """The folder of the references and the configuration, which several work trees may share."""
    target = _read(os.path.join(folder, "commondir"), _MAX_HEAD_BYTES).strip()
    return os.path.join(folder, target) if target and "\0" not in target else folder


def _read(path: str, max_bytes: int) -> str:
    try:
        return read_regular_file(path, max_bytes).decode("utf-8", "replace")
    except NotRead:
        return ""
