"""Which parts of a page are in colour, and whether it is in colour as a whole.

Tinted paper, sepia, coloured ink and uneven light are not colour; a stamp, a banner, blue rules and the trace
lines of animators are colour on a page that is still to be coloured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.coloring.page.shapes import components, grown
from sketchcolor_cli.imaging.images import Picture, has_one_plane, on_paper
from sketchcolor_cli.imaging.resize import shrink_to

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Lab = NDArray[np.float32]
    Plane = NDArray[np.float32]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ColorRules:
    """What counts as colour; distances are in CIELAB."""

    side: int = 256
    """Longer side of the copy on which is decided; averages out the colour noise of JPEG and scanners."""
    fine_side: int = 1024
    """The same of the copy on which it is told where colours are."""
    level: int = 10
    """Step of L* within which a page of one ink on one paper has about one colour."""
    clear: float = 12.0
    """Distance in a*b* from that one colour at which a pixel is coloured."""
    part: float = 0.02
    """Part of a page that is coloured, at least, for it to be in colour."""
    large: float = 0.4
    """Part of a page that coloured areas are, from which on it is in colour whatever is drawn."""
    grid: int = 6
    """Cells along either side, in each of which is asked whether the drawing there is in colour."""
    cells: float = 0.2
    """Part of the cells with something drawn that have coloured areas, from which on a page is in colour."""
    faint: float = 9.0
    """Distance at which an area is coloured that is not a line."""
    filled: float = 0.01
    """Part of a cell that must be line, or coloured area, for it to have some."""
    line: float = 15.0
    """L* by which a line is darker than what is around it."""
    width: int = 5
    """Pixels of the copy that are wider than a line; at 256 on a page this is also wider than lettering."""
    edge: float = 0.5
    """Part of a line's clearest colour up to which a pixel is its edge,"""
    fade: float = 0.25
    """and how much more makes it the middle."""
    pale: float = 0.6
    """Luma from which on a coloured line is not an outline."""
    rounds: int = 5
    """Rounds of reweighted least squares."""
    paper: float = 0.6
    """Part of a page in uneven light that is paper, at least."""
    paper_depth: float = 8.0
    """How far paper is from even light, in L*."""
    speck: float = 0.00003
    """Smaller spots of colour, as a part of the page, are noise."""
    broad: float = 0.015
    """Width from which on a spot is an area, and no line or lettering, as a part of the longer side."""


_RULES = ColorRules()


def is_colored(page: Picture) -> bool:
    """Return whether a page is in colour.

    A page printed with one ink on one paper, or yellowed, or toned, has at each lightness one colour, however
    strong, and it changes steadily from paper to ink; in the light of two lamps it also changes steadily
    from side to side. What differs from that is colour. It makes a page a coloured one where it fills areas,
    not only lines, and is spread over what is drawn, not only at its side as a banner is.
    """
    if page.gray or has_one_plane(page.rgb):
        return False
    small = shrink_to(on_paper(page), _RULES.side)
    if _is_gray(small):
        return False
    lab = _lab(small)
    off = _off(lab)
    if (off > _RULES.clear).mean() <= _RULES.part:
        return False
    lines = _lines(lab[..., 0])
    areas = _opened((off > _RULES.faint) & ~grown(lines, 1), 3)
    return bool(areas.mean() >= _RULES.large) or _spread(areas, lines) >= _RULES.cells


@dataclass(frozen=True, eq=False)
class OwnColors:
    """The colours on a page that is not in colour as a whole, such as a stamp.

    Attributes:
        rgb: (H, W, 3), the page on white paper.
        share: (h, w), 1 where its colours are, on a copy of it; between 0 and 1 where they begin.
        areas: (h, w), where they fill areas; lines and lettering in colour say nothing about what is beside.
    """

    rgb: Plane
    share: Plane
    areas: Mask

    def as_hint(self) -> Picture | None:
        """Return them as a rough colouring, transparent where the page has none; None for lines alone."""
        if not self.areas.any():
            return None
        small = cv2.resize(self.rgb, self.share.shape[::-1], interpolation=cv2.INTER_AREA)
        return Picture(rgb=small, alpha=self.areas.astype(np.float32))

    def over(self, rgb: Plane, top: int = 0) -> Plane:
        """Return a coloured page (H, W, 3), or its rows from ``top`` on, with its own colours."""
        rows = slice(top, top + len(rgb))
        out: Plane = rgb + self._enlarged[rows] * (self.rgb[rows] - rgb)
        return out

    def without_pale_lines(self, gray: Plane) -> Plane:
        """Return the page's luma (H, W) with pale coloured lines as paper: rules, and construction lines.

        They are not outlines, and would cut what is drawn over them into strips.
        """
        lines = grown(self.share > 0, 2) & ~grown(self.areas, 2)
        size = gray.shape[::-1]
        near = cv2.resize(lines.view(np.uint8), size, interpolation=cv2.INTER_NEAREST).view(np.bool_)
        return np.where(near & (gray > _RULES.pale), np.float32(1), gray)

    def rgba(self) -> Plane:
        """Return them as a layer, (H, W, 4)."""
        return np.concatenate([self.rgb, self._enlarged], 2)

    @cached_property
    def _enlarged(self) -> Plane:
        share = cv2.resize(self.share, self.rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return share[..., None]  # type: ignore[no-any-return]


def own_colors(page: Picture) -> OwnColors | None:
    """Return the colours on a page that is not in colour as a whole; None where there are none."""
    if page.gray or has_one_plane(page.rgb):
        return None
    rgb = on_paper(page)
    small = shrink_to(rgb, _RULES.fine_side)
    if _is_gray(small):
        return None
    off = _off(cv2.GaussianBlur(_lab(small), (0, 0), 1))
    spots = components(off > _RULES.clear, 8)
    kept = spots.areas >= max(9, _RULES.speck * off.size)
    kept[0] = False
    if not kept.any():
        return None
    colored = kept[spots.labels]
    areas = _opened(colored, max(5, round(_RULES.broad * max(off.shape))) | 1)
    return OwnColors(rgb, np.where(grown(colored, 2), _share(off, areas), 0), areas)


def _share(off: Plane, areas: Mask) -> Plane:
    """Return how much of its own colour a coloured pixel keeps, (h, w) in [0, 1].

    An area keeps all; of a line only its middle does, or the paper that mixes with it would be a halo.
    """
    begun = 2 * off / _RULES.clear - 1
    middle = (off / np.maximum(cv2.dilate(off, np.ones((5, 5), np.uint8)), 1e-6) - _RULES.edge) / _RULES.fade
    share: Plane = np.clip(np.where(grown(areas, 3), begun, np.minimum(begun, middle)), 0, 1)
    return share.astype(np.float32)


def _is_gray(rgb: Plane) -> bool:
    """Return whether a picture (h, w, 3) has only greys, as many have that are stored in colour."""
    red, green, blue = cv2.split(rgb)
    return np.array_equal(red, green) and np.array_equal(green, blue)


def _lab(rgb: Plane) -> Lab:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)  # type: ignore[no-any-return]


def _lines(lightness: Plane) -> Mask:
    """Return where lines are, of whatever colour: thin, and darker than what is around."""
    around = cv2.morphologyEx(lightness, cv2.MORPH_CLOSE, np.ones((_RULES.width,) * 2, np.uint8))
    lines: Mask = around - lightness > _RULES.line
    return lines


def _opened(mask: Mask, wide: int) -> Mask:
    """Return a mask without what is thinner than so many pixels."""
    opened = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones((wide, wide), np.uint8))
    return opened.view(np.bool_)  # type: ignore[no-any-return]


def _spread(areas: Mask, lines: Mask) -> float:
    """Return in what part of the cells of a grid that have something drawn in them there are areas."""
    shares = []
    for rows in np.array_split(np.arange(areas.shape[0]), _RULES.grid):
        for columns in np.array_split(np.arange(areas.shape[1]), _RULES.grid):
            cell = np.ix_(rows, columns)
            if cell[0].size and cell[1].size:
                shares.append((areas[cell].mean(), lines[cell].mean()))
    colored, drawn = (np.array(kind) > _RULES.filled for kind in zip(*shares, strict=True))
    return float(colored.sum() / max((colored | drawn).sum(), 1))


def _off(lab: Lab) -> Plane:
    """Return how far each pixel, (h, w), is in a*b* from what one ink on one paper has there."""
    height, width = lab.shape[:2]
    lightness, ab = lab[..., 0].reshape(-1, 1), lab[..., 1:].reshape(-1, 2)
    ones = np.ones_like(lightness)
    shade = np.concatenate([ones, lightness / 100], 1)
    off = np.maximum(_off_medians(lightness[:, 0], ab), _off_fit(ab, shade))
    if (off > _RULES.clear).mean() > _RULES.part:
        y, x = (
            place.reshape(-1, 1).astype(np.float32)
            for place in np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        )
        place = np.concatenate([ones, x, y, x * x, x * y, y * y], 1)
        paper = (_off_fit(lightness, place) < _RULES.paper_depth).mean()
        if paper > _RULES.paper:
            off = np.minimum(off, _off_fit(ab, np.concatenate([place, lightness / 100], 1)))
    return off.reshape(height, width)


def _off_medians(lightness: Plane, ab: Lab) -> Plane:
    """Return how far a*b* (N, 2) are from the median of those as light as they are."""
    levels = 100 // _RULES.level
    level = np.clip(lightness / _RULES.level, 0, levels - 1).astype(int)
    usual = np.zeros((levels, 2), np.float32)
    for one in np.unique(level):
        usual[one] = np.median(ab[level == one], axis=0)
    off: Plane = np.linalg.norm(ab - usual[level], axis=1)
    return off


def _off_fit(values: Plane, terms: Plane) -> Plane:
    """Return how far values (N, C) are from the combination of terms (N, T) next to them (least absolute)."""
    off = np.zeros(len(values), np.float32)
    for _ in range(_RULES.rounds):
        weight = 1 / np.maximum(off, 1)[:, None]
        fit, *_ = np.linalg.lstsq(terms.T @ (weight * terms), terms.T @ (weight * values), rcond=None)
        off = np.linalg.norm(values - terms @ fit, axis=1)
    return off
