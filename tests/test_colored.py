"""Which pages are in colour."""

from __future__ import annotations

import numpy as np
import pytest

from sketchcolor_cli.coloring.page.colored import is_colored
from sketchcolor_cli.imaging.images import Picture

PAPER, INK = np.array((0.95, 0.87, 0.68)), np.array((0.15, 0.1, 0.2))


def tones() -> np.ndarray:
    """Lines, washes and white, (300, 200, 1) in [0, 1]."""
    gray = np.ones((300, 200, 1))
    gray[40:60] = 0
    gray[100:160, :90] = np.linspace(0, 1, 90)[None, :, None]
    return gray


def picture(rgb: np.ndarray) -> Picture:
    noise = np.random.default_rng(0).normal(0, 0.02, rgb.shape)
    return Picture(rgb=(rgb + noise).clip(0, 1).astype(np.float32))


def test_grey_is_not_colour() -> None:
    assert not is_colored(Picture(rgb=np.repeat(tones(), 3, 2).astype(np.float32), gray=True))
    assert not is_colored(picture(np.repeat(tones(), 3, 2)))


@pytest.mark.parametrize(("paper", "ink"), [(PAPER, INK), (PAPER, 0 * INK), ((1, 1, 1), (0.1, 0.1, 0.6))])
def test_tinted_paper_and_coloured_ink_are_not_colour(paper: np.ndarray, ink: np.ndarray) -> None:
    gray = tones()
    assert not is_colored(picture(gray * np.array(paper) + (1 - gray) * np.array(ink)))


def test_a_small_stamp_does_not_make_a_page_coloured() -> None:
    rgb = np.repeat(tones(), 3, 2)
    rgb[200:215, 100:115] = (0.9, 0.1, 0.1)
    assert not is_colored(picture(rgb))


def test_a_coloured_page_is() -> None:
    rgb = np.repeat(tones(), 3, 2)
    rgb[180:290, :60] = (0.95, 0.75, 0.6)
    rgb[180:290, 60:120] = (0.3, 0.5, 0.9)
    rgb[180:290, 120:] = (0.4, 0.75, 0.3)
    assert is_colored(picture(rgb))
    assert is_colored(picture(rgb * PAPER))


def test_colour_under_transparent_parts_does_not_count() -> None:
    rgb = np.zeros((60, 60, 3), np.float32)
    rgb[:20] = (1, 0, 0)
    rgb[20:40] = (0, 0.5, 0)
    rgb[40:] = (1, 1, 1)
    assert is_colored(Picture(rgb=rgb))
    assert not is_colored(Picture(rgb=rgb, alpha=np.zeros((60, 60), np.float32)))
