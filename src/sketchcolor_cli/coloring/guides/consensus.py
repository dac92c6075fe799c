"""Matches that those beside them agree with (Rocco et al. 2018, "Neighbourhood consensus networks")."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from torch.nn import functional as F  # noqa: N812

if TYPE_CHECKING:
    from torch import Tensor

    Grid = tuple[int, int]

_ALONE = 0.02  # what a match without any support keeps, before the root
_AROUND = [step for step in product((-1, 0, 1), repeat=2) if step != (0, 0)]


def support(matches: Tensor, page: Grid, sheet: Grid) -> Tensor:
    """Return how much each match counts by those beside it, (P, S), at least 0.

    ``matches`` (P, S) are shares, of each place of a page in each of a sheet, for grids of so many rows and
    columns. What lies beside a place shall match what lies on the same side of its match, or on the other
    side where the sheet shows it mirrored.
    """
    table = matches.reshape(*page, *sheet)
    around = F.pad(table, [1] * 8)
    straight, mirrored = (_shifted(around, table.shape, way) for way in (1, -1))
    agreed = straight.maximum(mirrored) / len(_AROUND)
    return (agreed + _ALONE).sqrt().reshape(matches.shape)


def _shifted(around: Tensor, shape: tuple[int, ...], way: int) -> Tensor:
    """Return the sum of matches one step off on page and sheet alike; ``way`` -1 mirrors the sheet."""
    total = around.new_zeros(shape)
    for down, right in _AROUND:
        steps = (down, right, down, way * right)
        part = tuple(slice(1 + step, 1 + step + side) for step, side in zip(steps, shape, strict=True))
        total += around[part]
    return total
