"""How much a multi-line middle may hold."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MultiLineLimits:
    """How much a middle may hold; a site with more is dropped or ended elsewhere, never truncated."""

    max_lines: int = 32
    max_chars: int = 800
    newline_in_middle_share: float = 0.2
    """Share of sites whose middle keeps its last line break."""
