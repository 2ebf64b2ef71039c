"""How subcommands fail: one sentence and an exit code for every kind of error; and counts that several print."""

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from stackfim.pipeline.commands import app as shared
from stackfim.pipeline.config.usage_error import UsageError
from stackfim.pipeline.folder.counts import BrokenPromise
from stackfim.pipeline.local.workers import WorkerDied
from stackfim.pipeline.sources import SourceError, SourceUnavailable

RESUMES = " Run the same command again: it goes on with the shards that are not complete."


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Runs a subcommand that raises an error; gives exit code, standard output and standard error, a log file as `LOG`."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def end(code: int) -> None:
        raise typer.Exit(code)

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr("stackfim.pipeline.local.workers.end_children", lambda: None)

    def run(error: BaseException | None, *, resumes: bool = False) -> tuple[int, str, str]:
        monkeypatch.setattr(shared, "app", typer.Typer())

        @shared.command(resumes=resumes)
        def attempt() -> None:
            typer.echo("before")
            if error is not None:
                raise error

        done = CliRunner().invoke(shared.app, [])
        return done.exit_code, done.stdout, re.sub(r"/\S*\.log", "LOG", done.stderr)

    return run


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UsageError("seed is wrong"), 2, "stackfim: seed is wrong"),
        (SourceError("no such source"), 2, "stackfim: no such source"),
        (BrokenPromise("a row was lost"), 1, "stackfim: a row was lost"),
        (SourceUnavailable("the Hub does not answer"), 3, "stackfim: the Hub does not answer (details: LOG)."),
        (
            WorkerDied("signal 9"),
            3,
            "stackfim: a worker process died (signal 9), killed from outside or out of memory (details: LOG).",
        ),
        (KeyboardInterrupt(), 3, "stackfim: interrupted."),
        (
            ZeroDivisionError("first\nlast"),
            3,
            "stackfim: the run failed: ZeroDivisionError: last (details: LOG).",
        ),
        (RuntimeError(), 3, "stackfim: the run failed: RuntimeError (details: LOG)."),
        (BaseException("panicked"), 3, "stackfim: the run failed: BaseException: panicked (details: LOG)."),
        (
            RuntimeError(
                "Traceback:\n  File\nOSError: [Errno 28] No space left on device [while running 'Split/Do']\n"
            ),
            3,
            "stackfim: the run failed: OSError: [Errno 28] No space left on device (details: LOG).",
        ),
    ],
)
def test_every_error_has_its_exit_code_and_a_sentence(
    error: BaseException, code: int, message: str, ending: Callable[..., tuple[int, str, str]]
) -> None:
    assert ending(error) == (code, "before\n", f"{message}\n")
    assert ending(error, resumes=True) == (code, "before\n", f"{message}{RESUMES if code == 3 else ''}\n")


def test_without_an_error_the_exit_code_is_0(ending: Callable[..., tuple[int, str, str]]) -> None:
    assert ending(None) == (0, "before\n", "")


def test_an_exit_code_of_a_subcommand_stays(ending: Callable[..., tuple[int, str, str]]) -> None:
    assert ending(typer.Exit(1)) == (1, "before\n", "")


def test_where_it_failed_is_in_the_log_file(ending: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    assert "Traceback" not in ending(ZeroDivisionError("by 0"))[2]
    (log,) = tmp_path.glob("stackfim-*.log")
    assert "ZeroDivisionError: by 0" in log.read_text()
    assert "in attempt" in log.read_text()


def test_without_a_failure_there_is_no_log_file(ending: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    for error in (None, UsageError("wrong"), KeyboardInterrupt()):
        ending(error)
    assert not list(tmp_path.iterdir())


def test_without_a_place_for_the_log_file_the_sentence_still_comes(
    ending: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/folder")
    assert ending(RuntimeError("broke"))[2] == "stackfim: the run failed: RuntimeError: broke.\n"


def test_errors_of_the_users_files_are_wrong_usage() -> None:
    with pytest.raises(UsageError, match=r"^no tokenizer$"), shared.as_usage(ValueError):
        raise ValueError("no tokenizer")
    with pytest.raises(KeyError), shared.as_usage(ValueError):
        raise KeyError("a bug")


def test_counts_of_a_prefix_are_printed_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    shared.print_counts({"rejected:b": 1_000, "rows": 3, "rejected:a": 2}, "rejected:", "rejected")
    assert capsys.readouterr().out == "      1,000 rejected: b\n          2 rejected: a\n"


def test_names_are_parted_by_commas() -> None:
    assert shared.names("python, go,") == ("python", "go")
    assert shared.names(None) is None
