"""Pages in uneven light: what is found on them is what is found in even light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.page.drawn import is_drawn_on
from sketchcolor_cli.coloring.page.light import evened
from sketchcolor_cli.coloring.page.paper_mask import find_paper
from sketchcolor_cli.coloring.settings import Protect

HEIGHT, WIDTH = 1000, 700
Y, X = np.mgrid[0 : 1 : HEIGHT * 1j, 0 : 1 : WIDTH * 1j]
LIGHTS = {
    "vignette": 1 - 0.45 * ((X - 0.5) ** 2 + (Y - 0.5) ** 2),
    "lamp": 0.8 - 0.3 * X,
    "phone": 0.75 * (1 - 0.35 * ((X - 0.2) ** 2 + (Y - 0.9) ** 2)),
    "fold": 0.95 - 0.5 * np.exp(-((X / 0.07) ** 2)),
    "dim": np.full((HEIGHT, WIDTH), 0.6),
    "spread": 0.9 - 0.4 * np.exp(-(((X - 0.5) / 0.08) ** 2)),
}


def panels() -> np.ndarray:
    """Three panels, one of them toned, a balloon and some figures, in [0, 1]."""
    gray = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for left, top, right, bottom in ((40, 40, 660, 340), (40, 370, 330, 960), (360, 370, 660, 960)):
        cv2.rectangle(gray, (left, top), (right, bottom), 0, 4)
        cv2.ellipse(gray, ((left + right) // 2, bottom - 90), (50, 60), 0, 0, 360, 0, 4)
    gray[700:956, 364:656] = 150
    cv2.ellipse(gray, (200, 140), (110, 55), 0, 0, 360, 0, 3)
    for number, line in enumerate(("Did you see", "that light?")):
        cv2.putText(gray, line, (130, 135 + 22 * number), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 0, 2, cv2.LINE_AA)
    return gray / 255


def written() -> np.ndarray:
    gray = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for number in range(14):
        place = (60, 100 + 55 * number)
        cv2.putText(gray, "It was a long road.", place, cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2, cv2.LINE_AA)
    return gray / 255


def lit(gray: np.ndarray, light: str) -> np.ndarray:
    """A page as a camera takes it, with a little noise."""
    noise = np.random.default_rng(0).normal(0, 0.012, gray.shape)
    return (LIGHTS[light] * gray + noise).clip(0, 1).astype(np.float32)


@pytest.mark.parametrize("light", LIGHTS)
def test_paper_is_white_again_and_tones_stay(light: str) -> None:
    page = panels()
    even = evened(lit(page, light))
    assert np.percentile(even[page == 1], 1) > 0.93
    assert even[720:940, 380:640].mean() == pytest.approx(150 / 255, abs=0.06)
    assert even[page == 0].mean() < 0.05


@pytest.mark.parametrize("light", LIGHTS)
def test_gutters_and_balloons_are_found(light: str) -> None:
    due = find_paper(panels().astype(np.float32), Protect.ALL)
    masks = find_paper(evened(lit(panels(), light)), Protect.ALL)
    assert due is not None
    assert masks is not None
    for kind in ("gutters", "bubbles"):
        found, sought = getattr(masks, kind), getattr(due, kind)
        assert (found & sought).sum() > 0.97 * sought.sum() > 0
        assert (found & ~sought).mean() < 0.002


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("page", [written(), np.ones((HEIGHT, WIDTH))], ids=["text", "blank"])
def test_blank_pages_and_text_stay(light: str, page: np.ndarray) -> None:
    assert not is_drawn_on(lit(page, light))


def grounds() -> dict[str, np.ndarray]:
    """Pages that are toned, not lit unevenly."""
    flat = np.full((HEIGHT, WIDTH), 0.75)
    flat[:400] = 0.9
    toned = panels()
    toned[:500] *= 0.7
    sky = panels() * 0.6  # without the noise of a camera: it was filled
    washed = np.clip(0.6 + 0.3 * Y, 0, 1)
    cv2.circle(washed, (350, 500), 150, 1.0, -1)  # white on a wash
    return {"even": panels(), "two greys": flat, "toned": toned, "sky": sky, "white on a wash": washed}


@pytest.mark.parametrize("name", grounds())
def test_other_pages_are_left_as_they_are(name: str) -> None:
    page = grounds()[name].astype(np.float32)
    assert evened(page) is page


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (12, 12), (40, 3000)])
@pytest.mark.parametrize("tone", [0.0, 0.5, 1.0])
def test_empty_pages_of_any_size(shape: tuple[int, int], tone: float) -> None:
    page = np.full(shape, tone, np.float32)
    assert evened(page) is page
