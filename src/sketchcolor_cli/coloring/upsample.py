"""Bring the network's coarse paint up to the sketch it was painted for, without crossing the lines."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

_REACH = 1.1  # standard deviation of the spatial weight, in coarse cells
_BARRIER = 12.0  # how strongly ink between a pixel and a cell keeps the cell's colour out
_STEPS = 4  # places between pixel and cell at which ink is looked for


def ink_aware_upsample(paint: Tensor, sketch: Tensor) -> Tensor:
    """Enlarge ``paint`` (1, C, h, w) to the size of ``sketch`` (1, 1, h·s, w·s), paper 1 and ink 0.

    Each pixel is the mean of the 3×3 coarse cells around it, as in joint bilateral up-sampling (Kopf et al.
    2007), but what lowers a weight is not a difference in brightness, since both sides of a line are white: it
    is the ink that lies between pixel and cell, and ink in the cell itself, where colours are mixed.
    """
    stride = sketch.shape[-1] // paint.shape[-1]
    height, width = sketch.shape[2:]
    ink = F.max_pool2d(1 - sketch, 3, stride=1, padding=1)
    clean = torch.exp(-_BARRIER / 3 * F.avg_pool2d(1 - sketch, stride))
    cells = F.pad(torch.cat([paint * clean, clean], 1), (1, 1, 1, 1), mode="replicate")
    down, right = (_to_cell(n, stride, sketch.device) for n in (height, width))

    total = sketch.new_full((1, paint.shape[1] + 1, height, width), 1e-12)
    for row in (-1, 0, 1):
        for column in (-1, 0, 1):
            off_y, off_x = down + row * stride, right + column * stride
            near = torch.exp(-(off_y[:, None] ** 2 + off_x[None] ** 2) / (2 * (_REACH * stride) ** 2))
            weight = near * torch.exp(-_BARRIER * _ink_between(ink, off_y, off_x))
            neighbour = cells[:, :, 1 + row : cells.shape[2] - 1 + row, 1 + column : cells.shape[3] - 1 + column]
            total += weight * neighbour.repeat_interleave(stride, 2).repeat_interleave(stride, 3)
    return total[:, :-1] / total[:, -1:]


def _to_cell(length: int, stride: int, device: torch.device) -> Tensor:
    """Return how far each of ``length`` pixels is from the centre of its own cell."""
    inside = torch.arange(length, device=device) % stride
    return (stride - 1) / 2 - inside


def _ink_between(ink: Tensor, off_y: Tensor, off_x: Tensor) -> Tensor:
    """Return the most ink met on the straight way from each pixel to the place ``off`` away from it."""
    height, width = ink.shape[2:]
    rows, columns = (torch.arange(n, device=ink.device) for n in (height, width))
    most = torch.zeros_like(ink)
    for step in range(1, _STEPS + 1):
        y = (rows + (off_y * step / _STEPS).round().long()).clamp(0, height - 1)
        x = (columns + (off_x * step / _STEPS).round().long()).clamp(0, width - 1)
        most = torch.maximum(most, ink[:, :, y][:, :, :, x])
    return most
