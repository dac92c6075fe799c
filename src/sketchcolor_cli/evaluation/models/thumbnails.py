"""Small pictures of what a model was shown and made, for the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.data.pictures import to_bytes
from sketchcolor_cli.imaging.resize import shrink_to

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.evaluation.models.protocols import Given
    from sketchcolor_cli.evaluation.models.samples import Sample

    Array = NDArray[np.float32]
    Thumbnail = NDArray[np.uint8]

_SIDE = 320


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Pictures of one row of the report, (H, W, 3); ``given`` is None where a model saw the sketch alone."""

    sketch: Thumbnail
    given: Thumbnail | None
    result: Thumbnail
    truth: Thumbnail


def thumbnails(sample: Sample, given: Given, result: Array, like: Thumbnails | None = None) -> Thumbnails:
    """Return the pictures of a sample, of what was given beside its sketch, and of a result (H, W, 3).

    Those of sketch and truth are the ones of ``like``, other pictures of the same sample, where there are
    such: an evaluation keeps all of them until its report.
    """
    shown = _as_picture(given, sample)
    sketch, truth = (like.sketch, like.truth) if like is not None else _of_sample(sample)
    return Thumbnails(sketch, None if shown is None else _small(shown), _small(result), truth)


def _of_sample(sample: Sample) -> tuple[Thumbnail, Thumbnail]:
    return _small(np.repeat(sample.sketch[..., None], 3, axis=2)), _small(sample.truth)


def _as_picture(given: Given, sample: Sample) -> Array | None:
    """Return what was given as a picture; points larger than they are and ringed, a reference as laid."""
    if given.reference is not None:
        laid: Array = cv2.resize(given.reference, sample.sketch.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return laid
    if given.hints is None:
        return given.sheet
    grown, ringed = (cv2.dilate(given.hints, np.ones((side, side), np.uint8)) for side in (5, 9))
    ground = 1 - 0.4 * ringed[..., 3:]  # white points would not be seen on white
    points: Array = np.where(grown[..., 3:] > 0, grown[..., :3], ground).astype(np.float32)
    return points


def _small(rgb: Array) -> Thumbnail:
    return to_bytes(shrink_to(rgb, _SIDE))
