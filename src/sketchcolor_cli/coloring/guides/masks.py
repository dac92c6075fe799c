"""Masks that users paint: where a page stays paper, and where it is coloured, whatever was found there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.coloring.page.paper_mask import LONGEST, PaperMask
from sketchcolor_cli.imaging.sizes import copy_scale, scaled_by

if TYPE_CHECKING:
    from sketchcolor_cli.imaging.picture import Picture

_SAYS = 0.5  # alpha above which a mask says something, and lightness above which that is: paper


def corrected(found: PaperMask | None, painted: Picture, page: tuple[int, int]) -> PaperMask:
    """Return what stays paper on a page (height, width): what was ``found``, corrected by a painted mask.

    The mask is stretched over the page. Opaque white stays paper, opaque black is coloured, and where it is
    transparent it says nothing; of a mask without transparency every place says one or the other.
    """
    shape = found.gutters.shape if found is not None else scaled_by(*page, copy_scale(*page, LONGEST))
    size = shape[::-1]
    light = cv2.resize(painted.rgb, size, interpolation=cv2.INTER_AREA).mean(2) > _SAYS
    says = np.ones(shape, np.bool_)
    if painted.alpha is not None:
        says = cv2.resize(painted.alpha, size, interpolation=cv2.INTER_AREA) > _SAYS
    paper, free = says & light, says & ~light
    nothing = np.zeros(shape, np.bool_)
    gutters, bubbles = (nothing, nothing) if found is None else (found.gutters, found.bubbles)
    return PaperMask((gutters & ~free) | (paper & ~bubbles), bubbles & ~free)
