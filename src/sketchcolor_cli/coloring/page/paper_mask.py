"""What stays paper: the gutters and margins of a comic page, and speech balloons with their text.

Everything here looks at a copy of the page whose longer side is at most ``LONGEST`` pixels, and needs no
training: gutters are blank strips between straight edges, balloons are closed white areas that hold print.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.coloring.page.balloons import find_balloons
from sketchcolor_cli.coloring.page.gutters import find_gutters
from sketchcolor_cli.coloring.page.lettering import ink_pieces
from sketchcolor_cli.coloring.settings import Protect
from sketchcolor_cli.compute import deadline
from sketchcolor_cli.imaging.resize import shrink_by
from sketchcolor_cli.imaging.sizes import page_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Mask = NDArray[np.bool_]

LONGEST = 1400
"""Longest side, in pixels, of the copy of the page that is looked at."""
SMALLEST = 32
"""Shorter side, in pixels, of the smallest page that is looked at."""


@dataclass(frozen=True)
class PaperRules:
    """What counts as paper."""

    darkest: float = 0.85
    """A page whose brightest areas are darker than this has no paper, but a wash."""
    grain: float = 0.08
    """How much darker than paper still is paper."""
    brightest: float = 95
    """Percentile of the page's brightness that its paper has."""
    under_lines: float = 0.002
    """How far masks reach under the lines around them, as a part of the page's longer side."""


_RULES = PaperRules()


@dataclass(frozen=True, eq=False)
class PaperMask:
    """Where a page stays paper, (h, w) bool each, on a copy of it; the edges lie under the lines around.

    Attributes:
        gutters: Gutters between panels, and margins.
        bubbles: Speech balloons and boxes of text.
        asked: What of it the user painted, and so stays paper whatever is marked there; None for nothing.
    """

    gutters: Mask
    bubbles: Mask
    asked: Mask | None = None

    def both(self) -> Plane:
        """Return both together, 1 where the page stays paper."""
        return (self.gutters | self.bubbles).astype(np.float32)

    def shown_on(self, gray: Plane) -> NDArray[np.float32]:
        """Return their page, (H, W), as RGB of their size: gutters are green, balloons red."""
        small = cv2.resize(gray, self.gutters.shape[::-1], interpolation=cv2.INTER_AREA)
        rgb = np.repeat(small[..., None], 3, axis=2)
        for mask, tint in ((self.gutters, (0.2, 0.8, 0.3)), (self.bubbles, (0.95, 0.3, 0.4))):
            rgb[mask] = 0.5 * rgb[mask] + 0.5 * np.array(tint, np.float32)
        return rgb


def find_paper(gray: Plane, what: Protect) -> PaperMask | None:
    """Return what of a page (H, W), paper 1 and ink 0, stays paper; None for nothing."""
    if what is Protect.NONE or min(gray.shape) < SMALLEST:
        return None
    small = _looked_at(gray)
    white = _white(small)
    if max(small.shape) > page_side(*small.shape):
        return _in_pieces(white, small, what)
    return _of_page(white, small, what)


def _looked_at(gray: Plane) -> Plane:
    """Return the copy of a page that is looked at."""
    return shrink_by(gray, LONGEST / page_side(*gray.shape))


def _white(gray: Plane) -> Mask:
    """Return where a page is paper."""
    brightest = float(np.percentile(gray[::4, ::4], _RULES.brightest))
    white: Mask = gray >= max(_RULES.darkest, brightest) - _RULES.grain
    return white


def _in_pieces(white: Mask, small: Plane, what: Protect) -> PaperMask:
    """Look at a strip as at pages in a row; each overlaps the next by half, and one has a balloon whole."""
    if small.shape[1] > small.shape[0]:
        lying = _in_pieces(white.T, np.ascontiguousarray(small.T), what)
        return PaperMask(lying.gutters.T, lying.bubbles.T)
    page = page_side(*small.shape)
    starts = np.linspace(0, len(small) - page, 1 + -(-2 * (len(small) - page) // page)).round().astype(int)
    whole = PaperMask(np.zeros(white.shape, np.bool_), np.zeros(white.shape, np.bool_))
    for start in starts.tolist():
        deadline.check()
        piece = slice(start, start + page)
        ends = start == 0, piece.stop == len(small)
        part = _of_page(white[piece], small[piece], what, ends)
        whole.gutters[piece] |= part.gutters
        whole.bubbles[piece] |= part.bubbles
    # A balloon that is cut where a piece ends may look like a gutter there.
    return PaperMask(whole.gutters & ~whole.bubbles, whole.bubbles)


def _of_page(white: Mask, small: Plane, what: Protect, ends: tuple[bool, bool] = (True, True)) -> PaperMask:
    """Look at a page, or at a piece of a strip that ends with the strip at the top, at the bottom, or not."""
    nothing = np.zeros(white.shape, np.bool_)
    pieces = ink_pieces(white)
    # Gutters are found even where they may be coloured, for they are not balloons.
    gutters = find_gutters(white, pieces.tiny, ends)
    balloons = nothing if what is Protect.GUTTERS else find_balloons(white & ~gutters, small, pieces)
    gutters = nothing if what is Protect.BUBBLES else gutters
    return PaperMask(_under_lines(gutters, white), _under_lines(balloons, white))


def _under_lines(mask: Mask, white: Mask) -> Mask:
    """Grow a mask into the ink around it, never into other paper, so that its edge lies under the lines."""
    reach = max(2, round(max(mask.shape) * _RULES.under_lines))
    wide = cv2.dilate(mask.view(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)).astype(bool)
    out: Mask = mask | (wide & ~white)
    return out
