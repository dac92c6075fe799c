"""Colours that areas get as far as the network is sure of them."""

from __future__ import annotations

import numpy as np
import pytest

from sketchcolor_cli.coloring.paint.sure_colors import sure_colors

COLORS = np.array([(0, 0), (40, 0), (-40, 0), (0, 40), (0, -40)], np.float32)


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
