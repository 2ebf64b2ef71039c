"""A side of the cursor measured in tokens: encoded in pieces from the cursor outwards, no further than a budget needs."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Protocol


class Pieces(Protocol):
    """How a text is cut into pieces whose tokens are those of the text, at least as an estimate."""

    def pieces(self, text: str) -> list[str]:
        """The text in pieces; most hold one line."""
        ...

    def size(self, piece: str) -> int:
        """Tokens of a piece, or of a part of one."""
        ...


class TokenSide:
    """A prefix or a suffix as `budget.fit` takes it."""

    def __init__(self, text: str, pieces: Pieces, size: Callable[[str], int], *, is_prefix: bool) -> None:
        """`size` counts exactly what a part of `text` adds to the tokens of a prompt."""
        self.text = text
        self.size = size
        self._pieces = pieces
        self._is_prefix = is_prefix
        found = pieces.pieces(text)
        self._outwards = found[::-1] if is_prefix else found

    def total(self, most: int) -> int:
        """Tokens of the whole text; where they are more than `most`, any number above `most`."""
        held = 0
        for piece in self._outwards:
            held += self._pieces.size(piece)
            if held > most:
                break
        return held

    def reach(self, limit: int) -> int:
        """Characters of the most whole lines that have at most `limit` tokens by the sizes of pieces."""
        held = chars = 0
        fitting = [(held, chars)]
        for piece in self._outwards:
            held += self._pieces.size(piece)
            if held > limit:
                break
            chars += len(piece)
            fitting.append((held, chars))
        else:
            return chars
        # The piece that does not fit may hold lines that do; otherwise the piece before it is cut, and so on.
        for place in range(len(fitting) - 1, -1, -1):
            held, chars = fitting[place]
            lines = self._lines(self._outwards[place], limit - held)
            if lines is not None:
                return chars + lines
        return 0

    def _lines(self, piece: str, limit: int) -> int | None:
        """Characters of the most whole lines at the near end of a piece that have at most `limit` tokens, None for none."""
        line_starts = [place + 1 for place, char in enumerate(piece) if char == "\n"]
        lengths = [len(piece) - start for start in reversed(line_starts)] if self._is_prefix else line_starts

        def size_of(length: int) -> int:
            return self._pieces.size(piece[len(piece) - length :] if self._is_prefix else piece[:length])

        count = bisect_right(lengths, limit, key=size_of)
        return lengths[count - 1] if count else None
