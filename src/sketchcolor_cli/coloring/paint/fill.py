"""Fill areas with the colours of the points in them: in what the network is shown, and in its paint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Layer = NDArray[np.float32]


def fill_spread(around: Layer, fill: Layer) -> Layer:
    """Return a hint that was spread, (h, w, 4), without colours that came over a line into a filled area.

    ``fill`` (H, W, 4) is as ``guides.areas`` gives it: RGB, and how much it counts.
    """
    inside = cv2.resize(fill, around.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    colors = np.where(inside[..., 3:] > 0, inside[..., :3], around[..., :3])
    return np.concatenate([colors, around[..., 3:]], 2)


def fill_paint(paint: Layer, fill: Layer) -> Layer:
    """Return paint (H, W, 3), Lab, with the colours of ``fill`` (H, W, 4) as far as they count."""
    out: Layer = cv2.cvtColor(np.ascontiguousarray(fill[..., :3]), cv2.COLOR_RGB2LAB)
    out -= paint
    out *= fill[..., 3:]
    out += paint
    return out
