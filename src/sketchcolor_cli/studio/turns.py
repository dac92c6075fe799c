"""Who computes next: one at a time, the most urgent first."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIVE, ASKED = 0, 1
"""How urgent: somebody paints, somebody waits."""


class CancelledError(Exception):
    """What was asked for is not wanted any more."""


class Wish:
    """Something that was asked for and may be taken back."""

    def __init__(self) -> None:
        self._gone = threading.Event()
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None

    def cancel(self) -> None:
        """Take it back; where it is being done it ends at the next step."""
        self._gone.set()
        with self._lock:
            if self._end is not None:
                self._end()

    @contextmanager
    def ended_by(self, end: Callable[[], None]) -> Iterator[None]:
        """Hold a step that ``end``, called in another thread, cuts short; what that raises is not told.

        Raises:
            CancelledError: The wish was taken back meanwhile.
        """
        with self._lock:
            self._end = end
        try:
            self.check()
            yield
        except Exception:
            self.check()
            raise
        finally:
            with self._lock:
                self._end = None

    @property
    def cancelled(self) -> bool:
        """Whether it was taken back."""
        return self._gone.is_set()

    def check(self) -> None:
        """End what is being done for it, if it was taken back.

        Raises:
            CancelledError: It was.
        """
        if self.cancelled:
            raise CancelledError


class Turns:
    """Lets one thread through at a time: of those that wait the most urgent, of equal ones the first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = count()
        self._waiting: list[tuple[int, int]] = []
        self._busy = False

    @contextmanager
    def turn(self, urgency: int, wish: Wish | None = None) -> Iterator[None]:
        """Wait for a turn and hold it.

        Raises:
            CancelledError: The wish was taken back before it came.
        """
        with self._changed:
            mine = urgency, next(self._numbers)
            self._waiting.append(mine)
            try:
                while self._busy or mine != min(self._waiting):
                    if wish is not None:
                        wish.check()
                    self._changed.wait(0.05 if wish is not None else None)
                if wish is not None:
                    wish.check()
                self._busy = True
            finally:
                self._waiting.remove(mine)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
