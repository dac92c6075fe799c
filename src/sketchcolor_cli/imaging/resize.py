"""Making arrays smaller, each pixel the mean of those it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def scaled_shape(array: NDArray[Any], scale: float) -> tuple[int, int]:
    """Return the height and width of an array (H, W, …) at a scale, each at least 1."""
    height, width = array.shape[:2]
    return max(1, round(height * scale)), max(1, round(width * scale))


def shrink_by(array: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Return an array (H, W) or (H, W, C) at a scale, by area averaging; itself where that is 1 or more."""
    if scale >= 1:
        return array
    size = scaled_shape(array, scale)[::-1]
    return cv2.resize(array, size, interpolation=cv2.INTER_AREA)  # type: ignore[no-any-return]


def shrink_to(array: NDArray[np.float32], longest: int) -> NDArray[np.float32]:
    """Return an array (H, W) or (H, W, C) with its longer side at most so many pixels."""
    return shrink_by(array, longest / max(array.shape[:2]))
