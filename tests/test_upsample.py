"""Enlarging of paint: what crosses a line and what does not."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from sketchcolor_cli.coloring.upsample import ink_aware_upsample


def slowly(paint: Tensor, sketch: Tensor, s: int) -> Tensor:
    """Do the same one pixel at a time."""
    channels, rows, columns = paint.shape[1:]
    height, width = sketch.shape[2:]
    ink = (1 - sketch[0, 0]).double()

    def thick(y: int, x: int) -> float:
        y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
        return float(ink[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].max())

    out = torch.zeros(1, channels, height, width, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            total = 0.0
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    row, column = y // s + down, x // s + right
                    off_y, off_x = (row * s + (s - 1) / 2) - y, (column * s + (s - 1) / 2) - x
                    row, column = min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)
                    met = max(thick(y + round(off_y * n / 4), x + round(off_x * n / 4)) for n in (1, 2, 3, 4))
                    own = float(ink[row * s : row * s + s, column * s : column * s + s].mean())
                    near = spline(off_y / s) * spline(off_x / s)
                    weight = near * math.exp(-12 * met) * math.exp(-4 * own)
                    out[0, :, y, x] += weight * paint[0, :, row, column]
                    total += weight
            out[0, :, y, x] /= total
    return out.float()


def spline(t: float) -> float:
    """The quadratic B-spline."""
    return 0.75 - t * t if abs(t) < 0.5 else max(0.0, 1.5 - abs(t)) ** 2 / 2


@pytest.mark.parametrize(("cells", "stride"), [((3, 5), 4), ((1, 1), 4), ((4, 2), 2), ((2, 3), 3)])
def test_agrees_with_the_definition(cells: tuple[int, int], stride: int) -> None:
    torch.manual_seed(0)
    paint = torch.rand(1, 2, *cells) * 100
    sketch = torch.rand(1, 1, cells[0] * stride, cells[1] * stride) ** 0.2
    torch.testing.assert_close(
        ink_aware_upsample(paint, sketch), slowly(paint, sketch, stride), rtol=1e-4, atol=1e-3
    )


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_shape(stride: int) -> None:
    sketch = torch.ones(1, 1, 5 * stride, 3 * stride)
    assert ink_aware_upsample(torch.zeros(1, 3, 5, 3), sketch).shape == (1, 3, 5 * stride, 3 * stride)


@pytest.mark.parametrize("ink", ["paper", "solid", "noise"])
def test_constant_paint_stays_constant(ink: str) -> None:
    torch.manual_seed(0)
    sketch = {"paper": torch.ones, "solid": torch.zeros, "noise": torch.rand}[ink](1, 1, 24, 32)
    paint = torch.tensor([55.0, -30, 80]).view(1, 3, 1, 1)
    result = ink_aware_upsample(paint.expand(1, 3, 6, 8).contiguous(), sketch)
    torch.testing.assert_close(result, paint.expand_as(result), rtol=1e-5, atol=0)


def test_results_lie_between_the_colours_around() -> None:
    torch.manual_seed(0)
    paint = torch.rand(1, 3, 6, 8)
    result = ink_aware_upsample(paint, torch.rand(1, 1, 24, 32).round())
    grown = torch.nn.functional.interpolate(paint, scale_factor=4)
    most = torch.nn.functional.max_pool2d(grown, 9, stride=1, padding=4)
    least = -torch.nn.functional.max_pool2d(-grown, 9, stride=1, padding=4)
    assert (result <= most + 1e-5).all()
    assert (result >= least - 1e-5).all()


@pytest.mark.parametrize("at", [15, 16, 17, 18])
def test_colours_do_not_cross_a_line(at: int) -> None:
    sketch = torch.ones(1, 1, 16, 32)
    sketch[..., at : at + 2] = 0
    paint = torch.zeros(1, 1, 4, 8)
    paint[..., 4:] = 100
    result = ink_aware_upsample(paint, sketch)[0, 0]
    own = -(-at // 4)  # the first cell wholly behind where the line begins
    assert (result[:, : min(at, 16) - 2] < 1).all()
    assert (result[:, max(at + 4, 4 * own + 2) :] > 99).all()


def test_without_a_line_colours_blend() -> None:
    paint = torch.zeros(1, 1, 4, 8)
    paint[..., 4:] = 100
    result = ink_aware_upsample(paint, torch.ones(1, 1, 16, 32))[0, 0]
    assert (result.diff(dim=1) >= -1e-4).all()
    assert 10 < result[8, 15] < 50 < result[8, 16] < 90


def test_a_mixed_cell_under_a_line_is_left_out() -> None:
    """The network's cell on a line holds a mixture; beside the line the clean cells count."""
    sketch = torch.ones(1, 1, 20, 20)
    sketch[..., 8:12] = 0
    paint = torch.zeros(1, 1, 5, 5)
    paint[..., 2] = 50
    paint[..., 3:] = 100
    result = ink_aware_upsample(paint, sketch)[0, 0]
    assert (result[:, :7] < 1).all()
    assert (result[:, 13:] > 99).all()
