"""Where a middle ends, and where else it might end: the places at which a model is asked whether it would stop."""

from __future__ import annotations

from collections.abc import Sequence

from stackfim.model.interfaces import FimTokenizer

Row = tuple[str, str, str]
"""Prefix, middle, suffix."""

_BLANKS = " \t\r\n\f\v"


def line_ends(tokenizer: FimTokenizer, middle: Sequence[int]) -> list[int]:
    """The places inside a middle where a line ends, as numbers of tokens before them.

    A place between two tokens is a line end if only blanks separate it from a line break (LF or CRLF) to its right, or if
    a line break is right before it. Something visible comes before and after each.
    """
    text = tokenizer.decode_bytes(middle)
    places = []
    offset = 0
    for count, size in enumerate(tokenizer.byte_lengths[list(middle)].tolist(), start=1):
        offset += size
        before, after = text[:offset], text[offset:]
        if not before.strip() or not after.strip() or (before.endswith(b"\r") and after.startswith(b"\n")):
            continue
        if before.endswith(b"\n") or after.lstrip(b" \t").startswith((b"\n", b"\r\n")):
            places.append(count)
    return places


def earlier_end(row: Row) -> Row | None:
    """The row with its middle's last visible line moved to the suffix; None for a middle of one line."""
    prefix, middle, suffix = row
    body = middle.rstrip(_BLANKS)
    kept = body[: body.rfind("\n") + 1].rstrip(_BLANKS)
    if not kept:
        return None
    end = len(kept)
    if middle.endswith("\n"):
        end = middle.index("\n", end) + 1
    return prefix, middle[:end], middle[end:] + suffix


def later_end(row: Row) -> Row | None:
    """The row with its suffix's next visible line moved to the middle; None where nothing visible follows."""
    prefix, middle, suffix = row
    start = 0 if middle.endswith("\n") else suffix.find("\n") + 1
    # Without a line break, the rest of the suffix belongs to the cursor's own line.
    if (start == 0 and not middle.endswith("\n")) or not suffix[start:].strip(_BLANKS):
        return None
    visible = len(suffix) - len(suffix[start:].lstrip(_BLANKS))
    line_break = suffix.find("\n", visible)
    end = len(suffix) if line_break < 0 else line_break
    if middle.endswith("\n"):
        end = min(end + 1, len(suffix))
    else:
        end = len(suffix[:end].rstrip(_BLANKS))
    return prefix, middle + suffix[:end], suffix[end:]


def line_too_many(row: Row) -> str | None:
    """The middle followed by the suffix's next line, as a model that does not stop would write it.

    None for an empty middle, for one that does not end its line, and for a suffix without a further line.
    """
    _, middle, suffix = row
    body = middle.rstrip("\r\n")
    tail = middle[len(body) :]
    # The text between the middle and the next visible line.
    rest = suffix.lstrip()
    blank = suffix[: len(suffix) - len(rest)]
    line = rest.partition("\n")[0].rstrip()
    follows = bool(body.strip()) and bool(line) and ("\n" in blank or bool(tail))
    return middle + blank + line + tail if follows else None
