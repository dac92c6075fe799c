"""Screentone: where it is, and the page with its dots smoothed to the grey they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from sketchcolor_cli.coloring.page.shapes import components, grown, per_pixel
from sketchcolor_cli.imaging.sizes import page_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ScreentoneRules:
    """What screentone looks like; lengths are parts of the page's longer side."""

    widest_dot: float = 0.006
    """Widest dot."""
    elongation: float = 2.0
    """Length of a dot to its width, at most; strokes are longer."""
    fill: float = 0.4
    """Part of its box that a dot fills, at least; strokes do not."""
    window: float = 0.018
    """Side of the square in which dots are counted."""
    fewest_dots: float = 4.0
    """Dots in such a square, and in every one around it, that make a tone."""
    paper: float = 0.5
    """Brightness from which on a pixel counts as paper."""
    smallest_window: int = 17
    """Side of the smallest such square, in pixels."""
    coarse: int = 3
    """Pixels of the page to one of the copy on which means are taken."""


_RULES = ScreentoneRules()


class Screentone(NamedTuple):
    """Screentone of a page, (H, W): where it is; where lines are, in it or not; means of what is none."""

    area: Mask
    lines: Mask
    means: Plane


def find_screentone(gray: Plane) -> Screentone | None:
    """Return where on a page (H, W), paper 1 and ink 0, screentone is; None for nowhere.

    Its dots are specks of ink, or of paper in dark tones, that stand as closely as only a screen puts them.
    """
    long = page_side(*gray.shape)
    if min(gray.shape) < 4 * _RULES.smallest_window:
        return None
    near = _near(long)
    paper = gray >= _RULES.paper
    most = max(_RULES.smallest_window / 3, _RULES.widest_dot * long)
    specks, lines = _specks(~paper, most, near, 8)  # a thin slanting line hangs together by its corners
    dark = cv2.blur(gray, (near, near)) < _RULES.paper  # elsewhere dots of paper are cross-hatching
    left, top, width, height = cv2.boundingRect(dark.view(np.uint8))
    if width:
        # What lies farther off than this has no part in it.
        place = tuple(
            slice(max(0, (at - 3 * near) & -2), at + length + 3 * near)  # even, or centres round otherwise
            for at, length in ((top, height), (left, width))
        )
        gaps, _ = _specks(paper[place] & grown(dark[place], near), most, near, 4)
        gaps &= dark[place]
        specks[place] |= gaps
        lines = lines.copy()
        lines[place] &= ~gaps
    return Screentone(specks, lines, _means(gray, ~lines, near / 4)) if specks.any() else None


def smoothed(gray: Plane, tone: Screentone | None, spared: Mask | None = None) -> Plane | None:
    """Return the page without the dots of its screentone; None where it has none.

    In a tone each pixel beside the lines becomes the mean of those around it; lines stay as they are, and so
    does all of ``spared``, a mask of any size, where letters may look like dots.
    """
    if tone is None:
        return None
    area = tone.area
    if spared is not None:
        size = gray.shape[::-1]
        area = area & (cv2.resize(spared.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) == 0)
        if not area.any():
            return None
    out = gray.copy()
    cv2.copyTo(tone.means, (area & ~tone.lines).view(np.uint8), out)
    return out


def descreened(gray: Plane, spared: Mask | None = None) -> Plane | None:
    """Find the screentone of a page and smooth it; see :func:`find_screentone` and :func:`smoothed`."""
    return smoothed(gray, find_screentone(gray), spared)


def _near(long: int) -> int:
    return max(_RULES.smallest_window, round(_RULES.window * long)) | 1


def _means(gray: Plane, counted: Mask, sigma: float) -> Plane:
    """Return the mean of those around each pixel that count, of lines none, or it would grow a shadow."""
    # So wide a blur says no more at full size than at a third of it.
    size = tuple(-(-length // _RULES.coarse) for length in gray.shape[::-1])
    weight = counted.astype(np.float32)
    total, weight = (
        cv2.GaussianBlur(
            cv2.resize(plane, size, interpolation=cv2.INTER_AREA),
            (0, 0),
            sigma / _RULES.coarse,
            borderType=cv2.BORDER_REPLICATE,
        )
        for plane in (gray * weight, weight)
    )
    mean: Plane = cv2.resize(
        total / np.maximum(weight, 1e-3), gray.shape[::-1], interpolation=cv2.INTER_LINEAR
    )
    return mean


def _specks(mask: Mask, most: float, near: int, corners: int) -> tuple[Mask, Mask]:
    """Return where specks of ``mask`` stand as closely as in a tone, and what of ``mask`` is not a speck."""
    parts = components(mask, corners)
    long, area = parts.long_sides, parts.areas
    speck = (area > 1) & (long <= most) & (long <= _RULES.elongation * parts.short_sides)
    speck &= area >= _RULES.fill * (long * parts.short_sides)
    x, y = np.rint(parts.centers(speck)).astype(int).T
    if len(x) < _RULES.fewest_dots:
        return np.zeros(mask.shape, np.bool_), mask
    count = np.zeros(mask.shape, np.uint8)  # up to 255, which is more than is asked for
    np.add.at(count, (y, x), 1)
    count = cv2.boxFilter(count, -1, (near, near), normalize=False, borderType=cv2.BORDER_REFLECT)
    core = cv2.erode((count >= _RULES.fewest_dots).view(np.uint8), np.ones((near, near), np.uint8))
    if not core.any():
        return core.view(np.bool_), mask
    tone = grown(core.view(np.bool_), near) & (count >= 1)
    return tone, mask & ~(tone & per_pixel(speck, parts.labels))
