"""The manifest's layout is checked before anybody trusts it."""

import copy
import json
from typing import Any

import pytest

from stackfim.schemas.manifest import FORMAT, MANIFEST, ManifestMismatch, check_manifest

GOOD: dict[str, Any] = {
    "format": FORMAT,
    "version": "0.1.0",
    "versions": {"pyarrow": "25.0.1"},
    "run_key": "0" * 64,
    "source": "{}",
    "locators": ["part-0", "part-1"],
    "configuration": "{}",
    "counts": {"files": 3},
    "rejected": {"file:size:empty": 1},
    "relabelled": {"C>C++": 3},
    "redacted": {"email": 4},
    "removed": {"exact": 2, "near": 1},
    "examples": {},
    "refused": {},
    "unsupported_languages": {},
    "scoring": "{}",
    "files": [{"path": "data/train.parquet", "size_bytes": 12, "sha256": "0" * 64}],
}


def test_a_good_manifest_comes_back_as_it_is() -> None:
    before = copy.deepcopy(GOOD)
    assert check_manifest(GOOD) is GOOD
    assert before == GOOD
    assert set(GOOD) == set(MANIFEST.names)
    assert check_manifest(json.loads(json.dumps(GOOD))) == GOOD


@pytest.mark.parametrize("name", [field.name for field in MANIFEST if not field.nullable])
def test_a_missing_member_is_named(name: str) -> None:
    with pytest.raises(ManifestMismatch, match=rf"missing \['{name}'\]"):
        check_manifest({key: value for key, value in GOOD.items() if key != name})


def test_a_run_without_a_model_says_nothing_of_scoring() -> None:
    assert check_manifest({key: value for key, value in GOOD.items() if key != "scoring"})
    with pytest.raises(ManifestMismatch, match="scoring"):
        check_manifest({**GOOD, "scoring": {}})


def test_an_unknown_member_is_named() -> None:
    with pytest.raises(ManifestMismatch, match=r"unknown \['created_at'\]"):
        check_manifest({**GOOD, "created_at": "today"})


@pytest.mark.parametrize("manifest", [None, [], "text", 3])
def test_what_is_no_object_is_refused(manifest: object) -> None:
    with pytest.raises(ManifestMismatch, match=type(manifest).__name__):
        check_manifest(manifest)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", "1"),
        ("format", True),
        ("version", 1),
        ("counts", {"files": "3"}),
        ("counts", {"files": True}),
        ("versions", {"pyarrow": 25}),
        ("files", "data"),
        ("files", {"path": "data"}),
        ("files", [{"path": "p", "size_bytes": "12", "sha256": "0"}]),
    ],
)
def test_a_member_of_another_type_is_refused(name: str, value: object) -> None:
    with pytest.raises(ManifestMismatch):
        check_manifest({**GOOD, name: value})


HALF_RIGHT = [
    pytest.param("format", FORMAT + 1, id="another_layout"),
    pytest.param("format", 2**70, id="number_beyond_64_bits"),
    pytest.param("version", None, id="null"),
    pytest.param("version", "\ud800", id="text_that_is_no_unicode"),
    pytest.param("locators", "part", id="text_for_a_list"),
    pytest.param("locators", [None], id="null_in_a_list"),
    pytest.param("counts", [], id="list_for_a_map"),
    pytest.param("counts", None, id="null_for_a_map"),
    pytest.param("counts", {"files": None}, id="null_in_a_map"),
    pytest.param("counts", {"files": 1.5}, id="fraction_for_a_count"),
    pytest.param("files", [None], id="null_for_a_file"),
    pytest.param("files", [{"path": "p"}], id="file_without_checksum"),
    pytest.param("files", [{**GOOD["files"][0], "owner": "me"}], id="file_with_an_unknown_member"),
]


@pytest.mark.parametrize(("name", "value"), HALF_RIGHT)
def test_nulls_and_half_filled_members_are_refused(name: str, value: object) -> None:
    with pytest.raises(ManifestMismatch):
        check_manifest({**GOOD, name: value})
