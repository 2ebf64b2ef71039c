"""Each dropped row has a rejection, in order."""

import pyarrow as pa
import pytest

from stackfim.schemas.rejection import FILE, REJECTION, concatenate, no_rejections, rejections

ROWS = pa.RecordBatch.from_pydict(
    {"repository": ["a/b", "c/d"], "path": ["x.py", "y.py"], "content_id": ["1" * 40, "2" * 40], "more": [1, 2]}
)


def test_each_row_keeps_its_reason_and_its_detail() -> None:
    rejected = rejections(FILE, "size", ["empty", "too_large"], ROWS, ["0 bytes", "9 bytes"])
    assert rejected.schema.equals(REJECTION, check_metadata=True)
    assert rejected.to_pylist()[1] == {
        "unit": "file",
        "stage": "size",
        "reason": "too_large",
        "repository": "c/d",
        "path": "y.py",
        "content_id": "2" * 40,
        "detail": "9 bytes",
    }


@pytest.mark.parametrize(("reasons", "details"), [(["a"], ["b", "c"]), (["a", "b"], ["c"]), ([], [])])
def test_other_numbers_of_reasons_or_details_are_an_error(reasons: list[str], details: list[str]) -> None:
    with pytest.raises(ValueError, match="expected one reason and one detail for each row"):
        rejections(FILE, "size", reasons, ROWS, details)


def test_concatenation_keeps_order_and_knows_the_empty_case() -> None:
    one = rejections(FILE, "size", ["a", "b"], ROWS, ["", ""])
    other = rejections(FILE, "license", ["c"], ROWS.slice(1), [""])
    together = concatenate([no_rejections(), one, no_rejections(), other])
    assert together.column("reason").to_pylist() == ["a", "b", "c"]
    assert concatenate([]).num_rows == 0
    assert concatenate([]).schema.equals(REJECTION)
