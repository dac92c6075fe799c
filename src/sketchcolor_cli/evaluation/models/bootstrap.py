"""How sure a mean is: confidence intervals by resampling the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_AT_ONCE = 1 << 18
"""Numbers that are drawn together, which bounds the memory."""


class Interval(NamedTuple):
    """A mean, and the interval that holds 95 per cent of the resampled means."""

    mean: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether 0 is outside."""
        return self.low > 0 or self.high < 0


def interval(values: Sequence[float], *, resamples: int, seed: int) -> Interval:
    """Return the mean of values, one per picture, with its interval (Efron 1979, percentiles).

    Differences of two models on the same pictures make the comparison a paired one.
    """
    numbers = np.asarray(values, np.float64)
    rng = np.random.default_rng(seed)
    at_once = max(1, _AT_ONCE // max(1, len(numbers)))
    means = [
        numbers[rng.integers(0, len(numbers), (min(at_once, resamples - done), len(numbers)))].mean(axis=1)
        for done in range(0, resamples, at_once)
    ]
    low, high = np.quantile(np.concatenate(means), (0.025, 0.975)) if resamples else (numbers.mean(),) * 2
    return Interval(float(numbers.mean()), float(low), float(high))
