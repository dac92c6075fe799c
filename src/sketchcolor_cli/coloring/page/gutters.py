"""Gutters between panels, and margins: blank strips right through a rectangle, beside a straight edge.

The page is cut at them, and what is between is cut again, as in an XY-cut (Nagy and Seth 1984).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.coloring.page.shapes import components, grown, per_pixel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class GutterRules:
    """What a gutter looks like."""

    blank: float = 0.92
    """Part of a row that is paper in a strip; a balloon or a head may reach into it."""
    clear_edge: float = 0.5
    """Part of a row beside a strip that is drawn on, on the side where the edge is clearer."""
    other_edge: float = 0.25
    """The same on the other side."""
    widest: float = 0.2
    """Widest margin or gutter, as a part of the page's side."""
    widest_blank: float = 0.7
    """The same of a margin that is nothing but paper, beside a narrow panel with a border."""
    border: float = 0.9
    """Part of a row beside such a margin that is drawn on."""
    thinnest: int = 3
    """Thinnest, in pixels."""
    panel_border: float = 0.02
    """Part of a strip at either end of what is drawn beside it, where a panel has its own border."""
    wavering: int = 4
    """Rows beside a strip in which its edge may waver."""
    printed: float = 1 / 3
    """Part of the rows of a margin that small print may stand in."""
    depth: int = 6
    """Cuts within cuts."""
    smallest_cut: int = 30
    """A rectangle whose side is not longer than the page's longer side divided by this is not cut again."""
    connected: float = 0.1
    """Longest side of paper in a strip, as a part of the page's longer side, that ink cuts off as drawing."""
    slanting: float = 0.15
    """Shortest gutter that is not upright, as a part of the page's longer side."""
    slanting_width: float = 0.015
    """Half of its width at most, the same."""


_RULES = GutterRules()


@dataclass(frozen=True, eq=False)
class _Page:
    """A page that is cut: where it is paper; the same without small print; which of its ends are its own."""

    white: Mask
    bare: Mask
    ends: tuple[bool, bool]


def find_gutters(white: Mask, small_print: Mask, ends: tuple[bool, bool] = (True, True)) -> Mask:
    """Return where gutters and margins are.

    ``white`` (h, w) is where the page is paper, ``small_print`` where pieces of ink are so small that they
    may stand in a margin; ``ends``: whether it begins, and ends, with the page rather than within a strip.
    """
    found = np.zeros(white.shape, np.bool_)
    page = _Page(white, white | small_print, ends)
    _cut(page, found, slice(0, white.shape[0]), slice(0, white.shape[1]), _RULES.depth)
    if not found.any():
        return found
    # In a strip, paper that is cut off by ink from the rest is part of a drawing that reaches into it.
    parts = components(white & found, 4)
    kept = parts.long_sides > _RULES.connected * max(white.shape)
    kept[0] = False
    gutters: Mask = per_pixel(kept, parts.labels)
    return gutters | _slanting(white, gutters, found)


def _cut(page: _Page, found: Mask, rows: slice, columns: slice, depth: int) -> None:
    """Mark the strips of a rectangle in ``found``, and go on within the rectangles between them."""
    shape = page.white.shape
    for across in (False, True):
        part, bare = (
            plane[rows, columns].T if across else plane[rows, columns] for plane in (page.white, page.bare)
        )
        at_ends = _open_ends(page, rows, columns, across)
        strips = list(_strips(part, bare, *at_ends, shape[across]))
        if not strips:
            continue
        start = (columns if across else rows).start
        for strip in strips:
            place = slice(start + strip.start, start + strip.stop)
            found[(rows, place) if across else (place, columns)] = True
        cuts = [0, *(end for strip in strips for end in (strip.start, strip.stop)), part.shape[0]]
        for first, last in list(pairwise(cuts))[::2]:
            if depth and last - first > max(shape) // _RULES.smallest_cut:
                place = slice(start + first, start + last)
                _cut(page, found, rows if across else place, place if across else columns, depth - 1)
        return


def _open_ends(page: _Page, rows: slice, columns: slice, across: bool) -> tuple[bool, bool]:
    """Return whether the rectangle begins, and ends, at the edge of the page."""
    part, length = (columns, page.white.shape[1]) if across else (rows, page.white.shape[0])
    return part.start == 0 and (across or page.ends[0]), part.stop == length and (across or page.ends[1])


def _strips(part: Mask, bare: Mask, at_start: bool, at_end: bool, side: int) -> Iterator[slice]:
    """Give the runs of blank rows of a rectangle, on a page of this side, that are gutters or margins.

    ``bare`` is the rectangle without small print.
    """
    length = part.shape[0]
    blank = _shares(part) >= _RULES.blank
    runs = _runs(blank)
    strips = [
        slice(start, stop)
        for start, stop in _runs(_shares(bare) >= _RULES.blank)
        if ((at_start and start == 0) or (at_end and stop == length))
        and (start, stop) not in runs
        and blank[start:stop].mean() >= 1 - _RULES.printed
        and _is_strip(bare, start, stop, at_start, at_end, side)
    ]
    strips += [
        slice(start, stop)
        for start, stop in runs
        if not any(strip.start <= start and stop <= strip.stop for strip in strips)
        and _is_strip(part, start, stop, at_start, at_end, side)
    ]
    yield from sorted(strips, key=lambda strip: strip.start)


def _shares(part: Mask) -> NDArray[np.float64]:
    """Return how much of each row is marked; quickly, for this is asked of many rectangles."""
    rows = part.strides[1] == 1  # or else the rows are columns in memory
    marks = (part if rows else part.T).view(np.uint8)
    total = cv2.reduce(marks, int(rows), cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    return total.ravel() / part.shape[1]  # type: ignore[no-any-return]


def _runs(rows: Mask) -> list[tuple[int, int]]:
    """Return where runs of rows begin and end."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], rows, [False]]).astype(np.int8)))
    return list(zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True))


def _is_strip(part: Mask, start: int, stop: int, at_start: bool, at_end: bool, side: int) -> bool:
    """Return whether blank rows of a rectangle are a gutter or margin: they lie at straight edges."""
    length, near = part.shape[0], _RULES.wavering
    thick = stop - start
    if thick < _RULES.thinnest or thick == length or thick >= _RULES.widest_blank * side:
        return False
    before = (~part[max(0, start - near) : start]).any(0).mean() if start else float(at_start)
    after = (~part[stop : stop + near]).any(0).mean() if stop < length else float(at_end)
    straight = max(before, after) >= _RULES.clear_edge and min(before, after) >= _RULES.other_edge
    if not start or stop == length:  # a margin: one edge is the page's own
        straight = min(before, after) >= _RULES.clear_edge
        if thick >= _RULES.widest * side:
            straight = min(before, after) >= _RULES.border and bool(part[start:stop].all())
    elif thick >= _RULES.widest * side:
        return False
    return straight and not _inside_panel(part, start, stop)


def _inside_panel(part: Mask, start: int, stop: int) -> bool:
    """Return whether the side border of a panel runs through a strip, which then is not a gutter."""
    near = _RULES.wavering
    beside = np.concatenate([part[max(0, start - near) : start], part[stop : stop + near]])
    drawn = np.flatnonzero(~beside.all(0))
    ends = max(4, round(_RULES.panel_border * part.shape[1]))
    crossed = part[start:stop].mean(0) < 1 - _RULES.blank
    first, last = int(drawn[0]), int(drawn[-1])
    return bool(
        crossed[max(0, first - ends) : first + ends].any() or crossed[last - ends : last + ends].any()
    )


def _slanting(white: Mask, gutters: Mask, strips: Mask) -> Mask:
    """Return long narrow paper that begins at a gutter and lies in no strip: a gutter that is not upright."""
    rest = white & ~strips
    parts = components(rest, 4)
    long = max(white.shape)
    slanting = np.zeros(parts.number, np.bool_)
    slanting[parts.labels[grown(gutters, 1) & rest]] = True
    slanting &= parts.long_sides > _RULES.slanting * long
    if not slanting.any():
        return np.zeros(white.shape, np.bool_)
    long_ones = per_pixel(slanting, parts.labels).view(np.uint8)
    framed = cv2.copyMakeBorder(long_ones, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    inside = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    slanting[parts.labels[inside > _RULES.slanting_width * long]] = False
    return per_pixel(slanting, parts.labels)
