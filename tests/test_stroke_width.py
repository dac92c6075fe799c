"""How wide strokes are, and that broad coloured ones are drawn as lines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from sketchcolor_cli.extraction.loader import Loader
from sketchcolor_cli.extraction.settings import NATIVE, Sketching
from sketchcolor_cli.extraction.stroke_width import stroke_width
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.plugin.discovery import find_extractors

RED, BLUE = (0.6, 0.1, 0.1), (0.35, 0.55, 0.9)


def drawing(width: int, ink: tuple[float, float, float] = RED, size: int = 600) -> np.ndarray:
    """A face of strokes of one width, (size, size, 3), and lines across."""
    gray = np.full((size, size), 255, np.uint8)
    cv2.circle(gray, (300, 280), 200, 0, width, cv2.LINE_AA)
    cv2.ellipse(gray, (300, 320), (110, 80), 0, 20, 160, 0, width, cv2.LINE_AA)
    for x in (220, 380):
        cv2.circle(gray, (x, 230), 40, 0, width, cv2.LINE_AA)
    cv2.line(gray, (0, 560), (600, 500), 0, width, cv2.LINE_AA)
    lines = 1 - gray[..., None].astype(np.float32) / 255
    return (1 - lines * (1 - np.array(ink, np.float32))).astype(np.float32)


@pytest.mark.parametrize("width", [3, 6, 12, 20])
@pytest.mark.parametrize("ink", [RED, BLUE])
def test_the_width_of_a_pens_strokes(width: int, ink: tuple[float, float, float]) -> None:
    assert stroke_width(drawing(width, ink)) == pytest.approx(
        width, abs=2
    )  # anti-aliased edges count in part


def test_a_large_picture_has_its_own_width() -> None:
    large = cv2.resize(drawing(6), None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR)
    small = stroke_width(drawing(6))
    assert small is not None
    assert stroke_width(large) == pytest.approx(4 * small, rel=0.15)


def test_black_strokes_and_none_and_such_of_many_widths_have_no_width() -> None:
    assert stroke_width(drawing(12, (0, 0, 0))) is None
    assert stroke_width(np.ones((90, 40, 3), np.float32)) is None
    assert stroke_width(np.minimum(drawing(2), drawing(14)[::-1])) is None


def hollow(
    width: int, sketching: Sketching, method: str = "linework", ink: tuple[float, float, float] = RED
) -> float:
    """Part of the middle of strokes that a sketch leaves light."""
    rgb = drawing(width, ink)
    settings = ("mix=xdog,linework",) if method == "avg" else ()
    drawer = Loader(find_extractors(), sketching=sketching).load(method, settings)
    sketch = drawer.sketch(Picture(rgb)).rgb[..., 0]
    assert sketch.shape == rgb.shape[:2]
    strokes = cv2.erode((rgb[..., 1] < ink[1] + 0.1).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return float((sketch[strokes] > 0.5).mean())


@pytest.mark.parametrize("width", [3, 6, 12, 20])
@pytest.mark.parametrize("method", ["linework", "xdog", "avg"])
def test_coloured_outlines_are_drawn_solid(width: int, method: str) -> None:
    assert hollow(width, Sketching(), method) < 0.05


@pytest.mark.parametrize("width", [6, 8, 10, 14, 20])
@pytest.mark.parametrize("ink", [BLUE, (0.55, 0.55, 0.55), (0.1, 0.63, 0.25)])
def test_xdog_draws_pale_outlines_solid(width: int, ink: tuple[float, float, float]) -> None:
    assert hollow(width, Sketching(), "xdog", ink) < 0.05


@pytest.mark.parametrize("width", [4, 6, 12])
@pytest.mark.parametrize("size", [400, 1024, NATIVE])
def test_a_size_is_the_largest_at_which_broad_strokes_are_drawn(width: int, size: int) -> None:
    assert hollow(width, Sketching(size=size)) < 0.05


def test_each_picture_of_a_batch_is_drawn_in_its_own_size() -> None:
    drawer = Loader(find_extractors()).load("linework")
    pictures = [drawing(3), drawing(12), drawing(20)]
    together = drawer(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2))
    for rgb, sketch in zip(pictures, together, strict=True):
        alone = drawer.sketch(Picture(rgb)).rgb[..., 0]
        np.testing.assert_allclose(sketch[0].numpy(), alone, atol=1e-4)
