"""All subcommands together, as one application."""

import typer

from stackfim.pipeline.commands import build, derive, inspect, scoring  # noqa: F401
from stackfim.pipeline.commands.app import app, command

__all__ = ["app"]


@command()
def version() -> None:
    """Print the version."""
    from stackfim.pipeline.folder.manifest import stackfim_version

    typer.echo(stackfim_version())
