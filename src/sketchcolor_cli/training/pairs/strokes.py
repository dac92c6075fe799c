"""Simulated hints: what a user may give, from nothing to a rough painting, made from the true picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator
    from numpy.typing import NDArray

    Rgb = NDArray[np.float32]
    Hint = NDArray[np.float32]

KINDS = ("none", "points", "strokes", "painting", "blurred", "patches", "areas")
"""The kinds of hint. ``blurred`` is the reference of Cortés Méndez 2022, a small copy with HueDropout;
``areas`` is what a matcher says of a sheet: whole areas, some of them in the colour of another."""

_LEAST_AREA = 12  # pixels; smaller areas get no colour
_WRONG = 0.3  # of areas that have the colour of another, at most


def simulate(rng: Generator, truth: Rgb, sketch: NDArray[np.float32], kind: str) -> Hint:
    """Return a hint (H, W, 4), RGB and mask in [0, 1], RGB zero where the mask is, of ``truth`` (H, W, 3).

    ``sketch`` (H, W) says where ink is: nobody puts a point or starts a stroke there.
    """
    if kind == "none":
        return _empty(truth)
    if kind in ("points", "strokes"):
        return (_points if kind == "points" else _strokes)(rng, truth, sketch)
    if kind == "areas":
        return _areas(rng, truth, sketch)
    return {"painting": _painting, "blurred": _blurred, "patches": _patches}[kind](rng, truth)


def _empty(truth: Rgb) -> Hint:
    return np.zeros((*truth.shape[:2], 4), np.float32)


def _starts(rng: Generator, sketch: NDArray[np.float32], number: int) -> Iterator[tuple[int, int]]:
    """Yield ``number`` places (y, x) that are off the ink where that can be had."""
    height, width = sketch.shape
    for _ in range(number):
        tries = rng.integers((0, 0), (height, width), (4, 2))
        yield max(((int(y), int(x)) for y, x in tries), key=lambda place: bool(sketch[place] > 0.5))


def _points(rng: Generator, truth: Rgb, sketch: NDArray[np.float32]) -> Hint:
    """Put one to forty round dots, each of the mean colour around it."""
    hint = _empty(truth)
    local = cv2.blur(truth, (5, 5))
    for y, x in _starts(rng, sketch, int(np.exp(rng.uniform(0, np.log(40))))):
        cv2.circle(hint, (x, y), int(rng.integers(1, 4)), (*local[y, x].tolist(), 1.0), -1)
    return hint


def _strokes(rng: Generator, truth: Rgb, sketch: NDArray[np.float32]) -> Hint:
    """Draw a few brush strokes, each in one colour, that stay where the picture has about that colour."""
    hint = _empty(truth)
    local = cv2.blur(truth, (5, 5))
    height, width = truth.shape[:2]
    for row, column in _starts(rng, sketch, int(np.exp(rng.uniform(0, np.log(20))))):
        place, color = np.array((column, row), float), local[row, column]
        direction, brush = rng.uniform(0, 2 * np.pi), int(rng.integers(2, 7))
        for _ in range(int(rng.integers(3, 16))):
            direction += rng.normal(0, 0.5)
            ahead = place + 5 * np.array((np.cos(direction), np.sin(direction)))
            x, y = int(ahead[0]), int(ahead[1])
            if not (0 <= x < width and 0 <= y < height) or np.abs(local[y, x] - color).max() > 0.15:
                break
            start = (int(place[0]), int(place[1]))
            cv2.line(hint, start, (x, y), (*color.tolist(), 1.0), brush)
            place = ahead
    return hint


def _painting(rng: Generator, truth: Rgb) -> Hint:
    """Paint roughly over everything: coarse, displaced by some per cent, parts left out."""
    height, width = truth.shape[:2]
    coarse = _coarse(rng, truth, int(np.exp(rng.uniform(np.log(8), np.log(40)))))
    if rng.random() < 0.6:
        shift = rng.normal(0, 0.015, (2, 3)).astype(np.float32)
        move = np.eye(2, 3, dtype=np.float32) + shift * np.array([1, 1, max(height, width)], np.float32)
        coarse = cv2.warpAffine(coarse, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return _masked(coarse, _blobs(rng, (height, width), rng.uniform(0.4, 1.1)))


def _blurred(rng: Generator, truth: Rgb) -> Hint:
    """Blur by going through 96×96 at most and drop single pixels of it with p ~ U(0, 0.5)."""
    cells = int(rng.integers(24, 97))
    kept = (rng.random((cells, cells)) >= rng.uniform(0, 0.5)).astype(np.float32)
    mask = cv2.resize(kept, truth.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return _masked(_coarse(rng, truth, cells), mask)


def _patches(rng: Generator, truth: Rgb) -> Hint:
    """Leave the true picture, blurred, in a few blobs only."""
    coarse = _coarse(rng, truth, int(rng.integers(12, 64)))
    return _masked(coarse, _blobs(rng, truth.shape[:2], rng.uniform(0.05, 0.5)))


def _areas(rng: Generator, truth: Rgb, sketch: NDArray[np.float32]) -> Hint:
    """Fill areas between lines with their mean colours: some not at all, some with that of another area."""
    count, labels = cv2.connectedComponents((sketch > 0.6).view(np.uint8), connectivity=4)
    flat = labels.ravel()
    size = np.bincount(flat, minlength=count)
    sums = [np.bincount(flat, plane.ravel(), count) for plane in truth.transpose(2, 0, 1)]
    colors = (np.stack(sums, 1) / np.maximum(size, 1)[:, None]).astype(np.float32)
    able = size >= _LEAST_AREA
    able[0] = False  # ink
    shown = able & (rng.random(count) < rng.uniform(0.4, 1))
    wrong = np.flatnonzero(shown & (rng.random(count) < rng.uniform(0, _WRONG)))
    colors[wrong] = colors[rng.choice(np.flatnonzero(able), len(wrong))]
    return _masked(colors[labels], shown[labels].astype(np.float32))


def _coarse(rng: Generator, truth: Rgb, cells: int) -> Rgb:
    small = cv2.resize(truth, (cells, cells), interpolation=cv2.INTER_AREA)
    way = cv2.INTER_NEAREST if rng.random() < 0.25 else cv2.INTER_LINEAR
    return cv2.resize(small, truth.shape[1::-1], interpolation=way)  # type: ignore[no-any-return]


def _blobs(rng: Generator, shape: tuple[int, ...], share: float) -> NDArray[np.float32]:
    """Return a mask of smooth blobs that covers about ``share`` of the picture."""
    cells = int(rng.integers(4, 14))
    small = rng.random((cells, cells)).astype(np.float32)
    noise = cv2.resize(small, shape[1::-1], interpolation=cv2.INTER_CUBIC)
    covered: NDArray[np.float32] = (noise <= np.quantile(noise, min(share, 1))).astype(np.float32)
    return covered


def _masked(color: Rgb, mask: NDArray[np.float32]) -> Hint:
    return np.dstack([color * mask[..., None], mask]).astype(np.float32)
