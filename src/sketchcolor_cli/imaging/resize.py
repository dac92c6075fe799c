"""Making arrays (H, W) or (H, W, C) smaller, each pixel the mean of those it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

import cv2

from sketchcolor_cli.imaging.rows import Rows, resized
from sketchcolor_cli.imaging.sizes import scaled_by

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = TypeVar("Samples", NDArray[np.float32], NDArray[np.uint8])


_KEPT = 4  # copies


def scaled_shape(array: NDArray[Any] | Rows, scale: float) -> tuple[int, int]:
    """Return the height and width of an array (H, W, …) at a scale, each at least 1."""
    height, width = array.shape[:2]
    return scaled_by(height, width, scale)


@overload
def shrink_by(array: Samples, scale: float) -> Samples: ...
@overload
def shrink_by(array: Rows, scale: float) -> NDArray[np.float32]: ...
def shrink_by(array: Any, scale: float) -> Any:
    """Return an array at a scale, by area averaging; itself where that is 1 or more."""
    if scale >= 1:
        return array[:] if isinstance(array, Rows) else array
    return resized(array, scaled_shape(array, scale)[::-1])


class Copies:
    """A plane (H, W) and smaller copies of it, the last few of which are kept; any thread may ask."""

    def __init__(self, whole: NDArray[np.float32]) -> None:
        self.whole = whole
        self._kept: dict[tuple[int, int], NDArray[np.float32]] = {}

    def at(self, scale: float) -> NDArray[np.float32]:
        """Return :func:`shrink_by` of it, to be read only."""
        shape = scaled_shape(self.whole, min(1.0, scale))
        copy = self._kept.get(shape)
        if copy is None:
            copy = shrink_by(self.whole, scale)
            for oldest in list(self._kept)[: 1 - _KEPT]:
                self._kept.pop(oldest, None)
            self._kept[shape] = copy
        return copy


@overload
def shrink_to(array: Samples, longest: int) -> Samples: ...
@overload
def shrink_to(array: Rows, longest: int) -> NDArray[np.float32]: ...
def shrink_to(array: Any, longest: int) -> Any:
    """Return an array with its longer side at most so many pixels."""
    return shrink_by(array, longest / max(array.shape[:2]))


def shrink_to_width(array: Samples, width: int) -> Samples:
    """Return an array at most so many pixels wide."""
    return shrink_by(array, width / array.shape[1])


def fitted(array: Samples, short_side: int) -> Samples:
    """Return an array with its shorter side at most so many pixels.

    By this very scale, though a side may not be a whole number then: shards that were packed stay the same.
    """
    scale = short_side / min(array.shape[:2])
    if scale >= 1:
        return array
    return cv2.resize(array, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[no-any-return]
