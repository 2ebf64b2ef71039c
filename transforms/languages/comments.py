"""How comments look: the shapes that languages share, and what begins a comment where the language is not known."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Comments:
    """What begins and ends the comments of a language."""

    line: tuple[bytes, ...]
    """What begins a comment that ends with its line."""
    exceptions: tuple[bytes, ...]
    """What begins as such a comment does and is code, such as PHP's attributes."""
    block: tuple[bytes, bytes] | None
    """What begins and what ends a block comment; None for a language without them."""
    docstrings: bool
    """Whether strings in triple quotes that begin a line count as comments."""


HASH_COMMENTS = Comments(line=(b"#",), exceptions=(), block=None, docstrings=False)
PYTHON_COMMENTS = Comments(line=(b"#",), exceptions=(), block=None, docstrings=True)
C_COMMENTS = Comments(line=(b"//",), exceptions=(), block=(b"/*", b"*/"), docstrings=False)

ANY_COMMENT = re.compile(rb"#+|//+|/\*+|\*+|--+|;+|%+|<!--|\(\*+|dnl\b|(?:@?rem|REM)\b|\"|'|!|\{-+|=begin")
"""What begins a comment in one language or another."""
ANY_BLOCK_COMMENTS = ((b"/*", b"*/"), (b"<!--", b"-->"), (b"(*", b"*)"), (b"{-", b"-}"))
"""What begins and what ends block comments in one language or another."""
