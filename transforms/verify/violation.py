"""A row that breaks an invariant."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, order=True)
class Violation:
    """Which row breaks which invariant, and how."""

    example_id: str
    invariant: str
    """Name of the invariant, such as `undo` or `stop_reason`."""
    message: str
    """The value that was found and what was expected."""

    def as_dict(self) -> dict[str, str]:
        """The violation as a JSON object."""
        return asdict(self)
