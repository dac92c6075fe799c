"""Fill areas with the colours of the points in them: in what the network is shown, and in its paint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Layer = NDArray[np.float32]


_BESIDE = 0.3  # how sure a colour is that comes over a line, of what it would be within the lines


def fill_spread(around: Layer, fill: Layer) -> Layer:
    """Return a hint that was spread, (h, w, 4), changed by the marks of areas.

    No colour comes over a line into an area that has a mark, or that no mark is near, and into others it
    comes with less weight. ``fill`` (H, W, 4) is as ``guides.areas`` gives it: RGB, and how much it counts.
    """
    inside = cv2.resize(fill, around.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    counts = inside[..., 3:]
    colors = np.where(counts > 0, inside[..., :3], around[..., :3])
    sure = around[..., 3:] * np.where(counts > 0, 1, _BESIDE)
    return np.where(counts < 0, 0, np.concatenate([colors, sure], 2)).astype(np.float32)


def fill_paint(paint: Layer, fill: Layer) -> Layer:
    """Return paint (H, W, 3), Lab, with the colours of ``fill`` (H, W, 4) as far as they count."""
    counts = np.maximum(fill[..., 3], 0)
    out = cv2.subtract(cv2.cvtColor(np.ascontiguousarray(fill[..., :3]), cv2.COLOR_RGB2LAB), paint)
    filled: Layer = cv2.add(paint, cv2.multiply(out, cv2.merge((counts, counts, counts))))
    return filled
