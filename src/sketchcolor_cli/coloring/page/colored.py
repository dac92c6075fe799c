"""Which parts of a page are in colour, and whether it is in colour as a whole.

Tinted paper, sepia, coloured ink and uneven light are not colour; a stamp, a banner, gutters in a colour,
blue rules, a pencil sketch under the ink and the trace lines of animators are colour on a page that is still
to be coloured. A night scene all in blue is in colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.coloring.page.shapes import components, grown, per_pixel
from sketchcolor_cli.imaging.picture import Picture, has_one_plane, rows_on_paper
from sketchcolor_cli.imaging.resize import shrink_by
from sketchcolor_cli.imaging.rows import in_bands, resized
from sketchcolor_cli.imaging.sizes import copy_scale, page_area, page_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.imaging.rows import Rows

    Lab = NDArray[np.float32]
    Plane = NDArray[np.float32]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ColorRules:
    """What counts as colour; distances are in CIELAB, and a strip is measured by a page as wide."""

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
    """Part of the cells with something drawn that have coloured areas, from which on a page is in colour,"""
    framed_cells: float = 0.1
    """and the same where its margins are coloured, which do not count."""
    faint: float = 9.0
    """Distance at which an area is coloured that is not a line,"""
    solid: int = 6
    """and how many pixels of the copy it is wide: strokes of a pencil that cross are not."""
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
    """Luma from which on a coloured line is not an outline,"""
    pencil: float = 0.3
    """nor one of which no channel is darker: pencils are less strong than trace lines;"""
    pencil_white: float = 0.9
    """and it is paper where its lightest channel is as light as this."""
    rounds: int = 5
    """Rounds of reweighted least squares,"""
    samples: int = 65536
    """to about so many of a copy's pixels."""
    paper: float = 0.6
    """Part of a page in uneven light that is paper, at least."""
    paper_depth: float = 8.0
    """How far paper is from even light, in L*."""
    tint: float = 5.0
    """Distance at which a long thin line on paper is coloured, as the rules of a writing pad are,"""
    tint_light: float = 60.0
    """its L* at least,"""
    tint_ink: float = 50.0
    """on a page with ink that is darker than this, or else it is itself the drawing,"""
    tint_inked: float = 0.002
    """as a part of the page, at least;"""
    tint_apart: int = 5
    """how many pixels of the copy it is from ink, whose edges are tinted in scans,"""
    tint_depth: float = 25.0
    """which is so much darker than what is around it, in L*, whatever its colour,"""
    tint_long: float = 0.05
    """and its length at least, as a part of the longer side."""
    speck: float = 0.00003
    """Smaller spots of colour, as a part of the page, are noise."""
    broad: float = 0.015
    """Width from which on a spot is an area, and no line or lettering, as a part of the longer side."""
    knots: float = 0.5
    """Part of a spot that is so wide, at least, or else it is made of strokes."""
    frame: float = 0.01
    """Width of the edge of a page that has the colour of its gutters, as a part of the longer side."""
    framed: float = 0.6
    """Part of that edge that has one colour, at least, if gutters are coloured."""
    one_color: float = 10.0
    """Distance from that colour, L* too, of what has it."""
    most_ground: float = 0.7
    """Part of a page that gutters and margins are at most; beyond that their colour is that of paper."""
    lightest: float = 75.0
    """Percentile of L* beside coloured gutters that paper has."""
    toned: float = 25.0
    """Chroma from which on a page has one strong colour all over,"""
    toned_light: float = 70.0
    """and its L* at most: lighter ones are printed on coloured paper."""
    toned_ink: float = 20.0
    """L* up to which it is ink, which does not count."""


_RULES = ColorRules()


def is_colored(page: Picture) -> bool:
    """Return whether a page is in colour.

    A page printed with one ink on one paper, or yellowed, or toned, has at each lightness one colour, however
    strong, and it changes steadily from paper to ink; in the light of two lamps it also changes steadily
    from side to side. What differs from that is colour. It makes a page a coloured one where it fills areas,
    not only lines, and is spread over what is drawn, not only at its side as a banner is, nor between panels.
    A page that is blue all over, or in another colour that neither paper nor a lamp has, is a coloured one.
    """
    if page.gray or has_one_plane(page.rgb_rows):
        return False
    small = shrink_by(rows_on_paper(page), copy_scale(*page.shape, _RULES.side))
    if _is_gray(small):
        return False
    lab = _lab(small)
    if _is_toned(lab):
        return True
    ground = _ground(lab)
    off = _off(lab, ground)
    if ground is not None:
        off[grown(ground, 1)] = 0
    if (off > _RULES.clear).mean() <= _RULES.part:
        return False
    lines = _lines(lab[..., 0])
    areas = _opened((off > _RULES.faint) & ~grown(lines, 1), _RULES.solid)
    cells = _RULES.cells if ground is None else _RULES.framed_cells
    return bool(areas.mean() >= _RULES.large) or _spread(areas, lines) >= cells


@dataclass(frozen=True, eq=False)
class OwnColors:
    """The colours on a page that is not in colour as a whole, such as a stamp.

    Attributes:
        rgb: (H, W, 3), the page on white paper.
        share: (h, w), 1 where its colours are, on a copy of it; between 0 and 1 where they begin.
        areas: (h, w), where they fill areas; lines and lettering in colour say nothing about what is beside.
        pencil: (h, w), where nothing is so dark and strong that it could be ink.
    """

    rgb: Plane | Rows
    share: Plane
    areas: Mask
    pencil: Mask

    def as_hint(self) -> Picture | None:
        """Return them as a rough colouring, transparent where the page has none; None for lines alone."""
        if not self.areas.any():
            return None
        small = resized(self.rgb, self.share.shape[::-1])
        return Picture(rgb=small, alpha=self.areas.astype(np.float32))

    def over(self, rgb: Plane, top: int = 0) -> Plane:
        """Return a coloured page (H, W, 3), or its rows from ``top`` on, with its own colours."""
        rows = slice(top, top + len(rgb))
        out: Plane = rgb + self._enlarged(rows) * (self.rgb[rows] - rgb)
        return out

    def outlines(self, gray: Plane) -> Plane:
        """Return the page's luma (H, W), in the same memory, without pale coloured lines.

        These are rules, and a pencil sketch under ink. They are not outlines, and would cut what is drawn
        over them into strips. In its lightest channel a coloured line is hardly there, as blue pencil is none
        for a camera that sees blue, and ink is.
        """
        lines = grown(self.share > 0, 2) & ~grown(self.areas, 2)
        kinds = lines.view(np.uint8) + (lines & self.pencil)
        near = cv2.resize(kinds, gray.shape[::-1], interpolation=cv2.INTER_NEAREST)
        for rows in in_bands(gray):
            old, kind, rgb = gray[rows], near[rows], self.rgb[rows]
            lightest = np.minimum(
                reduce(np.maximum, cv2.split(rgb)) / np.float32(_RULES.pencil_white), np.float32(1)
            )
            np.copyto(old, lightest, where=(kind == 2) | ((kind == 1) & (old > _RULES.pale)))
        return gray

    def rgba(self) -> Plane:
        """Return them as a layer, (H, W, 4)."""
        return np.concatenate([self.rgb[:], self._enlarged(slice(None))], 2)

    def _enlarged(self, rows: slice) -> Plane:
        """Return the share of some rows of the page, (n, W, 1)."""
        as_high = self._as_high[rows]
        size = self.rgb.shape[1], len(as_high)
        share = cv2.resize(as_high, size, interpolation=cv2.INTER_LINEAR)
        return share[..., None]  # type: ignore[no-any-return]

    @cached_property
    def _as_high(self) -> Plane:
        """The share as high as the page and no wider than its copy, (H, w)."""
        size = self.share.shape[1], self.rgb.shape[0]
        return cv2.resize(self.share, size, interpolation=cv2.INTER_LINEAR)  # type: ignore[no-any-return]


def own_colors(page: Picture) -> OwnColors | None:
    """Return the colours on a page that is not in colour as a whole; None where there are none."""
    if page.gray or has_one_plane(page.rgb_rows):
        return None
    rgb = rows_on_paper(page)
    small = shrink_by(rgb, copy_scale(*page.shape, _RULES.fine_side))
    if _is_gray(small):
        return None
    lab = cv2.GaussianBlur(_lab(small), (0, 0), 1)
    ground = _ground(lab)
    off = _off(lab, ground)
    if ground is not None:
        off[ground] = 2 * _RULES.clear
    spots = components(off > _RULES.clear, 8)
    kept = spots.areas >= max(9, _RULES.speck * page_area(*off.shape))
    kept[0] = False
    colored = per_pixel(kept, spots.labels)
    rules = _pale_rules(lab[..., 0], off) & ~grown(colored, 2)
    if not kept.any() and not rules.any():
        return None
    areas = _opened(colored, max(5, round(_RULES.broad * page_side(*off.shape))) | 1)
    # Where strokes cross they are as wide as an area, and are none.
    solid = np.bincount(spots.labels[areas], minlength=spots.number) > _RULES.knots * spots.areas
    areas &= per_pixel(solid, spots.labels)
    least = np.where(grown(rules, 2), np.float32(_RULES.tint), np.float32(_RULES.clear))
    share = np.where(grown(colored | rules, 2), _share(off, areas, least), 0)
    pencil = cv2.erode(small.min(2), np.ones((_RULES.width,) * 2, np.uint8)) > _RULES.pencil
    return OwnColors(rgb, share, areas, pencil)


def _pale_rules(light: Plane, off: Plane) -> Mask:
    """Return where long thin lines are tinted, (h, w), too faintly to be colour if they were spots."""
    if (light < _RULES.tint_ink).mean() < _RULES.tint_inked:
        return np.zeros(light.shape, np.bool_)
    pale = (off > _RULES.tint) & (light > _RULES.tint_light)
    pale &= ~_opened(pale, _RULES.width)
    if pale.any():
        around = cv2.morphologyEx(light, cv2.MORPH_CLOSE, np.ones((2 * _RULES.tint_apart + 1,) * 2, np.uint8))
        pale &= ~grown(around - light > _RULES.tint_depth, _RULES.tint_apart)
    lines = components(pale, 8)
    kept = lines.long_sides >= _RULES.tint_long * page_side(*off.shape)
    kept[0] = False
    return per_pixel(kept, lines.labels)


def _share(off: Plane, areas: Mask, least: Plane) -> Plane:
    """Return how much of its own colour a pixel keeps, (h, w) in [0, 1], that is so far off at ``least``.

    An area keeps all; of a line only its middle does, or the paper that mixes with it would be a halo.
    """
    begun = 2 * off / least - 1
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


def _is_toned(lab: Lab) -> bool:
    """Return whether a page has one strong colour all over that is neither that of paper nor of a lamp."""
    seen = lab[lab[..., 0] > _RULES.toned_ink]
    light, red, yellow = np.median(seen, axis=0) if len(seen) else (0, 0, 0)
    is_warm = yellow > abs(red)  # as lamps and old paper are
    return bool(np.hypot(red, yellow) > _RULES.toned and light < _RULES.toned_light and not is_warm)


def _ground(lab: Lab) -> Mask | None:
    """Return where a page (h, w) has the colour of its margins, if that is not paper; None for nowhere."""
    wide = max(1, round(_RULES.frame * page_side(*lab.shape[:2])))
    inner = lab[wide:-wide, wide:-wide]
    if not inner.size:
        return None
    edge = np.concatenate(
        [side.reshape(-1, 3) for side in (lab[:wide], lab[-wide:], lab[:, :wide], lab[:, -wide:])]
    )
    color = np.median(edge, axis=0)
    if (np.linalg.norm(edge - color, axis=1) < _RULES.one_color).mean() < _RULES.framed:
        return None
    ground: Mask = np.linalg.norm(lab - color, axis=2) < _RULES.one_color
    beside = lab[~ground]
    if not 1 - _RULES.most_ground < len(beside) / ground.size < 1:
        return None
    paper = beside[beside[:, 0] >= np.percentile(beside[:, 0], _RULES.lightest)]
    its = np.median(paper, axis=0)[1:]
    is_ground = np.linalg.norm(its - color[1:]) > _RULES.clear and np.hypot(*its) < np.hypot(*color[1:])
    return ground if is_ground else None


def _off(lab: Lab, ground: Mask | None = None) -> Plane:
    """Return how far each pixel, (h, w), is in a*b* from what one ink on one paper has there.

    What is ``ground`` does not count, and is 0 far.
    """
    counted = slice(None) if ground is None else ~ground.ravel()
    pixels = lab.reshape(-1, 3)[counted]
    lightness, ab = pixels[:, :1], pixels[:, 1:]
    ones = np.ones_like(lightness)
    shade = np.concatenate([ones, lightness / 100], 1)
    off = np.maximum(_off_medians(lightness[:, 0], ab), _off_fit(ab, shade))
    if (off > _RULES.clear).mean() > _RULES.part:
        height, width = lab.shape[:2]
        y, x = (
            place.reshape(-1, 1)[counted].astype(np.float32)
            for place in np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        )
        place = np.concatenate([ones, x, y, x * x, x * y, y * y], 1)
        paper = (_off_fit(lightness, place) < _RULES.paper_depth).mean()
        if paper > _RULES.paper:
            off = np.minimum(off, _off_fit(ab, np.concatenate([place, lightness / 100], 1)))
    out = np.zeros(lab.shape[0] * lab.shape[1], np.float32)
    out[counted] = off
    return out.reshape(lab.shape[:2])


def _off_medians(lightness: Plane, ab: Lab) -> Plane:
    """Return how far a*b* (N, 2) are from the median of those as light as they are."""
    levels = 100 // _RULES.level
    level = np.clip(lightness / _RULES.level, 0, levels - 1).astype(int)
    usual = np.zeros((levels, 2), np.float32)
    for value in np.unique(level):
        usual[value] = np.median(ab[level == value], axis=0)
    return _lengths((ab - usual[level]).T)


def _off_fit(values: Plane, terms: Plane) -> Plane:
    """Return how far values (N, C) are from the combination of terms (N, T) next to them (least absolute)."""
    # One plane after the other: NumPy takes several times as long for rows of two numbers.
    every = max(1, len(values) // _RULES.samples)
    some_values, some_terms = (np.ascontiguousarray(rows[::every].T) for rows in (values, terms))
    weight: Plane = np.ones(some_values.shape[1], np.float32)
    for _ in range(_RULES.rounds):
        gram, due = (some_terms @ (weight * planes).T for planes in (some_terms, some_values))
        fit, *_ = np.linalg.lstsq(gram, due, rcond=None)
        weight = (1 / np.maximum(_lengths(some_values - fit.T @ some_terms), 1)).astype(np.float32)
    return _lengths(np.ascontiguousarray(values.T) - fit.T @ np.ascontiguousarray(terms.T))


def _lengths(planes: NDArray[np.floating]) -> Plane:
    """Return the lengths of vectors, (C, N)."""
    return np.sqrt(reduce(np.add, (plane * plane for plane in planes)))  # type: ignore[no-any-return]
