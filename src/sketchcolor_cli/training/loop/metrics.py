"""What fastai's Learner can measure of colour models while it trains them: ``Learner(..., metrics=[...])``.

Any Learner can use them, not ours alone. They take what a network gives and what it should have given as
pictures (N, 3, H, W), RGB in [0, 1]; where a network gives something else, ``pictures`` says how to get them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sketchcolor_cli.metrics import pictures as measures
from sketchcolor_cli.metrics.sets import RunningMoments, frechet_distance
from sketchcolor_cli.training.loop.fastai import Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    Pictures = Callable[..., tuple[Tensor, Tensor]]
    Features = Callable[[NDArray[np.float32]], NDArray[np.floating]]


def as_they_are(prediction: Tensor, truth: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    """Return a network's pictures and the true ones of a Learner whose networks give pictures, clipped."""
    return prediction.clamp(0, 1), truth


class PictureMetric(Metric):  # type: ignore[misc]
    """The mean of a figure over all pictures, however they are batched; those that have none are left out.

    Args:
        figure: From results and truths, to a figure of each picture (N,), or a map of it (N, H, W), which is
            averaged. Not a number where a picture has no such figure.
        name: What the Learner calls it; the function's name when left out.
        pictures: From the network's output and the parts of the target to results and truths.
    """

    def __init__(
        self,
        figure: Callable[[Tensor, Tensor], Tensor],
        name: str = "",
        *,
        pictures: Pictures = as_they_are,
    ) -> None:
        self.figure, self.pictures = figure, pictures
        self._name = name or getattr(figure, "__name__", type(figure).__name__.lower())
        self.reset()

    def reset(self) -> None:
        """Forget what was measured."""
        self.total, self.count = 0.0, 0

    def accumulate(self, learn: Any) -> None:
        """Measure a batch."""
        values = self.figure(*(picture.detach() for picture in self.pictures(learn.pred, *learn.yb)))
        each = values.detach().double().flatten(1).mean(1) if values.ndim > 1 else values.detach().double()
        each = each[each.isfinite()]
        self.total += float(each.sum())
        self.count += len(each)

    @property
    def value(self) -> float:
        """The mean of what was measured; not a number where that is nothing."""
        return self.total / self.count if self.count else math.nan

    @property
    def name(self) -> str:
        """What the Learner calls it."""
        return self._name


class FrechetMetric(Metric):  # type: ignore[misc]
    """The Fréchet distance of all results to all truths, by features of one's choice.

    Args:
        see: From a picture (H, W, 3) to its features (D,): ``evaluation.models.bundled.BundledFeatures()``,
            or ``evaluation.fid.features.FidFeatures(FILE)``, whose distance alone is FID.
        name: What the Learner calls it.
        pictures: From the network's output and the parts of the target to results and truths.
    """

    def __init__(self, see: Features, name: str = "frechet", *, pictures: Pictures = as_they_are) -> None:
        self.see, self.pictures, self._name = see, pictures, name
        self.reset()

    def reset(self) -> None:
        """Forget what was measured."""
        self.moments = RunningMoments(), RunningMoments()

    def accumulate(self, learn: Any) -> None:
        """Look at a batch."""
        for moments, batch in zip(self.moments, self.pictures(learn.pred, *learn.yb), strict=True):
            arrays = batch.detach().float().permute(0, 2, 3, 1).cpu().numpy()
            moments.add(np.stack([self.see(np.ascontiguousarray(array)) for array in arrays]))

    @property
    def value(self) -> float:
        """The distance; not a number before a picture was seen."""
        found, wanted = self.moments
        return frechet_distance(found.moments(), wanted.moments()) if found.count else math.nan

    @property
    def name(self) -> str:
        """What the Learner calls it."""
        return self._name


def colorfulness_ratio(result: Tensor, truth: Tensor) -> Tensor:
    """Return the colourfulness of results by that of the truths, (N,): below 1 is too pale; of greys none."""
    true = measures.colorfulness(truth)
    return (measures.colorfulness(result) / true).masked_fill(true <= 1, math.nan)


def picture_metrics(pictures: Pictures = as_they_are) -> list[PictureMetric]:
    """Return PSNR, SSIM, ΔE00 and colourfulness to truth, ready for ``Learner(..., metrics=...)``."""
    figures = (measures.psnr, measures.ssim, measures.delta_e, colorfulness_ratio)
    return [PictureMetric(figure, pictures=pictures) for figure in figures]
