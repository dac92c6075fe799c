"""How wide the strokes of a picture are, where it is drawn in broad strokes of one width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.color.luma import LUMA
from sketchcolor_cli.imaging.sizes import scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[np.float32]


@dataclass(frozen=True)
class StrokeRules:
    """What a stroke is; lengths are pixels of the copy that is looked at."""

    side: int = 1500
    """Longer side of that copy."""
    widest: int = 61
    """What is wider is not a stroke but an area."""
    darker: float = 0.15
    """Luma by which a stroke is darker than what is around it."""
    near: int = 7
    """Side of the square in which a stroke is as dark as it gets."""
    black: float = 0.12
    """Luma up to which it is black, and found as such whatever its width."""
    fewest: int = 200
    """Length of all strokes together, at least."""
    even: float = 1.25
    """Upper quartile of their width, to the lower one, at most,"""
    slack: float = 1.0
    """and how much more, as pixels are whole."""


_RULES = StrokeRules()


def stroke_width(rgb: Picture) -> float | None:
    """Return the median width, in pixels, of a picture's coloured strokes; None where widths vary.

    ``rgb`` (H, W, 3) is in [0, 1]. The widths of dark things that stand out are taken along their middle;
    those of the limbs and locks of a painted figure vary, those of a pen do not.
    """
    height, width = rgb.shape[:2]
    size = scaled(height, width, min(_RULES.side, max(height, width)))[::-1]
    luma = cv2.resize(rgb @ LUMA, size, interpolation=cv2.INTER_AREA)
    around = cv2.morphologyEx(luma, cv2.MORPH_CLOSE, np.ones((_RULES.widest,) * 2, np.uint8))
    darker = around - luma
    half = cv2.dilate(darker, np.ones((_RULES.near,) * 2, np.uint8)) / 2  # where the edge of a soft stroke is
    strokes = np.pad(darker > np.maximum(half, _RULES.darker), 1).view(np.uint8)
    far = cv2.distanceTransform(strokes, cv2.DIST_L2, 5)[1:-1, 1:-1]
    middle = (far >= cv2.dilate(far, np.ones((3, 3), np.uint8))) & (far >= 1) & (luma > _RULES.black)
    widths = 2 * far[middle] - 1
    if len(widths) < _RULES.fewest:
        return None
    low, median, high = np.percentile(widths, (25, 50, 75)).tolist()
    if high > _RULES.even * low + _RULES.slack:
        return None
    return float(median * height / size[1])
