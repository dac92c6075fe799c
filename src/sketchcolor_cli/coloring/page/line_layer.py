"""Layers of ink alone on transparency, as drawing programs export them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.color.luma import LUMA
from sketchcolor_cli.imaging.picture import Picture, rows_on_paper
from sketchcolor_cli.imaging.rows import mapped, resized
from sketchcolor_cli.imaging.sizes import copy_scale, page_side, scaled_by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.imaging.rows import Rows

    Plane = NDArray[np.float32]


@dataclass(frozen=True)
class LayerRules:
    """What a layer of ink looks like; parts are of what is opaque."""

    side: int = 1400
    """Longer side, in pixels, of the copy that is looked at."""
    paper: float = 0.85
    """Brightness from which on a pixel is paper."""
    papered: float = 0.1
    """Part that may be paper; of a figure that is cut out more is."""
    dark: float = 0.35
    """Mean brightness up to which it is ink, however thick,"""
    thick: float = 0.012
    """or width of strokes, as a part of the longer side,"""
    solid: float = 0.2
    """beyond which at most this part of them is."""


_RULES = LayerRules()


def with_paper(page: Picture) -> Picture:
    """Return a page whose transparency is paper without it, on white; any other as it is.

    Where all that is opaque is ink, paint is wanted under the transparency. A figure that is cut out keeps
    its transparency, and the paint ends where it ends.
    """
    if page.alpha_rows is None or not _is_ink(page.rgb_rows, page.alpha_rows):
        return page
    return page.but(rgb=rows_on_paper(page), alpha=None)


def _is_ink(rgb: Plane | Rows, whole: Plane | Rows) -> bool:
    """Return whether what is opaque of a page (H, W, 3) with transparency, (H, W), is ink alone."""
    height, width = whole.shape
    size = scaled_by(height, width, copy_scale(height, width, _RULES.side))[::-1]
    alpha = resized(whole, size)
    weight = float(alpha.sum())
    if not weight or alpha.min() > 0.5:
        return False
    premultiplied = mapped(lambda rgb, alpha: (rgb @ LUMA) * alpha, rgb, whole)
    brightness = resized(premultiplied, size) / np.maximum(alpha, 1e-3)
    if float(alpha[brightness >= _RULES.paper].sum()) > _RULES.papered * weight:
        return False
    if float((alpha * brightness).sum()) <= _RULES.dark * weight:
        return True
    opaque = (alpha > 0.5).view(np.uint8)
    wide = max(7, round(_RULES.thick * page_side(*size))) | 1
    solid = cv2.morphologyEx(opaque, cv2.MORPH_OPEN, np.ones((wide, wide), np.uint8))
    return bool(solid.sum() <= _RULES.solid * opaque.sum())
