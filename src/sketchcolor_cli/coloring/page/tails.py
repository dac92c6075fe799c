"""Tails that the outline of a speech balloon cuts off from it: pointed white, empty, that stands on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from sketchcolor_cli.coloring.page.shapes import components, count, filled_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Mask = NDArray[np.bool_]
    Place = tuple[slice, slice]


@dataclass(frozen=True)
class TailRules:
    """Where tails are looked for, and how they are drawn."""

    smooth: float = 0.97
    """Part of its convex hull that a balloon fills which has no other tail,"""
    box: float = 0.93
    """and of its bounding box, at most: boxes of text have no tails."""
    outline: float = 0.008
    """Widest outline between a balloon and its tail, as a part of the page's longer side."""
    smallest: float = 0.00008
    """Size of a tail, as a part of the page, at least,"""
    largest: float = 0.12
    """and as a part of its balloon, at most."""
    upright: float = 0.7
    """How far its tip is from the balloon, to its length."""
    dark: float = 0.8
    """Part that is ink, at most, of what lies just beyond its sides, which are lines and no black areas."""


@dataclass(frozen=True)
class TailShape:
    """How pointed a tail is."""

    triangle: float
    """Part of the smallest triangle around it that it fills, at least."""
    narrow: float
    """Part of base by height that it fills, at most; of a triangle it is a half."""
    long: float
    """Length, to its base, at least."""


_RULES = TailRules()
_TAIL = TailShape(0.7, 0.58, 1.3)
_LIKE_TAIL = TailShape(0.65, 0.65, 1.0)  # several such on one balloon are hair or folds of cloth


class _Part(NamedTuple):
    """A white part beside a balloon.

    Where it is, and the mask there; how many pixels from the balloon it begins; which part of the smallest
    triangle around it, and of its base by its height, it fills; its length, to its base; and its height, to
    its length.
    """

    place: Place
    mask: Mask
    gap: float
    triangle: float
    narrow: float
    long: float
    upright: float

    def is_like(self, shape: TailShape) -> bool:
        pointed = self.triangle >= shape.triangle and self.narrow <= shape.narrow
        return pointed and self.long >= shape.long and self.upright >= _RULES.upright


def find_tails(white: Mask, ink: Mask, balloons: Mask, long: int) -> Mask:
    """Return the tails, (h, w), that outlines cut off from balloons.

    ``white`` (h, w) is where the page is paper and no gutter, ``ink`` (h, w) where it is no paper;
    ``balloons`` (h, w) is where they are, up to their outlines, ``long`` the page's longer side in pixels.
    """
    out = np.zeros(white.shape, np.bool_)
    rest = white & ~balloons
    found = components(balloons, 8)
    for label in range(1, found.number):
        left, top, width, height = found.boxes[label].tolist()
        own = np.s_[top : top + height, left : left + width]
        if not _may_have_tail(found.labels[own] == label):
            continue
        reach = min(width, height)
        place = np.s_[max(0, top - reach) : top + height + reach, max(0, left - reach) : left + width + reach]
        balloon = found.labels[place] == label
        far = cv2.distanceTransform((~balloon).view(np.uint8), cv2.DIST_L2, 5)
        most = _RULES.largest * int(found.areas[label])
        parts = _parts(rest[place], far, (_RULES.smallest * white.size, most), _RULES.outline * long + 1)
        alike = [part for part in parts if part.is_like(_LIKE_TAIL)]
        if len(alike) == 1 and alike[0].is_like(_TAIL) and _is_outlined(alike[0], far, ink[place]):
            out[place][alike[0].place] |= alike[0].mask
    return out


def _may_have_tail(balloon: Mask) -> bool:
    is_box = count(balloon) >= _RULES.box * balloon.size
    return not is_box and filled_shape(balloon).solidity >= _RULES.smooth


def _parts(white: Mask, far: Plane, sizes: tuple[float, float], outline: float) -> Iterator[_Part]:
    """Give the white parts of such sizes that stand on a balloon with one side, and have no holes.

    ``far`` (h, w) is the distance from the balloon; ``outline`` how wide that of the balloon is at most.
    """
    parts = components(white, 4)
    bottom, right = white.shape
    beside = np.bincount(parts.labels[(far <= outline) & white])
    for label in np.flatnonzero(beside).tolist():
        left, top, width, height = parts.boxes[label].tolist()
        inside = left > 0 and top > 0 and left + width < right and top + height < bottom
        if not inside or not sizes[0] <= parts.areas[label] <= sizes[1]:
            continue
        place = np.s_[top : top + height, left : left + width]
        mask = parts.labels[place] == label
        if count(filled_shape(mask).filled) == parts.areas[label]:
            yield from _measured(place, mask, far[place])


def _measured(place: Place, mask: Mask, far: Plane) -> Iterator[_Part]:
    """Give a part with its measures; nothing if it stands on the balloon with several sides."""
    gap = float(far[mask].min())
    base = mask & (far <= gap + 2)
    if cv2.connectedComponents(base.view(np.uint8), connectivity=8)[0] > 2:
        return
    size = count(mask)
    y, x = np.nonzero(base)
    wide = max(cv2.minAreaRect(np.stack([x, y], 1).astype(np.float32))[1]) + 1
    rows, columns = np.nonzero(mask)
    length = float(np.hypot(rows - y.mean(), columns - x.mean()).max())
    height = float(far[mask].max()) - gap + 1
    corners = [np.stack([columns + dx, rows + dy], 1) for dx in (0, 1) for dy in (0, 1)]
    around, _ = cv2.minEnclosingTriangle(cv2.convexHull(np.concatenate(corners).astype(np.float32)))
    narrow = size / (wide * height)
    yield _Part(place, mask, gap, size / max(around, 1), narrow, length / wide, height / max(length, 1))


def _is_outlined(part: _Part, far: Plane, ink: Mask) -> bool:
    """Return whether the sides of a part are lines about as thin as the outline of its balloon."""
    reach = round(1.5 * part.gap) + 3
    rows, columns = (slice(max(0, side.start - reach), side.stop + reach) for side in part.place)
    others = np.ones(ink.shape, np.uint8)
    others[part.place] -= part.mask
    away = cv2.distanceTransform(others[rows, columns], cv2.DIST_L2, 5)
    beyond = (away > 1.5 * part.gap + 0.5) & (away <= 1.5 * part.gap + 1.5)
    beyond &= far[rows, columns] > part.gap + 2
    return count(beyond & ink[rows, columns]) <= _RULES.dark * count(beyond)
