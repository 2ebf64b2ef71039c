"""docs/data-model.md lists every column as the schemas have it."""

from pathlib import Path

import pyarrow as pa
import pytest

from stackfim.schemas.attribution import ATTRIBUTION
from stackfim.schemas.column import describe
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.fingerprint import REFERENCE
from stackfim.schemas.mixed import MIXED
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.removal import REMOVAL
from stackfim.schemas.rendered import PACKED, RENDERED, TOKENIZED
from stackfim.schemas.scored import SCORES
from stackfim.schemas.source import ROW
from stackfim.transforms.filters.filter_list import FILTER_SCORE

DOCUMENTED = {
    "Example": EXAMPLE,
    "Scored example": pa.schema(SCORES),
    "Rendered example": pa.schema([*RENDERED, *TOKENIZED]),
    "Packed row": PACKED,
    "Mixed row": MIXED,
    "Rejection": REJECTION,
    "Removal": REMOVAL,
    "Fingerprint": REFERENCE,
    "Attribution": ATTRIBUTION,
    "Filter scores": FILTER_SCORE,
    "Source row, after reading": ROW,
}


def table(schema: pa.Schema) -> str:
    lines = ["| Column | Type | Meaning |", "|---|---|---|"]
    for name, kind, description in describe(schema):
        lines.append(f"| `{name}` | {kind.partition('<')[0]} | {description} |")
    return "\n".join(lines)


@pytest.mark.parametrize("title", DOCUMENTED)
def test_the_table_of_a_schema_is_its_columns(title: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "data-model.md").read_text("utf-8")
    section = text.partition(f"\n### {title}\n\n")[2].partition("\n### ")[0].strip()
    assert section == table(DOCUMENTED[title])
