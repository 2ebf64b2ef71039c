"""The splitter in a process of its own, which may crash or be killed without loss.

Grammars can crash (SIGSEGV) and error recovery can run for minutes. Here a child process splits; before each file it
notes the file's index in shared memory and starts a timer of CPU time whose signal kills it. When the child dies, the file
that it was splitting is tried once more on its own; if that fails too, the file is rejected with the reason, and a new child
splits the rest. Files are independent of each other, so the result is the same as without the death.
"""

import fcntl
import gc
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import IO

import pyarrow as pa

from stackfim.schemas.example import EXAMPLE
from stackfim.schemas.rejection import FILE, concatenate, rejections
from stackfim.transforms.split.examples import STAGE, SplitResult, Splitter
from stackfim.transforms.split.split_settings import SplitSettings

FILE_CPU_SECONDS = 10.0
"""CPU time that one file may take; the slowest of 7,590 real files took 0.04 s."""

_LENGTH = struct.Struct("<Q")
_NO_FILE = 2**64 - 1
_STARTS = 3


class SplitterProcess:
    """Splits batches in a child process, one at a time. Close it with `close`, or use it as a context manager."""

    def __init__(self, settings: SplitSettings, version: str, file_cpu_seconds: float = FILE_CPU_SECONDS) -> None:
        """As a `Splitter`, with the CPU time that each file may take; the child starts with the first batch."""
        self._setup = json.dumps(
            {"settings": settings.to_json(), "version": version, "file_cpu_seconds": file_cpu_seconds}
        )
        self._file_cpu_seconds = file_cpu_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._ready: subprocess.Popen[bytes] | None = None
        """The child that has its settings."""
        self._progress_file = tempfile.TemporaryFile()  # noqa: SIM115
        self._progress_file.write(_LENGTH.pack(_NO_FILE))
        self._progress_file.flush()
        self._progress = mmap.mmap(self._progress_file.fileno(), _LENGTH.size)
        # Where standard files are closed, the file has the number of one, which the child's pipes take.
        self._progress_descriptor = fcntl.fcntl(self._progress_file.fileno(), fcntl.F_DUPFD_CLOEXEC, 3)

    def __enter__(self) -> "SplitterProcess":
        """The splitter itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the child."""
        self.close()

    def split(self, rows: pa.RecordBatch) -> SplitResult:
        """As `Splitter.split`; a file that kills the child twice becomes a rejection (`parser_crashed`, `parse_timeout`)."""
        pending = [(0, rows.num_rows, False)]
        parts: dict[int, SplitResult] = {}
        while pending:
            start, stop, alone = pending.pop()
            if start == stop:
                continue
            result, died_at, reason = self._attempt(rows.slice(start, stop - start))
            if result is not None:
                parts[start] = result
            elif alone:
                parts[start] = self._rejection(rows.slice(start, 1), reason)
            else:
                culprit = start + died_at
                pending += [(culprit + 1, stop, False), (culprit, culprit + 1, True), (start, culprit, False)]
        return _joined([parts[start] for start in sorted(parts)])

    def close(self) -> None:
        """Ends the child; a splitter that is used again starts a new one."""
        if self._child is not None:
            assert self._child.stdin is not None
            assert self._child.stdout is not None
            # Closing flushes what was not sent yet, and a dead child does not take it.
            with suppress(BrokenPipeError):
                self._child.stdin.close()
            self._child.stdout.close()
            self._child.kill()
            self._child.wait()
            self._child = None

    def _attempt(self, rows: pa.RecordBatch) -> tuple[SplitResult | None, int, str]:
        """The result, or None with the index of the file at which the child died and the reason.

        A child that dies before its first file says nothing about the files, and another one is started.
        """
        for _ in range(_STARTS):
            self._progress[:] = _LENGTH.pack(_NO_FILE)
            child = self._started()
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                if child is not self._ready:
                    _send(child.stdin, self._setup.encode())
                    self._ready = child
                _send(child.stdin, _to_ipc(rows))
                examples, rejected = _from_ipc(_receive(child.stdout)), _from_ipc(_receive(child.stdout))
                refusals = Counter(json.loads(_receive(child.stdout)))
                return SplitResult(examples, rejected, refusals), 0, ""
            except (BrokenPipeError, EOFError):
                status = child.wait()
                self.close()
            (index,) = _LENGTH.unpack(self._progress[:])
            if index != _NO_FILE:
                return None, index, "parse_timeout" if status == -signal.SIGPROF else f"parser_crashed:{status}"
        raise RuntimeError(f"the splitter process ended {_STARTS} times before its first file (status {status})")

    def _rejection(self, row: pa.RecordBatch, reason: str) -> SplitResult:
        word, _, status = reason.partition(":")
        if word == "parse_timeout":
            detail = f"took over {self._file_cpu_seconds:g} s of CPU time, twice"
        else:
            detail = f"the parser's process ended with status {status}, twice"
        return SplitResult(
            pa.RecordBatch.from_pylist([], schema=EXAMPLE), rejections(FILE, STAGE, [word], row, [detail])
        )

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            descriptor = self._progress_descriptor
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "stackfim.transforms.split.process", str(descriptor)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[descriptor],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
            )
        return self._child


def serve(requests: IO[bytes], replies: IO[bytes], progress: mmap.mmap) -> None:
    """What the child does: it splits each batch that it receives, until the pipe closes."""
    setup = json.loads(_receive(requests))
    splitter = Splitter(SplitSettings.from_json(setup["settings"]), setup["version"])
    limit = setup["file_cpu_seconds"]
    # The first array of Python values imports pandas: a third of a second that no file should pay for.
    pa.array([0])
    # Splitting makes many small objects and no cycles; looking for cycles would take a tenth of the time.
    gc.disable()
    # The default action ends the process, even inside a parse, where no Python handler would be called.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    # The process that started this one handles an interrupt at the terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def before_file(index: int) -> None:
        progress[:] = _LENGTH.pack(index)
        signal.setitimer(signal.ITIMER_PROF, limit)

    while True:
        try:
            rows = _from_ipc(_receive(requests))
        except EOFError:
            return
        result = splitter.split(rows, before_file)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(replies, _to_ipc(result.examples), _to_ipc(result.rejections), json.dumps(result.refusals).encode())


def _joined(results: list[SplitResult]) -> SplitResult:
    examples = [result.examples for result in results if result.examples.num_rows]
    refusals: Counter[str] = Counter()
    for result in results:
        refusals.update(result.refusals)
    return SplitResult(
        pa.concat_batches(examples) if examples else pa.RecordBatch.from_pylist([], schema=EXAMPLE),
        concatenate([result.rejections for result in results]),
        refusals,
    )


def _to_ipc(batch: pa.RecordBatch) -> memoryview:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return memoryview(sink.getvalue())


def _from_ipc(message: bytes) -> pa.RecordBatch:
    with pa.ipc.open_stream(message) as reader:
        return reader.read_next_batch()


def _send(pipe: IO[bytes], *messages: bytes | memoryview) -> None:
    for message in messages:
        pipe.write(_LENGTH.pack(len(message)))
        pipe.write(message)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    """The next message. Raises EOFError when the other side has gone."""
    header = pipe.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(header)
    message = pipe.read(length)
    if len(message) < length:
        raise EOFError
    return message


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer, mmap.mmap(int(sys.argv[1]), _LENGTH.size))
