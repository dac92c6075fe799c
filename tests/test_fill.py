"""What areas with points change in a spread hint and in paint."""

from __future__ import annotations

import numpy as np
import pytest

from sketchcolor_cli.coloring.paint.fill import fill_paint, fill_spread


def halves() -> np.ndarray:
    """Return red that fills the left half, (8, 8, 4)."""
    fill = np.zeros((8, 8, 4), np.float32)
    fill[:, :4] = (1, 0, 0, 1)
    return fill


def test_a_spread_colour_does_not_come_into_a_filled_area_and_hardly_beside_it() -> None:
    around = np.full((2, 2, 4), 0.5, np.float32)
    out = fill_spread(around, halves())
    assert out[:, 0] == pytest.approx(np.array([(1, 0, 0, 0.5)] * 2))
    assert (out[:, 1, :3] == 0.5).all()
    assert (out[:, 1, 3] < 0.25).all()


def test_no_colour_comes_to_where_no_mark_is_near() -> None:
    around, fill = np.full((2, 2, 4), 0.5, np.float32), halves()
    fill[:, 4:, 3] = -1
    assert not fill_spread(around, fill)[:, 1].any()
    paint = np.full((8, 8, 3), 20, np.float32)
    assert (fill_paint(paint, fill)[:, 4:] == 20).all()


def test_paint_takes_a_filling_as_far_as_it_counts() -> None:
    paint, fill = np.zeros((8, 8, 3), np.float32), halves()
    fill[0, 0, 3] = 0.5
    out = fill_paint(paint, fill)
    red = np.array([53.24, 80.09, 67.2])
    assert out[4, 0] == pytest.approx(red, abs=0.1)
    assert out[0, 0] == pytest.approx(red / 2, abs=0.1)
    assert not out[:, 4:].any()
