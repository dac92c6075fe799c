"""Enlarging of paint: what crosses a line and what does not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.paint.upsample import ink_aware_upsample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]


def random(*shape: int) -> Array:
    return np.random.default_rng(0).random(shape, np.float32)


def ones(*shape: int) -> Array:
    return np.ones(shape, np.float32)


def slowly(paint: Array, sketch: Array, s: int) -> Array:
    """Do the same one pixel at a time."""
    rows, columns, channels = paint.shape
    height, width = sketch.shape
    ink = (1 - sketch).astype(np.float64)

    def thick(y: int, x: int) -> float:
        y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
        return float(ink[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].max())

    out = np.zeros((height, width, channels))
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
                    out[y, x] += weight * paint[row, column]
                    total += weight
            out[y, x] /= total
    return out.astype(np.float32)


def spline(t: float) -> float:
    """The quadratic B-spline."""
    return 0.75 - t * t if abs(t) < 0.5 else max(0.0, 1.5 - abs(t)) ** 2 / 2


@pytest.mark.parametrize(("cells", "stride"), [((3, 5), 4), ((1, 1), 4), ((4, 2), 2), ((2, 3), 3)])
def test_agrees_with_the_definition(cells: tuple[int, int], stride: int) -> None:
    paint = random(*cells, 2) * 100
    sketch = random(cells[0] * stride, cells[1] * stride) ** np.float32(0.2)
    np.testing.assert_allclose(
        ink_aware_upsample(paint, sketch), slowly(paint, sketch, stride), rtol=1e-4, atol=1e-3
    )


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("stride", [2, 4, 8])
def test_shape(stride: int, channels: int) -> None:
    result = ink_aware_upsample(0 * ones(5, 3, channels), ones(5 * stride, 3 * stride))
    assert result.shape == (5 * stride, 3 * stride, channels)
    assert result.dtype == np.float32


@pytest.mark.parametrize("ink", ["paper", "solid", "noise"])
def test_constant_paint_stays_constant(ink: str) -> None:
    sketch = {"paper": ones(24, 32), "solid": 0 * ones(24, 32), "noise": random(24, 32)}[ink]
    paint = np.array([55.0, -30, 80], np.float32) * ones(6, 8, 1)
    result = ink_aware_upsample(paint, sketch)
    np.testing.assert_allclose(result, np.broadcast_to(paint[0, 0], result.shape), rtol=1e-5)


def test_results_lie_between_the_colours_around() -> None:
    paint = random(6, 8, 3)
    result = ink_aware_upsample(paint, random(24, 32).round())
    grown = paint.repeat(4, 0).repeat(4, 1)
    box = np.ones((9, 9), np.uint8)
    assert (result <= cv2.dilate(grown, box) + 1e-5).all()
    assert (result >= cv2.erode(grown, box) - 1e-5).all()


@pytest.mark.parametrize("at", [15, 16, 17, 18])
def test_colours_do_not_cross_a_line(at: int) -> None:
    sketch = ones(16, 32)
    sketch[:, at : at + 2] = 0
    paint = 0 * ones(4, 8, 1)
    paint[:, 4:] = 100
    result = ink_aware_upsample(paint, sketch)[..., 0]
    own = -(-at // 4)  # the first cell wholly behind where the line begins
    assert (result[:, : min(at, 16) - 2] < 1).all()
    assert (result[:, max(at + 4, 4 * own + 2) :] > 99).all()


def test_without_a_line_colours_blend() -> None:
    paint = 0 * ones(4, 8, 1)
    paint[:, 4:] = 100
    result = ink_aware_upsample(paint, ones(16, 32))[..., 0]
    assert (np.diff(result, axis=1) >= -1e-4).all()
    assert 10 < result[8, 15] < 50 < result[8, 16] < 90


def test_a_mixed_cell_under_a_line_is_left_out() -> None:
    """The network's cell on a line holds a mixture; beside the line the clean cells count."""
    sketch = ones(20, 20)
    sketch[:, 8:12] = 0
    paint = 0 * ones(5, 5, 1)
    paint[:, 2] = 50
    paint[:, 3:] = 100
    result = ink_aware_upsample(paint, sketch)[..., 0]
    assert (result[:, :7] < 1).all()
    assert (result[:, 13:] > 99).all()
