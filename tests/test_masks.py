"""Masks painted by hand over what was found on a page."""

from __future__ import annotations

import numpy as np

from sketchcolor_cli.coloring.guides.masks import corrected
from sketchcolor_cli.coloring.page.paper_mask import PaperMask
from sketchcolor_cli.imaging.picture import Picture


def painted(alpha: np.ndarray | None, lightness: np.ndarray) -> Picture:
    return Picture(
        np.repeat(lightness.astype(np.float32)[..., None], 3, 2),
        None if alpha is None else alpha.astype(np.float32),
    )


def test_white_protects_black_frees_and_nothing_changes_nothing() -> None:
    gutters, bubbles = np.zeros((4, 6), bool), np.zeros((4, 6), bool)
    gutters[:, :2], bubbles[:, 4:] = True, True
    alpha, light = np.zeros((4, 6)), np.zeros((4, 6))
    alpha[0], alpha[1], light[1] = 1, 1, 1  # the first row is black, the second white, the others say nothing
    done = corrected(PaperMask(gutters, bubbles), painted(alpha, light), (40, 60))
    whole = done.gutters | done.bubbles
    assert not whole[0].any()
    assert whole[1].all()
    np.testing.assert_array_equal(done.gutters[2:], gutters[2:])
    np.testing.assert_array_equal(done.bubbles[2:], bubbles[2:])
    assert not (done.gutters & done.bubbles).any()


def test_where_nothing_was_found_the_mask_is_all() -> None:
    light = np.zeros((10, 20))
    light[:, :10] = 1
    done = corrected(None, painted(None, light), (100, 200))
    assert done.gutters.shape == (100, 200)
    assert done.gutters[:, :95].all()
    assert not done.gutters[:, 105:].any()
    assert not done.bubbles.any()


def test_a_mask_of_another_size_is_stretched_over_the_page() -> None:
    found = PaperMask(np.zeros((50, 30), bool), np.zeros((50, 30), bool))
    light = np.zeros((500, 300))
    light[250:] = 1
    done = corrected(found, painted(None, light), (1000, 600))
    assert done.gutters[26:].all()
    assert not done.gutters[:24].any()


def test_a_mask_of_a_strip_is_as_fine_as_one_of_a_page() -> None:
    light = np.zeros((3000, 100))
    light[1500:1503] = 1
    done = corrected(None, painted(None, light), light.shape)
    np.testing.assert_array_equal(done.gutters, light > 0)
