"""Pages that were cut out of one picture: slices of a long strip, and the halves of a spread."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Plane = NDArray[np.float32]


@dataclass(frozen=True)
class StripRules:
    """Which pages belong together."""

    depth: int = 2
    """Rows of pixels at an edge that are compared."""
    slant: float = 1.5
    """Pixels along an edge by which lines that cross it may be off, from one page to the next."""
    drawn: float = 0.1
    """Standard deviation of brightness along an edge from which on something is drawn across it."""
    alike: float = 0.8
    """Correlation of two edges from which on they continue each other."""
    blank: float = 0.03
    """Standard deviation up to which an edge is blank,"""
    paper: float = 0.85
    """and its brightness at least."""
    longest: float = 28.0
    """How much longer than wide a strip is at most that is coloured at once."""


_RULES = StripRules()


class Cut(Enum):
    """How a page goes on in the one after it."""

    BELOW = auto()
    """What is drawn at its lower edge goes on at the upper edge of the next."""
    RIGHT = auto()
    """The same at its right edge,"""
    LEFT = auto()
    """and at its left one, as in books that are read from the right."""
    BLANK = auto()
    """Both are blank where they meet, one below the other."""
    NONE = auto()
    """Not at all."""


@dataclass(frozen=True, eq=False)
class Edges:
    """The size of a page in pixels, and how bright it is along its edges, paper 1 and ink 0."""

    height: int
    width: int
    top: Plane
    bottom: Plane
    left: Plane
    right: Plane

    @classmethod
    def of(cls, gray: Plane) -> Edges:
        """Return the edges of a page (H, W)."""
        deep = _RULES.depth
        rows, columns = gray[:deep].mean(0), gray[:, :deep].mean(1)
        height, width = gray.shape
        return cls(height, width, rows, gray[-deep:].mean(0), columns, gray[:, -deep:].mean(1))


def cut_between(first: Edges, second: Edges) -> Cut:
    """Return how a page goes on in the one after it."""
    one_width = first.width == second.width
    if one_width and _continue(first.bottom, second.top):
        return Cut.BELOW
    if first.height == second.height and first.height > first.width:
        if _continue(first.right, second.left):
            return Cut.RIGHT
        if _continue(first.left, second.right):
            return Cut.LEFT
    blank = one_width and _is_blank(first.bottom) and _is_blank(second.top)
    return Cut.BLANK if blank else Cut.NONE


def _continue(first: Plane, second: Plane) -> bool:
    """Return whether what is drawn across one edge goes on at the other."""
    size = (0, 0)
    here, there = (cv2.GaussianBlur(edge[None], size, _RULES.slant)[0] for edge in (first, second))
    if min(here.std(), there.std()) < _RULES.drawn:
        return False
    return float(np.corrcoef(here, there)[0, 1]) >= _RULES.alike


def _is_blank(edge: Plane) -> bool:
    return bool(edge.std() <= _RULES.blank and edge.mean() >= _RULES.paper)


@dataclass(frozen=True)
class Run:
    """Pages in a row that are one picture: the number of the first, how many, and how each goes on."""

    first: int
    count: int
    cut: Cut


def run_around(
    number: int, count: int, cut_after: Callable[[int], Cut], length: Callable[[int], float]
) -> Run:
    """Return the run of pages that a page belongs to; it alone where it goes on nowhere.

    Args:
        number: The page, from 0.
        count: How many pages there are.
        cut_after: How a page goes on in the next.
        length: How much longer than wide a page is.
    """

    def cut(page: int) -> Cut:
        return cut_after(page) if 0 <= page < count - 1 else Cut.NONE

    def joined(page: int) -> bool:
        """Whether a page and the next are of one strip; where they are blank, if either goes on elsewhere."""
        return cut(page) is Cut.BELOW or (
            cut(page) is Cut.BLANK and Cut.BELOW in (cut(page - 1), cut(page + 1))
        )

    for first in (number, number - 1):
        if cut(first) in (Cut.LEFT, Cut.RIGHT) and cut(first - 1) is not cut(first):
            return Run(first, 2, cut(first))
    first = number
    while joined(first - 1):
        first -= 1
    while True:  # from its beginning on, so that each page has the same part of it
        last = _part_end(first, cut, joined, length)
        if number <= last:
            return Run(first, last - first + 1, Cut.BELOW)
        first = last + 1


def _part_end(
    first: int, cut: Callable[[int], Cut], joined: Callable[[int], bool], length: Callable[[int], float]
) -> int:
    """Return the last page of a part of a strip that is not too long; if it can it ends at blank edges."""
    total, last, blank = length(first), first, None
    while joined(last):
        total += length(last + 1)
        if total > _RULES.longest:
            return last if blank is None else blank
        blank = last if cut(last) is Cut.BLANK else blank
        last += 1
    return last
