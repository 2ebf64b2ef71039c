"""Tasks done one after another in this process, or by as many processes as there are workers."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

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
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(do, tasks)
