"""Colours that areas get as far as the network is sure of them."""

from __future__ import annotations

import numpy as np
import pytest

from sketchcolor_cli.coloring.paint.sure_colors import quiet_tones, sure_colors

COLORS = np.array([(0, 0), (40, 0), (-40, 0), (0, 40), (0, -40)], np.float32)

ROW = np.array([[0, 1, 2]], np.int32)
"""Three areas side by side."""


def test_an_area_that_may_have_any_hue_stays_grey_and_a_sure_one_has_its_own() -> None:
    chances = np.array([[0.2, 0.2, 0.2, 0.2, 0.2], [0.05, 0.8, 0.05, 0.05, 0.05], [0.6, 0.4, 0, 0, 0]])
    any_, sure, grey = sure_colors(chances, COLORS)
    assert np.abs(any_).max() < 1
    assert sure == pytest.approx((40, 0), abs=3)
    assert np.abs(grey).max() < 3  # a mean would be a third of the way to red


def test_no_colour_is_nearer_in_expectation() -> None:
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.full(5, 0.5), 6)
    weights = chances**2 / (chances**2).sum(1, keepdims=True)

    def off(found: np.ndarray) -> np.ndarray:
        return (weights * np.linalg.norm(found[:, None] - COLORS[None], axis=2)).sum(1)

    found = sure_colors(chances, COLORS)
    for move in rng.normal(0, 10, (50, 2)):
        assert (off(found) <= off(found + move) + 0.8).all()


def test_what_is_light_and_unsure_stays_paper_and_the_rest_is_lighter_than_it_was_painted() -> None:
    open_, sure = [0.2, 0.2, 0.2, 0.2, 0.2], [0.05, 0.8, 0.05, 0.05, 0.05]
    tones = quiet_tones(
        np.array([open_, open_, sure]), np.array([90.0, 50.0, 90.0]), np.array([0.5, 0.2, 0.3]), COLORS, ROW
    )
    assert tones[0].tolist() == [100, 0, 0]
    assert 50 < tones[1, 0] < 85
    assert np.abs(tones[1, 1:]).max() < 2
    assert tones[2, 1] > 40  # a sure hue counts, however light


def test_areas_alike_share_their_tone_and_others_do_not() -> None:
    arm, other_arm, coat = [0.1, 0.62, 0.08, 0.1, 0.1], [0.1, 0.6, 0.1, 0.1, 0.1], [0.1, 0.1, 0.6, 0.1, 0.1]
    tones = quiet_tones(
        np.array([arm, other_arm, coat]),
        np.array([60.0, 63.0, 60.0]),
        np.array([0.1, 0.11, 0.1]),
        COLORS,
        ROW,
    )
    assert np.array_equal(tones[0], tones[1])
    assert np.abs(tones[0] - tones[2]).max() > 20


def test_a_speck_of_paper_has_the_tone_of_what_is_around_it() -> None:
    open_, sure = [0.2, 0.2, 0.2, 0.2, 0.2], [0.05, 0.8, 0.05, 0.05, 0.05]
    areas = np.array([[0, 0, 1, 1], [0, 0, 1, 2], [0, 0, 1, 1]], np.int32)
    light = np.array([95.0, 80.0, 95.0])
    for size, alone in ((0.001, False), (0.1, True)):
        tones = quiet_tones(np.array([open_, sure, open_]), light, np.array([0.6, 0.3, size]), COLORS, areas)
        assert tones[0].tolist() == [100, 0, 0]
        assert np.array_equal(tones[2], tones[0] if alone else tones[1])


def test_khaki_becomes_sand_and_green_stays_green() -> None:
    colors = np.array([(0, 0), (-3, 9), (-30, 30)], np.float32)
    chances = np.array([[0.1, 0.9, 0], [0.1, 0, 0.9]])
    khaki, green = quiet_tones(chances, np.array([60.0, 60.0]), np.full(2, 0.5), colors, ROW[:, :2])
    assert khaki[1] > 0
    assert khaki[2] > 9
    assert green[1] < -20
