"""Sentinels in the text of an example: a model could not tell them from the ones that a rendering puts there.

Some strings are nothing but sentinels, and no part may hold them whatever it is rendered for. Others are ordinary text
elsewhere (`<PRE>` is HTML, `[SUFFIX]` an array index, `<filename>` a word in a usage message), and matter to their own
family alone.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from stackfim.transforms.render.families import FAMILIES, family_named
from stackfim.transforms.render.template import HEADER_PARTS, MIDDLE, PREFIX, SUFFIX

# What begins so is written by no one who does not mean the token.
_UNMISTAKABLE = ("<|", "<｜", "<[", "<fim_", "<fim-")

ALWAYS: frozenset[str] = frozenset(
    sentinel for family in FAMILIES.values() for sentinel in family.sentinels if sentinel.startswith(_UNMISTAKABLE)
)
"""Strings that are nothing but sentinels, of all families."""


@cache
def forbidden(family: str | None = None) -> frozenset[str]:
    """The strings that no part may hold: `ALWAYS`, and those of a family where one is named."""
    return ALWAYS | (family_named(family).sentinels if family is not None else frozenset())


@cache
def _expression(family: str | None) -> str:
    # Longest first, so that the one reported is the whole one.
    return "|".join(map(re.escape, sorted(forbidden(family), key=lambda text: (-len(text), text))))


def collision(parts: Mapping[str, str], family: str | None = None) -> str | None:
    """Which part holds which sentinel, in words; None where none does. The seam of prefix and middle counts as well."""
    expression = re.compile(_expression(family))
    for name, text in parts.items():
        if found := expression.search(text):
            return f"the {name} holds {found[0]}"
    seam = max(map(len, forbidden(family))) - 1
    around = parts[PREFIX][-seam:] + parts[MIDDLE][:seam] if PREFIX in parts and MIDDLE in parts else ""
    if found := expression.search(around):
        return f"prefix and middle together hold {found[0]}"
    return None


def collisions(rows: pa.RecordBatch, family: str, header: bool = False) -> dict[int, str]:
    """Row to what `collision` says of it, for the rows of stackfim.schemas.example where it says something, in order.

    With `header` path and repository are parts too.
    """
    names = (PREFIX, MIDDLE, SUFFIX, *(HEADER_PARTS if header else ()))
    suspects: set[int] = set()
    for name in names:
        suspects.update(_rows_with(rows.column(name), family))
    suspects.update(_rows_with_seam(rows, family))
    found = {}
    for row in sorted(suspects):
        said = collision({name: rows.column(name)[row].as_py() for name in names}, family)
        if said is not None:
            found[row] = said
    return found


def _rows_with(texts: pa.Array, family: str) -> Iterable[int]:
    hits = pc.match_substring_regex(texts, _expression(family))
    return pc.indices_nonzero(hits).to_pylist()


def _rows_with_seam(rows: pa.RecordBatch, family: str) -> Iterable[int]:
    reach = max(map(len, forbidden(family))) - 1
    ends = pc.utf8_slice_codeunits(rows.column(PREFIX), -reach)
    begins = pc.utf8_slice_codeunits(rows.column(MIDDLE), 0, reach)
    return _rows_with(pc.binary_join_element_wise(ends, begins, ""), family)
