"""Pictures bent into other drawings."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import default_rng

from sketchcolor_cli.training.pairs.bending import bend


@pytest.mark.parametrize("shape", [(64, 48), (33, 90), (1, 7)])
def test_a_bent_picture_keeps_size_and_range(shape: tuple[int, int]) -> None:
    picture = default_rng(0).random((*shape, 3)).astype(np.float32)
    for seed in range(5):
        bent = bend(default_rng(seed), picture)
        assert bent.shape == picture.shape
        assert bent.dtype == np.float32
        assert 0 <= bent.min() <= bent.max() <= 1


def test_colours_stay_and_places_do_not() -> None:
    """Red left, blue right: nearly all pixels are still one of these or paper, many where the other was."""
    picture = np.zeros((60, 60, 3), np.float32)
    picture[:, :30, 0], picture[:, 30:, 2] = 1, 1
    moved = []
    for seed in range(20):
        bent = bend(default_rng(seed), picture)
        red, blue = bent[..., 0] > 0.95, bent[..., 2] > 0.95
        assert (red | blue).mean() > 0.9
        moved.append((np.abs(bent - picture).max(2) > 0.5).mean())
    assert np.median(moved) > 0.15


def test_the_random_numbers_decide_alone() -> None:
    picture = default_rng(0).random((40, 40, 3)).astype(np.float32)
    first, again, other = (bend(default_rng(seed), picture) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
