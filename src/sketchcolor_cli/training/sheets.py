"""Simulated character sheets: other drawings in the colours of a picture that is to be coloured.

A sheet is the picture itself, bent so that nothing lies where it did (Lee et al. 2020, augmented-self
reference), or another picture of the same story; of several panels it shows one each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    Rgb = NDArray[np.float32]
    Sheet = NDArray[np.float32]


def lay_out(pictures: Sequence[Rgb], side: int) -> Sheet:
    """Return a sheet (S, S, 4), RGB and mask, with the pictures (H, W, 3) in a grid, each whole."""
    sheet = np.zeros((side, side, 4), np.float32)
    if not pictures:
        return sheet
    cells = int(np.ceil(np.sqrt(len(pictures))))
    cell = side // cells
    for number, picture in enumerate(pictures):
        scale = cell / max(picture.shape[:2])
        size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        top = number // cells * cell + (cell - size[1]) // 2
        left = number % cells * cell + (cell - size[0]) // 2
        window = sheet[top : top + size[1], left : left + size[0]]
        window[..., :3], window[..., 3] = small, 1
    return sheet


def bend(rng: Generator, picture: Rgb) -> Rgb:
    """Return the picture mirrored or not, turned, scaled, moved and waved; outside of it is paper."""
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
