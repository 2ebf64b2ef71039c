"""The files of a commit, read from a repository's objects by the git command.

Repositories are other people's: nothing in their configuration may start a program or a download, no object is replaced by
another, and settings of this process for git do not count. Formats: git-ls-tree(1), git-cat-file(1).
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import IO

LINK, FOLDER, SUBMODULE = "120000", "040000", "160000"
_LISTING_LIMIT_S = 600
_DISCARDED_BYTES = 1 << 20
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class GitUnreadable(Exception):
    """The objects of a repository cannot be read; the message says what git said."""


@dataclass(frozen=True)
class TrackedFile:
    """A file of a commit, or a link, or the place of a submodule."""

    path: str
    """Relative to the repository; bytes that are not UTF-8 as surrogate escapes."""
    mode: str
    """Git's, such as `100644`, or LINK or SUBMODULE."""
    blob_id: str
    size_bytes: int


def is_git_installed() -> bool:
    """Whether there is a git command."""
    return shutil.which("git") is not None


def tracked_files(dot_git: str, commit: str) -> list[TrackedFile]:
    """All files of a commit, in git's order. `dot_git` is a folder, or the file that a submodule has in its place.

    Raises GitUnreadable for objects that are missing or damaged.
    """
    command = [*_git(dot_git), "ls-tree", "-r", "-l", "-z", "--full-tree", commit]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            timeout=_LISTING_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitUnreadable(str(error)) from error
    if done.returncode != 0:
        raise GitUnreadable(done.stderr.decode("utf-8", "replace").strip() or f"git exited with {done.returncode}")
    return [_tracked(record) for record in done.stdout.split(b"\0") if record]


def _tracked(record: bytes) -> TrackedFile:
    about, _, path = record.partition(b"\t")
    mode, _, blob_id, size = about.split()
    return TrackedFile(
        os.fsdecode(path),
        mode.decode(),
        blob_id.decode(),
        int(size) if size.isdigit() else 0,  # submodules have `-`
    )


class BlobReader:
    """Reads blobs of one repository, one after another, through a process of git that starts when it is needed."""

    def __init__(self, dot_git: str) -> None:
        """`dot_git` is a folder, or the file that a submodule has in its place."""
        self.dot_git = dot_git
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, blob_id: str, max_bytes: int) -> bytes | None:
        """The bytes of a blob; None where it has more than `max_bytes`.

        Raises GitUnreadable for one that is missing, and where git cannot be started.
        """
        stdin, stdout = self._pipes()
        try:
            stdin.write(blob_id.encode() + b"\n")
            stdin.flush()
        except OSError as error:
            raise GitUnreadable(f"git ended: {error.strerror}") from error
        header = stdout.readline().split()
        if len(header) != 3 or header[1] != b"blob":
            raise GitUnreadable(f"object {blob_id} is missing or no blob")
        size = int(header[2])
        is_small = size <= max_bytes
        data = _taken(stdout, size) if is_small else b""
        if not is_small:
            _discard(stdout, size)
        _taken(stdout, 1)  # a line break ends each object
        return data if is_small else None

    def close(self) -> None:
        """Ends the process; another `read` starts one again."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            try:
                self._process = subprocess.Popen(
                    [*_git(self.dot_git), "cat-file", "--batch"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=_environment(),
                )
            except OSError as error:
                raise GitUnreadable(f"git cannot be started: {error.strerror}") from error
        if self._process.stdin is None or self._process.stdout is None:
            raise GitUnreadable("git has no pipes")
        return self._process.stdin, self._process.stdout


def _taken(stdout: IO[bytes], size: int) -> bytes:
    data = stdout.read(size)
    if len(data) < size:
        raise GitUnreadable(f"git ended after {len(data)} of {size} bytes")
    return data


def _discard(stdout: IO[bytes], size: int) -> None:
    while size > 0:
        size -= len(_taken(stdout, min(size, _DISCARDED_BYTES)))


def _git(dot_git: str) -> list[str]:
    # A folder that is named is taken whoever owns it; fsmonitor would be a program of the repository's choice.
    return ["git", "--no-pager", f"--git-dir={dot_git}", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | _ENVIRONMENT
