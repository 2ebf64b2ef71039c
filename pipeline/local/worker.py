"""A worker process of a local run: Beam's own, but quiet, and ended with its launcher.

Started by Beam's subprocess environment as `python -m stackfim.pipeline.local.worker`.
"""

import logging
import signal
import sys

from stackfim.pipeline.local.memory import bound_memory, giving_back_memory
from stackfim.pipeline.local.workers import watch_launcher


def main() -> None:
    """Serves the runner that the environment variables name, until the runner ends it."""
    watch_launcher()
    bound_memory()
    # The launcher handles an interrupt at the terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.WARNING)
    from apache_beam.runners.worker import sdk_worker_main

    with giving_back_memory():
        sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main()
