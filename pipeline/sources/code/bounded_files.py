"""Reads files that may be anything: never more bytes than requested, never a link, a pipe or a device."""

import io
import os
import stat


class NotRead(Exception):
    """A file that was not read."""

    def __init__(self, reason: str, detail: str) -> None:
        """`reason` is the fixed word of the rejection, `detail` a sentence for people to read."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def read_regular_file(path: str, max_bytes: int, head_bytes: int | None = None) -> bytes:
    """The bytes of a regular file of at most `max_bytes`, or only its first `head_bytes` whatever its size.

    Raises NotRead for links (`symlink`), pipes, sockets and devices (`special_file`), which are not even opened,
    for larger files (`oversized`), and for folders and files that cannot be opened or read (`unreadable`).
    """
    try:
        _refuse_other_kinds(os.lstat(path))
        # The file may have become a link or a pipe since: a link is refused then, and a pipe does not block.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb", buffering=0) as file:
            status = os.fstat(descriptor)
            _refuse_other_kinds(status)
            if head_bytes is not None:
                return _read_up_to(file, head_bytes)
            if status.st_size > max_bytes:
                raise NotRead("oversized", f"{status.st_size} bytes; expected at most {max_bytes}")
            data = _read_up_to(file, max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise NotRead("unreadable", f"{reason}; expected a file that can be read") from error
    if len(data) > max_bytes:
        raise NotRead("oversized", f"more than {max_bytes} bytes; expected at most {max_bytes}")
    return data


def _refuse_other_kinds(status: os.stat_result) -> None:
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return
    if stat.S_ISLNK(mode):
        raise NotRead("symlink", "a symbolic link; expected a file")
    if stat.S_ISDIR(mode):
        raise NotRead("unreadable", "a folder that cannot be listed; expected a file or a readable folder")
    raise NotRead("special_file", "a pipe, a socket or a device; expected a regular file")


def _read_up_to(file: io.FileIO, size: int) -> bytes:
    """At most `size` bytes. One raw read may return fewer than there are."""
    parts: list[bytes] = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
