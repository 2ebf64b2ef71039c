"""The Stack's columns, and how other sources' columns become rows."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.schemas.source import (
    CANDIDATES,
    REQUIRED,
    ROW,
    THE_STACK,
    MissingColumns,
    as_binary,
    license_lists,
    resolve_columns,
    text_or_empty,
)


def test_the_stack_dedup_has_29_columns() -> None:
    assert len(THE_STACK) == 29
    for event in ("stars", "issues", "forks"):
        assert THE_STACK.field(f"max_{event}_count").nullable
        assert THE_STACK.field(f"max_{event}_repo_{event}_event_min_datetime").nullable


def test_the_stack_resolves_without_a_mapping() -> None:
    resolved = resolve_columns(THE_STACK.names, {})
    assert resolved["content"] == "content"
    assert resolved["licenses"] == "max_stars_repo_licenses"
    assert resolved["forks"] == "max_forks_count"
    assert set(resolved) == set(CANDIDATES)
    assert set(resolved.values()) <= set(THE_STACK.names)


def test_required_columns_alone_are_enough() -> None:
    resolved = resolve_columns(["content", "lang", "path", "repository", "licenses"], {})
    assert set(resolved) == {*REQUIRED, "language"}


def test_a_mapping_comes_before_known_names() -> None:
    available = ["content", "text", "lang", "path", "repository", "license"]
    assert resolve_columns(available, {"content": "text"})["content"] == "text"


@given(st.sets(st.sampled_from(REQUIRED), min_size=1))
def test_an_error_names_every_missing_column_and_what_there_is(missing: set[str]) -> None:
    available = ["content", "lang", "repository", "path", "licenses", "extra"]
    known = {"language": "lang"}
    available = [name for name in available if name not in {known.get(gone, gone) for gone in missing}]
    with pytest.raises(MissingColumns) as raised:
        resolve_columns(available, {})
    message = str(raised.value)
    named = message.partition(";")[0]
    assert {name for name in REQUIRED if name in named.replace("column", "")} == missing
    assert all(name in message for name in available)
    assert "[columns]" in message


def test_an_error_names_the_mapping_that_points_nowhere() -> None:
    with pytest.raises(MissingColumns, match=r"content.*'body'.*content, lang"):
        resolve_columns(["content", "lang", "path", "repository", "licenses"], {"content": "body"})


@pytest.mark.parametrize(
    "values",
    [
        pa.array([["MIT", "ISC"], [], None]),
        pa.array([["MIT", None, " ISC "], ["", None], None]),
        pa.array(
            [{"list": [{"item": "MIT"}, {"item": "ISC"}]}, {"list": []}, None],
            pa.struct([("list", pa.list_(pa.struct([("item", pa.string())])))]),
        ),
        pa.array(
            [{"list": [{"element": "MIT"}, {"element": "ISC"}]}, {"list": None}, {"list": [{"element": None}]}],
            pa.struct([("list", pa.list_(pa.struct([("element", pa.string())])))]),
        ),
        pa.array([[{"item": "MIT"}, {"item": "ISC"}], [{"item": None}], None]),
        pa.array([["MIT", "ISC"], [], None], pa.large_list(pa.large_string())),
        pa.chunked_array([[["MIT", "ISC"]], [[], None]]),
    ],
    ids=["list", "blanks", "item", "element", "list_of_structs", "large", "chunked"],
)
def test_license_lists_of_every_published_form_are_the_same_plain_lists(values: pa.Array) -> None:
    plain = license_lists(values)
    assert plain.to_pylist() == [["MIT", "ISC"], [], []]
    assert plain.type == ROW.field("licenses").type


def test_a_license_string_is_a_list_of_one() -> None:
    assert license_lists(pa.array(["MIT", None, " ", " Apache-2.0"])).to_pylist() == [["MIT"], [], [], ["Apache-2.0"]]


def test_licenses_that_are_no_text_are_an_error() -> None:
    with pytest.raises(TypeError, match="int"):
        license_lists(pa.array([[1]]))


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()], ids=str)
def test_content_of_any_text_type_is_the_same_bytes(type_: pa.DataType) -> None:
    values = pa.array(["skipped", "", "é\r\n", "日本"], type_).slice(1)
    assert as_binary(values).to_pylist() == [b"", "é\r\n".encode(), "日本".encode()]
    assert as_binary(values).type == pa.binary()


def test_content_that_is_no_text_is_an_error() -> None:
    with pytest.raises(TypeError, match="int64"):
        as_binary(pa.array([1]))


def test_null_text_is_empty() -> None:
    assert text_or_empty(pa.array(["a", None], pa.large_string())).to_pylist() == ["a", ""]
