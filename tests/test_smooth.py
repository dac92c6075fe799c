"""Evening out of paint inside the lines."""

from __future__ import annotations

import numpy as np
import pytest

from sketchcolor_cli.coloring.paint.smooth import smooth_paint

PALE, DEEP = (90.0, 2.0, 5.0), (60.0, 30.0, 40.0)


def field(rgb: tuple[float, float, float], height: int = 24, width: int = 40) -> np.ndarray:
    return np.full((height, width, 3), rgb, np.float32)


def test_a_halo_along_a_line_takes_the_colour_of_the_area() -> None:
    ink = np.zeros((24, 40), np.float32)
    ink[:, 19:21] = 1
    halo = np.clip(1 - np.abs(np.arange(40) - 19.5) / 8, 0, 1)[None, :, None].astype(np.float32)
    paint = field(DEEP) * (1 - 0.4 * halo) + field(PALE) * 0.4 * halo
    even = smooth_paint(paint, ink, 12)
    beside = np.s_[:, [17, 18, 21, 22]]
    assert np.abs(paint[beside] - DEEP).max() > 10
    assert np.abs(even[beside] - DEEP).max() < 0.5 * np.abs(paint[beside] - DEEP).max()


def test_colours_do_not_cross_a_line() -> None:
    ink = np.zeros((24, 40), np.float32)
    ink[:, 20] = 1
    paint = field(DEEP)
    paint[:, 20:] = PALE
    even = smooth_paint(paint, ink, 50)
    assert np.abs(even[:, :20] - DEEP).max() < 0.5
    assert np.abs(even[:, 21:] - PALE).max() < 0.5


def test_a_clear_change_of_colour_stays_without_a_line() -> None:
    paint = field(DEEP)
    paint[:, 20:] = PALE
    np.testing.assert_allclose(smooth_paint(paint, np.zeros((24, 40), np.float32), 12), paint, atol=0.05)


def test_small_unevenness_goes() -> None:
    noise = np.random.default_rng(0).normal(0, 2, (24, 40, 3)).astype(np.float32)
    even = smooth_paint(field(DEEP) + noise, np.zeros((24, 40), np.float32), 12)
    assert (even - DEEP).std() < 0.25 * noise.std()
    np.testing.assert_allclose(even.mean((0, 1)), (field(DEEP) + noise).mean((0, 1)), atol=0.05)


@pytest.mark.parametrize("shape", [(1, 5), (6, 1), (1, 1)])
def test_too_small_a_grid_stays_as_it_is(shape: tuple[int, int]) -> None:
    paint = np.random.default_rng(0).random((*shape, 3)).astype(np.float32)
    assert np.array_equal(smooth_paint(paint, np.zeros(shape, np.float32), 12), paint)


def test_no_strength_changes_nothing_and_the_input_is_never_written_to() -> None:
    paint = np.random.default_rng(0).random((9, 8, 3)).astype(np.float32)
    before = paint.copy()
    assert np.array_equal(smooth_paint(paint, np.zeros((9, 8), np.float32), 0), before)
    smooth_paint(paint, np.zeros((9, 8), np.float32), 5)
    assert np.array_equal(paint, before)


def test_even_paint_stays_even_under_any_ink() -> None:
    ink = np.random.default_rng(0).random((24, 40)).astype(np.float32)
    np.testing.assert_allclose(smooth_paint(field(DEEP), ink, 30), field(DEEP), atol=1e-3)
