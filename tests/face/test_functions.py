"""The functions of the package: what goes in comes out, nothing is lost, and a run gives the same."""

import json
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stackfim
from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.rejection import REJECTION
from stackfim.schemas.removal import REMOVAL

LIBRARY = Path(sysconfig.get_path("stdlib"))
TEXT = Path(textwrap.__file__).read_text()


@pytest.fixture(scope="module")
def files() -> list[dict[str, Any]]:
    """Files of the standard library as rows: exact copies, near-duplicates, other languages, missing values."""
    rows: list[dict[str, Any]] = [
        {"content": path.read_text(), "lang": "Python", "path": path.name, "repository": "o/r", "licenses": ["MIT"]}
        for path in sorted(LIBRARY.glob("*.py"))[:40]
    ]
    for number, row in enumerate(rows[:20:4]):
        rows.append(row | {"repository": "copies/exact", "stars": number})
    for row in rows[1:20:4]:
        rows.append(row | {"repository": "z/near", "content": str(row["content"]).replace("self", "this", 2)})
    rows.append(rows[0] | {"path": "gpl.py", "licenses": ["GPL-3.0-only"]})
    rows.append(rows[0] | {"path": "main.f90", "lang": "Fortran"})
    rows.append(rows[0] | {"path": "none.py", "content": None})
    return rows


def test_importing_the_package_costs_nothing() -> None:
    code = (
        "import sys, time; start = time.perf_counter(); import stackfim; took = time.perf_counter() - start; "
        "heavy = {'torch', 'apache_beam', 'pyarrow', 'numpy', 'datasets', 'pydantic'} & set(sys.modules); "
        "import json; print(json.dumps([took, sorted(heavy)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    _, heavy = json.loads(done.stdout)
    assert heavy == []


def test_everything_public_has_a_manual() -> None:
    for name in stackfim.__all__:
        manual = getattr(stackfim, name).__doc__
        assert manual
        assert (
            name in ("Deduplicated", "Filtered") or "aises" in manual or issubclass(getattr(stackfim, name), Exception)
        )


def test_a_text_gives_examples_that_verify() -> None:
    examples = stackfim.split(TEXT, "python", context_bytes=0, max_slots=20)
    assert len(examples) > 5
    assert set(examples[0]) == set(EXAMPLE.names)
    assert stackfim.verify(examples) == []
    assert stackfim.split(TEXT.encode(), "Python", context_bytes=0, max_slots=20) == examples
    assert {row["repository"] for row in examples} == {"local"}


def test_a_changed_example_is_a_violation() -> None:
    examples = stackfim.split(TEXT, "Python")
    examples[0]["middle"] += "!"
    found = stackfim.verify(examples)
    assert {violation.example_id for violation in found} == {examples[0]["example_id"]}


def test_examples_that_hold_a_part_of_their_file_are_checked_against_the_originals() -> None:
    examples = stackfim.split(TEXT, "Python", context_bytes=1_500)
    assert stackfim.verify(examples, [{"content": TEXT}]) == []
    moved = [row | {"node_type": "comment"} for row in examples]
    assert stackfim.verify(moved) == [], "nothing but the tree shows it"
    assert {violation.invariant for violation in stackfim.verify(moved, [{"content": TEXT}])} == {"names"}
    assert {violation.invariant for violation in stackfim.verify(examples, [{"content": "x = 1"}])} == {"content_id"}


def test_rows_give_examples_in_their_form_and_with_their_origin(files: list[dict[str, Any]]) -> None:
    some = [row for row in files if row["content"] and row["lang"] == "Python"][:5]
    table = stackfim.split(pa.Table.from_pylist(some), max_slots=2)
    assert table.schema.equals(EXAMPLE)
    assert set(table.column("path").to_pylist()) <= {row["path"] for row in some}
    assert stackfim.split(datasets.Dataset.from_list(some), max_slots=2).to_list() == table.to_pylist()


def test_every_row_is_kept_or_rejected_with_a_reason(files: list[dict[str, Any]]) -> None:
    result = stackfim.filter(files)
    assert len(result.kept) + len(result.rejected) == len(files)
    given = [{"stars": None} | row for row in files]
    assert all(row in given for row in result.kept), "rows come back as they are"
    reasons = {row["path"]: row["reason"] for row in result.rejected}
    assert reasons["gpl.py"] == "license_not_allowed"
    assert reasons["main.f90"] == "language_unsupported"
    assert reasons["none.py"] == "missing_content"
    assert set(result.rejected[0]) == set(REJECTION.names)


def test_settings_are_those_of_a_configuration(files: list[dict[str, Any]]) -> None:
    lenient = stackfim.filter(files, switched_off=["license", "license_header"])
    assert "gpl.py" in {row["path"] for row in lenient.kept}
    with pytest.raises(stackfim.UsageError, match="did you mean filters.max_line_chars"):
        stackfim.filter(files, max_line_char=3)
    with pytest.raises(stackfim.UsageError, match=r"dedup.threshold is a number, above 0 and at most 1, got 2"):
        stackfim.deduplicate(files, threshold=2)
    with pytest.raises(ValueError, match="no such language: 'Pyton' .did you mean Python"):
        stackfim.split(TEXT, "Pyton")
    with pytest.raises(ValueError, match="rows need a column `content`"):
        stackfim.split([{"text": "x"}], "Python")


def test_the_best_copies_stay(files: list[dict[str, Any]]) -> None:
    rows = [row for row in files if row["content"] is not None]
    result = stackfim.deduplicate(rows)
    assert len(result.kept) + len(result.removals) == len(rows)
    assert set(result.removals[0]) == set(REMOVAL.names)
    assert {row["repository"] for row in result.removals if row["method"] == "near"} == {"z/near"}
    exact_only = stackfim.deduplicate(rows, near=False)
    assert {row["method"] for row in exact_only.removals} == {"exact"}


def test_a_run_keeps_and_removes_the_same(files: list[dict[str, Any]], tmp_path: Path) -> None:
    """The functions one after another, and `build` on the same rows."""
    source = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(files), source)
    outcome = stackfim.build(
        f"parquet:{source}", tmp_path / "out", workers=1, progress=False, pii="keep", score={"model": "none"}
    )
    filtered = stackfim.filter(files, pii="keep")
    unique = stackfim.deduplicate(filtered.kept)
    examples = stackfim.split(unique.kept)

    def read(folder: str) -> list[dict[str, Any]]:
        return [
            row
            for path in sorted((tmp_path / "out" / folder).glob("*.parquet"))
            for row in pq.read_table(path).to_pylist()
        ]

    def key(row: dict[str, Any]) -> str:
        return json.dumps(row, sort_keys=True)

    rejected = [row for row in read("rejections") if row["stage"] != "split"]
    assert sorted(map(key, filtered.rejected)) == sorted(map(key, rejected))
    assert sorted(map(key, unique.removals)) == sorted(map(key, read("removals")))
    assert sorted(map(key, examples)) == sorted(map(key, read("data")))
    assert outcome.manifest is not None
    assert outcome.manifest.counts["examples"] == len(examples)
    assert stackfim.build(
        f"parquet:{source}", tmp_path / "out", workers=1, progress=False, pii="keep", score={"model": "none"}
    ).already_done


def test_examples_are_rendered_and_scored() -> None:
    examples = stackfim.split(TEXT, "Python", max_slots=4)
    rendered = stackfim.render(examples, "starcoder2")
    assert all("<fim_middle>" in row["prompt"] for row in rendered)
    assert [row["example_id"] for row in rendered] == [row["example_id"] for row in examples]
    tokenizer = Path(stackfim.__file__).parent / "model" / "tiny"
    short = stackfim.render(examples, "refact", tokenizer, max_tokens=200, tokenize=True)
    assert all(len(row["input_ids"]) <= 200 for row in short)
    scored = stackfim.score(examples)
    assert [row["example_id"] for row in scored] == [row["example_id"] for row in examples], "no verdict drops a row"
    assert all(row["score_psm"]["nll"] > 0 for row in scored)


def test_what_the_result_has_no_place_for_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    examples = stackfim.split(TEXT, "Python", max_slots=2)
    held = [examples[0] | {"prefix": "<fim_middle>\n" + examples[0]["prefix"]}, *examples[1:]]
    rendered = stackfim.render(held, "refact")
    assert len(rendered) == len(examples) - 1
    assert "1 rows could not be rendered: 1 sentinel_collision" in caplog.text


def test_a_model_writes_a_middle() -> None:
    from stackfim.model.generation import complete

    model = stackfim.load("tiny", device="cpu")
    assert complete(model, "def add(a, b):\n    return ", "\n", max_new_tokens=8).stop
