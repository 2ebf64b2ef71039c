"""Redaction: secrets and personal data are replaced before a file is split, with a record of every replacement.

Rule: StarCoder (Li et al. 2023, section 4) replaced names, keys, e-mail and IP addresses by tokens of their own. Here a
replacement has the form of what it replaces, so that the file parses as before: a word for a key, and for an address one
that RFC 2606, 5737 or 3849 reserves for examples. Within a file the same value always gets the same replacement, numbered
in order of appearance; nothing depends on other files. A second redaction finds nothing.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from stackfim.schemas.source import git_blob_id
from stackfim.transforms.filters.email_addresses import EMAIL
from stackfim.transforms.filters.findings import (
    MODES,
    REDACT,
    Finding,
    counts_by_row,
    not_overlapping,
    without_overlaps,
)
from stackfim.transforms.filters.ip_addresses import IPV4, IPV6
from stackfim.transforms.filters.personal_data import find_personal_data
from stackfim.transforms.filters.secrets import find_secrets


class Replacement(NamedTuple):
    """One replacement in a file; the replacements of a file are in order and do not overlap."""

    offset: int
    """First byte replaced, in the file as it was."""
    removed: int
    """Number of bytes that were removed."""
    inserted: bytes
    """What stands there now, in ASCII."""


class Redacted(NamedTuple):
    """A batch after redaction."""

    rows: pa.RecordBatch
    """stackfim.schemas.source.ROW in the same order; where anything was found the content and its content_id are new."""
    replacements: dict[int, list[Replacement]]
    """The replacements of each row; rows without any are left out."""
    counts: dict[int, dict[str, int]]
    """How many findings of each kind were replaced in each row; rows without any are left out."""


def redact(rows: pa.RecordBatch, *, secrets: str = REDACT, personal_data: str = REDACT) -> Redacted:
    """Replaces what is found in valid UTF-8: secrets and personal data, each where its mode is `redact`.

    `source_id` stays that of the bytes read. Raises ValueError for an unknown mode.
    """
    content = rows.column("content")
    found = find_all(
        content,
        rows.column("language").to_pylist(),
        rows.column("path").to_pylist(),
        secrets=_known(secrets) == REDACT,
        personal=_known(personal_data) == REDACT,
    )
    replacements: dict[int, list[Replacement]] = {}
    for row, findings in itertools.groupby(found, key=lambda finding: finding.row):
        replacements[row] = replacements_of(content[row].as_py(), list(findings))
    if not replacements:
        return Redacted(rows, {}, {})
    contents, identifiers = content.to_pylist(), rows.column("content_id").to_pylist()
    for row, changes in replacements.items():
        contents[row] = apply_replacements(contents[row], changes)
        identifiers[row] = git_blob_id(contents[row])
    changed = {"content": pa.array(contents, pa.binary()), "content_id": pa.array(identifiers, pa.string())}
    columns = [changed.get(name, rows.column(name)) for name in rows.schema.names]
    return Redacted(pa.RecordBatch.from_arrays(columns, schema=rows.schema), replacements, counts_by_row(found))


def _known(mode: str) -> str:
    if mode not in MODES:
        raise ValueError(f"mode for secrets and personal data: expected one of {', '.join(MODES)}, got {mode!r}")
    return mode


def find_all(
    content: pa.BinaryArray,
    languages: Sequence[str] | None = None,
    paths: Sequence[str] | None = None,
    *,
    secrets: bool = True,
    personal: bool = True,
) -> list[Finding]:
    """Secrets, personal data or both, in order of rows and bytes; where two overlap, the secret stays.

    `languages` and `paths` are those of the rows, where they are known (stackfim.transforms.filters.personal_data).
    """
    found = find_secrets(content) if secrets else []
    others = find_personal_data(content, languages, paths) if personal else []
    return without_overlaps([*found, *not_overlapping(others, found)])


def replacements_of(content: bytes, findings: Sequence[Finding]) -> list[Replacement]:
    """The replacements of one file: equal values of a kind get the same text, and so do addresses in another case."""
    chosen: dict[tuple[str, bytes], bytes] = {}
    names: dict[str, Iterator[bytes]] = {}
    result = []
    for finding in findings:
        value = content[finding.start : finding.end]
        key = (finding.kind, value.lower() if finding.kind in (EMAIL, IPV6) else value)
        if key not in chosen:
            if finding.kind not in names:
                names[finding.kind] = _new_replacements(finding.kind, content)
            chosen[key] = next(names[finding.kind])
        result.append(Replacement(finding.start, finding.end - finding.start, chosen[key]))
    return result


def apply_replacements(content: bytes, replacements: Iterable[Replacement]) -> bytes:
    """The content with the replacements made."""
    parts, position = [], 0
    for offset, removed, inserted in replacements:
        parts += [content[position:offset], inserted]
        position = offset + removed
    return b"".join([*parts, content[position:]])


def _new_replacements(kind: str, content: bytes) -> Iterator[bytes]:
    """Replacements that the content does not have: one that it has would make two different values the same."""
    present = set(_FORMS.get(kind, _WORD_FORM).findall(content))
    return (text for text in _replacements(kind) if text not in present)


def _replacements(kind: str) -> Iterator[bytes]:
    """Replacements of a kind, all different; there is no end of them."""
    for number in itertools.count(1):
        if kind == EMAIL:
            yield b"user%d@example.com" % number
        elif kind == IPV4:
            # RFC 5737 has three networks of 254 addresses; a file with more has private ones after them.
            network, host = divmod(number - 1, 254)
            if network < len(_IPV4_NETWORKS):
                yield _IPV4_NETWORKS[network] + b"%d" % (host + 1)
            else:
                yield b"10.%d.%d.%d" % (network >> 8 & 255, network & 255, host + 1)
        elif kind == IPV6:
            yield b"2001:db8::%x" % number
        else:
            yield b"REDACTED_%s_%d" % (kind.upper().encode("ascii"), number)


_IPV4_NETWORKS = (b"192.0.2.", b"198.51.100.", b"203.0.113.")
_FORMS = {
    EMAIL: re.compile(rb"user[0-9]{1,9}@example\.com"),
    IPV4: re.compile(rb"(?:192\.0\.2|198\.51\.100|203\.0\.113|10\.[0-9]{1,3}\.[0-9]{1,3})\.[0-9]{1,3}"),
    IPV6: re.compile(rb"2001:db8::[0-9a-f]{1,9}"),
}
_WORD_FORM = re.compile(rb"REDACTED_[A-Z0-9_]{1,80}")
"""What the replacements of a kind look like: a file is searched for them once, not for each of its values."""
