"""What a model is given under each protocol, made from the true picture; a function of seed and key alone."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.data.settings import REFERENCE_SIDE
from sketchcolor_cli.evaluation.settings import Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.evaluation.models.samples import Sample
    from sketchcolor_cli.evaluation.settings import EvaluateSettings

    Array = NDArray[np.float32]

_PAPER = 0.75  # what is lighter in the sketch is not ink that a point must avoid
_AROUND = 5  # side of the square whose mean is a point's colour, in pixels


@dataclass(frozen=True, eq=False)
class Given:
    """What a model sees beside the sketch; see ``coloring.arrays`` for the forms.

    ``points`` are rows (y, x) of the centres of colour points, ``colors`` their colours (N, 3).
    """

    reference: Array | None = None
    hints: Array | None = None
    sheet: Array | None = None
    points: NDArray[np.int64] | None = None
    colors: Array | None = None


def give(protocol: Protocol, sample: Sample, other: Sample | None, settings: EvaluateSettings) -> Given:
    """Return what a protocol gives for a sample; ``other`` is a sample of the same group."""
    if protocol is Protocol.REFERENCE:
        return Given(reference=rough(sample.truth, settings.reference_side))
    if protocol is Protocol.POINTS:
        return _points(random_of(settings.seed, sample.key), sample, settings.points)
    if protocol is Protocol.OTHER and other is not None:
        return Given(sheet=other.truth)
    return Given()


def rough(truth: Array, side: int = REFERENCE_SIDE) -> Array:
    """Return a true picture (H, W, 3) as the thesis gave it for a rough colouring: (side, side, 3)."""
    small: Array = cv2.resize(truth, (side, side), interpolation=cv2.INTER_AREA)
    return small


def random_of(seed: int, key: str) -> np.random.Generator:
    """Return random numbers that depend on seed and key alone, so that a subset gets those of the whole."""
    return np.random.default_rng([seed, zlib.crc32(key.encode())])


def local_mean(rgb: Array, points: NDArray[np.int64]) -> Array:
    """Return the mean colours (N, 3) of the 5×5 pixels around points (N, 2) of rows (y, x)."""
    mean = cv2.blur(rgb, (_AROUND, _AROUND), borderType=cv2.BORDER_REPLICATE)
    colors: Array = mean[points[:, 0], points[:, 1]]
    return colors


def _points(rng: np.random.Generator, sample: Sample, number: int) -> Given:
    """Put discs at random places that are off the ink, all around them too where there are such places."""
    paper = (sample.sketch > _PAPER).astype(np.uint8)
    free = cv2.erode(paper, np.ones((_AROUND, _AROUND), np.uint8))
    places = np.argwhere(free if free.any() else paper if paper.any() else np.ones_like(paper))
    points = places[rng.choice(len(places), min(number, len(places)), replace=False)]
    colors = local_mean(sample.truth, points)
    hints = np.zeros((*sample.sketch.shape, 4), np.float32)
    radius = max(1, round(min(sample.sketch.shape) / 176))
    for (y, x), color in zip(points.tolist(), colors, strict=True):
        cv2.circle(hints, (x, y), radius, (*color.tolist(), 1.0), -1)
    return Given(hints=hints, points=points, colors=colors)
