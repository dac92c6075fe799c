"""Drawings in one coloured ink: their lines keep its colour."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.colorizer import Colorizer, luma
from sketchcolor_cli.coloring.page.colored_ink import colored_ink
from sketchcolor_cli.imaging.picture import Picture
from test_colorizer import Witness

PENCIL, RED, GREEN, NAVY = (0.35, 0.55, 0.9), (0.86, 0.1, 0.1), (0.1, 0.63, 0.25), (0.1, 0.15, 0.86)
WHITE, CREAM = (1.0, 1.0, 1.0), (0.97, 0.93, 0.84)


def coverage() -> np.ndarray:
    """How far a drawing's lines cover each pixel, (600, 400, 1)."""
    lines = np.zeros((600, 400), np.uint8)
    cv2.rectangle(lines, (30, 30), (370, 570), 255, 5, cv2.LINE_AA)
    cv2.ellipse(lines, (200, 250), (90, 130), 0, 0, 360, 255, 5, cv2.LINE_AA)
    cv2.line(lines, (120, 400), (300, 520), 255, 4, cv2.LINE_AA)
    return lines[..., None] / 255


def page(ink: tuple[float, ...], paper: tuple[float, ...] = WHITE, noise: float = 0.0) -> Picture:
    covered = coverage()
    rgb = covered * np.array(ink) + (1 - covered) * np.array(paper)
    rgb += np.random.default_rng(0).normal(0, noise, rgb.shape)
    return Picture(rgb=rgb.clip(0, 1).astype(np.float32))


@pytest.mark.parametrize("ink", [PENCIL, RED, GREEN, NAVY])
@pytest.mark.parametrize("paper", [WHITE, CREAM])
def test_lines_keep_their_colour_and_paint_is_beside_them(
    ink: tuple[float, ...], paper: tuple[float, ...]
) -> None:
    noise = 0.015 if paper == CREAM else 0.0
    drawn = page(ink, paper, noise)
    covered = coverage()[..., 0]
    colored = Colorizer(Witness(), "cpu")(drawn)
    lines, bare = covered == 1, cv2.dilate(covered, np.ones((9, 9))) == 0
    bare[:40] = bare[-40:] = False
    bare[:, :40] = bare[:, -40:] = False
    assert np.abs(colored.rgb - drawn.rgb)[lines].mean() < 0.01 + noise
    plain = Colorizer(Witness(), "cpu")(page((0.0, 0.0, 0.0), paper, noise))
    assert np.abs(colored.rgb - plain.rgb)[bare].mean() < 0.01 + noise


def test_the_network_is_shown_black_lines() -> None:
    drawn = page(PENCIL)
    ink = colored_ink(drawn)
    assert ink is not None
    seen = ink.outlines(luma(drawn))
    assert np.abs(seen - (1 - coverage()[..., 0])).max() < 0.02
    layer = ink.rgba()
    assert np.abs(layer[..., 3] - coverage()[..., 0]).max() < 0.02
    np.testing.assert_allclose(layer[0, 0, :3], PENCIL, atol=0.02)


def test_other_pages_have_black_ink() -> None:
    for ink, paper in (
        ((0.1, 0.08, 0.08), WHITE),
        ((0.15, 0.1, 0.1), CREAM),
        ((0.55,) * 3, (0.93, 0.85, 0.7)),
    ):
        assert colored_ink(page(ink, paper)) is None
    assert colored_ink(Picture(rgb=np.ones((20, 20, 3), np.float32), gray=True)) is None
    blank = np.ones((300, 200, 3), np.float32)
    blank[0, 0, 0] = 0.5
    assert colored_ink(Picture(rgb=blank)) is None
    uneven = page(PENCIL).rgb * np.linspace(1, 0.4, 400, dtype=np.float32)[:, None]
    assert colored_ink(Picture(rgb=uneven)) is None
    two = page(PENCIL).rgb
    two[300:] = page(RED).rgb[300:]
    assert colored_ink(Picture(rgb=two)) is None
