"""Options of the Beam engine, after `--` on the command line, taken strictly: Beam itself only warns of unknown ones."""

import argparse
import contextlib
import io
from dataclasses import dataclass

from stackfim.pipeline.config.usage_error import UsageError

LOCAL_RUNNERS = ("", "DirectRunner", "FnApiRunner")


@dataclass(frozen=True)
class Engine:
    """Which engine runs the graph, and its options."""

    runner: str
    """Beam's name of it; `FnApiRunner` for a local run."""
    flags: list[str]
    """All options, the runner's not among them."""

    @property
    def is_local(self) -> bool:
        """Whether the run is on this machine, in processes of ours."""
        return self.runner == "FnApiRunner"

    @property
    def is_dry_run(self) -> bool:
        """Whether the graph is only built."""
        return any(flag.startswith("--dry_run") and not flag.lower().endswith("=false") for flag in self.flags)


def parse_engine(flags: list[str]) -> Engine:
    """The engine that `flags` ask for. Raises UsageError for an option that no part of Beam knows."""
    from apache_beam.options.pipeline_options import PipelineOptions

    parser = argparse.ArgumentParser(prog="-- BEAM OPTIONS", allow_abbrev=False, add_help=False)
    for options in sorted(_all_subclasses(PipelineOptions), key=lambda cls: cls.__name__):
        add = options.__dict__.get("_add_argparse_args")
        if add is not None:
            with contextlib.suppress(argparse.ArgumentError):  # several parts of Beam declare the same option
                add.__get__(None, options)(parser)
    messages = io.StringIO()
    try:
        with contextlib.redirect_stderr(messages):
            known, unknown = parser.parse_known_args(flags)
    except SystemExit:
        raise UsageError(f"Beam options: {messages.getvalue().strip().splitlines()[-1]}") from None
    if unknown:
        raise UsageError(f"Beam options: no part of Beam knows {' '.join(unknown)}")
    runner = getattr(known, "runner", None) or ""
    rest = _without_runner(flags)
    if runner in LOCAL_RUNNERS:
        if rest:
            raise UsageError(f"a local run takes no Beam options beside --runner, got {' '.join(rest)}; use --workers")
        return Engine("FnApiRunner", [])
    return Engine(runner, rest)


def _without_runner(flags: list[str]) -> list[str]:
    rest: list[str] = []
    skip = False
    for flag in flags:
        if skip:
            skip = False
        elif flag == "--runner":
            skip = True
        elif not flag.startswith("--runner="):
            rest.append(flag)
    return rest


def _all_subclasses(cls: type) -> list[type]:
    direct: list[type] = cls.__subclasses__()
    return [found for child in direct for found in (child, *_all_subclasses(child))]
