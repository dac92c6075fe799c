"""Pages that are drawn in one coloured ink, such as blue pencil: their lines keep its colour.

A coloured ink is lighter than black. Read as black it would be half transparent, and the paint that shines
through would turn blue lines brown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.color.luma import LUMA
from sketchcolor_cli.imaging.picture import has_one_plane, rows_on_paper
from sketchcolor_cli.imaging.resize import shrink_by
from sketchcolor_cli.imaging.rows import in_bands
from sketchcolor_cli.imaging.sizes import copy_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.imaging.picture import Picture
    from sketchcolor_cli.imaging.rows import Rows

    Plane = NDArray[np.float32]


@dataclass(frozen=True)
class InkRules:
    """What a drawing in one coloured ink looks like; distances are in CIELAB."""

    side: int = 1024
    """Longer side of the copy that is looked at."""
    even: float = 8.0
    """How far paper is from its usual colour, at most,"""
    papered: float = 0.6
    """and the part of a page that is paper, at least."""
    dark: float = 20.0
    """How much darker than paper ink is, in L*,"""
    inked: float = 0.001
    """and the part of a page that is ink, at least."""
    core: float = 25.0
    """Percent of ink that is its middle and has its full colour: the darkest."""
    strong: float = 30.0
    """Chroma of a coloured ink, at least, and its distance from paper; black on old paper has less."""
    alone: float = 0.95
    """Part of what is darker than paper that is a mixture of paper and that ink, at least,"""
    mixed: float = 0.15
    """within this distance in RGB."""


_RULES = InkRules()


@dataclass(frozen=True, eq=False)
class ColoredInk:
    """A page that is drawn in one coloured ink.

    Attributes:
        rgb: (H, W, 3), the page on white paper.
        paper: (3,), the colour of its paper.
        ink: (3,), that of its ink.
    """

    rgb: Plane | Rows
    paper: Plane
    ink: Plane

    def as_hint(self) -> None:
        """Return what the page has painted already: nothing."""
        return

    def outlines(self, gray: Plane) -> Plane:
        """Return the page's luma ``gray`` (H, W), in the same memory, as if its ink were black."""
        for rows in in_bands(gray):
            np.multiply(self._bare(gray[rows]), np.float32(LUMA @ self.paper), out=gray[rows])
        return gray

    def over(self, rgb: Plane, top: int = 0) -> Plane:
        """Return a coloured page (H, W, 3), or its rows from ``top`` on, of which the ink has its colour.

        Where nothing but ink is seen, that is the page's own to the last bit.
        """
        own = self.rgb[top : top + len(rgb)]
        out: Plane = rgb + own - self._bare(own @ LUMA)[..., None] * self.paper
        return out.clip(0, 1)

    def rgba(self) -> Plane:
        """Return the ink as a layer, (H, W, 4)."""
        covered = 1 - self._bare(self.rgb[:] @ LUMA)
        return np.concatenate([np.broadcast_to(self.ink, self.rgb.shape), covered[..., None]], 2)

    def _bare(self, gray: Plane) -> Plane:
        """Return the part of each pixel that ink leaves bare, from the page's luma, in [0, 1]."""
        darkest, lightest = (np.float32(LUMA @ color) for color in (self.ink, self.paper))
        bare: Plane = np.clip((gray - darkest) / (lightest - darkest), 0, 1, dtype=np.float32)
        return bare


def colored_ink(page: Picture) -> ColoredInk | None:
    """Return the ink of a page that is drawn in one coloured ink alone; None for any other."""
    if page.gray or has_one_plane(page.rgb_rows):
        return None
    rgb = rows_on_paper(page)
    small = shrink_by(rgb, copy_scale(*page.shape, _RULES.side))
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    paper_lab = np.median(lab[lab[..., 0] >= np.median(lab[..., 0])], axis=0)
    is_paper = np.linalg.norm(lab - paper_lab, axis=2) < _RULES.even
    is_ink = lab[..., 0] < paper_lab[0] - _RULES.dark
    if is_paper.mean() < _RULES.papered or is_ink.mean() < _RULES.inked:
        return None
    core = is_ink & (lab[..., 0] <= np.percentile(lab[is_ink, 0], _RULES.core))
    ink_ab = np.median(lab[core], axis=0)[1:]
    if min(np.linalg.norm(ink_ab), np.linalg.norm(ink_ab - paper_lab[1:])) < _RULES.strong:
        return None
    paper, ink = (np.median(small[where], axis=0).astype(np.float32) for where in (is_paper, core))
    off = _off_mixtures(small[is_ink], paper, ink)
    return ColoredInk(rgb, paper, ink) if (off < _RULES.mixed).mean() >= _RULES.alone else None


def _off_mixtures(colors: Plane, paper: Plane, ink: Plane) -> Plane:
    """Return how far colours (N, 3) are from the line of what paper partly covered by ink looks like."""
    way = ink - paper
    part = ((colors - paper) @ way / (way @ way)).clip(0, None)
    off: Plane = np.linalg.norm(colors - paper - part[:, None] * way, axis=1)
    return off
