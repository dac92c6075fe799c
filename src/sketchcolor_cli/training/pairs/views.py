"""Another view of a drawing: cut out, turned, waved, its parts moved; with where each pixel was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.imaging.resize import shrink_by

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from sketchcolor_cli.training.pairs.pairs import Drawing

    Map = NDArray[np.float32]

OUTSIDE = -1e3
"""The place of a pixel that shows nothing of the drawing."""


@dataclass(frozen=True)
class ViewRecipe:
    """How far a view may be from the drawing; lengths are parts of the drawing's longer side."""

    parts: int = 4
    """Most parts that are moved by themselves."""
    turn: float = 0.15
    """Standard deviation of the turn of the whole, in radians."""
    wave: float = 0.02
    """The same of waves."""
    mirrored: float = 0.5
    """Share of views that are mirrored."""
    cropped: float = 0.0
    """Share of views that show a part only."""


@dataclass(frozen=True, eq=False)
class View:
    """A square view: colours (S, S, 3) and lines (S, S) or None, in [0, 1].

    ``place`` (S, S, 2) says where each pixel was in the drawing, in parts of its longer side.
    """

    color: NDArray[np.float32]
    line: NDArray[np.float32] | None
    place: NDArray[np.float32]


def draw_map(rng: Generator, drawing: Drawing, size: int, recipe: ViewRecipe) -> Map:
    """Return where in the drawing each pixel of a view comes from, (S, S, 2), x and y."""
    height, width = drawing.color.shape[:2]
    side = max(height, width)
    if rng.random() < recipe.cropped:
        scale, middle = _crop(rng, drawing)
    else:
        scale = float(np.exp(-rng.uniform(-0.35, 0.25)))
        middle = np.array([width / 2, height / 2]) + rng.normal(0, 0.06 * side, 2)
    turn = rng.normal(0, recipe.turn)
    matrix = scale * side * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    if rng.random() < recipe.mirrored:
        matrix[:, 0] *= -1
    stretch = np.exp(rng.normal(0, 0.08))
    matrix = (matrix * [stretch, 1 / stretch]).astype(np.float32)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    straight = (np.stack([x, y], -1) / size - 0.5) @ matrix.T + middle.astype(np.float32)
    found = straight
    for _ in range(int(rng.integers(recipe.parts + 1))):
        found = found + _move_part(rng, straight, (height, width))
    if recipe.wave:
        waves = rng.normal(0, recipe.wave * side, (4, 4, 2)).astype(np.float32)
        found = found + cv2.resize(waves, (size, size), interpolation=cv2.INTER_CUBIC)
    out: Map = found.astype(np.float32)
    return out


def _move_part(rng: Generator, at: Map, shape: tuple[int, int]) -> Map:
    """Return by how much pixels move when a soft-edged elliptic part is turned, scaled and moved."""
    height, width = shape
    centre = np.array([rng.uniform(0.1, 0.9) * width, rng.uniform(0.05, 0.95) * height])
    radius = float(np.exp(rng.uniform(np.log(0.08), np.log(0.3)))) * max(shape)
    long, angle = float(np.exp(rng.normal(0, 0.4))), rng.uniform(0, np.pi)
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    off = at - centre.astype(np.float32)
    far = ((off @ (axes * [long, 1 / long]).astype(np.float32)) ** 2).sum(-1) / radius**2
    turn, scale = rng.normal(0, 0.45), np.exp(rng.normal(0, 0.12))
    change = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) - np.eye(2)
    moved = off @ change.T.astype(np.float32) + (rng.normal(0, 0.3, 2) * radius).astype(np.float32)
    part: Map = moved / (1 + far**3)[..., None]
    return part


def _crop(rng: Generator, drawing: Drawing) -> tuple[float, NDArray[np.float64]]:
    """Return the size of a part, of the longer side, and its middle; if possible with something in it."""
    height, width = drawing.color.shape[:2]
    scale = float(np.sqrt(rng.uniform(0.12, 0.8)))
    reach = scale * max(height, width) / 4
    for _ in range(6):
        middle = np.array([rng.uniform(0.2, 0.8) * width, rng.uniform(0.12, 0.8) * height])
        top, left = np.maximum(0, middle[::-1] - reach).astype(int)
        bottom, right = (middle[::-1] + reach).astype(int) + 1
        if drawing.color[top:bottom, left:right].reshape(-1, 3).std(0).max() > 25:
            break
    return scale, middle


def see(drawing: Drawing, at: Map) -> View:
    """Return the view whose pixels come from these places of a drawing; outside of it is paper."""
    height, width = drawing.color.shape[:2]
    step = float(np.hypot(*(at[-1, 0] - at[0, 0]))) / len(at)  # pixels of the drawing to one of the view
    factor = 1 / max(1.0, step)
    place = at / np.float32(max(height, width))
    place[(at < 0).any(-1) | (at[..., 0] >= width) | (at[..., 1] >= height)] = OUTSIDE
    color = _remapped(drawing.color, at, factor)
    line = None if drawing.line is None else _remapped(drawing.line, at, factor)
    return View(color, line, place)


def _remapped(picture: NDArray[np.uint8], at: Map, factor: float) -> NDArray[np.float32]:
    small = shrink_by(picture, factor)
    x, y = (at[..., axis] * (small.shape[1 - axis] / picture.shape[1 - axis]) - 0.5 for axis in (0, 1))
    paper = (255, 255, 255)
    seen = cv2.remap(np.ascontiguousarray(small), x, y, cv2.INTER_LINEAR, borderValue=paper)
    unit: NDArray[np.float32] = seen.astype(np.float32) / np.float32(255)
    return unit
