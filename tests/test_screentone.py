"""Screentone smoothed, and everything else left alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.page.screentone import descreened


def toned(pitch: int, radius: float, *, negative: bool = False) -> np.ndarray:
    """A page, (900, 600), with a disc of dots, a line through it and white around."""
    y, x = np.mgrid[:1100, :600].astype(np.float32)
    u, v = (x + y) / np.sqrt(2), (x - y) / np.sqrt(2)
    off = np.hypot(u % pitch - pitch / 2, v % pitch - pitch / 2)
    dots = np.clip(off - radius + 0.5, 0, 1)
    gray = np.where(np.hypot(x - 300, y - 450) < 200, 1 - dots if negative else dots, 1).astype(np.float32)
    cv2.line(gray, (50, 450), (550, 450), 0, 3)
    return gray


@pytest.mark.parametrize(("pitch", "radius"), [(6, 2.0), (7, 1.6), (8, 2.4)])
@pytest.mark.parametrize("negative", [False, True])
def test_dots_become_their_mean_and_lines_stay(pitch: int, radius: float, negative: bool) -> None:
    gray = toned(pitch, radius, negative=negative)
    even = descreened(gray)
    assert even is not None
    inside = np.s_[350:430, 250:350]
    assert even[inside].std() < 0.3 * gray[inside].std()
    assert even[inside].mean() == pytest.approx(gray[inside].mean(), abs=0.03)
    assert (even[450, 60:90] == 0).all()
    assert np.array_equal(even[:200], gray[:200])
    if not negative:  # a line through dark tone is of one piece with what is between its gaps
        assert np.array_equal(even[449:452, 150:450], gray[449:452, 150:450])


def test_a_page_without_dots_has_none() -> None:
    gray = np.ones((900, 600), np.float32)
    for at in range(100, 800, 40):
        cv2.line(gray, (50, at), (550, at + 30), 0, 3)
    paper = np.full((900, 600), 255, np.uint8)
    cv2.putText(paper, "What is that over there?", (60, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 0, 2)
    assert descreened(np.minimum(gray, paper / np.float32(255))) is None


def test_hatching_is_no_screentone() -> None:
    gray = np.ones((900, 600), np.float32)
    for at in range(0, 400, 6):
        cv2.line(gray, (100 + at, 100), (60 + at, 180), 0, 1)
    assert descreened(gray) is None


def test_what_is_spared_stays() -> None:
    gray = toned(6, 2)
    spared = np.zeros((110, 60), np.bool_)
    spared[30:45] = True
    even = descreened(gray, spared)
    assert even is not None
    assert np.array_equal(even[310:440], gray[310:440])
    assert not np.array_equal(even[460:600], gray[460:600])


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (80, 90)])
def test_small_pages(size: tuple[int, int]) -> None:
    gray = np.random.default_rng(0).random(size).astype(np.float32)
    even = descreened(gray)
    assert even is None or even.shape == size
