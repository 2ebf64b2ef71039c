"""A budget of processor time for a filter on a file: over it the file is rejected, so that no file can stall a run.

Python cannot interrupt one match of an expression, so two things go together: every expression takes time in proportion to
what it reads (tests/structure/test_linear_time.py), and what loops over matches or lines asks here whether time is left. Time
of the thread is counted, not of the clock: a busy machine rejects nothing.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

FILE_CPU_S = 10.0
"""Seconds of processor time that one filter may take for a file; filters take milliseconds for the largest real ones."""

_deadline_s: ContextVar[float | None] = ContextVar("deadline_s", default=None)


class OverBudgetError(Exception):
    """The budget is used up."""


@contextmanager
def cpu_budget(limit_s: float) -> Iterator[None]:
    """Within it `check_budget` raises OverBudgetError once the thread has used `limit_s` seconds of processor time."""
    token = _deadline_s.set(time.thread_time() + limit_s)
    try:
        yield
    finally:
        _deadline_s.reset(token)


def check_budget() -> None:
    """Raises OverBudgetError where a budget is set and used up."""
    deadline_s = _deadline_s.get()
    if deadline_s is not None and time.thread_time() > deadline_s:
        raise OverBudgetError
