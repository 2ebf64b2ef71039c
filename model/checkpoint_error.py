"""What is raised for a checkpoint that cannot be used."""


class CheckpointError(ValueError):
    """A checkpoint that is not what it should be; the message names the key or tensor and what was expected."""
