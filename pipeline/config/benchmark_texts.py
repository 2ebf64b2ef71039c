"""The texts of benchmarks that training data must not hold, read from the files that a user names.

A benchmark is a JSON Lines or parquet file, or a folder of them; a mapping says which columns are its prompts and solutions.
FORMATS has those of published files: HumanEval (https://github.com/openai/human-eval), its infilling version
(https://github.com/openai/human-eval-infilling) and MBPP (https://github.com/google-research/google-research).
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from stackfim.transforms.filters.contamination import BenchmarkIndex, index_benchmarks
from stackfim.transforms.setting_checks import expect_choice

SUFFIXES = (".jsonl", ".jsonl.gz", ".ndjson", ".parquet")


class BenchmarkError(ValueError):
    """A benchmark's file cannot be read; the message says which file, where in it, and what was expected."""


@dataclass(frozen=True)
class BenchmarkColumns:
    """Which columns of a row hold its texts."""

    name: str
    """Column of the row's name, such as `task_id`; where a row has none, its number is the name."""
    texts: tuple[tuple[str, ...], ...]
    """The columns of each text: their values one after another. A list of strings is taken as its lines."""


FORMATS: dict[str, BenchmarkColumns] = {
    "human-eval": BenchmarkColumns("task_id", (("prompt",), ("prompt", "canonical_solution"), ("canonical_solution",))),
    "human-eval-infilling": BenchmarkColumns(
        "task_id", (("prompt", "canonical_solution", "suffix"), ("canonical_solution",))
    ),
    "mbpp": BenchmarkColumns("task_id", (("text", "code"), ("code",))),
}
"""Published formats by name."""


@dataclass(frozen=True)
class Benchmark:
    """[[benchmarks]] of a configuration; raises ValueError, naming the value and what was expected, when one is wrong."""

    path: str
    """A JSON Lines or parquet file, or a folder of them."""
    format: str | None = None
    """A published format, such as `human-eval`; without one, `name` and `texts` say where the texts are."""
    name: str | None = None
    """Column of the row's name."""
    texts: tuple[tuple[str, ...], ...] = ()
    """The columns of each text."""

    def __post_init__(self) -> None:
        """Raises ValueError for a format that there is not, or where neither it nor the columns are given."""
        if self.format is not None:
            expect_choice("format", self.format, tuple(FORMATS))
        elif self.name is None or not self.texts:
            raise ValueError(
                f"texts and name are needed without a format ({', '.join(FORMATS)}), "
                f"got {list(self.texts)} and {self.name!r}"
            )

    @property
    def columns(self) -> BenchmarkColumns:
        """Where the texts are: as the format says, or as given."""
        if self.format is not None:
            return FORMATS[self.format]
        return BenchmarkColumns(self.name or "", self.texts)


@dataclass(frozen=True)
class BenchmarkTexts:
    """Texts with their names."""

    names: tuple[str, ...]
    """One for each text: file, row and columns, such as `HumanEval.jsonl:HumanEval/12:prompt`."""
    texts: tuple[str, ...]


def read_benchmark_texts(path: Path, columns: BenchmarkColumns) -> BenchmarkTexts:
    """The texts of a file, or of all files of a folder in order of their names; blank texts are left out.

    Raises BenchmarkError for a path, a file, a row or a column that is not as the mapping says.
    """
    names, texts = [], []
    for file in _files(path):
        for number, row in enumerate(_rows(file)):
            label = f"{file.name}:{row.get(columns.name, number)}"
            for parts in columns.texts:
                text = "".join(_text(row, part, f"{file}, row {number}") for part in parts)
                if text.strip():
                    names.append(f"{label}:{'+'.join(parts)}")
                    texts.append(text)
    return BenchmarkTexts(tuple(names), tuple(texts))


def benchmark_index(benchmarks: Sequence[Benchmark]) -> BenchmarkIndex:
    """All texts of the benchmarks as one index. Raises BenchmarkError as `read_benchmark_texts` does, and for no text at all."""
    read = [read_benchmark_texts(Path(benchmark.path), benchmark.columns) for benchmark in benchmarks]
    names = [name for benchmark in read for name in benchmark.names]
    texts = [text for benchmark in read for text in benchmark.texts]
    if not texts:
        raise BenchmarkError(f"no text in {', '.join(benchmark.path for benchmark in benchmarks)}")
    return index_benchmarks(names, texts)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise BenchmarkError(f"{path}: no such file or folder")
    found = sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES))
    if not found:
        raise BenchmarkError(f"{path}: no file that ends in {', '.join(SUFFIXES)}")
    return found


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    if not file.name.endswith(SUFFIXES):
        raise BenchmarkError(f"{file}: expected a file that ends in {', '.join(SUFFIXES)}")
    if file.suffix == ".parquet":
        try:
            yield from (row for batch in pq.ParquetFile(file).iter_batches() for row in batch.to_pylist())
        except (OSError, ValueError) as error:
            raise BenchmarkError(f"{file}: no parquet file ({error})") from error
        return
    with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
        try:
            for number, line in enumerate(lines):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise BenchmarkError(f"{file}, line {number + 1}: expected an object, got {type(row).__name__}")
                    yield row
        except (json.JSONDecodeError, UnicodeDecodeError, OSError, EOFError) as error:
            raise BenchmarkError(f"{file}: no JSON Lines ({error})") from error


def _text(row: dict[str, Any], column: str, place: str) -> str:
    if column not in row:
        raise BenchmarkError(f"{place} has no {column!r}; its columns are {', '.join(row)}")
    value = row[column]
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n".join(value)
    if value is not None and not isinstance(value, str):
        raise BenchmarkError(f"{place}: {column!r} is a text or a list of texts, got {type(value).__name__}")
    return value or ""
