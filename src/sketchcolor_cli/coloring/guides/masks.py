"""What users say against the paper that was found: by masks that they paint, and by colours put on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.coloring.page.paper_mask import LONGEST, PaperMask
from sketchcolor_cli.imaging.sizes import copy_scale, scaled_by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.imaging.picture import Picture

_SAYS = 0.5  # alpha above which a mask says something, and lightness above which that is: paper
_WHITE = 0.95  # of the least of R, G and B, from which on a mark leaves paper as it is
_MOST = 0.5  # part of an area that is paper, and of a mark that lies there, from which on it is meant


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
    before = nothing if found is None or found.asked is None else found.asked
    return PaperMask((gutters & ~free) | (paper & ~bubbles), bubbles & ~free, (before & ~free) | paper)


def but_marked(found: PaperMask, marks: NDArray[np.float32], labels: NDArray[np.int32]) -> PaperMask:
    """Return what stays paper but for the areas of the page that the user gave a colour; white is none.

    ``marks`` (h, w, 4), RGB and mask, are points and strokes; ``labels`` (h, w) is the area of each pixel.
    A mark counts that lies for the most part on paper, or in areas that are mostly paper: others have slipped
    over its edge.
    """
    size = labels.shape[::-1]
    both = (found.gutters | found.bubbles).view(np.uint8)
    paper = cv2.resize(both, size, interpolation=cv2.INTER_NEAREST)
    of_area = np.bincount(labels.ravel(), paper.ravel()) > _MOST * np.bincount(labels.ravel())
    _, mark = cv2.connectedComponents((marks[..., 3] > 0).view(np.uint8), connectivity=8)
    on_paper, least = of_area[labels] | (paper > 0), marks[..., :3].min(2)
    sizes = np.bincount(mark.ravel())
    most = np.bincount(mark.ravel(), on_paper.ravel()) > _MOST * sizes
    colored = most & (np.bincount(mark.ravel(), least.ravel()) < _WHITE * sizes)
    colored[0] = False  # what is not marked
    if not colored.any():
        return found
    marked = np.zeros(len(of_area), np.bool_)
    marked[labels[colored[mark] & on_paper]] = True
    free = cv2.resize(marked[labels].view(np.uint8), both.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    free = free if found.asked is None else free & ~found.asked
    return PaperMask(found.gutters & ~free, found.bubbles & ~free, found.asked)
