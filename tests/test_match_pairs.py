"""Training pairs for the matcher: figures drawn by code, views of drawings, and where their places were."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import default_rng

from sketchcolor_cli.training.pairs import figures
from sketchcolor_cli.training.pairs.matches import CELL, MatchPair, MatchRecipe, make_match_pair, redraw
from sketchcolor_cli.training.pairs.pairs import Drawing
from sketchcolor_cli.training.pairs.views import OUTSIDE, ViewRecipe, draw_map, see

SIZE = 64


def gradient(height: int = 90, width: int = 120) -> Drawing:
    """Red says how far to the right a pixel is, green how far down, in parts of the longer side."""
    y, x = np.mgrid[:height, :width] + 0.5
    side = max(height, width)
    color = np.stack([255 * x / side, 255 * y / side, np.full_like(x, 100)], 2)
    line = np.full((height, width), 255, np.uint8)
    line[::10] = 0
    return Drawing("gradient", color.astype(np.uint8), line, "drawn", "story")


def plain(**changes: float) -> MatchRecipe:
    nothing = dict.fromkeys(MatchRecipe.__dataclass_fields__, 0.0)
    return MatchRecipe(**{**nothing, **changes})


def pair(seed: int, recipe: MatchRecipe, *drawings: Drawing) -> MatchPair:
    kin = {"story": range(len(drawings))} if len(drawings) > 1 else {}
    return make_match_pair(default_rng(seed), drawings or (gradient(),), 0, SIZE, recipe, kin)


@pytest.mark.parametrize("seed", range(6))
def test_a_view_knows_where_its_pixels_were(seed: int) -> None:
    drawing = gradient()
    recipe = ViewRecipe(cropped=0.5)
    view = see(drawing, draw_map(default_rng(seed), drawing, SIZE, recipe))
    inside = view.place[..., 0] != OUTSIDE
    assert inside.mean() > 0.2
    off = np.abs(view.color[..., :2] - view.place)[inside]
    assert np.quantile(off, 0.97) < 0.03
    assert view.line is not None
    assert view.line.min() < 0.7


def test_outside_of_the_drawing_is_paper() -> None:
    drawing = gradient()
    view = see(drawing, np.full((8, 8, 2), -50, np.float32))
    assert (view.color == 1).all()
    assert (view.place == OUTSIDE).all()


def test_views_are_of_other_places() -> None:
    drawing = gradient()
    first, second = (draw_map(default_rng(seed), drawing, SIZE, ViewRecipe()) for seed in (0, 1))
    assert np.abs(first - second).mean() > 5
    again = draw_map(default_rng(0), drawing, SIZE, ViewRecipe())
    assert np.array_equal(first, again)


@pytest.mark.parametrize("seed", range(4))
def test_places_with_one_origin_have_one_colour(seed: int) -> None:
    """What makes the correspondence a target: true place by true place, page and sheet agree in colour."""
    made = pair(seed, plain())
    assert made.same == 1
    apart = np.linalg.norm(made.page_place[:, None] - made.sheet_place[None], axis=2)
    nearest = apart.argmin(1)
    good = (apart.min(1) < 0.02) & (made.weight > 0.3)
    assert good.any()
    far = np.linalg.norm(made.page_lab - made.sheet_lab[nearest], axis=1)[good]
    assert np.median(far) < 8


def test_shapes_and_ranges() -> None:
    for seed in range(8):
        made = pair(seed, MatchRecipe(), gradient(), gradient(60, 60))
        places = (SIZE // CELL) ** 2
        assert made.page.shape == made.sheet.shape == (1, SIZE, SIZE)
        assert made.colors.shape == (4, SIZE // 4, SIZE // 4)
        assert made.page_lab.shape == made.sheet_lab.shape == (places, 3)
        assert made.page_place.shape == made.sheet_place.shape == (places, 2)
        assert made.weight.shape == (places,)
        assert 0 <= made.weight.min() <= made.weight.max() <= 1
        for array in (made.page, made.sheet, made.colors):
            assert array.dtype == np.float32
            assert 0 <= array.min() <= array.max() <= 1


def test_hidden_colours_are_not_shown() -> None:
    assert not pair(0, plain(hidden_share=1)).colors.any()
    shown = pair(0, plain())
    assert (shown.colors[3] == 1).all()


def test_crowded_sheets_show_other_pictures_too_and_know_which_place_is_whose() -> None:
    blue = Drawing("blue", np.full((80, 80, 3), (0, 0, 255), np.uint8), None, "drawn", "")
    made = make_match_pair(default_rng(1), (gradient(), blue), 0, SIZE, plain(crowded_share=1), {})
    known = made.sheet_place[:, 0] != OUTSIDE
    assert 0 < known.mean() < 0.5


def test_pictures_of_one_story_are_not_taken_for_one_picture() -> None:
    made = pair(0, plain(kin_share=1), gradient(), gradient(60, 60))
    assert made.same == 0
    assert pair(0, plain(figure_share=1)).same == 0


def test_what_is_redrawn_is_not_asked_for() -> None:
    sketch = np.ones((SIZE, SIZE), np.float32)
    sketch[::4] = 0
    drawn, anew = redraw(default_rng(0), sketch)
    assert 0 < anew.mean() < 0.5
    assert (np.abs(drawn - sketch)[anew == 0] > 0.5).mean() < 0.05
    assert np.abs(drawn - sketch)[anew > 0].max() > 0.5


def test_one_character_twice_has_its_colours_in_other_places() -> None:
    alike = []
    for seed in range(12):
        first, second = figures.draw_pair(default_rng(seed))
        assert first.color.shape == second.color.shape == (320, 320, 3)
        assert first.line is not None
        ink = first.line < 60
        assert 0.002 < ink.mean() < 0.4
        assert first.color[ink].mean() < 80  # lines are where the picture is dark
        assert (first.color != second.color).any(2).mean() > 0.05
        bins = [view.color.reshape(-1, 3) // 16 @ np.array([256, 16, 1]) for view in (first, second)]
        large = [set(np.flatnonzero(np.bincount(numbers) > 300)) for numbers in bins]
        alike.append(len(large[0] & large[1]) / min(map(len, large)))
    assert np.mean(alike) > 0.8


def test_a_figure_is_decided_by_its_random_numbers() -> None:
    first, again = (figures.draw_pair(default_rng(3))[0].color for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, figures.draw_pair(default_rng(4))[0].color)
