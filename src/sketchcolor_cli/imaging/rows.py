"""Values of huge pictures, made a few rows at a time; whole, they would take several times the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Values = NDArray[np.float32]

_BAND = 256  # rows that are made at a time
_HUGE_PAGE = 64_000_000
"""Pixels beyond which a picture in colour is held as its samples: more than a B4 page at 600 dpi has."""


class Rows:
    """Values (H, W, …) that are made when rows of them are taken, as of an array: ``rows[top:bottom]``.

    Attributes:
        shape: What it is as an array.
        nbytes: How many bytes that takes of which it is made.
    """

    def __init__(self, make: Callable[..., Values], *sources: Any) -> None:
        """Keep the arrays or rows (H, …) of which ``make`` makes values, given the same rows of each."""
        self._make, self._sources = make, sources
        self.shape: tuple[int, ...] = (len(sources[0]), *self[:1].shape[1:])
        self.nbytes: int = sum(source.nbytes for source in sources)

    def __len__(self) -> int:
        return len(self._sources[0])

    def __getitem__(self, rows: slice) -> Values:
        return self._make(*(source[rows] for source in self._sources))


def is_huge(samples: NDArray[Any]) -> bool:
    """Whether a picture in colour, (H, W, …), is so large that its values are made when they are taken."""
    return bool(samples.shape[0] * samples.shape[1] > _HUGE_PAGE)


def mapped(make: Callable[..., Values], *sources: Values | Rows) -> Values | Rows:
    """Return what a function of values makes of each pixel; as rows where any of the sources is."""
    if any(isinstance(source, Rows) for source in sources):
        return Rows(make, *sources)
    return make(*sources)


def in_bands(values: Any) -> Iterator[slice]:
    """Give the rows of values, a few at a time and from the top."""
    for top in range(0, len(values), _BAND):
        yield slice(top, min(top + _BAND, len(values)))


def resized(values: Values | Rows, size: tuple[int, int]) -> Values:
    """Return values at a smaller width and height, by area averaging."""
    if isinstance(values, Rows):  # first across, then down, which is the same but for rounding
        across = np.empty((len(values), size[0], *values.shape[2:]), np.float32)
        for rows in in_bands(values):
            cv2.resize(values[rows], (size[0], rows.stop - rows.start), across[rows], 0, 0, cv2.INTER_AREA)
        values = across
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA)  # type: ignore[no-any-return]
