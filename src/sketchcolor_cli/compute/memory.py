"""What to do when memory runs out: try again with less, and at last on the processor."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Generic, TypeVar

from sketchcolor_cli.errors import SketchcolorError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

P = TypeVar("P")
R = TypeVar("R")

# What the libraries below say when an allocation fails; each has its own error, or none.
_SHORTAGES = (
    "out of memory",
    "not enough memory",
    "insufficient memory",
    "alloc_failed",
    "failed to allocate",
    "can't allocate memory",
)
_KINDS = ("RuntimeError", "DeviceError", "error")


def is_shortage(error: BaseException) -> bool:
    """Whether an error of PyTorch, CUDA, OpenCV or Python says that there is too little memory."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    told = str(error).lower()
    return type(error).__name__ in _KINDS and any(words in told for words in _SHORTAGES)


def let_go() -> None:
    """Give back what is held for nothing."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


class Ladder(Generic[P, R]):
    """Several ways to do one thing, each with less memory than the one before."""

    def __init__(
        self, rungs: Sequence[tuple[str, Callable[[P], R]]], *, note: Callable[[str], None] = lambda _: None
    ) -> None:
        """Keep the ways.

        Args:
            rungs: How each way is called, and the way.
            note: Called with one line when a way was not the first.
        """
        self._rungs = rungs
        self._note = note

    def __call__(self, given: P, name: str) -> R:
        """Do it in the first way for which there is memory; ``name`` is what the note calls it.

        Raises:
            MemoryError: there is too little for every way; or what the last way says of that, where it does.
        """
        for place, (how, way) in enumerate(self._rungs):
            try:
                result = way(given)
            except Exception as error:
                last = place + 1 == len(self._rungs)
                if not is_shortage(error) or (last and isinstance(error, SketchcolorError)):
                    raise
                let_go()
            else:
                if place:
                    self._note(f"{name}: memory was too short, so it was done {how}")
                return result
        raise MemoryError
