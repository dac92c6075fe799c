"""What a network's logits say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from sketchcolor_cli.networks.logits import softmax


@pytest.mark.parametrize("axis", [0, 1])
def test_probabilities_are_those_of_scipy_however_large_the_logits(axis: int) -> None:
    logits = np.random.default_rng(0).normal(0, 300, (40, 70)).astype(np.float32)
    found = softmax(logits, axis)
    assert np.array_equal(found, special.softmax(logits, axis))
    assert found.dtype == np.float32
    assert found.sum(axis) == pytest.approx(1, abs=1e-5)
