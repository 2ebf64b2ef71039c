"""What all subcommands share: how they are registered and how they fail, options that several have, and printed counts."""

import functools
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn, ParamSpec

import typer
from rich.console import Console

from stackfim.pipeline.local import log_file, signals
from stackfim.pipeline.local.terminal import visible

DONE, BROKEN, USAGE, FAILED = 0, 1, 2, 3

_Parameters = ParamSpec("_Parameters")
_RESUMES = " Run the same command again: it goes on with the shards that are not complete."

_NESTED = re.compile(r"RuntimeError: [\w.]*(Error|Exception): ")
_NAMED = re.compile(r"[\w.]*(Error|Exception): ")
"""The last line of a traceback, which names the error: what Beam raises holds one."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Fill-in-the-middle training data from source code, with middles that stop where an editor should.",
    epilog="Exit codes: 0 done, 1 the data broke a promise, 2 wrong usage, 3 the run failed.",
)
errors = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="TOML file with any setting; options and `--set` win over it.", metavar="FILE"),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Sets a key of the file, such as `split.max_slots=4`; the value is one of TOML, or plain text. Repeatable.",
        metavar="KEY=VALUE",
    ),
]
DatasetFolder = Annotated[Path, typer.Argument(help="Folder of a data set, or of parquet shards.", metavar="DIR")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes. [default: one for each core]")]


def command(
    name: str | None = None, *, resumes: bool = False, **settings: Any
) -> Callable[[Callable[_Parameters, None]], Callable[_Parameters, None]]:
    """Registers a function as a subcommand that ends with a sentence and an exit code, however it fails.

    `resumes`: whether the same command would go on where it broke off, which the sentence then says. The rest is for
    `typer.Typer.command`.
    """

    def register(function: Callable[_Parameters, None]) -> Callable[_Parameters, None]:
        @functools.wraps(function)
        def run(*arguments: _Parameters.args, **options: _Parameters.kwargs) -> None:
            with _told(_RESUMES if resumes else ""):
                function(*arguments, **options)

        app.command(name, **settings)(run)
        return run

    return register


@contextmanager
def as_usage(*kinds: type[Exception]) -> Iterator[None]:
    """Inside the block, exceptions of these kinds mean that the user asked for something that cannot be done."""
    from stackfim.pipeline.config.usage_error import UsageError

    try:
        yield
    except kinds as error:
        raise UsageError(str(error)) from error


def process_count(workers: int | None) -> int:
    """How many processes to use: as many as were asked for, or one for each core."""
    return workers or os.cpu_count() or 1


def names(text: str | None) -> tuple[str, ...] | None:
    """The names of an option with commas; None where it was not given."""
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text is not None else None


def print_counts(counts: Mapping[str, int], prefix: str, what: str) -> None:
    """Prints a line for each count whose name begins with `prefix`: the number, `what`, and the rest of the name."""
    for name, count in counts.items():
        if name.startswith(prefix):
            typer.echo(f"  {count:>9,} {what}: {name.removeprefix(prefix)}")


@contextmanager
def _told(advice: str) -> Iterator[None]:
    """Inside the block, whatever goes wrong ends the command with a message and an exit code."""
    try:
        yield
    except (typer.Exit, SystemExit):
        raise
    except (
        BaseException
    ) as error:  # also what is no Exception: an interrupt, and a panic in a library that is written in Rust
        from stackfim.pipeline.local.workers import WorkerDied, end_children

        # The death of a worker interrupts this process too, by the same handler.
        if isinstance(error, KeyboardInterrupt) or (signals.asked() and not isinstance(error, WorkerDied)):
            end_children()
            _fail(FAILED, f"interrupted.{advice}")
        code, message = _what_failed(error)
        if code == FAILED:
            path = log_file.record(error)
            message = f"{message}{f' (details: {path})' if path else ''}.{advice}"
        _fail(code, message)


def _what_failed(error: BaseException) -> tuple[int, str]:
    from stackfim.pipeline.config.usage_error import UsageError
    from stackfim.pipeline.folder.counts import BrokenPromise
    from stackfim.pipeline.local.workers import WorkerDied
    from stackfim.pipeline.sources import SourceError, SourceUnavailable

    if isinstance(error, UsageError | SourceError):
        return USAGE, str(error)
    if isinstance(error, BrokenPromise):
        return BROKEN, str(error)
    if isinstance(error, SourceUnavailable):
        return FAILED, str(error)
    if isinstance(error, WorkerDied):
        return FAILED, f"a worker process died ({error}), killed from outside or out of memory"
    return FAILED, f"the run failed: {_reason(error)}"


def _reason(error: BaseException) -> str:
    """The last line of what `error` says, without what Beam adds to the errors of its workers."""
    text = re.sub(r" ?\[while running '[^']*'\]", "", str(error)).strip()
    lines = [line.removeprefix("RuntimeError: ") if _NESTED.match(line) else line for line in text.splitlines()]
    if not lines:
        return type(error).__name__
    return lines[-1] if _NAMED.match(lines[-1]) else f"{type(error).__name__}: {lines[-1]}"


def _fail(code: int, message: str) -> NoReturn:
    errors.print(visible(f"stackfim: {message}", kept="\n"), markup=False)
    sys.stdout.flush()
    sys.stderr.flush()
    if code == FAILED:
        log_file.discard()
        os._exit(code)  # Beam's threads may still wait for workers
    raise typer.Exit(code)
