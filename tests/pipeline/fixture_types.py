"""Types of the fixtures that the pipeline's tests share (see conftest.py)."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

Finished = subprocess.CompletedProcess[str]
Command = Callable[..., list[str]]
TreeDigest = Callable[[Path], dict[str, str]]


class Run(Protocol):
    """Runs the command with these arguments, each as its text, in the folder `cwd`."""

    def __call__(self, *arguments: object, cwd: Path | None = None) -> Finished: ...
