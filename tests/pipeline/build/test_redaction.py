"""Secrets, personal data and benchmarks in a whole run: replaced, dropped, and still verified against the source."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.pipeline.fixture_types import Run

ADDRESS = "jane.roe@" + "some-company.io"
BODY = """
def send_report(server, rows):
    message = "report for {address}"
    for row in rows:
        message += format_row(row)
    server.login("{address}")
    server.send(message)
    return len(rows)


def format_row(row):
    name = row["name"].strip()
    total = sum(row["values"])
    return f"{{name}}: {{total}}"
"""

SOLUTION = """
def longest_common_prefix(words):
    if not words:
        return ""
    shortest, longest = min(words), max(words)
    for position, letter in enumerate(shortest):
        if letter != longest[position]:
            return shortest[:position]
    while len(shortest) > len(longest) and shortest.endswith("-"):
        shortest = shortest[:-1]
    return shortest
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files: one with an address, one with a benchmark's solution, one with neither."""
    path = tmp_path_factory.mktemp("pii")
    clean = BODY.format(address="the team").replace("report", "invoice")
    solution = SOLUTION
    contents = [BODY.format(address=ADDRESS), solution, clean.replace("total", "amount").replace("sum", "max")]
    rows = [
        {"content": text, "lang": "Python", "path": f"{index}.py", "repository": f"owner/{index}", "licenses": ["MIT"]}
        for index, text in enumerate(contents)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path / "part.parquet")
    (path / "benchmark.jsonl").write_text(json.dumps({"task_id": "Task/0", "code": solution}) + "\n")
    return path


def rows_of(out: Path, pattern: str) -> list[dict[str, Any]]:
    return [row for path in sorted(out.glob(pattern)) for row in pq.read_table(path).to_pylist()]


def test_an_address_is_replaced_before_splitting_and_the_rows_verify(
    folder: Path, stackfim: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert stackfim("build", f"parquet:{folder}/part.parquet", "--out", out, "--workers", 1).returncode == 0
    rows = [row for row in rows_of(out, "data/*.parquet") if row["path"] == "0.py"]
    assert rows
    for row in rows:
        whole = row["prefix"] + row["middle"] + row["suffix"]
        assert ADDRESS not in whole
        assert whole.count("user1@example.com") == 2
        assert row["source_id"] != row["content_id"]
    assert json.loads((out / "manifest.json").read_text())["redacted"] == {"email": 2}
    assert all(ADDRESS.encode() not in path.read_bytes() for path in out.rglob("*") if path.is_file())
    verified = stackfim("verify", out)
    assert verified.returncode == 0, verified.stdout
    assert "without its tree" not in verified.stdout


def test_such_files_can_be_dropped_or_kept(folder: Path, stackfim: Run, here: Run, tmp_path: Path) -> None:
    source = f"parquet:{folder}/part.parquet"
    assert stackfim("build", source, "--out", tmp_path / "drop", "--workers", 1, "--pii", "drop").returncode == 0
    dropped = rows_of(tmp_path / "drop", "rejections/*.parquet")
    assert [(row["path"], row["reason"]) for row in dropped] == [("0.py", "personal_data")]
    assert ADDRESS not in dropped[0]["detail"]
    assert stackfim("build", source, "--out", tmp_path / "keep", "--workers", 1, "--pii", "keep").returncode == 0
    assert any(ADDRESS in row["prefix"] + row["suffix"] for row in rows_of(tmp_path / "keep", "data/*.parquet"))
    wrong = here("build", source, "--out", tmp_path / "wrong", "--pii", "hide")
    assert wrong.returncode == 2
    assert "hide" in wrong.stderr


def test_a_file_that_holds_a_benchmark_goes_and_the_rejection_names_it(
    folder: Path, stackfim: Run, here: Run, tmp_path: Path
) -> None:
    config = tmp_path / "run.toml"
    config.write_text(
        f'[[benchmarks]]\npath = "{folder}/benchmark.jsonl"\nname = "task_id"\ntexts = [["code"]]\n', "utf-8"
    )
    out = tmp_path / "out"
    done = stackfim("build", f"parquet:{folder}/part.parquet", "--out", out, "--workers", 1, "--config", config)
    assert done.returncode == 0, done.stderr
    (dropped,) = rows_of(out, "rejections/*.parquet")
    assert (dropped["path"], dropped["stage"]) == ("1.py", "contamination")
    assert "Task/0" in dropped["detail"]
    config.write_text(f'[[benchmarks]]\npath = "{folder}/nowhere.jsonl"\nformat = "mbpp"\n', "utf-8")
    missing = here("build", f"parquet:{folder}/part.parquet", "--out", tmp_path / "no", "--config", config)
    assert missing.returncode == 2
    assert "nowhere.jsonl" in missing.stderr
    assert not (tmp_path / "no").exists()
