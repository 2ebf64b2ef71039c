"""The card of a run tells Hugging Face what there is to load, and people what it is."""

from typing import Any

import pytest
from huggingface_hub import DatasetCard

from stackfim.pipeline.folder.card import run_card
from stackfim.schemas.manifest import Manifest
from stackfim.schemas.record import FileRecord

FILTERS = {
    "switched_off": [],
    "license_policy": "all",
    "allow_unknown_licenses": False,
    "allow_missing_licenses": False,
}


def manifest(**changes: Any) -> Manifest:
    """A manifest of a run of one shard."""
    names = ("train", "validation")
    files = [FileRecord(path=f"data/{name}-00000-of-00001.parquet", size_bytes=1, sha256="0" * 64) for name in names]
    numbers = ("files_in", "files_rejected", "files_removed", "files_with_examples", "examples", "examples_rejected")
    members: dict[str, Any] = {
        "version": "1",
        "run_key": "0000002a" + "0" * 56,
        "files": tuple(files),
        "format": 2,
        "versions": {},
        "source": {"kind": "code", "folder": "site-packages", "digest": "0", "spec": "code:/home/me/site-packages"},
        "locators": ("{}",),
        "configuration": {"licenses": "permissive", "filters": FILTERS},
        "counts": dict.fromkeys(numbers, 1_000),
        "examples": {"partition:train": 990, "partition:validation": 10, "kind:siblings": 3, "kind:mid_token": 7},
        "scoring": None,
        "partitioned_by": "repository",
    }
    for name in ("rejected", "relabelled", "redacted", "removed", "refused", "unsupported_languages"):
        members[name] = {}
    return Manifest(**(members | changes))


def front_matter(card: str) -> dict[str, Any]:
    data: Any = DatasetCard(card).data
    found: dict[str, Any] = data.to_dict()
    return found


def test_the_front_matter_names_the_version_and_the_partitions() -> None:
    assert front_matter(run_card(manifest()))["configs"] == [
        {
            "config_name": "default",
            "version": "0.0.42",
            "data_files": [
                {"split": "train", "path": "data/train-*.parquet"},
                {"split": "validation", "path": "data/validation-*.parquet"},
            ],
        }
    ]


def test_a_partition_without_rows_is_not_named() -> None:
    counts = {"partition:train": 990, "partition:validation": 0}
    (config,) = front_matter(run_card(manifest(examples=counts)))["configs"]
    assert config["data_files"] == [{"split": "train", "path": "data/train-*.parquet"}]


def test_the_largest_counts_come_first() -> None:
    assert "| mid_token | 7 |\n| siblings | 3 |" in run_card(manifest())


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"kind": "hub", "dataset": "o/n", "commit": "abc", "revision": None}, "from `o/n` at commit `abc`."),
        ({"kind": "parquet", "location": "gs://b/c", "spec": "parquet:gs://b/c"}, "from `gs://b/c`."),
        ({"kind": "code", "folder": "site-packages", "spec": "code:/home/me/site-packages"}, "from `site-packages`."),
    ],
)
def test_the_source_is_named_in_a_few_words(source: dict[str, Any], told: str) -> None:
    assert told in run_card(manifest(source=source))


@pytest.mark.parametrize(
    ("configuration", "told"),
    [
        ({"licenses": "stack-v1"}, "of whose licenses all are allowed: the licenses of The Stack v1."),
        ({"licenses": ["mit", "isc"]}, "all are allowed: a list of 2 licenses."),
        ({"filters": FILTERS | {"license_policy": "any"}}, "of whose licenses at least one is allowed: permissive"),
        ({"filters": FILTERS | {"switched_off": ["license"]}}, "Licenses were not checked."),
        ({"filters": FILTERS | {"allow_unknown_licenses": True}}, "Licenses that are not known count as allowed."),
        ({"filters": FILTERS | {"allow_missing_licenses": True}}, "Repositories without a license are among them."),
        ({"opt_outs": {"names": 1_234}}, "1,234 repositories and owners had asked to be left out."),
    ],
)
def test_the_license_section_tells_what_was_allowed(configuration: dict[str, Any], told: str) -> None:
    whole = {"licenses": "permissive", "filters": FILTERS} | configuration
    assert told in run_card(manifest(configuration=whole))
