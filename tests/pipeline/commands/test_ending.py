"""However a command ends, standard error has sentences and no traceback, and it ends soon when it is asked to."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline.fixture_types import Command, Run, TreeDigest
from tests.waiting import wait_until

STUCK = """
import re, threading
from stackfim.pipeline.local import signals
signals.guard()
signals.end_in_order()
# In another thread, as Beam's are: it does not let go of the interpreter.
thread = threading.Thread(target=re.match, args=(r"(a+)+$", "a" * 60 + "b"))
print("stuck", flush=True)
thread.start()
thread.join()
"""
DEAF = """
import time
from stackfim.pipeline.local import signals
signals.end_in_order()
while True:
    try:
        print("deaf", flush=True)
        time.sleep(1000)
    except KeyboardInterrupt:
        pass
"""
SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


def listen() -> None:
    """A shell's background jobs ignore SIGINT, and so would the command."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def started(line: list[str], folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "TMPDIR": str(folder)}
    pipe = subprocess.PIPE
    return subprocess.Popen(line, stdout=pipe, stderr=pipe, text=True, preexec_fn=listen, env=environment)


def handles(process: subprocess.Popen[str], number: int) -> bool:
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = re.search(r"^SigCgt:\s*(\w+)$", status, re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (number - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@SIGNALS
def test_a_signal_at_the_start_is_answered_with_a_sentence(number: int, command: Command, tmp_path: Path) -> None:
    process = started(command("build", "parquet:/nowhere", "--out", tmp_path / "out"), tmp_path)
    wait_until(lambda: handles(process, signal.SIGTERM), process)
    process.send_signal(number)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (3, "stackfim: interrupted.\n")
    assert not list(tmp_path.glob("*.log"))


@pytest.mark.parametrize(("program", "code"), [(STUCK, -signal.SIGKILL), (DEAF, 3)], ids=["stuck_in_c", "deaf"])
@SIGNALS
def test_what_does_not_listen_ends_within_seconds(number: int, program: str, code: int, tmp_path: Path) -> None:
    process = started([sys.executable, "-c", program], tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(number)
    begun = time.monotonic()
    _, errors = process.communicate()
    assert time.monotonic() - begun < 10
    assert (process.returncode, errors) == (code, "stackfim: interrupted.\n")


def test_a_file_that_cannot_be_written_is_told_in_one_sentence_and_the_run_resumes(
    built: Path, source_folder: Path, command: Command, stackfim: Run, tree_digest: TreeDigest, tmp_path: Path
) -> None:
    def with_small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    out = tmp_path / "out"
    line = command("build", f"parquet:{source_folder}", "--out", out, "--workers", 2)
    environment = {**os.environ, "TMPDIR": str(tmp_path), "STACKFIM_PROGRESS_SECONDS": "1000"}
    failed = subprocess.run(
        line, capture_output=True, text=True, check=False, preexec_fn=with_small_files, env=environment
    )
    assert failed.returncode == 3
    _, told = failed.stderr.splitlines()
    assert re.fullmatch(
        r"stackfim: the run failed: OSError: \[Errno 27\] File too large \(details: \S*/stackfim-\w+\.log\)\. "
        r"Run the same command again: it goes on with the shards that are not complete\.",
        told,
    )
    (log,) = tmp_path.glob("*.log")
    assert "Traceback" in log.read_text()
    assert stackfim("build", f"parquet:{source_folder}", "--out", out, "--workers", 1).returncode == 0
    assert tree_digest(out) == tree_digest(built)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_closed_standard_file_is_no_reason_to_die(
    closed: str, source_folder: Path, command: Command, tmp_path: Path
) -> None:
    line = command("build", f"parquet:{source_folder}/part-0.parquet", "--out", tmp_path / "out", "--workers", 2)
    done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "manifest.json").exists()
