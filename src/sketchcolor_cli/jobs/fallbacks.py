"""What to do when memory runs out: the same work again in ways that need less of it.

for attempt in fallbacks.attempts("page.png"):
    with attempt as way:
        return work(way)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from sketchcolor_cli.compute.memory import is_shortage, let_go
from sketchcolor_cli.errors import SketchcolorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

W = TypeVar("W")


@dataclass(frozen=True)
class Fallbacks(Generic[W]):
    """Several ways to do one thing, each with less memory than the one before.

    Attributes:
        ways: What each way is called, and the way.
        note: Called with one line when the first way had not enough memory.
    """

    ways: Sequence[tuple[str, W]]
    note: Callable[[str], None] = lambda _: None

    def attempts(self, name: str) -> Iterator[Attempt[W]]:
        """Yield an attempt for each way, until one has enough memory; the note begins with ``name``.

        Raises:
            MemoryError: There is too little for every way.
        """
        for place, (way_name, way) in enumerate(self.ways):
            message = f"{name}: there was not enough memory, so it was done {way_name}" if place else ""
            yield Attempt(way, place + 1 == len(self.ways), message, self.note)
        raise MemoryError


@dataclass(frozen=True)
class Attempt(Generic[W]):
    """One way, and a context that swallows a shortage of memory, so that the next way is tried.

    The last way lets an expected error through, which says more than that memory is short.
    """

    way: W
    is_last: bool
    message: str
    note: Callable[[str], None]

    def __enter__(self) -> W:
        """Return the way."""
        return self.way

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        """Swallow a shortage of memory."""
        if error is None:
            if self.message:
                self.note(self.message)
            return False
        if not is_shortage(error) or (self.is_last and isinstance(error, SketchcolorError)):
            return False
        let_go()
        return True
