"""Ink on transparency becomes ink on paper; what is cut out stays so."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.page.line_layer import with_paper
from sketchcolor_cli.coloring.settings import ColorizeSettings
from sketchcolor_cli.imaging.picture import Picture
from test_colorizer import Witness


def lines() -> np.ndarray:
    """How opaque a layer of lines is, (300, 200)."""
    alpha = np.zeros((300, 200), np.uint8)
    cv2.circle(alpha, (100, 120), 60, 255, 3, cv2.LINE_AA)
    cv2.line(alpha, (20, 280), (180, 200), 255, 3, cv2.LINE_AA)
    return alpha.astype(np.float32) / 255


def layer(alpha: np.ndarray, ink: tuple[float, float, float] = (0, 0, 0)) -> Picture:
    return Picture(rgb=np.broadcast_to(np.array(ink, np.float32), (*alpha.shape, 3)).copy(), alpha=alpha)


@pytest.mark.parametrize("ink", [(0, 0, 0), (0.35, 0.55, 0.9), (0.6, 0.6, 0.6)])
def test_lines_on_transparency_come_onto_paper(ink: tuple[float, float, float]) -> None:
    alpha = lines()
    page = with_paper(layer(alpha, ink))
    assert page.alpha is None
    np.testing.assert_allclose(page.rgb, 1 - alpha[..., None] * (1 - np.array(ink)), atol=1e-5)


def test_solid_blacks_are_ink() -> None:
    alpha = lines()
    alpha[60:180, 40:160] = 1
    assert with_paper(layer(alpha)).alpha is None


def cut_out(tone: float) -> Picture:
    """A figure of this tone with an outline, transparent around it."""
    gray, alpha = np.full((300, 200), tone, np.float32), np.zeros((300, 200), np.float32)
    cv2.circle(gray, (100, 120), 60, 0, 3)
    cv2.circle(alpha, (100, 120), 61, 1, -1)
    return Picture(rgb=np.repeat(gray[..., None], 3, 2), alpha=alpha, gray=True)


@pytest.mark.parametrize("tone", [1, 0.6])
def test_a_figure_that_is_cut_out_stays_cut_out(tone: float) -> None:
    page = cut_out(tone)
    assert with_paper(page) is page


@pytest.mark.parametrize("alpha", [None, np.zeros((300, 200), np.float32), np.ones((300, 200), np.float32)])
def test_nothing_is_done_where_there_is_nothing_to_do(alpha: np.ndarray | None) -> None:
    page = Picture(rgb=np.zeros((300, 200, 3), np.float32), alpha=alpha)
    assert with_paper(page) is page


def test_paint_is_seen_where_the_layer_was_transparent() -> None:
    result = Colorizer(Witness(), "cpu", ColorizeSettings())(layer(lines()))
    assert result.alpha is None
    assert np.ptp(result.rgb[5, 5]) > 0.1  # the network's colour
    assert result.rgb[120, 40].max() < 0.05
