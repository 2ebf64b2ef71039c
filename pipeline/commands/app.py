"""What all subcommands share: the application, exit codes, and how they fail."""

import os
import sys
from typing import NoReturn

import typer
from rich.console import Console

DONE, BROKEN, USAGE, FAILED = 0, 1, 2, 3

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Fill-in-the-middle training data from source code, with middles that stop where an editor should.",
    epilog="Exit codes: 0 done, 1 the data broke a promise, 2 wrong usage, 3 the run failed.",
)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def names(text: str | None) -> tuple[str, ...] | None:
    """The names of an option with commas; None where it was not given."""
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text is not None else None


def fail(code: int, message: str) -> NoReturn:
    """Say what went wrong and end with an exit code."""
    errors.print(f"stackfim: {message}", markup=False)
    sys.stdout.flush()
    sys.stderr.flush()
    if code == FAILED:
        os._exit(code)  # Beam's threads may still wait for workers
    raise typer.Exit(code)
