"""How long a piece of work may take: said where it begins, asked for wherever it can be left.

A thread cannot be ended from outside. So work that may take long calls ``check`` between its steps, its bands
and its tiles, each of which is bounded by the size of a picture.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import TimeLimitError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Deadline:
    """A moment at which work is to be left; any thread may bring it nearer."""

    def __init__(self, seconds: float) -> None:
        """Let the work go on for so many seconds from now."""
        self._end = time.monotonic() + seconds

    def bring_to(self, seconds: float) -> None:
        """Let it go on for no more than so many seconds from now."""
        self._end = min(self._end, time.monotonic() + seconds)

    @property
    def is_over(self) -> bool:
        """Whether the moment has come."""
        return time.monotonic() >= self._end


_CURRENT: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Hold what is done in this thread meanwhile to a deadline; nothing is begun after it.

    Raises:
        TimeLimitError: The time is over before anything was done.
    """
    before = _CURRENT.set(deadline)
    try:
        check()
        yield
    finally:
        _CURRENT.reset(before)


def check() -> None:
    """Leave the work at hand if its time is over; where it has none, nothing happens.

    Raises:
        TimeLimitError: The time is over.
    """
    deadline = _CURRENT.get()
    if deadline is not None and deadline.is_over:
        raise TimeLimitError("takes too long")
