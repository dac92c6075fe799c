"""Confidence intervals by resampling."""

from __future__ import annotations

import numpy as np
import pytest

from sketchcolor_cli.evaluation.models.bootstrap import interval


def test_an_interval_holds_95_per_cent() -> None:
    """The mean of n normal values is off by less than 1.96 of its standard errors in 95 of 100 cases."""
    values = np.random.default_rng(0).normal(5, 2, 2500)
    found = interval(list(values), resamples=8000, seed=1)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean())
    assert found.high - found.mean == pytest.approx(half, rel=0.05)
    assert found.mean - found.low == pytest.approx(half, rel=0.05)


def test_without_resamples_the_interval_is_the_mean() -> None:
    assert interval([1.0, 3.0], resamples=0, seed=1) == (2.0, 2.0, 2.0)
