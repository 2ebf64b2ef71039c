"""The beginning of a file as rules read it: without the byte order mark that some editors put before the first line."""

import pyarrow as pa

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""U+FEFF in UTF-8. It is no part of the text (Unicode 16, section 23.8), and it hides no `#!` line and no first comment."""


def head_of(content: pa.Buffer, size_bytes: int) -> bytes:
    """The first `size_bytes` of a file's text."""
    head: bytes = content.slice(0, min(size_bytes + len(BYTE_ORDER_MARK), content.size)).to_pybytes()
    return without_mark(head)[:size_bytes]


def without_mark(head: bytes) -> bytes:
    """The beginning of a file without its byte order mark."""
    return head.removeprefix(BYTE_ORDER_MARK)
