"""Colours pulled to those of a palette."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Colors = NDArray[np.float32]
Lab = NDArray[np.float32]

_LIGHT = 0.5  # weight of lightness beside a* and b* in which colour is nearest: a shade of red is a red
_SOFT = 8.0  # distance in Lab over which one colour of the palette fades into the next
_BLOCK = 65_536  # pixels that are compared at once, with palettes of few colours
_FEW = 64  # colours


def lab_of(colors: Colors) -> Lab:
    """Return (K, 3) RGB colours as (K, 3) Lab."""
    lab: Lab = cv2.cvtColor(colors[None], cv2.COLOR_RGB2LAB)[0]
    return lab


def pull(paint: Lab, palette: Lab, strength: float) -> Lab:
    """Return paint (h, w, 3), Lab, pulled to a palette (K, 3), Lab; 0 leaves it, 1 puts it there.

    White belongs to every palette, for paper may stay paper. Between two colours of the palette that are
    about equally near the paint becomes a mixture, so that a gradient keeps no edge.
    """
    if strength <= 0:
        return paint
    white = np.array([[100, 0, 0]], np.float32)
    colors = np.concatenate([palette, white])
    scale = np.array([_LIGHT, 1, 1], np.float32)
    flat = paint.reshape(-1, 3)
    out = np.empty_like(flat)
    block = _block(len(colors))
    for start in range(0, len(flat), block):
        part = flat[start : start + block]
        far = np.linalg.norm((part[:, None] - colors) * scale, axis=2)
        weight = np.exp((far.min(1, keepdims=True) - far) * (4 / _SOFT))
        wanted = (weight @ colors) / weight.sum(1, keepdims=True)
        out[start : start + block] = part + strength * (wanted - part)
    return out.reshape(paint.shape)


def nearest(paint: Lab, palette: Lab) -> NDArray[np.intp]:
    """Return the place in a palette (K, 3), Lab, of the colour nearest to each of (N, 3)."""
    scale = np.array([_LIGHT, 1, 1], np.float32)
    place = np.empty(len(paint), np.intp)
    block = _block(len(palette))
    for start in range(0, len(paint), block):
        far = np.linalg.norm((paint[start : start + block, None] - palette) * scale, axis=2)
        place[start : start + block] = far.argmin(1)
    return place


def _block(colors: int) -> int:
    """Return how many pixels are compared at once, so that memory does not grow with the palette."""
    return max(1, _BLOCK * _FEW // max(colors, _FEW))
