"""Training pairs for the matcher: a page without colours, and a sheet that shows the same elsewhere.

Most sheets are another view of the page's own picture, its parts moved; some are the same figure in another
pose, drawn by code; few are another picture of the same story. Some sheets show several pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.networks.sheets import cell_colors, sheet_lines, shrunk
from sketchcolor_cli.training.pairs import lines
from sketchcolor_cli.training.pairs.figures import draw_pair
from sketchcolor_cli.training.pairs.pairs import draw_recoloring, recolored
from sketchcolor_cli.training.pairs.views import OUTSIDE, View, ViewRecipe, draw_map, see

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from sketchcolor_cli.training.pairs.pairs import Drawing, Kin

    Array = NDArray[np.float32]

CELL = 8
"""Side in pixels of the places that are matched."""

_STRIDE = 4  # of the colours that the matcher sees
_ALIKE = ViewRecipe(parts=3, cropped=0.35)
_ELSEWHERE = ViewRecipe(mirrored=0.4, cropped=0.1)
_AS_IT_IS = ViewRecipe(parts=0, turn=0.06, wave=0.01, cropped=0.15)
_WHOLE = ViewRecipe(parts=0, mirrored=0.4)


@dataclass(frozen=True)
class MatchRecipe:
    """How pairs are made; shares are probabilities in [0, 1]."""

    figure_share: float = 0.25
    """Share of pairs that show a figure drawn by code, twice."""
    kin_share: float = 0.12
    """Share of the others whose sheet is another picture of the same group, where there is one."""
    crowded_share: float = 0.28
    """Share of sheets that show two to four pictures."""
    hidden_share: float = 0.5
    """Share of sheets of which the matcher sees the lines alone."""
    redrawn_share: float = 0.4
    """Share of pages on which small places are redrawn, as another expression would be."""
    recolor_share: float = 0.4
    """Share of pairs whose colours are turned round the hue circle."""


@dataclass(frozen=True, eq=False)
class MatchPair:
    """What the matcher sees and what is known of the places; P are those of the page, T of the sheet.

    Attributes:
        page, sheet: Lines, (1, S, S), paper 1 and ink 0.
        colors: (4, S/4, S/4), RGB and mask of the sheet; all 0 where they are hidden.
        page_lab, sheet_lab: The true colours of the places, (P, 3) and (T, 3).
        weight: How much of each place of the page is seen, and in one colour, (P,) in [0, 1].
        page_place, sheet_place: Where the places are in the picture that both show, (P, 2) and (T, 2).
        same: 1 if both show one picture, else 0.
    """

    page: Array
    sheet: Array
    colors: Array
    page_lab: Array
    weight: Array
    page_place: Array
    sheet_lab: Array
    sheet_place: Array
    same: Array


def make_match_pair(
    rng: Generator, drawings: Sequence[Drawing], index: int, size: int, recipe: MatchRecipe, kin: Kin
) -> MatchPair:
    """Make a pair of ``size``×``size`` pixels, divisible by 8, from drawing ``index`` or from a figure."""
    drawing = drawings[index]
    others = [other for other in kin.get(drawing.group, ()) if other != index]
    if rng.random() < recipe.figure_share:
        first, second = draw_pair(rng)
        how, elsewhere = _AS_IT_IS, _WHOLE
    elif others and rng.random() < recipe.kin_share:
        first, second = drawing, drawings[others[int(rng.integers(len(others)))]]
        how, elsewhere = _AS_IT_IS, _WHOLE
    else:
        first = second = drawing
        how, elsewhere = _ALIKE, _ELSEWHERE
    page = see(first, draw_map(rng, first, size, how))
    around = others if others and rng.random() < 0.4 else range(len(drawings))
    crowd = int(rng.integers(2, 5)) if rng.random() < recipe.crowded_share else 1
    more = [drawings[around[int(rng.integers(len(around)))]] for _ in range(crowd - 1)]
    sheet = _laid_out(rng, [second, *more], size, elsewhere)
    return _pair(rng, page, sheet, recipe, same=first is second)


def _laid_out(rng: Generator, shown: Sequence[Drawing], size: int, recipe: ViewRecipe) -> View:
    """Return a sheet with views of drawings, in two rows if they are several; places are the first's."""
    if len(shown) == 1:
        return see(shown[0], draw_map(rng, shown[0], size, recipe))
    color = np.ones((size, size, 3), np.float32)
    place = np.full((size, size, 2), OUTSIDE, np.float32)
    half = size // 2
    for drawing, spot in zip(shown, rng.permutation(4).tolist(), strict=False):
        view = see(drawing, draw_map(rng, drawing, half, recipe))
        part = np.s_[spot // 2 * half : (spot // 2 + 1) * half, spot % 2 * half : (spot % 2 + 1) * half]
        color[part] = view.color
        if drawing is shown[0]:
            place[part] = view.place
    return View(color, None, place)


def _pair(rng: Generator, page: View, sheet: View, recipe: MatchRecipe, *, same: bool) -> MatchPair:
    turn = draw_recoloring(rng, boldly=rng.random() < recipe.recolor_share)
    page_color, sheet_color = recolored(page.color, turn), recolored(sheet.color, turn)
    sketch = lines.draw(rng, page_color, page.line)
    redrawn = np.zeros_like(sketch)
    if rng.random() < recipe.redrawn_share:
        sketch, redrawn = redraw(rng, sketch)
    line = np.where(redrawn > 0, np.float32(0), sketch)
    lab, spread = cell_colors(cv2.cvtColor(page_color, cv2.COLOR_RGB2LAB), line, CELL)
    seen = shrunk(np.clip((line - 0.2) / 0.6, 0, 1), CELL)
    weight = np.clip((seen - 0.15) / 0.35, 0, 1) / (1 + (spread / 12) ** 2)
    paper = (lab[..., 0] > 96) & (np.hypot(lab[..., 1], lab[..., 2]) < 4)
    weight *= np.where(paper, 0.25, 1)  # there is so much of it
    line = sheet_lines(sheet_color)
    sheet_lab, _ = cell_colors(cv2.cvtColor(sheet_color, cv2.COLOR_RGB2LAB), line, CELL)
    colors = np.zeros((len(line) // _STRIDE, len(line) // _STRIDE, 4), np.float32)
    if rng.random() >= recipe.hidden_share:
        colors[..., :3] = shrunk(sheet_color, _STRIDE)
        colors[..., 3] = 1
    middle = slice(CELL // 2, None, CELL)
    return MatchPair(
        page=lines.scan(rng, sketch)[None],
        sheet=line[None],
        colors=np.ascontiguousarray(colors.transpose(2, 0, 1)),
        page_lab=lab.reshape(-1, 3),
        weight=weight.ravel().astype(np.float32),
        page_place=page.place[middle, middle].reshape(-1, 2),
        sheet_lab=sheet_lab.reshape(-1, 3),
        sheet_place=sheet.place[middle, middle].reshape(-1, 2),
        same=np.float32(same),  # type: ignore[arg-type]
    )


def redraw(rng: Generator, sketch: Array) -> tuple[Array, Array]:
    """Redraw one to four small places of a sketch (H, W), and return where, (H, W) in {0, 1}."""
    sketch, redrawn = np.ascontiguousarray(sketch), np.zeros_like(sketch)
    paper = np.float32(np.median(sketch))
    for _ in range(int(rng.integers(1, 5))):
        middle = rng.uniform(0.15, 0.85, 2) * sketch.shape[::-1]
        reach = np.exp(rng.uniform(np.log(0.02), np.log(0.06), 2)) * len(sketch)
        spot = np.zeros_like(sketch)
        axes = np.maximum(2, reach).astype(int).tolist()
        cv2.ellipse(spot, middle.astype(int).tolist(), axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
        sketch = np.where(spot > 0, np.maximum(sketch, paper), sketch)
        for _ in range(int(rng.integers(4))):
            corners = middle + rng.uniform(-0.9, 0.9, (int(rng.integers(2, 5)), 2)) * reach
            closed, tone = bool(rng.random() < 0.3), float(rng.uniform(0, 0.4))
            cv2.polylines(sketch, [corners.astype(np.int32)], closed, tone, 1, cv2.LINE_AA)
        redrawn = np.maximum(redrawn, spot)
    return sketch, redrawn
