"""A record is checked before anybody trusts it, and what is wrong is told by member, value and what was expected."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from stackfim.schemas.derived import MixtureReport, RenderingReport, ScoringReport
from stackfim.schemas.manifest import FORMAT, Manifest, OtherFormat
from stackfim.schemas.record import FileRecord, Record, RecordMismatch

FILE: dict[str, Any] = {"path": "data/train.parquet", "size_bytes": 12, "sha256": "0" * 64}
MANIFEST: dict[str, Any] = {
    "format": FORMAT,
    "version": "0.1.0",
    "versions": {"pyarrow": "25.0.1"},
    "run_key": "0" * 64,
    "source": {"kind": "parquet", "files": 3},
    "locators": ["part-0", "part-1"],
    "configuration": {"seed": 0, "languages": None, "split": {"weights": [0.5, True]}},
    "counts": {"files": 3},
    "rejected": {"file:size:empty": 1},
    "partitioned_by": "repository",
    "relabelled": {"C>C++": 3},
    "redacted": {"email": 4},
    "removed": {"exact": 2, "near": 1},
    "examples": {},
    "refused": {},
    "unsupported_languages": {},
    "scoring": {"settings": {"model": "tiny"}, "diagnostics": {}},
    "files": [FILE],
}
DERIVED: dict[str, Any] = {
    "version": "0.1.0",
    "run_key": "0" * 64,
    "files": [FILE],
    "source": {"train.parquet": "0" * 64},
    "settings": {"family": "refact"},
    "counts": {"rows": 3},
}
CHAT: dict[str, Any] = {
    "source": "pairs",
    "sha256": None,
    "limits": {},
    "default_license": "",
    "template_sha256": None,
    "configuration": {},
}
GOOD: dict[type[Record], dict[str, Any]] = {
    Manifest: MANIFEST,
    RenderingReport: DERIVED | {"pack_tokens": None},
    ScoringReport: DERIVED | {"diagnostics": {"verdicts": {}}},
    MixtureReport: DERIVED | {"chat": CHAT, "asked_share": 0.15, "chat_share": 0.149, "train_tokens": {"fim": 9}},
}


def read(members: object, kind: type[Record] = Manifest) -> Record:
    return kind.from_json(json.dumps(members))


@pytest.mark.parametrize("kind", GOOD)
def test_a_record_is_written_as_it_was_read(kind: type[Record]) -> None:
    record = read(GOOD[kind], kind)
    assert json.loads(record.to_json()) == GOOD[kind]
    assert kind.from_json(record.to_json()) == record
    assert set(GOOD[kind]) == set(kind.model_fields)


def test_equal_records_are_equal_bytes() -> None:
    backwards = dict(reversed(MANIFEST.items()))
    assert read(backwards).to_json() == read(MANIFEST).to_json()


def test_a_record_does_not_change() -> None:
    record = read(MANIFEST)
    for name in Manifest.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(record, name, MANIFEST[name])


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in GOOD for name in kind.model_fields])
def test_a_missing_member_is_named(kind: type[Record], name: str) -> None:
    with pytest.raises(RecordMismatch, match=rf"^{name} is missing$"):
        read({key: value for key, value in GOOD[kind].items() if key != name}, kind)


def test_an_unknown_member_is_named_with_those_that_are_known() -> None:
    with pytest.raises(RecordMismatch, match=r"^created_at is not known, expected version, run_key, files, format"):
        read({**MANIFEST, "created_at": "today"})


def test_a_run_without_a_model_has_no_scoring() -> None:
    assert read({**MANIFEST, "scoring": None}) == Manifest(
        **{**MANIFEST, "scoring": None, "locators": ("part-0", "part-1"), "files": (FileRecord(**FILE),)}
    )


@pytest.mark.parametrize("text", ["null", "[]", '"text"', "3"])
def test_a_text_that_is_not_an_object_is_refused(text: str) -> None:
    with pytest.raises(RecordMismatch, match=r"^the text is .*, expected an object$"):
        Manifest.from_json(text)


@pytest.mark.parametrize("text", ["", "{", '{"format": 2}x', '{"version": "\\ud800"}', b"\xff\xfe", "[" * 100_000])
def test_a_text_that_is_not_json_is_refused(text: bytes | str) -> None:
    for kind in GOOD:
        with pytest.raises(RecordMismatch, match=r"^not JSON: "):
            kind.from_json(text)


def test_another_format_is_told_with_the_version_that_wrote_it() -> None:
    for layout in (1, 3):
        with pytest.raises(
            OtherFormat,
            match=rf"format {layout}, which stackfim 0\.1\.0 wrote, expected format 2; make the folder anew",
        ):
            read({"format": layout, "version": "0.1.0", "anything": "else"})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("format", "2", "format is '2', expected 2"),
        ("format", True, "format is True, expected 2"),
        ("format", 2.5, "format is 2.5, expected 2"),
        ("version", 1, "version is 1, expected text"),
        ("version", None, "version is None, expected text"),
        ("versions", {"pyarrow": 25}, "versions.pyarrow is 25, expected text"),
        ("locators", "part", "locators is 'part', expected a list"),
        ("locators", [None], "locators[0] is None, expected text"),
        ("counts", [], "counts is [], expected an object"),
        ("counts", {"files": "3"}, "counts.files is '3', expected a whole number"),
        ("counts", {"files": True}, "counts.files is True, expected a whole number"),
        ("counts", {"files": None}, "counts.files is None, expected a whole number"),
        ("counts", {"files": 1.0}, "counts.files is 1.0, expected a whole number"),
        ("counts", {"files": -1}, f"counts.files is -1, expected a whole number from 0 to {2**63 - 1}"),
        ("counts", {"files": 2**63}, f"counts.files is {2**63}, expected a whole number from 0 to {2**63 - 1}"),
        ("files", "data", "files is 'data', expected a list"),
        ("files", [None], "files[0] is None, expected an object"),
        ("files", [{"path": "p"}], "files[0].size_bytes is missing; files[0].sha256 is missing"),
        ("files", [FILE | {"owner": "me"}], "files[0].owner is not known, expected only the members of its layout"),
        ("files", [FILE | {"size_bytes": "12"}], "files[0].size_bytes is '12', expected a whole number"),
        ("source", "{}", "source is '{}', expected an object"),
        ("configuration", {"seed": 2**70}, f"configuration.seed is {2**70}, expected a whole number of 64 bits"),
        ("configuration", {"a": [{"b": float("nan")}]}, "configuration.a[0].b is nan, expected a finite number"),
        ("scoring", {"settings": {}}, "scoring.diagnostics is missing"),
        ("scoring", "{}", "scoring is '{}', expected an object"),
    ],
)
def test_a_wrong_member_is_told_with_its_value_and_what_was_expected(name: str, value: object, message: str) -> None:
    with pytest.raises(RecordMismatch) as told:
        read({**MANIFEST, name: value})
    assert str(told.value) == message


def test_numbers_of_a_report_are_finite() -> None:
    for value, message in ((float("inf"), "asked_share is inf, expected a finite number"), ("x", "expected a number")):
        with pytest.raises(RecordMismatch, match=message):
            read(GOOD[MixtureReport] | {"asked_share": value}, MixtureReport)


def test_text_that_is_not_unicode_is_never_written() -> None:
    manifest = read(MANIFEST)
    for change in ({"run_key": "\ud800"}, {"configuration": {"path": "\ud800"}}, {"counts": {"\ud800": 1}}):
        with pytest.raises(UnicodeEncodeError):
            manifest.model_copy(update=change).to_json()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(kind=st.sampled_from(list(GOOD)), data=st.data())
def test_whatever_a_member_is_the_record_is_read_or_the_member_named_in_our_words(
    kind: type[Record], data: st.DataObject
) -> None:
    name, value = data.draw(st.sampled_from(list(kind.model_fields))), data.draw(JSON)
    try:
        record = read({**GOOD[kind], name: value}, kind)
    except RecordMismatch as error:
        assert str(error).startswith((name, "the manifest has format"))
        assert "Input should" not in str(error)
        assert "pydantic" not in str(error)
    else:
        assert kind.from_json(record.to_json()) == record
