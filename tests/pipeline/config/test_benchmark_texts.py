"""Benchmarks are read by a mapping of columns, and an error says where in which file it is."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackfim.pipeline.config.benchmark_texts import (
    FORMATS,
    Benchmark,
    BenchmarkColumns,
    BenchmarkError,
    benchmark_index,
    read_benchmark_texts,
)
from stackfim.transforms.filters.contamination import contamination, decide_contamination

PROMPT = 'def running_max(values):\n    """The largest value so far, at each place of the list of numbers."""\n'
SOLUTION = (
    "    best, found = None, []\n    for value in values:\n        best = value if best is None else max(best, value)\n"
)
RECORD = {
    "task_id": "Ours/0",
    "prompt": PROMPT,
    "canonical_solution": SOLUTION,
    "entry_point": "running_max",
    "test": "",
}


def write_lines(path: Path, records: list[object]) -> Path:
    text = "".join(json.dumps(record) + "\n" for record in records)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text + "\n")
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_every_format_gives_the_same_texts(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist([RECORD]), path)
    else:
        write_lines(path, [RECORD])
    read = read_benchmark_texts(path, FORMATS["human-eval"])
    assert read.texts == (PROMPT, PROMPT + SOLUTION, SOLUTION)
    assert read.names == (
        f"{name}:Ours/0:prompt",
        f"{name}:Ours/0:prompt+canonical_solution",
        f"{name}:Ours/0:canonical_solution",
    )


def test_the_infilling_format_puts_the_function_together(tmp_path: Path) -> None:
    record = {"task_id": "Single/0", "prompt": PROMPT, "canonical_solution": "    x = 1\n", "suffix": "    return x\n"}
    read = read_benchmark_texts(write_lines(tmp_path / "a.jsonl", [record]), FORMATS["human-eval-infilling"])
    assert read.texts == (PROMPT + "    x = 1\n    return x\n", "    x = 1\n")


def test_a_folder_is_all_its_files_and_lists_are_lines(tmp_path: Path) -> None:
    write_lines(tmp_path / "b.jsonl", [{"id": 2, "code": ["x = 1", "y = 2"]}, {"code": None}, {"id": 3, "code": "  "}])
    write_lines(tmp_path / "a.jsonl", [{"id": 1, "code": "z = 3"}])
    (tmp_path / "readme.txt").write_text("no benchmark")
    read = read_benchmark_texts(tmp_path, BenchmarkColumns("id", (("code",),)))
    assert dict(zip(read.names, read.texts, strict=True)) == {
        "a.jsonl:1:code": "z = 3",
        "b.jsonl:2:code": "x = 1\ny = 2",
    }


def test_what_is_read_is_found(tmp_path: Path) -> None:
    index = benchmark_index([Benchmark(str(write_lines(tmp_path / "a.jsonl", [RECORD])), format="human-eval")])
    column = pa.array([b"import os\n\n\n" + (PROMPT + SOLUTION).encode(), b"import os\n"], pa.binary())
    drops = decide_contamination(contamination(column, index), index)
    assert list(drops) == [0]
    assert "a.jsonl:Ours/0:" in drops[0][1]


def test_errors_say_where_and_what_was_expected(tmp_path: Path) -> None:
    columns = FORMATS["human-eval"]
    (tmp_path / "broken.jsonl").write_text('{"task_id": \n')
    (tmp_path / "broken.parquet").write_text("PAR0")
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("x")
    for path, message in (
        (tmp_path / "none.jsonl", "no such file"),
        (tmp_path / "empty", "no file that ends in"),
        (tmp_path / "a.txt", "expected a file that ends in"),
        (tmp_path / "broken.jsonl", "no JSON Lines"),
        (tmp_path / "broken.parquet", "no parquet file"),
        (write_lines(tmp_path / "list.jsonl", [[1]]), "line 1: expected an object, got list"),
        (
            write_lines(tmp_path / "other.jsonl", [{"task_id": "x"}]),
            "row 0 has no 'prompt'; its columns are task_id",
        ),
        (
            write_lines(tmp_path / "type.jsonl", [RECORD | {"prompt": 3}]),
            "'prompt' is a text or a list of texts, got int",
        ),
    ):
        with pytest.raises(BenchmarkError, match=message):
            read_benchmark_texts(path, columns)
    with pytest.raises(BenchmarkError, match="no text in"):
        benchmark_index([Benchmark(str(write_lines(tmp_path / "none2.jsonl", [])), format="human-eval")])
