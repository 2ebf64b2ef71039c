"""How much a multi-line middle may hold."""

from dataclasses import dataclass

from stackfim.transforms.setting_checks import expect_number, expect_whole


@dataclass(frozen=True)
class MultiLineLimits:
    """How much a middle may hold; a site with more is dropped or ended elsewhere, never truncated."""

    max_lines: int = 32
    max_chars: int = 800
    newline_in_middle_share: float = 0.2
    """Share of sites whose middle keeps its last line break."""

    def __post_init__(self) -> None:
        """Raises ValueError for a value that is out of range."""
        expect_whole("max_lines", self.max_lines, 2)
        expect_whole("max_chars", self.max_chars, 2)
        expect_number("newline_in_middle_share", self.newline_in_middle_share, 1.0)
