"""The command `stackfim`. Exit codes: 0 done, 1 the data broke a promise, 2 wrong usage, 3 the run failed.

This module imports next to nothing, so that a signal is answered properly while all the others are still being imported.
"""

from stackfim.pipeline.local import log_file, signals


def main() -> None:
    """Entry point of the console script."""
    log_file.open_standard_files()
    signals.end_at_once()
    log_file.divert()
    signals.guard()
    try:
        from stackfim.pipeline.commands.subcommands import app

        signals.end_in_order()
        app()
    finally:
        log_file.discard()


if __name__ == "__main__":
    main()
