"""How the colours of a page are shared out among its areas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sketchcolor_cli.coloring.paint.assign_colors import assign_colors

COLORS = np.array([[0, 0], [60, 0], [0, 60], [-60, 0]], np.float32)
UNLIKE = 10.0 * np.arange(10)  # lightnesses of areas that nobody would take for alike


def shared(chances: Any, light: Any, sizes: Any = None, *, seed: int = 3, **also: Any) -> list[int]:
    light = np.asarray(light, float)
    rows = np.broadcast_to(np.asarray(chances, float), (len(light), len(COLORS)))
    even = np.full(len(light), 1 / len(light))
    return assign_colors(
        rows, light, even if sizes is None else np.array(sizes), COLORS, seed, **also
    ).tolist()


def test_a_page_has_each_colour_about_as_often_as_is_to_be_expected() -> None:
    found = shared([0.38, 0.31, 0.31, 0], UNLIKE)
    assert [found.count(color) for color in range(4)] == pytest.approx([3.8, 3.1, 3.1, 0], abs=1.2)


def test_a_colour_that_is_unlikely_for_an_area_is_not_chosen_however_much_of_it_is_left() -> None:
    chances = np.array([[0.9, 0.04, 0.03, 0.03]] * 9 + [[0.04, 0.9, 0.03, 0.03]])
    assert shared(chances, UNLIKE) == [0] * 9 + [1]


def test_the_largest_area_chooses_first() -> None:
    sizes = [0.02, 0.02, 0.6, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.24]
    found = shared([0.6, 0.4, 0, 0], UNLIKE, sizes)
    assert found[2] == 0
    assert found[9] == 1


def test_areas_alike_get_the_same_colour() -> None:
    chances = [[0.5, 0.3, 0.2, 0], [0.49, 0.31, 0.2, 0], [0.51, 0.29, 0.2, 0]]
    for seed in range(8):
        assert len(set(shared(chances, [50, 51, 50], seed=seed))) == 1


def test_with_a_sheet_there_is_more_of_the_colours_that_it_has() -> None:
    chances = [0.3, 0.3, 0.3, 0.1]
    without, with_it = (
        shared(chances, UNLIKE, palette=palette).count(2) for palette in (None, np.array([0.1, 0, 0.9, 0]))
    )
    assert with_it > without


def test_a_sheet_that_is_empty_says_nothing() -> None:
    chances = [0.3, 0.3, 0.3, 0.1]
    assert shared(chances, UNLIKE, palette=np.zeros(4)) == shared(chances, UNLIKE)


def test_a_seed_gives_the_same_page_again_and_others_other_pages() -> None:
    pages = [tuple(shared([0.3, 0.28, 0.26, 0.16], UNLIKE, seed=seed)) for seed in range(6)]
    assert pages[3] == tuple(shared([0.3, 0.28, 0.26, 0.16], UNLIKE))
    assert len(set(pages)) > 3
