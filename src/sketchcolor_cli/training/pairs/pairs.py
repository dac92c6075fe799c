"""Training pairs for the default model: a sketch, a hint, and the truth, different each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.imaging.sizes import scaled
from sketchcolor_cli.networks import hints, sheets
from sketchcolor_cli.training.pairs import lines, pages, strokes
from sketchcolor_cli.training.pairs.bending import bend

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.random import Generator
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Drawing:
    """A coloured picture, (H, W, 3) uint8 RGB, and if there is one its line drawing, (H, W) uint8."""

    key: str
    color: NDArray[np.uint8]
    line: NDArray[np.uint8] | None = None
    source: str = ""
    group: str = ""
    """Pictures of one group show the same characters or places in the same colours; empty: of none."""


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
            "areas": 0.0,
        }
    )
    """Relative frequency of each kind of hint in ``strokes.KINDS``."""
    page_share: float = 0.25
    """Share of pairs that are laid out as several panels."""
    bubble_share: float = 0.25
    """Share of pairs with speech bubbles."""
    recolor_share: float = 0.6
    """Share of pairs with hint or sheet whose colours are turned round the hue circle, to have it obeyed."""
    sheet_share: float = 0.4
    """Share of pairs that come with a character sheet."""
    kin_share: float = 0.6
    """Share of sheets that show other pictures of the same group, where there are any, not the picture."""
    vary_colors: bool = True
    """Whether colours are changed a little always; off where they shall be learnt as they are."""
    augment: bool = True
    """Random crop, mirror, colours and scan; off for validation, which takes the centre as it is."""


@dataclass(frozen=True)
class Pair:
    """Arrays in [0, 1], float32: sketch (S, S), hint (S, S, 4), spread (S/4, S/4, 4), truth (S, S, 3).

    ``sheet`` (R, R, 4), RGB and mask, is a character sheet; 0 where there is none, None where there never is.
    """

    sketch: NDArray[np.float32]
    hint: NDArray[np.float32]
    spread: NDArray[np.float32]
    truth: NDArray[np.float32]
    sheet: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Inputs:
    """What the network is given beside the sketch.

    Attributes:
        stride: Pixels of the sketch to a cell of the spread hint.
        sheet_size: Pixels of a sheet's side.
    """

    stride: int = 4
    sheet_size: int = 128


_VIEW = 192  # pixels of the longer side of what a sheet shows, before it is laid out

Kin = Mapping[str, Sequence[int]]
"""The places of the pictures of each group among the drawings."""


def find_kin(groups: Iterable[str]) -> Kin:
    """Return which drawings belong to which group, from the group of each; single ones are left out."""
    found: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        found.setdefault(group, []).append(index)
    return {group: indices for group, indices in found.items() if group and len(indices) > 1}


def make_pair(
    rng: Generator,
    drawings: Sequence[Drawing],
    index: int,
    size: int,
    recipe: PairRecipe,
    inputs: Inputs = Inputs(),
    kin: Kin | None = None,
) -> Pair:
    """Make one pair of ``size``×``size`` pixels from drawing ``index``; other panels come from any.

    With a sheet, other panels come from the same group where it has others. ``size`` is divisible by
    the inputs' stride. All that is random comes from ``rng``.
    """
    kind = _draw_kind(rng, recipe)
    truth, sketch = np.ones((size, size, 3), np.float32), np.ones((size, size), np.float32)
    panels = pages.lay_out(rng, size, recipe.page_share)
    with_sheet = rng.random() < recipe.sheet_share
    relatives = (kin or {}).get(drawings[index].group, ()) if with_sheet else ()
    boldly = (with_sheet or kind != "none") and rng.random() < recipe.recolor_share
    varied = recipe.augment and (recipe.vary_colors or boldly)
    together = draw_recoloring(rng, boldly=boldly) if varied else None
    others = relatives or range(len(drawings))
    shown = []
    for number, panel in enumerate(panels):
        place = index if number == 0 else others[int(rng.integers(len(others)))]
        color, line = _cropped(rng, drawings[place], panel.shape, augment=recipe.augment)
        if together is not None:
            shared = with_sheet or number == 0
            color = recolored(color, together if shared else draw_recoloring(rng, boldly=boldly))
        if with_sheet:
            shown.append(_other_view(rng, drawings, place, relatives, recipe, together))
        truth[panel.window] = color
        sketch[panel.window] = lines.draw(rng, color, line)
    pages.add_frames_and_bubbles(rng, panels, recipe.bubble_share, truth, sketch)
    hint = strokes.simulate(rng, truth, sketch, kind)
    if recipe.augment:
        sketch = lines.scan(rng, sketch)
    spread, sheet = hints.spread(sketch, hint, inputs.stride), sheets.lay_out(shown, inputs.sheet_size)
    return Pair(sketch, hint, spread, truth, sheet)


def _draw_kind(rng: Generator, recipe: PairRecipe) -> str:
    """Return a kind of hint, each as often as the recipe says."""
    kinds, shares = list(recipe.hint_kinds), np.array(list(recipe.hint_kinds.values()))
    return kinds[rng.choice(len(kinds), p=shares / shares.sum())]


def _other_view(
    rng: Generator,
    drawings: Sequence[Drawing],
    place: int,
    relatives: Sequence[int],
    recipe: PairRecipe,
    recoloring: Recoloring | None,
) -> NDArray[np.float32]:
    """Return another drawing of the same group, or drawing ``place`` bent: (H, W, 4), recoloured."""
    others = [other for other in relatives if other != place]
    of_kin = bool(others) and rng.random() < recipe.kin_share
    shown = drawings[others[int(rng.integers(len(others)))] if of_kin else place]
    view, _ = _cropped(rng, shown, scaled(shown.color.shape[0], shown.color.shape[1], _VIEW), augment=False)
    if not of_kin:
        view = bend(rng, view)
    view = view if recoloring is None else recolored(view, recoloring)
    return np.dstack([view, np.ones_like(view[..., :1])])


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


@dataclass(frozen=True)
class Recoloring:
    """How colours are changed: a*b* turned and scaled by a matrix, L* bent by an exponent."""

    turn: NDArray[np.float32]
    gamma: float


def draw_recoloring(rng: Generator, *, boldly: bool) -> Recoloring:
    """Turn and scale a*b*, and bend L*: a little always, by any angle when ``boldly``."""
    angle = rng.uniform(0, 2 * np.pi) if boldly else rng.normal(0, 0.05)
    turn = rng.uniform(0.7, 1.25) * np.array(
        ((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))), np.float32
    )
    return Recoloring(turn.astype(np.float32), float(np.exp(rng.normal(0, 0.25 if boldly else 0.08))))


def recolored(color: NDArray[np.float32], how: Recoloring) -> NDArray[np.float32]:
    """Return a picture (H, W, 3) in [0, 1] with its colours changed."""
    lab = cv2.cvtColor(color, cv2.COLOR_RGB2LAB)
    lab[..., 1:] = lab[..., 1:] @ how.turn
    lab[..., 0] = 100 * (lab[..., 0] / 100) ** np.float32(how.gamma)
    turned: NDArray[np.float32] = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)
    return turned
