"""The splitter in its own process: the same rows, and a file that kills it harms no other file."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pyarrow as pa
import pytest

from stackfim.schemas.source import ROW
from stackfim.transforms.split.examples import SplitResult, Splitter
from stackfim.transforms.split.process import SplitterProcess
from stackfim.transforms.split.split_settings import SplitSettings
from tests.fixture_types import RowsOf, SourceFile

DENSE = SplitSettings(max_slots=20, lines_per_slot=10)

# 513 stairs crash tree-sitter-python 0.25 (SIGSEGV); the guard against deep indents would refuse them beforehand.
CRASH = b"".join(b" " * row + b"if 1:\n" for row in range(513)) + b" " * 513 + b"'a'\n"
GOOD = (
    b"def share(part, whole):\n    quotient = part / whole\n    return round(100 * quotient)\n\n\nprint(share(1, 3))\n"
)
SPIN = b"# spin\n" + GOOD
CRASH_ONCE = b"# crash once\n" + GOOD

# Runs in the child only, when its interpreter starts: lets the file above through to the grammar, and acts on two others.
UNGUARDED = """
import os, signal
from pathlib import Path
from stackfim.transforms.split import examples

check = examples.check_parseable

def unguarded(lines):
    if lines.content.startswith(b"# spin"):
        while True:
            pass
    if lines.content.startswith(b"# crash once"):
        deaths = Path(__file__).with_name("deaths")
        if not deaths.exists():
            deaths.touch()
            os.kill(os.getpid(), signal.SIGSEGV)
    if b"'a'" not in lines.content:
        check(lines)

examples.check_parseable = unguarded
"""


@pytest.fixture
def unguarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Child processes skip the check for deep indents; see UNGUARDED."""
    (tmp_path / "sitecustomize.py").write_text(UNGUARDED)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


PythonRows = Callable[[list[bytes]], pa.RecordBatch]


@pytest.fixture
def python_rows(rows_of: RowsOf) -> PythonRows:
    return lambda contents: rows_of(("Python", content) for content in contents)


def equal(one: SplitResult, other: SplitResult) -> bool:
    return (
        one.examples.equals(other.examples)
        and one.rejections.equals(other.rejections)
        and one.refusals == other.refusals
    )


def reasons(result: SplitResult) -> dict[str, str]:
    """The reason of each rejection by path."""
    return dict(
        zip(result.rejections.column("path").to_pylist(), result.rejections.column("reason").to_pylist(), strict=True)
    )


def test_the_result_is_that_of_the_splitter(rows_of: RowsOf, sources: tuple[SourceFile, ...]) -> None:
    files = [(file.language, file.content) for file in sources]
    rows = rows_of([*files, ("Python", b""), ("Forth", b"x"), ("Python", b"<!--" * 3_000), *files[:2]])
    expected = Splitter(DENSE, "0.1.0").split(rows)
    with SplitterProcess(DENSE, "0.1.0") as process:
        assert equal(process.split(rows), expected)
        assert equal(process.split(rows.slice(3, 4)), Splitter(DENSE, "0.1.0").split(rows.slice(3, 4)))


def test_no_rows_are_no_rows() -> None:
    with SplitterProcess(DENSE, "0.1.0") as process:
        result = process.split(pa.RecordBatch.from_pylist([], schema=ROW))
    assert (result.examples.num_rows, result.rejections.num_rows) == (0, 0)


def test_a_file_that_crashes_the_grammar_is_a_rejection_and_the_others_keep_their_examples(
    unguarded: None, python_rows: PythonRows
) -> None:
    others = [GOOD + b"x = %d\n" % number for number in range(3)]
    contents = [CRASH, *others]
    with SplitterProcess(DENSE, "0.1.0") as process:
        result = process.split(python_rows(contents))
        again = process.split(python_rows(others))
    assert reasons(result) == {"0": "parser_crashed"}
    assert str(-signal.SIGSEGV) in result.rejections.column("detail")[0].as_py()
    expected = Splitter(DENSE, "0.1.0").split(python_rows(others))
    columns = [name for name in expected.examples.schema.names if name != "path"]
    assert result.examples.select(columns).equals(expected.examples.select(columns))
    assert again.examples.equals(expected.examples)


def test_a_file_over_its_time_is_a_rejection_and_the_others_keep_their_examples(
    unguarded: None, python_rows: PythonRows
) -> None:
    with SplitterProcess(DENSE, "0.1.0", file_cpu_seconds=0.5) as process:
        result = process.split(python_rows([GOOD, SPIN, GOOD + b"#\n"]))
    assert reasons(result) == {"1": "parse_timeout"}
    assert "0.5 s" in result.rejections.column("detail")[0].as_py()
    assert set(result.examples.column("path").to_pylist()) == {"0", "2"}


def test_the_time_of_a_file_begins_with_it(unguarded: None, python_rows: PythonRows) -> None:
    """Many files together may take longer than one may alone."""
    contents = [GOOD * 300 + b"# %d\n" % number for number in range(40)]
    with SplitterProcess(SplitSettings(), "0.1.0", file_cpu_seconds=0.3) as process:
        used_s = 0.0
        while used_s < 0.8:
            assert process.split(python_rows(contents)).rejections.num_rows == 0
            assert process._child is not None
            used_s = sum(psutil.Process(process._child.pid).cpu_times()[:2])


def test_a_file_that_dies_by_chance_is_tried_again(unguarded: None, python_rows: PythonRows) -> None:
    with SplitterProcess(DENSE, "0.1.0") as process:
        result = process.split(python_rows([GOOD, CRASH_ONCE, GOOD + b"#\n"]))
    assert result.rejections.num_rows == 0
    assert set(result.examples.column("path").to_pylist()) == {"0", "1", "2"}


def test_the_only_file_of_a_batch_is_tried_again_too(unguarded: None, python_rows: PythonRows) -> None:
    with SplitterProcess(DENSE, "0.1.0") as process:
        assert process.split(python_rows([CRASH_ONCE])).rejections.num_rows == 0


def test_every_file_gives_examples_or_one_rejection_whatever_dies(unguarded: None, python_rows: PythonRows) -> None:
    contents = [GOOD, CRASH, b"", b"# only a comment\n", CRASH + b"#\n", GOOD + b"#\n", CRASH_ONCE]
    with SplitterProcess(DENSE, "0.1.0") as process:
        result = process.split(python_rows(contents))
    assert reasons(result) == {"1": "parser_crashed", "2": "no_site", "3": "no_site", "4": "parser_crashed"}
    kept = set(result.examples.column("path").to_pylist())
    rejected = result.rejections.column("path").to_pylist()
    assert sorted([*kept, *rejected], key=int) == [str(number) for number in range(len(contents))]
    assert rejected == sorted(rejected, key=int)


def test_closing_leaves_no_process_and_a_closed_one_starts_again(python_rows: PythonRows) -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    process = SplitterProcess(DENSE, "0.1.0")
    rows = python_rows([GOOD])
    first = process.split(rows)
    (child,) = {child.pid for child in psutil.Process().children(recursive=True)} - before
    process.close()
    assert not psutil.pid_exists(child)
    assert equal(process.split(rows), first)
    process.close()
    process.close()
    assert {child.pid for child in psutil.Process().children(recursive=True)} == before


def test_an_error_in_the_block_closes_too(python_rows: PythonRows) -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}

    def fail() -> None:
        with SplitterProcess(DENSE, "0.1.0") as process:
            process.split(python_rows([GOOD]))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert {child.pid for child in psutil.Process().children(recursive=True)} == before


def test_a_child_that_is_killed_between_batches_is_replaced(python_rows: PythonRows) -> None:
    rows = python_rows([GOOD])
    with SplitterProcess(DENSE, "0.1.0") as process:
        first = process.split(rows)
        assert process._child is not None
        os.kill(process._child.pid, signal.SIGKILL)
        process._child.wait()
        assert equal(process.split(rows), first)


def test_a_child_that_dies_before_its_first_file_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python_rows: PythonRows
) -> None:
    rows = python_rows([GOOD])
    with SplitterProcess(DENSE, "0.1.0") as process:
        expected = process.split(rows)
    (tmp_path / "sitecustomize.py").write_text(
        f"import os\ntry:\n os.mkdir({str(tmp_path / 'died')!r})\nexcept FileExistsError:\n pass\nelse:\n os._exit(3)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with SplitterProcess(DENSE, "0.1.0") as process:
        assert equal(process.split(rows), expected)
    assert (tmp_path / "died").exists()


@pytest.mark.parametrize("size", [1, 200_000], ids=["fits_the_pipe", "longer_than_the_pipe"])
def test_a_child_that_cannot_start_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python_rows: PythonRows, size: int
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os\nos._exit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match="before its first file"), SplitterProcess(DENSE, "0.1.0") as process:
        process.split(python_rows([GOOD * size]))
