"""Beam's runner for this machine."""

import shlex
import sys
from typing import Any


def local_runner(workers: int) -> Any:
    """Beam's FnApiRunner inside this process, or, for more than one worker, with worker processes of ours.

    The runner itself multiplies what one process does by the option `direct_num_workers`.
    """
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner
    from apache_beam.transforms.environments import SubprocessSDKEnvironment

    if workers == 1:
        return FnApiRunner()
    command = f"exec {shlex.quote(sys.executable)} -P -m stackfim.pipeline.local.worker"
    return FnApiRunner(default_environment=SubprocessSDKEnvironment.from_command_string(command))
