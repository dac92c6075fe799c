"""The white areas and the pieces of ink of a page, and what can be measured of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import cv2
import numpy as np

from sketchcolor_cli.imaging.sizes import page_area

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Levels = NDArray[np.uint8]
    Values = TypeVar("Values", Mask, Levels)

_TABLE = 2**16


class _Runs(NamedTuple):
    """Runs of marked pixels in rows, (r,) each, from the top: component, row, first pixel and length."""

    component: NDArray[np.int32]
    row: NDArray[np.intp]
    first: NDArray[np.intp]
    length: NDArray[np.intp]


class Components(NamedTuple):
    """Connected components of a mask.

    How many there are, the background being one; the one of each pixel, (h, w) int32, 0 for the background;
    their boxes, (n, 4), as left, top, width and height; their areas, (n,), in pixels, both empty for the
    background; and the rows that they are made of.
    """

    number: int
    labels: NDArray[np.int32]
    boxes: NDArray[np.int32]
    areas: NDArray[np.int32]
    runs: _Runs

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

    def centers(self, chosen: Mask) -> NDArray[np.float64]:
        """Return the centres of gravity, (c, 2) as x and y, of the components that are chosen, (n,) bool."""
        runs = self.runs
        middle = runs.first + (runs.length - 1) / 2
        sums = [
            np.bincount(runs.component, runs.length * place, self.number)[chosen]
            for place in (middle, runs.row)
        ]
        return np.stack(sums, 1) / self.areas[chosen, None]


def components(mask: Mask, connectivity: int) -> Components:
    """Return the components of a mask, whose pixels touch at 4 sides, or at corners too (8).

    OpenCV measures components pixel by pixel, which takes several times as long as finding them.
    """
    number, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=connectivity)
    runs = _runs_of(mask, labels)
    left, right = np.full(number, mask.shape[1]), np.zeros(number, np.intp)
    np.minimum.at(left, runs.component, runs.first)
    np.maximum.at(right, runs.component, runs.first + runs.length)
    top, bottom = np.zeros((2, number), np.intp)
    top[runs.component[::-1]] = runs.row[::-1]  # of several the last one is kept
    bottom[runs.component] = runs.row + 1
    left[0] = 0
    boxes = np.stack([left, top, right - left, bottom - top], 1).astype(np.int32)
    areas = np.zeros(number, np.int32)
    np.add.at(areas, runs.component, runs.length.astype(np.int32))
    return Components(number, labels, boxes, areas, runs)


def per_pixel(values: Values, labels: NDArray[np.int32]) -> Values:
    """Return the value of each pixel's component, (h, w), of values (n,) uint8 or bool and labels (h, w).

    OpenCV's tables are of 16 bits, and take a quarter of the time of NumPy's.
    """
    if len(values) > _TABLE:
        return values.take(labels)
    table = np.zeros(_TABLE, np.uint8)
    table[: len(values)] = values
    return cv2.LUT(labels.astype(np.uint16), table).view(values.dtype)  # type: ignore[no-any-return]


def _runs_of(mask: Mask, labels: NDArray[np.int32]) -> _Runs:
    """Return the runs of a mask (h, w) whose pixels have these labels."""
    height, width = mask.shape
    line = np.zeros(height * (width + 1) + 1, np.bool_)  # what is between rows ends a run
    line[1:].reshape(height, width + 1)[:, :width] = mask
    turns = np.flatnonzero(line[1:] != line[:-1])
    row, first = np.divmod(turns[::2], width + 1)
    return _Runs(labels.take(row * width + first), row, first, turns[1::2] - turns[::2])


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
    apart = cv2.copyMakeBorder(region.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    outlines, _ = cv2.findContours(apart, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outer = max(outlines, key=cv2.contourArea)
    size = cv2.contourArea(outer)
    framed: Levels = np.zeros((region.shape[0] + 2, region.shape[1] + 2), np.uint8)
    cv2.drawContours(framed, [outer], -1, 1, cv2.FILLED)
    solidity = size / max(cv2.contourArea(cv2.convexHull(outer)), 1)
    return Shape(framed[1:-1, 1:-1].view(np.bool_), framed, size, solidity)


def regions(mask: Mask, least: float, most: float) -> Iterator[tuple[tuple[slice, slice], Mask]]:
    """Give the connected parts of a mask that are from ``least`` to ``most`` of a page: box, and mask there.

    Of a strip, of a page as wide as the strip.
    """
    parts = components(mask, 4)
    share = parts.areas / page_area(*mask.shape)
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
