"""Colour hints: what a user paints, and how it spreads inside the lines before a network sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CROSSING = 60.0  # what a step over solid ink costs, in steps over paper
_FADE = 12.0  # steps after which a spread colour is half as sure


def shrink(hint: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """Return an (H, W, 4) hint, RGB and mask, at 1/stride: mean of the given colours, and whether any was given."""
    height, width = hint.shape[0] // stride, hint.shape[1] // stride
    mean = cv2.resize(hint, (width, height), interpolation=cv2.INTER_AREA)
    given = mean[..., 3:] > 1e-4
    out: NDArray[np.float32] = np.concatenate([mean[..., :3] / np.maximum(mean[..., 3:], 1e-4), given], 2) * given
    return out.astype(np.float32, copy=False)


def spread(sketch: NDArray[np.float32], hint: NDArray[np.float32], stride: int = 4) -> NDArray[np.float32]:
    """Spread the hint's colours inside the lines of the sketch.

    Every place takes the colour of the hint that is nearest when crossing ink is dear (geodesic distance on the
    grid of 1/stride, step cost ``1 + 60·ink``; shortest paths by Dijkstra). ``sketch`` is (H, W), paper 1 and
    ink 0; ``hint`` is (H, W, 4), RGB and mask in [0, 1]; both sides divisible by ``stride``. Returns
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
    cost = 1 + _CROSSING * _line_ink(sketch, stride)
    distance, _, nearest = dijkstra(
        _grid_graph(cost), directed=False, indices=sources, min_only=True, return_predecessors=True
    )
    sure = 1 / (1 + distance / _FADE)
    return np.column_stack([flat[nearest, :3], sure]).reshape(height, width, 4).astype(np.float32)


def _line_ink(sketch: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """Return how much line, (h, w) in [0, 1], stands in each square; an even grey wash is no line."""
    box = np.ones((stride, stride), np.uint8)
    darkest = cv2.dilate(1 - sketch, box)[stride // 2 :: stride, stride // 2 :: stride]
    mean = cv2.resize(1 - sketch, darkest.shape[::-1], interpolation=cv2.INTER_AREA)
    wash = cv2.erode(mean, np.ones((3, 3), np.uint8))
    out: NDArray[np.float32] = np.clip(darkest - wash, 0, 1)
    return out


def _grid_graph(cost: NDArray[np.float32]) -> coo_array:
    """Return the graph of a grid with its eight neighbours; an edge costs its length times the mean of its ends."""
    height, width = cost.shape
    index = np.arange(height * width).reshape(height, width)
    rows, columns, weights = [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = (slice(0, height - down), slice(max(0, -right), width - max(0, right)))
        there = (slice(down, height), slice(max(0, right), width - max(0, -right)))
        rows.append(index[here].ravel())
        columns.append(index[there].ravel())
        weights.append((np.hypot(down, right) / 2 * (cost[here] + cost[there])).ravel())
    shape = (height * width, height * width)
    return coo_array((np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), shape=shape).tocsr()
