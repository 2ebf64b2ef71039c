"""Every column of every schema, and every member of every record, explains itself."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackfim.schemas.derived import ChatRecord, MixtureReport, RenderingReport, ScoringReport
from stackfim.schemas.example import EDIT, EXAMPLE
from stackfim.schemas.manifest import Manifest, ScoringSummary
from stackfim.schemas.mixed import CONVERSATION, MIXED
from stackfim.schemas.record import FileRecord, Record
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.removal import REMOVAL
from stackfim.schemas.scored import SCORE, SCORED
from stackfim.schemas.source import ROW, THE_STACK

SCHEMAS = {
    "the_stack": THE_STACK,
    "row": ROW,
    "example": EXAMPLE,
    "scored": SCORED,
    "score": pa.schema(list(SCORE)),
    "mixed": MIXED,
    "conversation": CONVERSATION,
    "edit": pa.schema(list(EDIT)),
    "rejection": REJECTION,
    "removal": REMOVAL,
}
RECORDS = (Manifest, ScoringSummary, FileRecord, RenderingReport, ScoringReport, MixtureReport, ChatRecord)


def assert_is_a_sentence(name: str, description: str) -> None:
    assert description.endswith("."), (name, description)
    assert len(description) >= 5


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_every_column_has_a_description_that_is_a_sentence(schema: pa.Schema) -> None:
    for field in schema:
        assert_is_a_sentence(field.name, field.metadata[b"description"].decode())


@pytest.mark.parametrize("record", RECORDS)
def test_every_member_has_a_description_that_is_a_sentence(record: type[Record]) -> None:
    for name, field in record.model_fields.items():
        assert_is_a_sentence(name, field.description or "")


def test_column_names_are_unique_in_each_schema() -> None:
    for schema in SCHEMAS.values():
        assert len(set(schema.names)) == len(schema.names)


def test_descriptions_survive_a_parquet_file(tmp_path: Path) -> None:
    pq.write_table(EXAMPLE.empty_table(), tmp_path / "examples.parquet")
    read = pq.read_schema(tmp_path / "examples.parquet")
    assert [field.metadata[b"description"] for field in read] == [field.metadata[b"description"] for field in EXAMPLE]


def test_example_has_the_columns_that_the_format_promises() -> None:
    promised = (
        "example_id group_id category kind stop_reason prefix middle suffix language repository path revision licenses"
        " source_id content_id start_byte end_byte context_start_byte context_end_byte edits half_written irreparable"
        " open_ended bracket_delta newline_owner node_type scope lines chars seed version"
    )
    assert EXAMPLE.names == promised.split()
    assert [field.name for field in EXAMPLE if field.nullable] == ["stop_reason"]


def test_a_scored_example_has_its_scores_before_seed_and_version() -> None:
    assert SCORED.names == [*EXAMPLE.names[:-2], "tokens", "score_psm", "score_spm", "verdict", "seed", "version"]
    assert [field.name for field in SCORED if field.nullable] == ["stop_reason", "score_psm", "score_spm"]
    names = ["nll", "nll_sum", "p_eot_end", "p_eot_start", "p_eot_early", "greedy_match"]
    assert [field.name for field in SCORE] == names


def test_removal_and_rejection_have_the_columns_that_the_format_promises() -> None:
    assert REMOVAL.names == [
        *("content_id", "repository", "path", "kept_content_id", "kept_repository", "kept_path"),
        *("similarity", "cluster_id", "method"),
    ]
    assert REJECTION.names == ["unit", "stage", "reason", "repository", "path", "content_id", "detail"]
