"""The work behind `stackfim.build`: a run in a folder, for a program instead of the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from stackfim.pipeline.build.beam_options import parse_engine
from stackfim.pipeline.build.run import Outcome, build
from stackfim.pipeline.config.validation import config_of


def build_folder(
    source: str,
    out: str | os.PathLike[str],
    settings: Mapping[str, Any],
    *,
    workers: int | None,
    overwrite: bool,
    progress: bool,
) -> Outcome:
    """See `stackfim.build`."""
    console = Console(stderr=True, highlight=False, quiet=not progress)
    processes = workers or os.cpu_count() or 1
    return build(source, os.fspath(out), config_of(settings), processes, parse_engine([]), console, overwrite=overwrite)
