"""The white areas and the pieces of ink of a page, and what can be measured of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Levels = NDArray[np.uint8]


class Components(NamedTuple):
    """Connected components of a mask.

    How many there are, the background being one; the one of each pixel, (h, w) int32, 0 for the background;
    their boxes, (n, 4), as left, top, width and height; and their areas, (n,), in pixels.
    """

    number: int
    labels: NDArray[np.int32]
    boxes: NDArray[np.int32]
    areas: NDArray[np.int32]

    @property
    def long_sides(self) -> NDArray[np.int32]:
        """The longer side of each box, (n,)."""
        sides: NDArray[np.int32] = self.boxes[:, 2:].max(1)
        return sides

    @property
    def short_sides(self) -> NDArray[np.int32]:
        """The shorter side of each box, (n,)."""
        sides: NDArray[np.int32] = self.boxes[:, 2:].min(1)
        return sides


def components(mask: Mask, connectivity: int) -> Components:
    """Return the components of a mask, whose pixels touch at 4 sides, or at corners too (8)."""
    number, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.view(np.uint8), connectivity=connectivity
    )
    return Components(number, labels, stats[:, :4], stats[:, cv2.CC_STAT_AREA])


class Shape(NamedTuple):
    """A white area with its holes filled.

    The filled area, (h, w); the same with a frame of one pixel around, (h+2, w+2) uint8; the area that its
    outline encloses, in pixels; and which part of its convex hull that is.
    """

    filled: Mask
    framed: Levels
    size: float
    solidity: float


def filled_shape(region: Mask) -> Shape:
    """Fill the holes of a region; of several parts the largest counts."""
    outlines, _ = cv2.findContours(
        np.pad(region, 1).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    outer = max(outlines, key=cv2.contourArea)
    size = cv2.contourArea(outer)
    framed: Levels = np.zeros((region.shape[0] + 2, region.shape[1] + 2), np.uint8)
    cv2.drawContours(framed, [outer], -1, 1, cv2.FILLED)
    solidity = size / max(cv2.contourArea(cv2.convexHull(outer)), 1)
    return Shape(framed[1:-1, 1:-1].view(np.bool_), framed, size, solidity)


def regions(mask: Mask, least: float, most: float) -> Iterator[tuple[tuple[slice, slice], Mask]]:
    """Give the connected parts of a mask that are from ``least`` to ``most`` of it: box, and mask there."""
    parts = components(mask, 4)
    share = parts.areas / mask.size
    share[0] = 0
    for label in np.flatnonzero((share >= least) & (share <= most)).tolist():
        left, top, width, height = parts.boxes[label].tolist()
        place = np.s_[top : top + height, left : left + width]
        yield place, parts.labels[place] == label


def count(mask: Mask) -> int:
    """Return how many pixels are marked."""
    return int(cv2.countNonZero(mask.view(np.uint8)))


def grown(mask: Mask, by: int) -> Mask:
    """Return a mask with every pixel that is at most ``by`` pixels from it, in a square."""
    box = np.ones((2 * by + 1, 2 * by + 1), np.uint8)
    return cv2.dilate(mask.view(np.uint8), box).view(np.bool_)  # type: ignore[no-any-return]


def hull_area(ink: Mask) -> float:
    """Return the area of the convex hull of a mask; 0 of an empty one."""
    places = cv2.findNonZero(ink.view(np.uint8))
    return 0.0 if places is None else float(cv2.contourArea(cv2.convexHull(places)))


def piece_count(ink: Mask | Levels) -> int:
    """Return how many pieces of ink there are."""
    return int(cv2.connectedComponents(ink.view(np.uint8), connectivity=8)[0]) - 1
