"""docs/data-model.md lists every column, and every member of the manifest, as the schemas have them."""

from pathlib import Path

import pyarrow as pa
import pytest

from stackfim.schemas.attribution import ATTRIBUTION
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.fingerprint import REFERENCE
from stackfim.schemas.manifest import Manifest, ScoringSummary
from stackfim.schemas.mixed import MIXED
from stackfim.schemas.record import FileRecord, Record
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
RECORDS: dict[str, type[Record]] = {
    "Manifest": Manifest,
    "File of a manifest": FileRecord,
    "Scoring of a manifest": ScoringSummary,
}


def section(title: str) -> str:
    text = (Path(__file__).parents[2] / "docs" / "data-model.md").read_text("utf-8")
    return text.partition(f"\n### {title}\n\n")[2].partition("\n##")[0].strip()


def columns(schema: pa.Schema) -> str:
    lines = ["| Column | Type | Meaning |", "|---|---|---|"]
    for field in schema:
        description = field.metadata[b"description"].decode()
        lines.append(f"| `{field.name}` | {str(field.type).partition('<')[0]} | {description} |")
    return "\n".join(lines)


def members(kind: type[Record]) -> str:
    lines = ["| Member | Meaning |", "|---|---|"]
    lines += [f"| `{name}` | {field.description} |" for name, field in kind.model_fields.items()]
    return "\n".join(lines)


@pytest.mark.parametrize("title", DOCUMENTED)
def test_the_table_of_a_schema_is_its_columns(title: str) -> None:
    assert section(title) == columns(DOCUMENTED[title])


@pytest.mark.parametrize("title", RECORDS)
def test_the_table_of_a_record_is_its_members(title: str) -> None:
    assert section(title) == members(RECORDS[title])
