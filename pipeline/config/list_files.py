"""The lists that a user names: licenses that are allowed, and repositories and owners that are left out."""

import difflib
import hashlib
from pathlib import Path
from typing import Any

from stackfim.pipeline.config.usage_error import UsageError
from stackfim.transforms.filters.license import PRESETS, check_license_list, parse_license_list, preset_licenses
from stackfim.transforms.filters.list_lines import ListLineError
from stackfim.transforms.filters.opt_out import parse_opt_outs


def read_licenses(name: str) -> frozenset[str]:
    """The licenses of a list of PRESETS, or of a file with one on each line; in lower case.

    Raises UsageError for a file that cannot be read, names nothing, or has a line that is no license.
    """
    if name in PRESETS:
        return preset_licenses(name)
    near = difflib.get_close_matches(name, PRESETS, 1)
    suggestion = f" (did you mean {near[0]}?)" if near else ""
    expected = f"{', '.join(PRESETS)}, or a text file with one license on each line"
    text = _text("licenses", name, expected, suggestion)
    try:
        check_license_list(text)
    except ListLineError as error:
        raise UsageError(f"licenses is {expected}; {name}, {error}") from error
    return _named(parse_license_list(text), "licenses", name, expected)


def read_opt_outs(path: str) -> frozenset[str]:
    """The names of an opt-out file, in lower case.

    Raises UsageError for a file that cannot be read, names nothing, or has a line that names neither repository nor owner.
    """
    expected = "a text file with one repository or owner on each line"
    try:
        names = parse_opt_outs(_text("opt_out", path, expected))
    except ListLineError as error:
        raise UsageError(f"opt_out is {expected}; {path}, {error}") from error
    return _named(names, "opt_out", path, expected)


def opt_out_record(names: frozenset[str]) -> dict[str, Any]:
    """How many names there are, and their digest: a data set does not have to publish who asked to be left out."""
    return (
        {"names": len(names), "sha256": hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()} if names else {}
    )


def _text(key: str, path: str, expected: str, suggestion: str = "") -> str:
    try:
        return Path(path).read_text("utf-8-sig")
    except UnicodeDecodeError:
        reason = "it is no UTF-8 text"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise UsageError(f"{key} is {expected}, got {path} ({reason}){suggestion}")


def _named(names: frozenset[str], key: str, path: str, expected: str) -> frozenset[str]:
    if not names:
        raise UsageError(f"{key} is {expected}, got {path} (it names nothing)")
    return names
