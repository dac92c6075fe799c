"""Points and strokes fill the areas between the lines that they are in, and none beside them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from sketchcolor_cli.coloring.extras.flats import closed_regions, find_lines, given_away, numbered
from sketchcolor_cli.coloring.page.shapes import filled_shape, regions
from sketchcolor_cli.imaging.resize import shrink_by
from sketchcolor_cli.networks.hints import line_ink, nearest, ways

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Plane = NDArray[np.float32]
    Layer = NDArray[np.float32]
    Labels = NDArray[np.int32]
    Mask = NDArray[np.bool_]
    Places = NDArray[np.intp]
    Share = Callable[[Layer, Mask, Mask], Layer]


@dataclass(frozen=True)
class FillRules:
    """How marks of colour, points and strokes, fill areas."""

    side: int = 576
    """Shorter side, in pixels, of the copy of a page in which areas are found;"""
    most: int = 8_000_000
    """of a long strip, the pixels that the copy has at most."""
    stride: int = 4
    """Pixels of that copy in a step, in which distances are counted."""
    spill: float = 2.5
    """Pixels from a line up to which a mark is taken to have slipped over it,"""
    part: float = 0.3
    """unless so large a part of it is there."""
    same_color: float = 0.02
    """Difference in RGB up to which marks have one colour."""
    gap: float = 0.025
    """Widest gap, as a part of the longer side, that is closed where it parts marks of other colours,"""
    rounds: int = 4
    """and how often a part without marks looks for a neighbour that has some."""
    shape: tuple[float, float] = (0.0005, 0.1)
    """Size of a shape, as a part of the page, that is one area however narrow it is in places,"""
    solid: float = 0.55
    """and the part of its convex hull that it fills, with what is in it."""
    near: float = 8.0
    """Steps from a mark at which its colour counts half, in an area that has several."""
    reach: float = 100.0
    """Steps from a mark, one over a line counting up to sixty, from which on areas take no colour of it."""


_RULES = FillRules()


class PointAreas:
    """The areas between the lines of a page (H, W), paper 1 and ink 0; gaps in lines are closed.

    Wider gaps are closed where marks of different colours are on their two sides, and nowhere else: a ball
    that cannot pass them does not pass a narrow arm either.

    Attributes:
        gray: The page.
    """

    def __init__(self, gray: Plane) -> None:
        self.gray = gray
        small = shrink_by(gray, min(_RULES.side / min(gray.shape), (_RULES.most / gray.size) ** 0.5))
        self._line = find_lines(small)
        self._depth = cv2.distanceTransform((~self._line).view(np.uint8), cv2.DIST_L2, 3)
        padded = np.pad(small, [(0, -length % _RULES.stride) for length in small.shape], constant_values=1)
        self._ink = line_ink(padded, _RULES.stride)

    @cached_property
    def labels(self) -> Labels:
        """(h, w), the area of each pixel of a smaller copy, from 0."""
        return _whole(closed_regions(self._line), self._line)

    @cached_property
    def _count(self) -> int:
        return int(self.labels.max()) + 1

    def fill(self, hint: Layer, share: Share | None = None) -> Layer:
        """Return the colours of areas with marks, (h, w, 4): RGB, and how much they count, above 0 up to 1.

        ``hint`` (h, w, 4), RGB and mask in [0, 1], is as large as ``labels``. Marks of one colour fill their
        area with it, whatever is painted there. Of several colours each place takes the nearest, which
        counts the less the farther off it is. Where an area has no mark all is 0; they count -1 where no mark
        is near, and no colour may come there over lines.

        ``share`` gives areas without marks colours of others, (A, 4) as above, by the colours of all, (A, 3),
        which are known, (A,), and which have several, (A,).
        """
        own, labels = self._owned(hint[..., 3] > 0), self.labels
        far = self._far_areas(own)
        mean, known, several = _colors_of(labels[own], hint[own, :3], self._count)
        counts = np.where(far, -1, known)
        shared = share(mean, known, several) if share and known.any() and not known.all() else None
        if several.any():
            labels, area = self._parted(several, own)
            mean, known, several = _colors_of(labels[own], hint[own, :3], len(area))
            counts = np.where(far[area], -1, known)
        table = np.column_stack([mean, counts]).astype(np.float32)
        if shared is not None:
            takers = np.flatnonzero(shared[:, 3] > 0)
            table[takers] = shared[takers]
        out: Layer = np.take(table, labels, axis=0)
        if several.any():
            mixed, shape = several[labels], labels.shape[::-1]
            steps = self._nearest(hint, own & mixed, labels)
            counts = 1 / (1 + steps.distance / _RULES.near)
            near = np.dstack([np.where(counts[..., None] > 0, steps.colors, 0), counts])
            near, areas = (
                cv2.resize(plane, shape, interpolation=cv2.INTER_NEAREST) for plane in (near, steps.areas)
            )
            near[areas != labels] = 0  # the cell lies over the border
            cv2.copyTo(near, mixed.view(np.uint8), out)
        return out

    def expect_marks(self) -> None:
        """Find what the first marks would have to wait for."""
        with ThreadPoolExecutor(1) as pool:  # neither needs the other, and each keeps one core busy
            narrow = pool.submit(lambda: self._narrow)
            _ = self._ways, self.shares
            narrow.result()
        _ = self._pieces

    def _far_areas(self, own: Mask) -> Mask:
        """Return for each area whether the marks, ``own``, are neither in nor near it."""
        y, x = np.nonzero(own)
        if not len(y):
            return np.zeros(self._count, np.bool_)
        distance, _ = nearest(self._ways, np.unique(self._cells(y, x)))
        far: Mask = self.shares @ distance > _RULES.reach
        far[self.labels[own]] = False
        return far

    @cached_property
    def _ways(self) -> csr_array:
        """The ways over the page, from step to step."""
        return ways(self._ink)

    @property
    def steps(self) -> tuple[int, int]:
        """How many steps there are down and across."""
        height, width = self._ink.shape
        return height, width

    @cached_property
    def shares(self) -> csr_array:
        """What part of each area lies in each step, (areas, steps)."""
        from scipy.sparse import coo_array

        steps = np.arange(self._ink.size, dtype=np.int32).reshape(self._ink.shape)
        step = cv2.resize(steps, self.labels.shape[::-1], interpolation=cv2.INTER_NEAREST).ravel()
        numbers = self.labels.ravel()
        part = 1 / np.bincount(numbers, minlength=self._count)[numbers]
        return coo_array((part, (numbers, step)), shape=(self._count, steps.size)).tocsr()

    def _cells(self, y: Places, x: Places) -> Places:
        """Return the numbers of the steps that pixels lie in."""
        cells: Places = y // _RULES.stride * self._ink.shape[1] + x // _RULES.stride
        return cells

    def _owned(self, marked: Mask) -> Mask:
        """Return which marked pixels (h, w) speak for their area; a mark may have slipped over a line."""
        out = marked & ~self._line
        if not out.any():
            return out
        _, marks = cv2.connectedComponents(marked.view(np.uint8), connectivity=8)
        pieces = marks[out].astype(np.int64) * self._count + self.labels[out]
        parts, part = np.unique(pieces, return_inverse=True)
        deepest = np.zeros(len(parts), np.float32)
        np.maximum.at(deepest, part, self._depth[out])
        whole = np.bincount(marks[out])[parts // self._count]
        out[out] = ((deepest > _RULES.spill) | (np.bincount(part) >= _RULES.part * whole))[part]
        return out

    @cached_property
    def _narrow(self) -> Labels:
        """The areas with wider gaps closed, and narrow parts cut off."""
        return closed_regions(self._line, _RULES.gap)

    @cached_property
    def _pieces(self) -> tuple[Labels, Places]:
        """The parts that ``_narrow`` cuts areas into: the area of each, (P,), and of each pixel its part."""
        parts = int(self._narrow.max()) + 1
        pairs = (self.labels.astype(np.int64) * parts + self._narrow).ravel()
        begins = np.flatnonzero(np.diff(pairs, prepend=pairs[0] - 1))  # few to be sorted: rows are of runs
        found, run = np.unique(pairs[begins], return_inverse=True)
        piece = run.repeat(np.diff(begins, append=pairs.size)).reshape(self.labels.shape)
        return (found // parts).astype(np.int32), piece

    def _parted(self, several: Mask, own: Mask) -> tuple[Labels, Labels]:
        """Return areas, those with ``several`` colours cut where their marks, ``own``, are so parted.

        And the area that each of them was cut out of.
        """
        area, piece = self._pieces
        cut = np.flatnonzero(several[area])
        name = area.copy()
        name[cut] = self._count + np.arange(len(cut))
        labels, mixed = name[piece], several[self.labels]
        area = np.concatenate([np.arange(self._count, dtype=np.int32), area[cut]])
        for _ in range(_RULES.rounds):
            spare = np.zeros(len(area), np.bool_)
            spare[labels[mixed]] = True
            spare[labels[own]] = False
            if not spare.any():
                break
            labels = given_away(labels, spare, mixed & ~self._line, area)
        return labels, area

    def _nearest(self, hint: Layer, own: Mask, labels: Labels) -> _Steps:
        """Return the nearest mark's colour for each step, on a way that stays inside the area."""
        shape, step = self._ink.shape, _RULES.stride
        middle = (
            np.minimum(np.arange(n) * step + step // 2, m - 1) for n, m in zip(shape, own.shape, strict=True)
        )
        areas = labels[np.ix_(*middle)]
        y, x = np.nonzero(own)
        cells = self._cells(y, x)
        at_home = labels[y, x] == areas.ravel()[cells]
        y, x, cells = y[at_home], x[at_home], cells[at_home]
        colors, marked, _ = _colors_of(cells, hint[y, x, :3], areas.size)
        if not marked.any():
            return _Steps(colors.reshape(*shape, 3), np.full(shape, np.inf, np.float32), areas)
        distance, source = nearest(ways(self._ink, areas), np.flatnonzero(marked))
        reached = np.where(np.isfinite(distance), source, 0)
        return _Steps(colors[reached].reshape(*shape, 3), distance.reshape(shape).astype(np.float32), areas)


class _Steps(NamedTuple):
    """What marks give on a grid: colours (h, w, 3), distances in steps (h, w), the area of each (h, w)."""

    colors: Layer
    distance: Plane
    areas: Labels


def _whole(labels: Labels, line: Mask) -> Labels:
    """Join what narrows cut a closed shape into, such as a face between an eye and its outline.

    A gap in an outline leads to the outside of it, so that what hangs together there is large or sprawls.
    """
    names = np.arange(int(labels.max()) + 1, dtype=np.int32)
    for place, shape in regions(~line, *_RULES.shape):
        areas = np.unique(labels[place][shape])
        if len(areas) > 1 and filled_shape(shape).solidity >= _RULES.solid:
            names[areas] = areas[0]
    return numbered(names[labels])


def _colors_of(numbers: Labels, colors: Layer, count: int) -> tuple[Layer, Mask, Mask]:
    """Return of each of ``count`` sets the mean colour, whether it has any, and whether it has several.

    ``numbers`` (N,) are the sets of ``colors`` (N, 3).
    """
    total = np.bincount(numbers, minlength=count)
    sums = np.stack([np.bincount(numbers, plane, count) for plane in colors.T], 1)
    mean = (sums / np.maximum(total, 1)[:, None]).astype(np.float32)
    several = np.zeros(count, np.bool_)
    several[numbers[np.abs(colors - mean[numbers]).max(1) > _RULES.same_color]] = True
    return mean, total > 0, several
