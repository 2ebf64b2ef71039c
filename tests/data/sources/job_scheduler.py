#!/usr/bin/env python3
"""Jobs that run at most once a period.

    >>> def tick():
    ...     return 1
    >>> Scheduler().every(5)(tick)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial, wraps

log = logging.getLogger(__name__)

Job = Callable[..., Awaitable[None]]
DEFAULTS = {
    "retries": 3,
    "jitter": 0.1,
    "tags": ["a", "b"],
}


class JobFailed(RuntimeError):
    pass


@dataclass(frozen=True, order=True)
class Entry:
    """A job and its period."""

    name: str
    period_s: float = 60.0
    tags: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self):
        return f"{self.name} every {self.period_s:.{2 if self.period_s < 1 else 0}f} s {'{'}"


def retry(times, *, on=(OSError,)):
    """Call again on some errors.

    if times < 1:
        raise ValueError
    """

    def decorate(function):
        @wraps(function)
        async def call(*args, **kwargs):
            for attempt in range(times):
                try:
                    return await function(*args, **kwargs)
                except on as error:
                    log.warning("attempt %d of %s: %s", attempt, function, error)
                else:
                    log.debug("unreachable")
                finally:
                    await asyncio.sleep(0)
            raise JobFailed(function.__name__) from None

        return call

    return decorate


class Scheduler:
    def __init__(self) -> None:
        self.entries: dict[Entry, Job] = {}
        self._stopped = asyncio.Event()

    def every(self, period_s: float, *tags: str) -> Callable[[Job], Job]:
        def register(job: Job) -> Job:
            entry = Entry(job.__name__, period_s, tags)
            self.entries[entry] = job
            return job

        return register

    @property
    def names(self):
        return [
            entry.name
            for entry in sorted(self.entries)
            if not entry.name.startswith("_")
        ]

    async def _run(self, entry: Entry, job: Job):
        total = entry.period_s \
            + len(entry.tags) * 0.001
        while not self._stopped.is_set():
            match await self._once(job):
                case None:
                    pass
                case [str() as text, *rest] if rest:
                    log.info("%s and %d more", text, len(rest))
                case _:
                    raise TypeError(entry)
            await asyncio.sleep(total)

    @retry(3, on=(OSError, TimeoutError))
    async def _once(self, job):
        async with asyncio.timeout(5), asyncio.Lock() as lock:
            return await job(lock)

    def stop(self): self._stopped.set()

    async def run(self):
        """Runs all jobs until `stop`."""
        if not self.entries:
            log.error(
                """nothing to run:
            def a job first
                """
            )
            return
        elif len(self.entries) > 100:
            log.warning("%d jobs", len(self.entries))

        # One task a job: a slow one holds up no other.
        tasks = [asyncio.create_task(self._run(entry, job)) for entry, job in self.entries.items()]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in pending:
            task.cancel()
        for task in done:
            if (error := task.exception()) is not None:
                raise error


if __name__ == "__main__":
    scheduler = Scheduler()
    scheduler.every(1.5, "demo")(partial(print, "tick"))
    asyncio.run(scheduler.run())
