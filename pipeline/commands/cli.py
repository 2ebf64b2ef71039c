"""The command `stackfim`. Exit codes: 0 done, 1 the data broke a promise, 2 wrong usage, 3 the run failed."""

import typer

from stackfim.pipeline.commands import build, derive, inspect, scoring  # noqa: F401
from stackfim.pipeline.commands.app import app, command

__all__ = ["app", "main"]


@command()
def version() -> None:
    """Print the version."""
    from stackfim.pipeline.folder.manifest import stackfim_version

    typer.echo(stackfim_version())


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
