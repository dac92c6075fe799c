"""Bring the network's coarse paint up to the sketch it was painted for, without crossing the lines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Planes = NDArray[np.float32]

_BARRIER = 12.0  # how strongly ink between a pixel and a cell keeps the cell's colour out
_STEPS = 4  # places between pixel and cell at which ink is looked for


def ink_aware_upsample(paint: NDArray[np.float32], sketch: Plane) -> NDArray[np.float32]:
    """Enlarge ``paint`` (h, w, C) to the size of ``sketch`` (h·s, w·s), paper 1 and ink 0.

    Each pixel is the mean of the 3×3 coarse cells around it, weighted by a quadratic B-spline, which ends
    smoothly where the nine cells end, so that no grid shows. As in joint bilateral up-sampling (Kopf et al.
    2007) weights are lowered at edges; but not where brightness differs, both sides of a line being white:
    by the ink that lies between pixel and cell, and by ink in the cell itself, where colours are mixed.
    """
    rows, columns, channels = paint.shape
    stride = len(sketch) // rows
    ink = 1 - sketch
    around = _cells_around(paint, ink)
    passed = _Passed(ink, stride)
    out = np.empty((channels, rows, stride, columns, stride), np.float32)

    # Pixels that have the same place in their cells are treated together: the ways to the cells around, and
    # the weights by distance, are the same for all of them.
    def fill_row(y: int) -> None:
        total, room = np.empty((2, channels + 1, rows, columns), np.float32)
        share = np.empty((rows, columns), np.float32)
        for x in range(stride):
            total[:] = 0
            for (down, right), cell in around.items():
                way = _to_cell(y, down, stride), _to_cell(x, right, stride)
                near = _spline(way[0] / stride) * _spline(way[1] / stride)
                np.multiply(passed(y, x, _on_the_way(*way)), np.float32(near), out=share)
                np.add(total, np.multiply(cell, share, out=room), out=total)
            # Even under solid ink the nearest cell's weight is about 1e-8, which float32 can tell from 0.
            np.divide(total[:-1], total[-1], out=out[:, :, y, :, x])

    with ThreadPoolExecutor(max(1, cv2.getNumThreads())) as pool:
        list(pool.map(fill_row, range(stride)))
    whole: Planes = cv2.merge([*out.reshape(channels, *sketch.shape)]).reshape(*sketch.shape, channels)
    return whole


def _cells_around(paint: NDArray[np.float32], ink: Plane) -> dict[tuple[int, int], Planes]:
    """Return the paint's cells moved by one in each direction, or none, by how far down and to the right.

    Each is (C + 1, h, w): colours weighted by how little ink is in the cell, and that weight.
    """
    rows, columns = paint.shape[:2]
    clean = np.exp(-_BARRIER / 3 * cv2.resize(ink, (columns, rows), interpolation=cv2.INTER_AREA))
    cells = np.concatenate([paint * clean[..., None], clean[..., None]], 2).transpose(2, 0, 1)
    cells = np.pad(cells, ((0, 0), (1, 1), (1, 1)), mode="edge")
    return {
        (down, right): np.ascontiguousarray(cells[:, 1 + down :, 1 + right :][:, :rows, :columns])
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    }


class _Passed:
    """How much of a colour passes the ink at the pixels of a sketch."""

    def __init__(self, ink: Plane, stride: int) -> None:
        self.stride = stride
        thick = cv2.dilate(ink, np.ones((3, 3), np.uint8))
        open_ = np.pad(np.exp(-_BARRIER * thick), 2 * stride, mode="edge")
        height, width = (length // stride for length in open_.shape)
        # (s, s, h + 4, w + 4): for each place in a cell, the pixels that have it
        places = open_.reshape(height, stride, width, stride).transpose(1, 3, 0, 2)
        self.planes: Planes = np.ascontiguousarray(places)

    def __call__(self, y: int, x: int, steps: frozenset[tuple[int, int]]) -> Plane:
        """Return the least that passes at any of these steps from the pixels at (y, x) in their cells."""
        first, *others = (self._at(y + down, x + right) for down, right in steps)
        for other in others:
            first = cv2.min(first, other)
        return first

    def _at(self, y: int, x: int) -> Plane:
        (down, y), (right, x) = divmod(y, self.stride), divmod(x, self.stride)
        rows, columns = (length - 4 for length in self.planes.shape[2:])
        return self.planes[y, x, 2 + down : 2 + down + rows, 2 + right : 2 + right + columns]


def _to_cell(place: int, cell: int, stride: int) -> float:
    """Return how far a pixel, counted from its cell's edge, is from the centre of the cell so many behind."""
    return (stride - 1) / 2 - place + cell * stride


def _spline(far: float) -> float:
    """Return the quadratic B-spline at a distance in cells: 3/4 in the middle, 0 from one and a half on."""
    far = abs(far)
    return 0.75 - far**2 if far < 0.5 else 0.5 * max(1.5 - far, 0) ** 2


@cache
def _on_the_way(down: float, right: float) -> frozenset[tuple[int, int]]:
    """Return the whole offsets of the places on the way to an offset, the last one there."""
    return frozenset(
        (round(down * step / _STEPS), round(right * step / _STEPS)) for step in range(1, _STEPS + 1)
    )
