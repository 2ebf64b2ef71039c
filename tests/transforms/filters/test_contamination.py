"""Benchmark texts are found in files verbatim, reformatted and with other names; files without them stay."""

from __future__ import annotations

import ast
import builtins
import pickle
import random
import re
import sysconfig
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.transforms.filters.contamination import (
    MAX_TEXTS_OF_NGRAM,
    BenchmarkIndex,
    Contamination,
    ContaminationLimits,
    contamination,
    decide_contamination,
    index_benchmarks,
)

if TYPE_CHECKING:
    from tests.fixture_types import SourceFile

STDLIB = Path(sysconfig.get_path("stdlib"))
HOSTS = ("heapq", "bisect", "shlex", "textwrap", "queue", "sched", "cmd", "fnmatch", "glob", "netrc")
"""Modules to plant texts in; none of their own functions is among the texts."""
LIMITS = ContaminationLimits()


@cache
def functions() -> tuple[tuple[str, str], ...]:
    """Functions of the standard library in a fixed order: module, and source without docstrings and comments."""
    found = []
    for path in sorted(STDLIB.glob("*.py"))[:70]:
        if path.stem in HOSTS:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and 8 <= (node.end_lineno or 0) - node.lineno <= 60:
                if ast.get_docstring(node) is not None:
                    node.body = node.body[1:] or [ast.Pass()]
                found.append((path.stem, ast.unparse(node)))
    random.Random(0).shuffle(found)
    return tuple(found)


def benchmark() -> tuple[list[str], list[str]]:
    """A hundred different texts of 40 words or more, and the modules that they come from."""
    chosen: dict[str, str] = {}
    for module, text in functions():
        if len(re.findall(r"\w+", text)) >= 40 and text not in chosen:
            chosen[text] = module
    return list(chosen)[:100], list(chosen.values())[:100]


@cache
def index() -> BenchmarkIndex:
    texts, _ = benchmark()
    return index_benchmarks([f"task/{number}" for number in range(100)], texts)


@cache
def hosts() -> tuple[tuple[str, str], ...]:
    """Real modules to plant texts in."""
    return tuple((name, (STDLIB / f"{name}.py").read_text("utf-8")) for name in HOSTS)


def planted(texts: list[str]) -> pa.BinaryArray:
    """For each text a file: a real module with the text in its middle."""
    files = []
    for number, text in enumerate(texts):
        _, host = hosts()[number % len(hosts())]
        cut = host.find("\n", len(host) // 2) + 1
        files.append((host[:cut] + "\n" + text + "\n" + host[cut:]).encode())
    return pa.array(files, pa.binary())


def found(column: pa.BinaryArray) -> dict[int, tuple[str, str]]:
    return decide_contamination(contamination(column, index()), index())


class Renamed(ast.NodeTransformer):
    """Gives every name, argument, attribute and function a new name, the same one everywhere; built-in names stay."""

    def __init__(self, seed: int) -> None:
        self.names: dict[str, str] = {}
        self.random = random.Random(seed)

    def other(self, name: str) -> str:
        if hasattr(builtins, name):
            return name
        return self.names.setdefault(
            name, f"{self.random.choice('abcdefg')}{self.random.randrange(10**6)}x{len(self.names)}"
        )

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.other(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self.other(node.arg)
        return self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        if node.arg:
            node.arg = self.other(node.arg)
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.attr = self.other(node.attr)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self.other(node.name)
        return self.generic_visit(node)


def reformatted(text: str) -> str:
    """Tabs for spaces, other quotes, arguments on lines of their own, doubled blank lines, upper case."""
    text = re.sub(r"^( {4})+", lambda indent: "\t" * (len(indent.group()) // 4), text, flags=re.MULTILINE)
    text = text.translate(str.maketrans("'\"", "\"'"))
    return re.sub(r"([,(])\s*", r"\1\n\t\t", text).replace("\n", "\r\n\n").upper()


def test_every_text_is_found_verbatim() -> None:
    drops = found(planted(benchmark()[0]))
    assert len(drops) == 100
    assert {reason for reason, _ in drops.values()} == {"benchmark_text"}
    # Two functions of the library may differ only at their ends; then the first of them is named.
    assert sum(f"task/{row}," in detail for row, (_, detail) in drops.items()) >= 98


def test_reformatted_texts_are_found() -> None:
    drops = found(planted([reformatted(text) for text in benchmark()[0]]))
    assert sum(reason == "benchmark_text" for reason, _ in drops.values()) >= 95


def test_texts_with_other_names_are_found_by_the_second_pass() -> None:
    renamed = [ast.unparse(Renamed(number).visit(ast.parse(text))) for number, text in enumerate(benchmark()[0])]
    drops = found(planted(renamed))
    by_renaming = [row for row, (reason, _) in drops.items() if reason == "benchmark_text_renamed"]
    assert len(drops) >= 90
    assert len(by_renaming) >= 75
    assert sum(f"task/{row}," in drops[row][1] for row in by_renaming) >= 0.95 * len(by_renaming)


def test_files_without_a_text_are_left_alone(installed: tuple[SourceFile, ...]) -> None:
    from_modules = set(benchmark()[1])
    others = [file.content for file in installed if Path(file.name).stem not in from_modules and "/" in file.name]
    others += [host.encode() for name, host in hosts() if name not in from_modules]
    others += [path.read_bytes() for path in sorted((STDLIB / "email").glob("*.py"))]
    assert len(others) > 30
    # The library has copies of some functions in several modules, which are rightly found.
    drops = found(pa.array(others, pa.binary()))
    assert [row for row, (reason, _) in drops.items() if reason == "benchmark_text_renamed"] == []
    assert len(drops) <= 2


def test_half_of_a_text_is_found_and_a_third_is_not() -> None:
    text = " ".join(f"word{number}" for number in range(112))
    one = index_benchmarks(["numbers"], [text])
    words = text.split()
    files = [" ".join(words[:count]) for count in (0, 12, 13, 40, 60, 62, 112)]
    scores = contamination(pa.array([file.encode() for file in files], pa.binary()), one)
    assert scores.coverage.tolist() == [0.0, 0.0, 0.01, 0.28, 0.48, 0.5, 1.0]
    assert scores.text.tolist() == [-1, -1, 0, 0, 0, 0, 0]
    drops = decide_contamination(scores, one)
    assert list(drops) == [5, 6]
    assert drops[5][1] == "has 0.50 of the 13-grams of numbers, expected less than 0.5"


def test_an_ngram_never_runs_from_one_file_into_the_next() -> None:
    text = " ".join(f"word{number}" for number in range(40))
    half = len(text) // 2
    column = pa.array([b"x " + text.encode(), text[:half].encode(), text[half:].encode(), b"y"], pa.binary()).slice(1)
    scores = contamination(column, index_benchmarks(["numbers"], [text]))
    assert scores.coverage.max() < 0.5


@settings(max_examples=25)
@given(st.lists(st.integers(0, 99), max_size=6), st.integers(0, 3), st.booleans())
def test_scores_do_not_depend_on_the_other_files_of_the_batch(chosen: list[int], skipped: int, large: bool) -> None:
    texts, _ = benchmark()
    padding = "value = other_value\n" * (10_000 if large else 1)
    files = [(texts[number] + padding).encode() for number in chosen]
    column = pa.array([texts[0].encode()] * skipped + files, pa.binary()).slice(skipped)
    together = contamination(column, index())
    alone = [contamination(pa.array([file], pa.binary()), index()) for file in files]
    for place, values in enumerate(together):
        assert values.tolist() == [scores[place][0] for scores in alone]


def test_the_reference_agrees_word_by_word(installed: tuple[SourceFile, ...]) -> None:
    """The plain way, with sets of tuples of words, on real files and on files with planted texts."""
    texts = benchmark()[0][:20]
    few = index_benchmarks(list(map(str, range(20))), texts)
    files = [*planted(texts[:5]).to_pylist(), *(file.content for file in installed[6:10])]

    def tuples(data: bytes) -> set[tuple[bytes, ...]]:
        words = re.findall(rb"[a-z0-9_\x80-\xff]+", data.lower())
        return set(zip(*(words[place:] for place in range(13)), strict=False))

    wanted = [tuples(text.encode()) for text in texts]
    scores = contamination(pa.array(files, pa.binary()), few)
    for row, file in enumerate(map(tuples, files)):
        shares = [len(grams & file) / len(grams) for grams in wanted]
        assert scores.coverage[row] == pytest.approx(max(shares))


def test_ngrams_that_many_texts_share_do_not_count() -> None:
    header = " ".join(f"license{number}" for number in range(60))
    texts = [header + "".join(f" own{copy}_{number}" for number in range(20)) for copy in range(MAX_TEXTS_OF_NGRAM + 1)]
    many = index_benchmarks([str(number) for number in range(len(texts))], texts)
    only_header = contamination(pa.array([header.encode()], pa.binary()), many)
    assert decide_contamination(only_header, many) == {}
    whole = contamination(pa.array([texts[7].encode()], pa.binary()), many)
    assert decide_contamination(whole, many)[0][1].startswith("has 1.00 of the 13-grams of 7,")


def test_equal_texts_are_one_and_short_ones_are_not_found() -> None:
    long = " ".join(map(str, range(20)))
    both = index_benchmarks(["first", "second", "short"], [long, long, "return a + b"])
    assert both.names == ("first", "short")
    assert decide_contamination(contamination(pa.array([b"return a + b"], pa.binary()), both), both) == {}


def test_the_index_pickles_and_bad_arguments_are_refused() -> None:
    again = pickle.loads(pickle.dumps(index()))
    column = planted(benchmark()[0][:3])
    for first, second in zip(contamination(column, index()), contamination(column, again), strict=True):
        assert np.array_equal(first, second)
    with pytest.raises(ValueError, match="2 names for 1 texts"):
        index_benchmarks(["a", "b"], ["x"])
    with pytest.raises(ValueError, match="got 1"):
        index_benchmarks(["a"], ["x"], ContaminationLimits(ngram_words=1))


def test_nothing_to_look_for_and_nothing_to_look_in() -> None:
    empty = index_benchmarks([], [])
    column = pa.array([b"x = 1", b""], pa.binary())
    assert decide_contamination(contamination(column, empty), empty) == {}
    none = contamination(pa.array([], pa.binary()), index())
    assert isinstance(none, Contamination)
    assert [len(values) for values in none] == [0, 0, 0, 0]
