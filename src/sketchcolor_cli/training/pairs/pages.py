"""Comic pages put together from single pictures: panels, gutters and speech bubbles.

No openly licensed set of coloured comics is large enough, so training lays several pictures out as panels
and puts bubbles over them, in the sketch and in the truth alike; the network learns that gutters, bubbles and
text are paper and ink.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Panel:
    """A rectangle of the page in pixels: rows ``top`` to ``bottom``, columns ``left`` to ``right``."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    @property
    def window(self) -> tuple[slice, slice]:
        """The slices of an array of the page that this panel is."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def lay_out(rng: Generator, size: int, share: float) -> list[Panel]:
    """Return the panels of a square page of ``size`` pixels, 64 at least.

    With probability ``share`` there are two to four, else one that fills the page.
    """
    whole = Panel(0, 0, size, size)
    if rng.random() >= share:
        return [whole]
    margin, gutter = int(size * rng.uniform(0, 0.06)), max(2, int(size * rng.uniform(0.01, 0.05)))
    page = Panel(margin, margin, size - margin, size - margin)
    panels = []
    for part in _cut(rng, page, gutter, across=rng.random() < 0.6):
        again = rng.random() < 0.5
        panels += _cut(rng, part, gutter, across=part.shape[0] > part.shape[1]) if again else [part]
    return panels


def _cut(rng: Generator, panel: Panel, gutter: int, *, across: bool) -> list[Panel]:
    share = rng.uniform(0.35, 0.65)
    if across:
        at = panel.top + int(panel.shape[0] * share)
        return [
            Panel(panel.top, panel.left, at - gutter // 2, panel.right),
            Panel(at + gutter - gutter // 2, panel.left, panel.bottom, panel.right),
        ]
    at = panel.left + int(panel.shape[1] * share)
    return [
        Panel(panel.top, panel.left, panel.bottom, at - gutter // 2),
        Panel(panel.top, at + gutter - gutter // 2, panel.bottom, panel.right),
    ]


def frame(panels: list[Panel], width: int, *planes: NDArray[np.float32]) -> None:
    """Draw the black border of each panel, ``width`` pixels, into every plane."""
    for panel in panels:
        for plane in planes:
            black = (0.0,) * (plane.shape[2] if plane.ndim == 3 else 1)
            cv2.rectangle(plane, (panel.left, panel.top), (panel.right - 1, panel.bottom - 1), black, width)


def add_frames_and_bubbles(
    rng: Generator, panels: list[Panel], bubble_share: float, *planes: NDArray[np.float32]
) -> None:
    """Draw the borders of several panels, as a rule, and with probability ``bubble_share`` bubbles."""
    if len(panels) > 1 and rng.random() < 0.8:
        frame(panels, int(rng.integers(1, 3)), *planes)
    if rng.random() < bubble_share:
        for _ in range(int(rng.integers(1, 4))):
            add_bubble(rng, *planes)


def add_bubble(rng: Generator, *planes: NDArray[np.float32]) -> None:
    """Draw one speech bubble with something like lettering, the same into every plane."""
    size = planes[0].shape[0]
    half = (rng.uniform(0.07, 0.2, 2) * size).astype(int)
    center = rng.integers(0, size, 2)
    rounded = rng.random() < 0.75
    line = int(rng.integers(1, 3))
    tip = center + (rng.uniform(-1.8, 1.8, 2) * half).astype(int)
    tail = np.array([center + half // 4 * (1, -1), tip, center + half // 4 * (-1, 1)], np.int32)
    marks = _lettering(rng, center, half)
    for plane in planes:
        channels = plane.shape[2] if plane.ndim == 3 else 1
        white, black = (1.0,) * channels, (0.0,) * channels
        box = (center - half).tolist(), (center + half).tolist()
        for color, width in ((black, line), (white, -1)):
            if rounded:
                if width > 0:
                    cv2.polylines(plane, [tail], True, color, 2 * width, cv2.LINE_AA)
                else:
                    cv2.fillPoly(plane, [tail], color, cv2.LINE_AA)
                grown = half + max(0, width)
                cv2.ellipse(plane, center.tolist(), grown.tolist(), 0, 0, 360, color, -1, cv2.LINE_AA)
            elif width > 0:
                cv2.rectangle(plane, *box, color, 2 * width)
            else:
                cv2.rectangle(plane, *box, color, -1)
        for start, end in marks:
            cv2.line(plane, start, end, black, 1, cv2.LINE_AA)


def _lettering(
    rng: Generator, center: NDArray[np.int_], half: NDArray[np.int_]
) -> list[tuple[list[int], list[int]]]:
    """Return short strokes in rows of letter cells inside the bubble."""
    cell = int(rng.integers(4, 10))
    reach = (half * 0.6).astype(int)
    marks = []
    for y in range(-reach[1], reach[1] - cell, int(cell * 1.4) + 1):
        for x in range(-reach[0], reach[0] - cell, cell + 1):
            if rng.random() < 0.85:
                ends = rng.integers(0, cell, (int(rng.integers(2, 5)), 2)) + center + (x, y)
                marks += [(a.tolist(), b.tolist()) for a, b in pairwise(ends)]
    return marks
