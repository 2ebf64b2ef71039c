"""`python -m stackfim` is the command `stackfim`."""

from stackfim.pipeline.commands.cli import main

main()
