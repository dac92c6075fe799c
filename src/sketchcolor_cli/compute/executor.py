"""Where much of the same is done: in this process, in threads of it, or elsewhere, such as on a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from sketchcolor_cli.compute.ahead import map_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 4  # results for each thread that may wait for their use


class Executor(Protocol):
    """Does the same with each of many things."""

    def map(self, load: Callable[[], Callable[[T], R]], things: Sequence[T]) -> Iterator[R]:
        """Give the result for each thing, in order, a few of them ahead of their use.

        Args:
            load: Loads what is needed, and returns what is done with a thing. It is called once wherever
                that happens: a function of plain values, as all else that may cross to another process.
            things: What it is done with; the text of one names it in messages.
        """
        ...


class Here:
    """Does one thing after the other, when its result is wanted."""

    def map(self, load: Callable[[], Callable[[T], R]], things: Sequence[T]) -> Iterator[R]:
        """See :class:`Executor`."""
        return map(load(), things)


@dataclass(frozen=True)
class Threads:
    """Does several things at a time, in this process; see :func:`map_ahead`."""

    count: int

    def map(self, load: Callable[[], Callable[[T], R]], things: Sequence[T]) -> Iterator[R]:
        """See :class:`Executor`."""
        return map_ahead(load(), things, workers=self.count, most=_AHEAD * self.count)
