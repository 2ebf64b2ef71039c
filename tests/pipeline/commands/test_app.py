"""How subcommands fail: one sentence and an exit code for every kind of error; and counts that several print."""

import os
from collections.abc import Callable

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
def ending(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Runs a subcommand that raises an error; gives exit code, standard output and standard error."""

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
        return done.exit_code, done.stdout, done.stderr

    return run


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UsageError("seed is wrong"), 2, "stackfim: seed is wrong"),
        (SourceError("no such source"), 2, "stackfim: no such source"),
        (BrokenPromise("a row was lost"), 1, "stackfim: a row was lost"),
        (SourceUnavailable("the Hub does not answer"), 3, "stackfim: the Hub does not answer."),
        (
            WorkerDied("signal 9"),
            3,
            "stackfim: a worker process died (signal 9), killed from outside or out of memory.",
        ),
        (KeyboardInterrupt(), 3, "stackfim: interrupted."),
        (
            ZeroDivisionError("first\nlast"),
            3,
            "stackfim: the run failed: ZeroDivisionError: last (STACKFIM_TRACEBACK=1 shows where).",
        ),
        (RuntimeError(), 3, "stackfim: the run failed: RuntimeError (STACKFIM_TRACEBACK=1 shows where)."),
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


def test_the_traceback_is_shown_where_it_is_asked_for(
    ending: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKFIM_TRACEBACK", "1")
    code, _, message = ending(ZeroDivisionError("by 0"))
    assert code == 3
    assert "Traceback" in message
    assert "Traceback" not in ending(UsageError("wrong"))[2]


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
