"""From ``--ray`` and the number of workers to what does the work."""

from __future__ import annotations

from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sketchcolor_cli.errors import WorkerError
from sketchcolor_cli.jobs.ray_workers import Lost, Workers, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sketchcolor_cli.compute.executor import Executor

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 4  # parts for each worker that are done or under way before they are wanted


@contextmanager
def executor(ray: str | None, here: Executor, workers: int, few: int, *, gpus: bool) -> Iterator[Executor]:
    """Yield what does the work: ``here``, or where ``--ray`` gives an address, workers on Ray.

    Args:
        ray: The address; see :func:`ray_workers.joined`.
        here: Does it without Ray.
        workers: The most workers on Ray.
        few: How many things a worker is given at a time.
        gpus: Whether each takes a GPU where the cluster has any.

    Raises:
        UsageError: Ray is not installed, or there is no cluster at this address.
    """
    if ray is None:
        yield here
        return
    with joined(ray, workers) as library:
        yield OnRay(library, workers, few, gpus=gpus)


class OnRay:
    """Does things on workers, and gives their results in order; see :class:`Executor`."""

    def __init__(self, ray: Any, workers: int, few: int, *, gpus: bool) -> None:
        self._ray, self._count, self._few, self._gpus = ray, workers, few, gpus

    def map(self, load: Callable[[], Callable[[T], R]], things: Sequence[T]) -> Iterator[R]:
        """See :class:`Executor`.

        Raises:
            WorkerError: The worker of a thing was lost each time.
        """
        count = min(self._count, -(-len(things) // self._few))
        workers = Workers[tuple[int, T], list[R]](self._ray, partial(_each, load), count, gpus=self._gpus)
        coming = iter(enumerate(things))
        done: dict[int, R] = {}
        given = wanted = 0

        def take() -> list[tuple[int, T]]:
            nonlocal given
            room = wanted + _AHEAD * count * self._few - given  # or all results may wait for a slow one
            part = [entry for _, entry in zip(range(min(room, self._few)), coming, strict=False)]
            given += len(part)
            return part

        for part, results in workers.results(take):
            if isinstance(results, Lost):
                raise WorkerError(f"{part[0][1]}: {results.why}")
            # Arrays lie in the store that processes share, which has little room: copies do not.
            done.update(zip((number for number, _ in part), deepcopy(results), strict=True))
            while wanted in done:
                yield done.pop(wanted)
                wanted += 1


def _each(load: Callable[[], Callable[[T], R]]) -> Callable[[list[tuple[int, T]]], list[R]]:
    do = load()
    return lambda part: [do(thing) for _, thing in part]
