"""Ink over enlarged paint: the formula of compositing, the page's own ink, and no colour across a line."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from sketchcolor_cli.color import spaces
from sketchcolor_cli.color.compositing import INK, compose
from sketchcolor_cli.coloring.paint.composite import composite, composite_bands

RED, BLUE = (50.0, 60.0, 40.0), (50.0, 10.0, -60.0)


def random_page(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).random((height, width)).astype(np.float32)


def slowly(gray: np.ndarray, paint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the formula's result for a page and paint of one size, and where the page stays."""
    page = torch.from_numpy(gray)[None, None]
    lightness = spaces.rgb_to_lab(page.expand(-1, 3, -1, -1))[:, :1]
    rgb = spaces.lab_to_rgb(compose(lightness, torch.from_numpy(paint).permute(2, 0, 1)[None]))
    return rgb[0].permute(1, 2, 0).numpy(), (lightness <= INK)[0, 0].numpy()


def test_at_the_pages_own_size_it_is_the_formula_of_compositing() -> None:
    gray = random_page(60, 50)
    low, high = np.array([0, -30, -30]), np.array([100, 30, 30])
    paint = (np.random.default_rng(2).random((60, 50, 3)) * (high - low) + low).astype(np.float32)
    result = composite(gray, paint, gray)
    expected, ink = slowly(gray, paint)
    assert np.array_equal(result[ink], np.repeat(gray[ink][:, None], 3, 1))
    np.testing.assert_allclose(result[~ink], expected[~ink], atol=2e-3)


@pytest.mark.parametrize("size", [(1, 1), (1, 37), (301, 1), (64, 48)])
def test_white_paint_gives_the_page(size: tuple[int, int]) -> None:
    gray = random_page(*size)
    small = max(1, size[0] // 3), max(1, size[1] // 3)
    white = np.full((*small, 3), (100, 0, 0), np.float32)
    result = composite(gray, white, cv2.resize(gray, small[::-1], interpolation=cv2.INTER_AREA))
    assert np.abs(result - gray[..., None]).max() < 0.1 / 255


@pytest.mark.parametrize("thickness", [3, 5, 9])
@pytest.mark.parametrize("at", [100, 101, 103])
def test_no_colour_shows_on_the_other_side_of_a_line(thickness: int, at: int) -> None:
    """The page is four times the paint, so a plain enlargement would blur four pixels far."""
    gray = np.ones((80, 240), np.float32)
    gray[:, at : at + thickness] = 0
    sketch = cv2.resize(gray, (60, 20), interpolation=cv2.INTER_AREA)
    paint = np.full((20, 60, 3), RED, np.float32)
    ridge = int(np.argmin(sketch[0]))
    paint[:, ridge + 1 :] = BLUE
    paint[:, ridge] = np.add(RED, BLUE) / 2
    result = composite(gray, paint, sketch)
    red, blue = (spaces.lab_to_rgb(torch.tensor(c).view(1, 3, 1, 1)).flatten().numpy() for c in (RED, BLUE))
    assert np.abs(result[:, : at - 1] - red).max() < 0.12
    assert np.abs(result[:, at + thickness + 1 :] - blue).max() < 0.12


def test_tiles_meet_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    gray = random_page(70, 90)
    sketch = cv2.resize(gray, (30, 23), interpolation=cv2.INTER_AREA)
    paint = cv2.GaussianBlur(np.random.default_rng(3).random((23, 30, 3)).astype(np.float32) * 60, (0, 0), 2)
    whole = composite(gray, paint, sketch)
    monkeypatch.setattr("sketchcolor_cli.coloring.paint.composite._TILE", 13)
    np.testing.assert_allclose(composite(gray, paint, sketch), whole, atol=2e-4)


def test_bands_together_are_the_page_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    gray = random_page(2100, 90)
    sketch = cv2.resize(gray, (30, 700), interpolation=cv2.INTER_AREA)
    paint = np.random.default_rng(3).random((175, 8, 3)).astype(np.float32) * 60
    paper = (random_page(70, 3) > 0.5).astype(np.float32)
    whole = composite(gray, paint, sketch, paper)
    monkeypatch.setattr("sketchcolor_cli.coloring.paint.composite._BAND", 90 * 800)
    bands = list(composite_bands(gray, paint, sketch, paper))
    assert len(bands) == 3
    assert np.array_equal(np.concatenate(bands), whole)


def test_a_page_longer_than_opencv_can_sample() -> None:
    gray = random_page(2, 33_000)
    paint = np.full((1, 16_500, 3), (80, 10, 10), np.float32)
    result = composite(gray, paint, cv2.resize(gray, (16_500, 1), interpolation=cv2.INTER_AREA))
    assert result.shape == (2, 33_000, 3)
    assert np.isfinite(result).all()
