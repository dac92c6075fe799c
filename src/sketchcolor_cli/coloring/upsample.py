"""Bring the network's coarse paint up to the sketch it was painted for, without crossing the lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F  # noqa: N812

if TYPE_CHECKING:
    from torch import Tensor

_BARRIER = 12.0  # how strongly ink between a pixel and a cell keeps the cell's colour out
_STEPS = 4  # places between pixel and cell at which ink is looked for


def ink_aware_upsample(paint: Tensor, sketch: Tensor) -> Tensor:
    """Enlarge ``paint`` (1, C, h, w) to the size of ``sketch`` (1, 1, h·s, w·s), paper 1 and ink 0.

    Each pixel is the mean of the 3×3 coarse cells around it, weighted by a quadratic B-spline, which ends
    smoothly where the nine cells end, so that no grid shows. As in joint bilateral up-sampling (Kopf et al.
    2007) weights are lowered at edges; but not where brightness differs, both sides of a line being white:
    by the ink that lies between pixel and cell, and by ink in the cell itself, where colours are mixed.
    """
    channels, rows, columns = paint.shape[1:]
    stride = sketch.shape[-1] // columns
    clean = torch.exp(-_BARRIER / 3 * F.avg_pool2d(1 - sketch, stride))
    cells = F.pad(torch.cat([paint * clean, clean], 1), (1, 1, 1, 1), mode="replicate")[0]
    around = {
        (down, right): cells[:, 1 + down : 1 + down + rows, 1 + right : 1 + right + columns].contiguous()
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    }
    passed = _Passed(sketch, stride)
    out = paint.new_empty(channels, rows, stride, columns, stride)
    # Pixels that have the same place in their cells are treated together: the ways to the cells around, and
    # the weights by distance, are the same for all of them.
    for y in range(stride):
        for x in range(stride):
            total = paint.new_zeros(channels + 1, rows, columns)
            for (down, right), cell in around.items():
                way = _to_cell(y, down, stride), _to_cell(x, right, stride)
                near = _spline(way[0] / stride) * _spline(way[1] / stride)
                total.addcmul_(passed(y, x, _on_the_way(*way)), cell, value=near)
            # Even under solid ink the nearest cell's weight is about 1e-8, which float32 can tell from 0.
            torch.div(total[:-1], total[-1], out=out[:, :, y, :, x])
    return out.view(1, channels, rows * stride, columns * stride)


class _Passed:
    """How much of a colour passes the ink at the pixels of a sketch."""

    def __init__(self, sketch: Tensor, stride: int) -> None:
        self.stride = stride
        ink = F.max_pool2d(1 - sketch, 3, stride=1, padding=1)
        open_ = F.pad(torch.exp(-_BARRIER * ink), (2 * stride,) * 4, mode="replicate")
        # (s · s, h + 4, w + 4): for each place in a cell, the pixels that have it
        self.planes = F.pixel_unshuffle(open_, stride)[0]

    def __call__(self, y: int, x: int, steps: set[tuple[int, int]]) -> Tensor:
        """Return the least that passes at any of these steps from the pixels at (y, x) in their cells."""
        first, *others = (self._at(y + down, x + right) for down, right in sorted(steps))
        for other in others:
            first = torch.minimum(first, other)
        return first

    def _at(self, y: int, x: int) -> Tensor:
        (down, y), (right, x) = divmod(y, self.stride), divmod(x, self.stride)
        rows, columns = (length - 4 for length in self.planes.shape[1:])
        place = y * self.stride + x
        return self.planes[place, 2 + down : 2 + down + rows, 2 + right : 2 + right + columns]


def _to_cell(place: int, cell: int, stride: int) -> float:
    """Return how far a pixel, counted from its cell's edge, is from the centre of the cell so many behind."""
    return (stride - 1) / 2 - place + cell * stride


def _spline(far: float) -> float:
    """Return the quadratic B-spline at a distance in cells: 3/4 in the middle, 0 from one and a half on."""
    far = abs(far)
    return 0.75 - far**2 if far < 0.5 else 0.5 * max(1.5 - far, 0) ** 2


def _on_the_way(down: float, right: float) -> set[tuple[int, int]]:
    """Return the whole offsets of the places on the way to an offset, the last one there."""
    return {(round(down * step / _STEPS), round(right * step / _STEPS)) for step in range(1, _STEPS + 1)}
