"""Layers of ink alone on transparency, as drawing programs export them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from sketchcolor_cli.color.luma import LUMA
from sketchcolor_cli.imaging.images import Picture, on_paper
from sketchcolor_cli.imaging.sizes import scaled


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
    if page.alpha is None or not _is_ink(page):
        return page
    return replace(page, rgb=on_paper(page), alpha=None)


def _is_ink(page: Picture) -> bool:
    """Return whether what is opaque of a page with transparency is ink alone."""
    assert page.alpha is not None  # noqa: S101  (asked of no other)
    height, width = page.alpha.shape
    size = scaled(height, width, min(_RULES.side, max(height, width)))[::-1]
    alpha = cv2.resize(page.alpha, size, interpolation=cv2.INTER_AREA)
    weight = float(alpha.sum())
    if not weight or alpha.min() > 0.5:
        return False
    premultiplied = (page.rgb @ LUMA) * page.alpha
    brightness = cv2.resize(premultiplied, size, interpolation=cv2.INTER_AREA) / np.maximum(alpha, 1e-3)
    if float(alpha[brightness >= _RULES.paper].sum()) > _RULES.papered * weight:
        return False
    if float((alpha * brightness).sum()) <= _RULES.dark * weight:
        return True
    opaque = (alpha > 0.5).view(np.uint8)
    wide = max(7, round(_RULES.thick * max(size))) | 1
    solid = cv2.morphologyEx(opaque, cv2.MORPH_OPEN, np.ones((wide, wide), np.uint8))
    return bool(solid.sum() <= _RULES.solid * opaque.sum())
