"""Work done in threads, a few pieces ahead of their use."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")


def map_ahead(work: Callable[[T], R], things: Iterable[T], *, workers: int, most: int) -> Iterator[R]:
    """Give the result of the work for each thing, in order.

    Args:
        work: What is done; it should spend its time in libraries that let other threads run.
        things: What it is done with, taken as it is needed.
        workers: How many threads work.
        most: How many results may wait for their use.
    """
    coming = iter(things)
    with ThreadPoolExecutor(workers) as pool:
        waiting = deque(pool.submit(work, item) for item in islice(coming, most))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(work, item) for item in islice(coming, 1))
            yield result
