"""Speech balloons and boxes of text: white areas, about convex, that hold print and little else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from sketchcolor_cli.coloring.page import lettering
from sketchcolor_cli.coloring.page.lettering import Evidence, holds_print, letter_marks
from sketchcolor_cli.coloring.page.shapes import count, filled_shape, grown, regions
from sketchcolor_cli.coloring.page.tails import find_tails
from sketchcolor_cli.imaging.sizes import page_side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.page.lettering import InkPieces

    Plane = NDArray[np.float32]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class BalloonRules:
    """What a balloon looks like; lengths are parts of the page's longer side."""

    smallest: float = 0.0008
    """Size, as a part of the page, at least,"""
    largest: float = 0.2
    """and at most."""
    solid: float = 0.72
    """Part of its convex hull that a balloon fills; tails and spikes take some."""
    round: float = 0.93
    """The same of one without tail or spikes, in which fewer letters are enough."""
    necks: tuple[float, ...] = (0.022, 0.014, 0.008)
    """Half of the width at which white is cut, where a balloon is open to something else."""
    closed: float = 0.8
    """Part of the outline that must be ink."""
    dash_gap: float = 0.003
    """Half of the gap between the dashes of an outline."""
    open: float = 0.33
    """Part of the outline that may be open around print that is like nothing else."""
    neighbour: float = 0.8
    """Part of the gap in an outline beyond which there is another balloon."""
    elsewhere: float = 0.15
    """Part of a white area that is more than the tail of a balloon."""
    stray: float = 0.1
    """Part of the print of a balloon that may be letters in the drawing."""


_RULES = BalloonRules()
_ENOUGH = (
    Evidence(20, 0.3, _RULES.solid),
    Evidence(8, 0.5, _RULES.solid),
    Evidence(4, 0.55, _RULES.round),
    Evidence(3, 0.7, _RULES.round, line=True),
    Evidence(2, 0.85, _RULES.round),
)
_SMALL_PRINT = Evidence(8, 0.8, _RULES.round, stray=0.01)
_ENOUGH_IF_OPEN = (*_ENOUGH[:2], Evidence(4, 0.7, _RULES.round, line=True))
_ENOUGH_IF_WIDE_OPEN = (Evidence(8, 0.75, 0.9, stray=0.03, brightness=0.65),)


def find_balloons(white: Mask, gray: Plane, pieces: InkPieces) -> Mask:
    """Return the balloons of a page with their tails, their print filled in.

    ``white`` (h, w) is where the page is paper and no gutter, ``gray`` (h, w) the page, paper 1 and ink 0.
    """
    long = page_side(*white.shape)
    opened = _open_balloons(white, gray, letter_marks(pieces, long), long)
    out = opened.copy()
    for place, region in regions(white, _RULES.smallest, _RULES.largest):
        filled = _filled_balloon(region, gray[place], long, _ENOUGH, _SMALL_PRINT)
        if filled is not None and not _mostly_elsewhere(filled, opened[place], white[place]):
            out[place] |= filled
    return out | find_tails(white, pieces.all.labels > 0, out, long)


def _mostly_elsewhere(filled: Mask, opened: Mask, white: Mask) -> bool:
    """Return whether a balloon is but the lettered part of white that a gap joins to something else."""
    inside, marks = filled & opened, filled & ~white
    much = count(filled & ~opened) > _RULES.elsewhere * count(filled)
    return bool(inside.any() and much and count(marks & inside) > (1 - _RULES.stray) * count(marks))


def _filled_balloon(
    region: Mask, gray: Plane, long: int, enough: tuple[Evidence, ...], small: Evidence | None = None
) -> Mask | None:
    """Return a white region with its holes filled if it is a balloon with print in it."""
    if not region.any():  # on a small page the marks may be all there is where white was widest
        return None
    shape = filled_shape(region)
    enough = tuple(evidence for evidence in enough if shape.solidity >= evidence.solidity)
    if not enough or not holds_print(shape, shape.filled & ~region, gray, long, enough, small):
        return None
    return shape.filled


class _Cut(NamedTuple):
    """White that is cut off where it narrows.

    Part of its outline that is open; half of the width at the cut, in pixels; box; the white, and the gap in
    its outline, there.
    """

    openness: float
    reach: int
    place: tuple[slice, ...]
    region: Mask
    gap: Mask

    @property
    def is_closed(self) -> bool:
        return self.openness <= 1 - _RULES.closed


def _open_balloons(white: Mask, gray: Plane, marks: Mask, long: int) -> Mask:
    """Return balloons that hang together with other white, which narrows where they end."""
    out = np.zeros(white.shape, np.bool_)
    cuts = _cuts(white | marks, marks, long)
    for cut in cuts:
        enough = _ENOUGH_IF_OPEN if cut.is_closed else _ENOUGH_IF_WIDE_OPEN
        _add_cut(out, cut, white, gray, long, enough)
    # Few letters are enough where the gap leads to another balloon.
    for cut in cuts:
        if cut.is_closed and _leads_to_balloon(cut, out):
            _add_cut(out, cut, white, gray, long, _ENOUGH)
    return out


def _add_cut(out: Mask, cut: _Cut, white: Mask, gray: Plane, long: int, enough: tuple[Evidence, ...]) -> None:
    """Mark white that is cut off if it is a balloon and overlaps none that is marked."""
    place = cut.place
    if (cut.region & out[place]).any():
        return
    filled = _filled_balloon(cut.region & white[place], gray[place], long, enough)
    if filled is not None:
        out[place] |= filled


def _leads_to_balloon(cut: _Cut, balloons: Mask) -> bool:
    beyond = cut.gap & grown(balloons[cut.place], 2 * cut.reach)
    return count(beyond) > _RULES.neighbour * count(cut.gap)


def _cuts(paper: Mask, marks: Mask, long: int) -> list[_Cut]:
    """Return what white falls into where it is narrow, if it has a good part of an outline.

    First the widest cut of an outline that is about closed; then the one that leaves the least of it open.
    """
    dashed = ~grown(~paper, round(_RULES.dash_gap * long))
    cuts = []
    for reach, place, region in _narrowed(paper, marks, long):
        rim = grown(region, 1) & ~region
        gap = rim & paper[place]
        openness, wide = (count(part) / max(count(rim), 1) for part in (gap, gap & dashed[place]))
        if openness <= _RULES.open or wide <= 1 - _RULES.closed:
            cuts.append(_Cut(openness, reach, place, region, gap))
    return sorted(cuts, key=lambda cut: max(cut.openness, 1 - _RULES.closed))


def _narrowed(paper: Mask, marks: Mask, long: int) -> Iterator[tuple[int, tuple[slice, ...], Mask]]:
    """Give the parts with marks on them into which paper falls when it is cut where it is narrow.

    Each as half of that width, box, and mask; where paper is widest first.
    """
    far = cv2.distanceTransform(np.pad(paper, 1).view(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    far, printed = far[::2, ::2], marks[::2, ::2]  # half the size is enough for what is so wide
    for half in _RULES.necks:
        reach = round(half * long) + 1
        for box, core in regions(far > half * long, _RULES.smallest / 4, _RULES.largest):
            if count(printed[box] & core) < lettering.RULES.share[0] * count(core):
                continue
            around = tuple(slice(max(0, side.start - 2 * reach), side.stop + 2 * reach) for side in box)
            place = tuple(slice(2 * side.start, 2 * side.stop) for side in around)
            part = paper[place]
            wide = _widened(core, box, around, far.shape, reach / 2)
            yield reach, place, wide.repeat(2, 0).repeat(2, 1)[: part.shape[0], : part.shape[1]] & part


def _widened(
    core: Mask, box: tuple[slice, ...], around: tuple[slice, ...], page: tuple[int, ...], by: float
) -> Mask:
    """Return what is at most so many pixels from a mask in a box, in a larger box ``around`` it."""
    height, width = (len(range(*side.indices(length))) for side, length in zip(around, page, strict=True))
    away = np.ones((height, width), np.uint8)
    inner = tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(box, around, strict=True))
    away[inner] -= core
    near: Mask = cv2.distanceTransform(away, cv2.DIST_L2, 3) <= by
    return near
