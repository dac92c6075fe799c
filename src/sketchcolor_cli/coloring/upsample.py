"""Bring the network's coarse paint up to the sketch it was painted for, without crossing the lines."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

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
    height, width = sketch.shape[2:]
    ink = F.max_pool2d(1 - sketch, 3, stride=1, padding=1)
    clean = torch.exp(-_BARRIER / 3 * F.avg_pool2d(1 - sketch, stride))
    cells = F.pad(torch.cat([paint * clean, clean], 1), (1, 1, 1, 1), mode="replicate")
    to_row, to_column = (_to_cells(n, stride, sketch.device) for n in (height, width))
    by_row, by_column = ([_spline(way / stride) for way in ways] for ways in (to_row, to_column))

    # In squares of one cell each, so that a cell's values need not be repeated for its pixels.
    total = sketch.new_zeros(channels + 1, rows, stride, columns, stride)
    for right in range(3):
        shifted = [_shifted(ink, 3, offset) for offset in _on_the_way(to_column[right])]
        for down in range(3):
            between = _ink_between(shifted, to_row[down])
            weight = torch.exp(-_BARRIER * between) * (by_row[down][:, None] * by_column[right])
            cell = cells[0, :, down : down + rows, None, right : right + columns, None]
            total.addcmul_(weight.view(rows, stride, columns, stride), cell)
    # Even under solid ink the nearest cell's weight is about 1e-8, which float32 can tell from 0.
    return (total[:-1] / total[-1:]).view(1, channels, height, width)


def _to_cells(length: int, stride: int, device: torch.device) -> list[Tensor]:
    """Return how far each of ``length`` pixels is from the centres of the cells before, here, behind."""
    here = (stride - 1) / 2 - torch.arange(length, device=device) % stride
    return [here - stride, here, here + stride]


def _spline(far: Tensor) -> Tensor:
    """Return the quadratic B-spline at distances in cells: 3/4 in the middle, 0 from one and a half on."""
    far = far.abs()
    return torch.where(far < 0.5, 0.75 - far**2, 0.5 * (1.5 - far).clamp_min(0) ** 2)


def _on_the_way(offset: Tensor) -> list[Tensor]:
    """Return the whole offsets of the places on the way to ``offset``, the last one there."""
    return [(offset * step / _STEPS).round().long() for step in range(1, _STEPS + 1)]


def _shifted(plane: Tensor, dim: int, offset: Tensor) -> Tensor:
    """Return for each row (``dim`` 2) or column (3) the one ``offset`` away, or the last there is."""
    place = torch.arange(len(offset), device=offset.device) + offset
    return plane.index_select(dim, place.clamp(0, len(offset) - 1))


def _ink_between(shifted: list[Tensor], to_row: Tensor) -> Tensor:
    """Return the most ink on the straight way from each pixel to a cell; ``shifted`` is moved sideways."""
    ways = zip(shifted, _on_the_way(to_row), strict=True)
    most = torch.stack([_shifted(plane, 2, offset) for plane, offset in ways])
    return most.amax(0)[0, 0]
