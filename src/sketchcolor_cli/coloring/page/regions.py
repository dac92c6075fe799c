"""The areas between the lines of a page, and which of them are parts of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.networks.hints import nearest, ways

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Plane = NDArray[np.float32]
    Labels = NDArray[np.int32]
    Mask = NDArray[np.bool_]
    Floats = NDArray[np.floating]


@dataclass(frozen=True)
class RegionRules:
    """How areas between lines are found, and which are parts of one thing."""

    line: float = 0.25
    """Ink from which on a cell is line."""
    core: float = 1.8
    """Distance to the next line, in cells, at which the inside of an area begins."""
    open_border: float = 0.35
    """Part of the border of two areas without ink from which on they are one."""
    small: float = 0.015
    """Size, as a part of the page, below which an area may be a part of what is beside it,"""
    background: float = 0.15
    """unless that is larger than this, and a background."""
    alike: float = 0.25
    """Hellinger distance of the colours possible for two areas below which they may be of one thing."""
    as_light: float = 20
    """The same for their L*."""
    shared_border: float = 0.1
    """Part of the border of an area that it shares with what it is a part of."""


_RULES = RegionRules()


def find_areas(ink: Plane) -> tuple[Mask, Labels]:
    """Return which cells (h, w) are well inside an area, and the number of each cell's area, from 0."""
    line = (ink > _RULES.line).astype(np.uint8)
    far = cv2.distanceTransform(1 - line, cv2.DIST_L2, 5) if line.any() else np.full_like(ink, np.inf)
    cores = far > _RULES.core
    count, labels = cv2.connectedComponents(cores.view(np.uint8), connectivity=4)
    if count == 1:
        return cores, np.zeros(ink.shape, np.int32)
    _, source = nearest(ways(ink), np.flatnonzero(cores))
    areas = labels.ravel()[source].reshape(ink.shape) - 1
    return cores, _joined(areas, ink, count - 1)


def _joined(areas: Labels, ink: Plane, count: int) -> Labels:
    """Join the areas between which there is hardly a line."""
    length, free = (_table(*borders(areas, seen), count) for seen in (None, ink < _RULES.line))
    open_to = (free - _RULES.open_border * length) > 0
    return groups(np.stack(open_to.nonzero(), 1), count)[areas]


def merge_small_regions(areas: Labels, chances: Floats, light: Floats) -> Labels:
    """Give small areas the number of a neighbour that is like them: hatching cuts one face into several.

    Each goes to the larger neighbour that is most like it and that most of its border is with. ``chances``
    (N, Q) are distributions over colours that are possible for each area, ``light`` (N,) is their L*.
    """
    count = len(light)
    size = np.bincount(areas.ravel(), minlength=count) / areas.size
    pairs, lengths = borders(areas)
    around = np.bincount(pairs.ravel(), lengths.repeat(2), count)
    less = (size[pairs[:, 0]] < size[pairs[:, 1]])[:, None]
    own, other = np.where(less, pairs, pairs[:, ::-1]).T
    roots = np.sqrt(chances)
    unlike = np.linalg.norm(roots[own] - roots[other], axis=1) / 2**0.5
    beside = lengths / np.minimum(around[own], around[other])
    fits = (size[own] < _RULES.small) & (size[other] < _RULES.background) & (beside > _RULES.shared_border)
    fits &= (unlike < _RULES.alike) & (np.abs(light[own] - light[other]) < _RULES.as_light)
    order = np.argsort((beside - unlike / _RULES.alike)[fits], kind="stable")
    target = np.arange(count)
    target[own[fits][order]] = other[fits][order]  # the best is written last, and stays
    return groups(np.stack([np.arange(count), target], 1), count)[areas]


def groups(pairs: NDArray[np.integer], count: int) -> Labels:
    """Return the number of the group, from 0, that each of ``count`` things, (N,), is in by pairs, (P, 2)."""
    from scipy.sparse.csgraph import connected_components

    _, group = connected_components(_table(pairs, np.ones(len(pairs)), count), directed=False)
    return group.astype(np.int32)  # type: ignore[no-any-return]


def borders(labels: Labels, seen: Mask | None = None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of neighbouring areas, (P, 2), the lower number first, and how long their border is.

    Lengths are in pixels; with a mask, (h, w), only between two that are ``seen``.
    """
    count = int(labels.max()) + 1
    codes = []
    for first, second, where in (
        (labels[:-1], labels[1:], None if seen is None else seen[:-1] & seen[1:]),
        (labels[:, :-1], labels[:, 1:], None if seen is None else seen[:, :-1] & seen[:, 1:]),
    ):
        differ = first != second if where is None else (first != second) & where
        low, high = np.minimum(first[differ], second[differ]), np.maximum(first[differ], second[differ])
        codes.append(low.astype(np.int64) * count + high)
    pairs, lengths = np.unique(np.concatenate(codes), return_counts=True)
    return np.stack([pairs // count, pairs % count], 1), lengths


def _table(pairs: NDArray[np.integer], values: Floats | NDArray[np.int64], count: int) -> csr_array:
    """Return values of pairs of numbers below ``count`` as a sparse matrix."""
    from scipy.sparse import coo_array

    return coo_array((values.astype(float), tuple(pairs.T)), shape=(count, count)).tocsr()
