"""Areas without a point take the colour of areas with one that look alike, such as the other of two arms."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import cv2
import numpy as np

from sketchcolor_cli.coloring.guides.matching import bands, described
from sketchcolor_cli.compute import deadline

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from sketchcolor_cli.coloring.guides.areas import PointAreas
    from sketchcolor_cli.coloring.page.paper_mask import PaperMask
    from sketchcolor_cli.networks.forward import MatchForward

    Layer = NDArray[np.float32]
    Features = NDArray[np.float32]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class AlikeRules:
    """How alike areas share colours."""

    least: float = 0.88
    """Cosine of the features of two areas from which on one takes the colour of the other,"""
    sure: float = 0.98
    """and from which on that counts alone;"""
    faint: float = 0.05
    """what would count less is left to the network."""
    sharpness: float = 30.0
    """What cosines are multiplied by, where several areas are nearly as much alike."""
    at_once: int = 1_000_000
    """Pairs of areas that are compared at a time."""


_RULES = AlikeRules()
_PAPER = 0.5  # part of an area that is gutter, margin or balloon, from which on it stays paper


class Alike:
    """Shares colours among the areas of pages by a matcher, which ``load`` gives when it is first needed.

    What was found out about a page is kept as long as its areas are. Any thread may ask.
    """

    def __init__(self, load: Callable[[], MatchForward]) -> None:
        self._load = load
        self._network: MatchForward | None = None
        self._features: WeakKeyDictionary[PointAreas, Features] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def share(
        self, areas: PointAreas, masks: PaperMask | None, colors: Layer, known: Mask, several: Mask
    ) -> Layer:
        """Return colours for areas without marks, (A, 4): RGB, and how much they count, in [0, 1].

        ``colors`` (A, 3), RGB, are those of the areas that are ``known`` (A,), of which ``several`` (A,) have
        more than one and give none. Areas that ``masks`` keep paper neither give nor take any.
        """
        out = np.zeros((len(known), 4), np.float32)
        free = ~_stays_paper(areas, masks)
        givers, takers = np.flatnonzero(known & ~several & free), np.flatnonzero(~known & free)
        if not len(givers) or not len(takers):
            return out
        features = self._of(areas)
        lab = cv2.cvtColor(colors[givers][None], cv2.COLOR_RGB2LAB)[0]
        for part in np.array_split(takers, -(-len(takers) * len(givers) // _RULES.at_once)):
            deadline.check()
            cosine = features[part] @ features[givers].T
            best = cosine.max(1, keepdims=True)
            weights = np.exp(np.float32(_RULES.sharpness) * (cosine - best))
            mean = weights / weights.sum(1, keepdims=True) @ lab
            counts = ((best[:, 0] - _RULES.least) / (_RULES.sure - _RULES.least)).clip(0, 1)
            out[part, :3] = cv2.cvtColor(mean[None], cv2.COLOR_LAB2RGB)[0].clip(0, 1)
            out[part, 3] = np.where(counts > _RULES.faint, counts, 0)
        return out

    def expect(self, areas: PointAreas) -> None:
        """Find out what :meth:`share` needs to know of the areas of a page."""
        self._of(areas)

    def _of(self, areas: PointAreas) -> Features:
        """Return the features of areas, (A, C), each of length 1; they are kept while their page is."""
        with self._lock:
            if areas not in self._features:
                self._network = self._network or self._load()
                self._features[areas] = _features(self._network, areas)
            return self._features[areas]


def _features(network: MatchForward, areas: PointAreas) -> Features:
    """Return the features of areas, (A, C), each the direction of the mean over its places."""
    from scipy.sparse import kron

    total = np.float32(0)
    for band in bands(areas.steps):
        deadline.check()
        ends = [part.indices(length)[:2] for part, length in zip(band, areas.steps, strict=True)]
        seen = tuple(
            slice(*(round(end * length / steps) for end in both))
            for both, length, steps in zip(ends, areas.gray.shape, areas.steps, strict=True)
        )
        places, grid, part = described(network, areas.gray[seen])
        rows, columns = (
            _between(steps, *both, cells, filled)
            for steps, both, cells, filled in zip(areas.steps, ends, grid, part, strict=True)
        )
        total = total + (areas.shares @ kron(rows, columns, "csr")) @ places
    out: Features = (total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)).astype(
        np.float32
    )
    return out


def _between(steps: int, first: int, last: int, cells: int, filled: float) -> csr_array:
    """Return how much each step is of each cell, (steps, cells), linear between the middles of two.

    The steps from ``first`` to ``last`` fill a part of the cells; others are of none.
    """
    from scipy.sparse import coo_array

    step = np.arange(first, last)
    at = ((step - first + 0.5) / (last - first) * filled * cells - 0.5).clip(0, cells - 1)
    low = at.astype(np.int64)
    more = (at - low).astype(np.float32)
    where = np.tile(step, 2), np.concatenate([low, np.minimum(low + 1, cells - 1)])
    return coo_array((np.concatenate([1 - more, more]), where), shape=(steps, cells)).tocsr()


def _stays_paper(areas: PointAreas, masks: PaperMask | None) -> Mask:
    """Return which areas, (A,), are mostly gutter, margin or balloon."""
    if masks is None:
        return np.zeros(areas.shares.shape[0], np.bool_)
    paper: Mask = areas.shares @ cv2.resize(masks.both(), areas.steps[::-1]).ravel() > _PAPER
    return paper
