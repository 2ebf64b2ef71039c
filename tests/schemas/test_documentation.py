"""docs/data-model.md lists every column as the schemas have it."""

from pathlib import Path

import pyarrow as pa
import pytest

from schemas.attribution import ATTRIBUTION
from schemas.column import describe
from schemas.example import EXAMPLE
from schemas.filter_score import FILTER_SCORE
from schemas.fingerprint import STANDING
from schemas.mixed import MIXED
from schemas.rejection import REJECTION
from schemas.removal import REMOVAL
from schemas.rendered import PACKED, RENDERED, TOKENIZED
from schemas.scored import SCORES
from schemas.source import ROW

DOCUMENTED = {
    "Example": EXAMPLE,
    "Scored example": pa.schema(SCORES),
    "Rendered example": pa.schema([*RENDERED, *TOKENIZED]),
    "Packed row": PACKED,
    "Mixed row": MIXED,
    "Rejection": REJECTION,
    "Removal": REMOVAL,
    "Fingerprint": STANDING,
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
