"""Tasks done one after another in this process, or by as many processes as there are workers."""

import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

from stackfim.pipeline.local.workers import launching, watch_launcher

T = TypeVar("T")
R = TypeVar("R")


def do_all(do: Callable[[T], R], tasks: Iterable[T], workers: int) -> Iterator[R]:
    """The results of all tasks, in order. With more than one worker and task, `do`, tasks and results must pickle."""
    tasks = list(tasks)
    workers = min(workers, len(tasks))
    if workers <= 1:
        yield from map(do, tasks)
        return
    # Spawned, not forked: libraries with threads of their own do not survive a fork.
    with launching(), ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin) as pool:
        yield from pool.map(partial(_done, do), tasks)


def _done(do: Callable[[T], R], task: T) -> R:
    """The result of a task. What is raised must pickle, which a panic in a library that is written in Rust does not."""
    try:
        return do(task)
    except (Exception, SystemExit):
        raise
    except BaseException as error:
        raise RuntimeError(f"{type(error).__name__}: {error}") from None


def _begin() -> None:
    """What a process of the pool does first: it ends with its launcher, which alone handles an interrupt at the terminal."""
    watch_launcher()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
