"""Every column of every schema explains itself."""

import pyarrow as pa
import pytest

from stackfim.schemas.column import column, describe
from stackfim.schemas.example import EDIT, EXAMPLE
from stackfim.schemas.manifest import FILE, MANIFEST
from stackfim.schemas.mixed import CONVERSATION, MIXED
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
    "manifest": MANIFEST,
    "manifest_file": pa.schema(list(FILE)),
}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_every_column_has_a_description_that_is_a_sentence(schema: pa.Schema) -> None:
    for name, type_, description in describe(schema):
        assert description.endswith("."), (name, description)
        assert len(description) >= 5
        assert type_


def test_column_names_are_unique_in_each_schema() -> None:
    for schema in SCHEMAS.values():
        assert len(set(schema.names)) == len(schema.names)


def test_describe_lists_columns_in_order_with_their_types() -> None:
    schema = pa.schema([column("b", pa.int64(), "Second."), pa.field("a", pa.string())])
    assert describe(schema) == [("b", "int64", "Second."), ("a", "string", "")]


def test_descriptions_survive_a_parquet_file(tmp_path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(EXAMPLE.empty_table(), tmp_path / "examples.parquet")
    assert describe(pq.read_schema(tmp_path / "examples.parquet")) == describe(EXAMPLE)


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
