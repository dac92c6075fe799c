"""A drawing's own picture made into another drawing, for character sheets that training simulates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Rgb = NDArray[np.float32]


def bend(rng: Generator, picture: Rgb) -> Rgb:
    """Return the picture mirrored or not, turned, scaled, moved and waved; outside of it is paper.

    Nothing lies where it did, so that colours must be found by what they belong to (Lee et al. 2020,
    augmented-self reference). ``picture`` is (H, W, 3) in [0, 1], and so is the result.
    """
    height, width = picture.shape[:2]
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = rng.normal(0, 1, (2, 4, 4)).astype(np.float32) * np.float32(0.05 * max(height, width))
    dy, dx = (cv2.resize(wave, (width, height), interpolation=cv2.INTER_CUBIC) for wave in waves)
    angle, scale = np.degrees(rng.normal(0, 0.2)), np.exp(rng.uniform(-0.3, 0.2))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale).astype(np.float32)
    turn[:, 2] += rng.normal(0, 0.08, 2).astype(np.float32) * np.array((width, height), np.float32)
    from_x = turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] + dx
    from_y = turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] + dy
    bent: Rgb = cv2.remap(
        np.ascontiguousarray(picture), from_x, from_y, cv2.INTER_LINEAR, borderValue=(1.0, 1.0, 1.0)
    )
    return bent
