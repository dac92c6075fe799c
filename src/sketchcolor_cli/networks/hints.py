"""Colour hints: what a user paints, and how it spreads inside the lines before a network sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

_CROSSING = 60.0  # what a step over solid ink costs, in steps over paper
_FADE = 12.0  # steps after which a spread colour is half as sure


def shrink(hint: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """Return a hint at 1/stride: the mean of the colours given in each square, and whether any was.

    ``hint`` is (H, W, 4), RGB and mask in [0, 1], RGB 0 where the mask is 0; sides divisible by ``stride``.
    """
    height, width = hint.shape[0] // stride, hint.shape[1] // stride
    mean = cv2.resize(hint, (width, height), interpolation=cv2.INTER_AREA)
    given = mean[..., 3:] > 1e-4
    colors = mean[..., :3] / np.maximum(mean[..., 3:], 1e-4)
    out: NDArray[np.float32] = np.concatenate([colors, given], 2, dtype=np.float32) * given
    return out


def spread(sketch: NDArray[np.float32], hint: NDArray[np.float32], stride: int = 4) -> NDArray[np.float32]:
    """Spread the hint's colours inside the lines of the sketch.

    Every place takes the colour of the hint that is nearest when crossing ink is dear (geodesic distance on
    the grid of 1/stride, step cost ``1 + 60·ink``; shortest paths by Dijkstra). ``sketch`` is (H, W), paper 1
    and ink 0; ``hint`` is (H, W, 4), RGB and mask in [0, 1]; both sides divisible by ``stride``. Returns
    (H/stride, W/stride, 4): RGB and how sure it is, 1 at the hint and falling with distance; zeros when the
    hint is empty.
    """
    coarse = shrink(hint, stride)
    height, width = coarse.shape[:2]
    flat = coarse.reshape(-1, 4)
    sources = np.flatnonzero(flat[:, 3])
    if not len(sources):
        return np.zeros_like(coarse)
    if len(sources) == len(flat):
        return coarse
    distance, source = nearest(ways(line_ink(sketch, stride)), sources)
    sure = 1 / (1 + distance / _FADE)
    return np.column_stack([flat[source, :3], sure]).reshape(height, width, 4).astype(np.float32)


def nearest(over: csr_array, sources: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return how far each of the cells (h·w,) is from its nearest source on the shortest way, and which.

    ``over`` are the :func:`ways` between them; sources are places among the h·w cells. What no source
    reaches is infinitely far.
    """
    from scipy.sparse.csgraph import dijkstra

    distance, _, source = dijkstra(
        over, directed=False, indices=sources, min_only=True, return_predecessors=True
    )
    return distance, source


def line_ink(sketch: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """Return how much line, (h, w) in [0, 1], stands in each square; an even grey wash is not a line."""
    box = np.ones((stride, stride), np.uint8)
    darkest = cv2.dilate(1 - sketch, box)[stride // 2 :: stride, stride // 2 :: stride]
    mean = cv2.resize(1 - sketch, darkest.shape[::-1], interpolation=cv2.INTER_AREA)
    wash = cv2.erode(mean, np.ones((3, 3), np.uint8))
    out: NDArray[np.float32] = np.clip(darkest - wash, 0, 1)
    return out


def ways(ink: NDArray[np.float32], areas: NDArray[np.int32] | None = None) -> csr_array:
    """Return the ways from each of the cells (h·w,) to its eight neighbours, and what they cost.

    ``ink`` (h, w) in [0, 1] is how much line there is in each cell: a step over solid ink costs as much as
    sixty over paper, one between costs its length times the mean of its ends. A diagonal step costs at least
    what the cheaper of the two places beside it does, or it would slip through a diagonal line. With
    ``areas`` (h, w) no way leads from one into another.
    """
    from scipy.sparse import coo_array

    cost = 1 + _CROSSING * ink
    height, width = cost.shape
    index = np.arange(height * width).reshape(height, width)
    rows, columns, weights = [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = (slice(0, height - down), slice(max(0, -right), width - max(0, right)))
        there = (slice(down, height), slice(max(0, right), width - max(0, -right)))
        joined = slice(None) if areas is None else (areas[here] == areas[there]).ravel()
        rows.append(index[here].ravel()[joined])
        columns.append(index[there].ravel()[joined])
        beside = np.minimum(cost[here[0], there[1]], cost[there[0], here[1]])
        weights.append(
            (np.hypot(down, right) * np.maximum((cost[here] + cost[there]) / 2, beside)).ravel()[joined]
        )
    shape = (height * width, height * width)
    ends = np.concatenate(rows), np.concatenate(columns)
    return coo_array((np.concatenate(weights), ends), shape=shape).tocsr()
