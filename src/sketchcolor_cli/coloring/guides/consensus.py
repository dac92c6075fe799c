"""Matches that those beside them agree with (Rocco et al. 2018, "Neighbourhood consensus networks")."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Shares = NDArray[np.float32]
    Grid = tuple[int, int]

_ALONE = 0.02  # what a match without any support keeps, before the root
_AROUND = [step for step in product((-1, 0, 1), repeat=2) if step != (0, 0)]


def support(matches: Shares, page: Grid, sheet: Grid) -> Shares:
    """Return how much each match counts by those beside it, (P, S), at least 0.

    ``matches`` (P, S) are shares, of each place of a page in each of a sheet, for grids of so many rows and
    columns. What lies beside a place shall match what lies on the same side of its match, or on the other
    side where the sheet shows it mirrored.
    """
    table = matches.reshape(*page, *sheet)
    around = np.pad(table, 1)
    straight, mirrored = (_shifted(around, table.shape, way) for way in (1, -1))
    agreed = np.maximum(straight, mirrored) / np.float32(len(_AROUND))
    return np.sqrt(agreed + np.float32(_ALONE)).reshape(matches.shape)


def _shifted(around: Shares, shape: tuple[int, ...], way: int) -> Shares:
    """Return the sum of matches one step off on page and sheet alike; ``way`` -1 mirrors the sheet."""
    total = np.zeros(shape, np.float32)
    for down, right in _AROUND:
        steps = (down, right, down, way * right)
        part = tuple(slice(1 + step, 1 + step + side) for step, side in zip(steps, shape, strict=True))
        total += around[part]
    return total
