"""Areas without a point that look like areas with one, on drawings by code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.colorizer import Colorizer, match_forward
from sketchcolor_cli.coloring.guides import alike
from sketchcolor_cli.coloring.guides.alike import Alike
from sketchcolor_cli.coloring.guides.areas import PointAreas
from sketchcolor_cli.coloring.guides.given import Given
from sketchcolor_cli.coloring.page.paper_mask import PaperMask
from sketchcolor_cli.coloring.settings import ColoredPages, ColorizeSettings
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.networks.loading import load_matcher
from test_colorizer import Witness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

SKIN, BLUE, WHITE = (0.9, 0.7, 0.6), (0.2, 0.3, 0.8), (1.0, 1.0, 1.0)
ARM, OTHER, HEAD, BODY, GROUND = (92, 250), (308, 250), (200, 90), (200, 250), (20, 20)


def figure() -> Array:
    """Return a figure with two like arms, (480, 400)."""
    page = np.full((480, 400), 255, np.uint8)
    cv2.circle(page, (200, 90), 55, 0, 3)
    for x in (180, 220):
        cv2.circle(page, (x, 80), 8, 0, 2)
    cv2.rectangle(page, (130, 160), (270, 420), 0, 3)
    for x, _ in (ARM, OTHER):
        cv2.rectangle(page, (x - 20, 170), (x + 20, 330), 0, 3)
    return page.astype(np.float32) / 255


def layer(*spots: tuple[tuple[int, int], tuple[float, ...]]) -> Picture:
    """Return points of colour at places x, y."""
    rgb, alpha = np.zeros((480, 400, 3), np.float32), np.zeros((480, 400), np.float32)
    for place, color in spots:
        cv2.circle(rgb, place, 3, color, -1)
        cv2.circle(alpha, place, 3, 1.0, -1)
    return Picture(rgb, alpha=alpha)


class Network:
    """Stands for a matcher: what places look for is how dark they are, and nothing else."""

    stride, multiple, cell, sharpness = 4, 16, 8, 1.0

    def queries(self, lines: Array, colors: Array) -> Array:
        """Paper looks for one thing, grey and black for another."""
        assert not colors.any()
        dark = cv2.resize(1 - lines, (lines.shape[1] // 8, lines.shape[0] // 8), interpolation=cv2.INTER_AREA)
        return np.stack([dark < 0.3, dark >= 0.3], -1).reshape(-1, 2).astype(np.float32)

    keys = queries


def grounds() -> Array:
    """Return four fields with lines between them, (256, 256): paper and grey, below the same again."""
    page = np.ones((256, 256), np.float32)
    page[:, 128:] = 0.6
    page[126:130] = page[:, 126:130] = 0
    return page


def filled(page: Array, color: tuple[float, ...], masks: PaperMask | None = None) -> Array:
    """Return what a point in the first field fills."""
    areas = PointAreas(page)
    rgb, alpha = np.zeros((*page.shape, 3), np.float32), np.zeros(page.shape, np.float32)
    rgb[30:36, 30:36], alpha[30:36, 30:36] = color, 1
    return Given((), Picture(rgb, alpha=alpha)).fill_at(areas, Alike(Network), masks)(page.shape)


def test_of_two_like_arms_both_get_the_colour_of_one_and_other_areas_do_not() -> None:
    areas = PointAreas(figure())
    given = Given((), layer((ARM, SKIN), (BODY, BLUE), (GROUND, WHITE)))
    fill = given.fill_at(areas, Alike(lambda: match_forward(load_matcher(), "cpu")))((480, 400))
    assert fill[ARM[::-1]] == pytest.approx((*SKIN, 1), abs=0.01)
    assert fill[OTHER[::-1]][:3] == pytest.approx(SKIN, abs=0.05)
    assert fill[OTHER[::-1]][3] > 0.5
    assert fill[HEAD[::-1]][3] <= 0
    assert fill[BODY[::-1]] == pytest.approx((*BLUE, 1), abs=0.01)
    assert fill[GROUND[::-1]] == pytest.approx((*WHITE, 1), abs=0.01)


@pytest.mark.parametrize("color", [BLUE, WHITE])
def test_an_area_takes_the_colour_of_what_looks_like_it_alone_white_too(color: tuple[float, ...]) -> None:
    fill = filled(grounds(), color)
    assert fill[200, 60] == pytest.approx((*color, 1), abs=0.01)
    assert fill[60, 200, 3] <= 0
    assert fill[200, 200, 3] <= 0


def test_what_stays_paper_takes_no_colour_and_gives_none() -> None:
    nothing = np.zeros((128, 128), np.bool_)
    for rows in (slice(0, 64), slice(64, 128)):
        balloon = nothing.copy()
        balloon[rows, :64] = True
        assert filled(grounds(), BLUE, PaperMask(nothing, balloon))[200, 60, 3] <= 0


def test_an_area_with_several_colours_gives_none() -> None:
    areas = PointAreas(grounds())
    count = int(areas.labels.max()) + 1
    marked, alone = np.zeros((count, 3), np.float32), np.arange(count) == areas.labels[33, 33]
    share = Alike(Network).share
    assert share(areas, None, marked, alone, ~alone)[:, 3].any()
    assert not share(areas, None, marked, alone, alone).any()


def test_few_pairs_at_a_time_give_what_all_give(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = filled(grounds(), BLUE)
    monkeypatch.setattr(alike, "_RULES", alike.AlikeRules(at_once=1))
    assert np.array_equal(filled(grounds(), BLUE), whole)


@pytest.mark.parametrize("lying", [False, True])
def test_of_a_long_strip_all_parts_are_compared(lying: bool) -> None:
    page = np.concatenate([grounds()] * 4)
    strip = np.ascontiguousarray(page.T) if lying else page
    fill = filled(strip, BLUE)
    fill = fill.transpose(1, 0, 2) if lying else fill
    rows = fill[60::128, 60]
    assert len(rows) == 8
    assert rows == pytest.approx(np.broadcast_to((*BLUE, 1), (8, 4)), abs=0.05)


def test_the_matcher_is_loaded_only_for_areas_without_a_point_beside_some_with_one() -> None:
    loaded: list[Network] = []

    def load() -> Network:
        loaded.append(Network())
        return loaded[-1]

    color = Colorizer(Witness(), "cpu", ColorizeSettings(colored_pages=ColoredPages.REDO), alike=Alike(load))
    page = Picture(np.repeat(figure()[..., None], 3, 2), gray=True)
    blank = Picture(np.ones((480, 400, 3), np.float32), gray=True)
    rough = Picture(np.ones((8, 8, 3), np.float32))
    point = layer((ARM, SKIN))
    color(page)
    color(page, rough, point)
    color(blank, None, point)
    assert not loaded
    first = color(page, None, point).rgb
    assert np.array_equal(color(page, None, point).rgb, first)
    assert len(loaded) == 1
