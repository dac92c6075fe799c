"""Which pages have a drawing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.page.drawn import is_drawn_on

SHAPE = (1400, 1000)


def blank(tone: int = 255) -> np.ndarray:
    return np.full(SHAPE, tone, np.uint8)


def written(gray: np.ndarray, *lines: str, size: float = 1, top: int = 100, ink: int = 0) -> np.ndarray:
    for number, line in enumerate(lines):
        place = (80, top + round(50 * size * number))
        cv2.putText(gray, line, place, cv2.FONT_HERSHEY_SIMPLEX, size, ink, 2, cv2.LINE_AA)
    return gray


def is_drawing(gray: np.ndarray) -> bool:
    return is_drawn_on(gray.astype(np.float32) / 255)


def grain() -> np.ndarray:
    """Paper as a scanner sees it, with specks of dust."""
    rng = np.random.default_rng(0)
    gray = np.clip(238 + rng.normal(0, 3, SHAPE), 0, 255).astype(np.uint8)
    for y, x in rng.integers(0, 1000, (30, 2)):
        gray[y : y + 2, x : x + 2] = 90
    return gray


def vertical() -> np.ndarray:
    """Letters below each other, in columns from the right."""
    gray = blank()
    for column, x in enumerate(range(850, 200, -90)):
        for row, y in enumerate(range(150, 1200, 55)):
            letter = chr(ord("A") + (7 * column + 3 * row) % 26)
            cv2.putText(gray, letter, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1.3, 0, 3, cv2.LINE_AA)
    return gray


def framed() -> np.ndarray:
    gray = written(blank(), "A Long Road", size=3, top=600)
    cv2.rectangle(gray, (30, 30), (970, 1370), 0, 4)
    cv2.line(gray, (80, 700), (900, 700), 0, 3)
    return gray


WITHOUT = {
    "blank": blank(),
    "black": blank(0),
    "gray": blank(120),
    "scanned": grain(),
    "number": written(blank(), "7", top=1350),
    "text": written(grain(), *["It was a long road, and they were tired."] * 22),
    "contents": written(blank(), *[f"Chapter {n} ............ {17 * n}" for n in range(1, 20)]),
    "title": framed(),
    "white on black": written(blank(0), "THE END", "of part one", size=2.5, top=600, ink=255),
    "columns": vertical(),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_blank_pages_and_text_have_no_drawing(name: str) -> None:
    assert not is_drawing(WITHOUT[name])


@pytest.mark.parametrize("name", WITHOUT)
def test_a_figure_anywhere_is_a_drawing(name: str) -> None:
    gray = WITHOUT[name].copy()
    ink = 255 if gray.mean() < 60 else 0
    cv2.circle(gray, (700, 1000), 90, ink, 4)
    cv2.line(gray, (700, 1090), (640, 1300), ink, 4)
    assert is_drawing(gray)


def test_loose_strokes_are_a_drawing_though_none_is_long() -> None:
    gray, rng = blank(), np.random.default_rng(0)
    for _ in range(150):
        x, y = rng.integers(100, 900), rng.integers(100, 1300)
        turn, length = rng.uniform(0, np.pi), rng.uniform(20, 70)
        end = (round(x + length * np.cos(turn)), round(y + length * np.sin(turn)))
        cv2.line(gray, (int(x), int(y)), end, 0, 2)
    assert is_drawing(gray)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (40, 3)])
def test_pages_of_any_size(size: tuple[int, int]) -> None:
    assert not is_drawn_on(np.ones(size, np.float32))


def test_a_strip_of_figures_is_a_drawing_however_long() -> None:
    figure = np.full((600, 300), 255, np.uint8)
    cv2.circle(figure, (150, 200), 60, 0, 3)
    cv2.line(figure, (150, 260), (110, 420), 0, 3)
    assert is_drawing(np.tile(figure, (12, 1)))
    assert not is_drawing(np.full((7200, 300), 255, np.uint8))
