"""Training pairs for the default model: a sketch, a hint, and the truth, made anew each time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli import hints
from sketchcolor_cli.training import lines, pages, strokes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Drawing:
    """A coloured picture, (H, W, 3) uint8 RGB, and if there is one its line drawing, (H, W) uint8."""

    key: str
    color: NDArray[np.uint8]
    line: NDArray[np.uint8] | None = None
    source: str = ""


@dataclass(frozen=True)
class PairRecipe:
    """How pairs are made.

    Shares are probabilities in [0, 1].
    """

    hint_kinds: Mapping[str, float] = field(
        default_factory=lambda: {
            "none": 0.25,
            "points": 0.27,
            "strokes": 0.18,
            "painting": 0.14,
            "blurred": 0.08,
            "patches": 0.08,
        }
    )
    """Relative frequency of each kind of hint in ``strokes.KINDS``."""
    page_share: float = 0.25
    """Share of pairs that are laid out as several panels."""
    bubble_share: float = 0.25
    """Share of pairs with speech bubbles."""
    recolor_share: float = 0.6
    """Share of hinted pairs whose colours are turned round the hue circle, so that hints are obeyed."""
    augment: bool = True
    """Random crop, mirror, colours and scan; off for validation, which takes the centre as it is."""


@dataclass(frozen=True)
class Pair:
    """Arrays in [0, 1], float32: sketch (S, S), hint (S, S, 4), spread (S/4, S/4, 4), truth (S, S, 3)."""

    sketch: NDArray[np.float32]
    hint: NDArray[np.float32]
    spread: NDArray[np.float32]
    truth: NDArray[np.float32]


def make_pair(
    rng: Generator, drawings: Sequence[Drawing], index: int, size: int, recipe: PairRecipe, *, stride: int = 4
) -> Pair:
    """Make one pair of ``size``×``size`` pixels from drawing ``index``; other panels come from any.

    ``size`` is divisible by ``stride``. All that is random comes from ``rng``.
    """
    kinds, shares = list(recipe.hint_kinds), np.array(list(recipe.hint_kinds.values()))
    kind = kinds[rng.choice(len(kinds), p=shares / shares.sum())]
    truth, sketch = np.ones((size, size, 3), np.float32), np.ones((size, size), np.float32)
    panels = pages.lay_out(rng, size, recipe.page_share)
    for number, panel in enumerate(panels):
        drawing = drawings[index if number == 0 else int(rng.integers(len(drawings)))]
        color, line = _cropped(rng, drawing, panel.shape, augment=recipe.augment)
        if recipe.augment:
            color = _recolored(rng, color, boldly=kind != "none" and rng.random() < recipe.recolor_share)
        truth[panel.window] = color
        sketch[panel.window] = lines.draw(rng, color, line)
    if len(panels) > 1 and rng.random() < 0.8:
        pages.frame(panels, int(rng.integers(1, 3)), truth, sketch)
    if rng.random() < recipe.bubble_share:
        for _ in range(int(rng.integers(1, 4))):
            pages.add_bubble(rng, truth, sketch)
    hint = strokes.simulate(rng, truth, sketch, kind)
    if recipe.augment:
        sketch = lines.scan(rng, sketch)
    return Pair(sketch, hint, hints.spread(sketch, hint, stride), truth)


def _cropped(
    rng: Generator, drawing: Drawing, shape: tuple[int, int], *, augment: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Cut a part of the panel's proportions out of the drawing and bring it to the panel's size."""
    height, width = drawing.color.shape[:2]
    aspect = shape[1] / shape[0] * (np.exp(rng.uniform(-0.2, 0.2)) if augment else 1)
    cut_height = min(height, width / aspect)
    if augment:
        cut_height *= np.sqrt(rng.uniform(0.25, 1))
    cut_height, cut_width = max(1, int(cut_height)), max(1, min(width, int(cut_height * aspect)))
    free_y, free_x = height - cut_height, width - cut_width
    top = int(rng.integers(free_y + 1)) if augment else free_y // 2
    left = int(rng.integers(free_x + 1)) if augment else free_x // 2
    mirrored = augment and rng.random() < 0.5

    def cut(array: NDArray[np.uint8]) -> NDArray[np.float32]:
        part = array[top : top + cut_height, left : left + cut_width]
        part = cv2.resize(part, shape[::-1], interpolation=cv2.INTER_AREA)
        part = part[:, ::-1] if mirrored else part
        return np.ascontiguousarray(part, np.float32) / np.float32(255)

    return cut(drawing.color), None if drawing.line is None else cut(drawing.line)


def _recolored(rng: Generator, color: NDArray[np.float32], *, boldly: bool) -> NDArray[np.float32]:
    """Turn and scale a*b*, and bend L*: a little always, by any angle when ``boldly``."""
    lab = cv2.cvtColor(color, cv2.COLOR_RGB2LAB)
    angle = rng.uniform(0, 2 * np.pi) if boldly else rng.normal(0, 0.05)
    turn = rng.uniform(0.7, 1.25) * np.array(
        ((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))), np.float32
    )
    lab[..., 1:] = lab[..., 1:] @ turn.astype(np.float32)
    gamma = np.exp(rng.normal(0, 0.25 if boldly else 0.08))
    lab[..., 0] = 100 * (lab[..., 0] / 100) ** np.float32(gamma)
    turned: NDArray[np.float32] = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)
    return turned
