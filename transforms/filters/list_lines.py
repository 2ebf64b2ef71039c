"""The entries of a list that a person wrote: one on each line, with comments, bullets and marks around them."""

import re
from collections.abc import Iterator

_COMMENT = re.compile(r"#|<!--|(?:^|\s)(?://|;)")
_BULLET = re.compile(r"(?:[-*+•·–—‣◦>]|\d{1,9}[.)])\s+(?:\[[ xX]?\]\s+)?")
_MARKED_LINK = re.compile(r"\[(?P<text>[^\[\]]*)\]\((?P<target>[^()\s]+)\)")
_PAIRS = (('"', '"'), ("'", "'"), ("`", "`"), ("<", ">"), ("**", "**"), ("(", ")"))
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u200e\u200f"))


class ListLineError(ValueError):
    """A line of a list cannot be read; the message begins with its number."""


def list_entries(text: str) -> Iterator[tuple[int, str]]:
    """The number (from 1) and the entry of each line that has one.

    `#` begins a comment, and so do `//` and `;` at the start of a line or after a blank. A bullet, a number, a mark to tick,
    quotation marks, brackets, a comma at the end and a byte order mark are no part of an entry; of a link of Markdown its
    target is the entry.
    """
    for number, line in enumerate(text.splitlines(), 1):
        entry = _plain(line.translate(_INVISIBLE))
        if entry:
            yield number, entry


def _plain(line: str) -> str:
    link = _MARKED_LINK.search(line)
    comment = _COMMENT.search(line)
    if link is not None and (comment is None or link.start() < comment.start()):
        line = line[: link.start()] + link["target"].partition("#")[0] + line[link.end() :]
        comment = _COMMENT.search(line)
    if comment is not None:
        line = line[: comment.start()]
    line = line.strip()
    bullet = _BULLET.match(line)
    line = _unwrapped(line[bullet.end() :] if bullet is not None else line)
    return "" if line in ("[", "]", "-", "*", "---", "...") else line


def _unwrapped(entry: str) -> str:
    """The entry without what is around it, such as quotation marks with a comma after them."""
    before = None
    while before != entry:
        before = entry
        entry = entry.strip().rstrip(",;").rstrip()
        for start, end in _PAIRS:
            if len(entry) >= len(start) + len(end) and entry.startswith(start) and entry.endswith(end):
                entry = entry[len(start) : len(entry) - len(end)]
    return entry
