"""The error that every command tells with exit code 2."""


class UsageError(Exception):
    """The user asked for something that cannot be done; the message says what was wrong and what was expected."""
