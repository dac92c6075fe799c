"""What to do when memory runs out: the same work again in ways that need less of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from sketchcolor_cli.compute.memory import is_shortage, let_go
from sketchcolor_cli.errors import SketchcolorError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

P = TypeVar("P")
R = TypeVar("R")


class Fallbacks(Generic[P, R]):
    """Several ways to do one thing, each with less memory than the one before."""

    def __init__(
        self, ways: Sequence[tuple[str, Callable[[P], R]]], *, note: Callable[[str], None] = lambda _: None
    ) -> None:
        """Keep the ways.

        Args:
            ways: What each way is called, and the way.
            note: Called with one line when the first way had not enough memory.
        """
        self._ways = ways
        self._note = note

    def __call__(self, given: P, name: str) -> R:
        """Do it in the first way for which there is memory; ``name`` is what the note calls it.

        Raises:
            MemoryError: There is too little for every way; or what the last way says of that, where it does.
        """
        for place, (way_name, way) in enumerate(self._ways):
            try:
                result = way(given)
            except Exception as error:
                last = place + 1 == len(self._ways)
                if not is_shortage(error) or (last and isinstance(error, SketchcolorError)):
                    raise
                let_go()
            else:
                if place:
                    self._note(f"{name}: memory was too short, so it was done {way_name}")
                return result
        raise MemoryError
