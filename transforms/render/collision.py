"""Sentinels in the text of an example, which a model could not tell from those of the prompt.

Some strings are always sentinels, and no part may hold them, whatever family it is rendered for. Others can be ordinary
text (`<PRE>` is HTML, `[SUFFIX]` an array index, `<filename>` a word in a usage message) and matter only to their own
family. A tokenizer that is given adds its own special tokens (`others`).
"""

import re
from collections.abc import Mapping
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from stackfim.transforms.render.families import FAMILIES, family_named
from stackfim.transforms.render.template import HEADER_PARTS, MIDDLE, PREFIX, SUFFIX

# Nobody writes a string that begins like this unless they mean the token.
_UNMISTAKABLE = ("<|", "<｜", "<[", "<fim_", "<fim-")

ALWAYS: frozenset[str] = frozenset(
    sentinel for family in FAMILIES.values() for sentinel in family.sentinels if sentinel.startswith(_UNMISTAKABLE)
)
"""The strings that are always sentinels, of all families."""


NONE: frozenset[str] = frozenset()


@cache
def forbidden(family: str | None = None, others: frozenset[str] = NONE) -> frozenset[str]:
    """The strings that no part may hold: `ALWAYS`, `others` and, if a family is named, its sentinels."""
    return ALWAYS | others | (family_named(family).sentinels if family is not None else NONE)


@cache
def _expression(family: str | None, others: frozenset[str]) -> str:
    # Longest first, so that a sentinel is reported in full.
    return "|".join(map(re.escape, sorted(forbidden(family, others), key=lambda text: (-len(text), text))))


@cache
def _reach(family: str | None, others: frozenset[str]) -> int:
    """Characters on either side of a seam that a sentinel across it can have."""
    return max(map(len, forbidden(family, others))) - 1


def collision(parts: Mapping[str, str], family: str | None = None, others: frozenset[str] = NONE) -> str | None:
    """Which part holds which sentinel, in words; None where none does. Prefix and middle are also searched as one text."""
    expression = re.compile(_expression(family, others))
    for name, text in parts.items():
        if found := expression.search(text):
            return f"the {name} holds {found[0]}"
    seam = _reach(family, others)
    around = parts[PREFIX][-seam:] + parts[MIDDLE][:seam] if PREFIX in parts and MIDDLE in parts else ""
    if found := expression.search(around):
        return f"prefix and middle together hold {found[0]}"
    return None


def collisions(
    rows: pa.RecordBatch, family: str, header: bool = False, others: frozenset[str] = NONE
) -> dict[int, str]:
    """What `collision` reports, by row number, in order, for rows of stackfim.schemas.example.EXAMPLE.

    With `header`, path and repository are parts too. `others` are special tokens beside those of the family.
    """
    names = (PREFIX, MIDDLE, SUFFIX, *(HEADER_PARTS if header else ()))
    suspects: set[int] = set()
    for name in names:
        suspects.update(_rows_with(rows.column(name), _expression(family, others)))
    suspects.update(_rows_with_seam(rows, family, others))
    found = {}
    for row in sorted(suspects):
        report = collision({name: rows.column(name)[row].as_py() for name in names}, family, others)
        if report is not None:
            found[row] = report
    return found


def _rows_with(texts: pa.Array, expression: str) -> list[int]:
    hits = pc.match_substring_regex(texts, expression)
    found: list[int] = pc.indices_nonzero(hits).to_pylist()
    return found


def _rows_with_seam(rows: pa.RecordBatch, family: str, others: frozenset[str]) -> list[int]:
    reach = _reach(family, others)
    ends = pc.utf8_slice_codeunits(rows.column(PREFIX), -reach)
    begins = pc.utf8_slice_codeunits(rows.column(MIDDLE), 0, reach)
    return _rows_with(pc.binary_join_element_wise(ends, begins, ""), _expression(family, others))
