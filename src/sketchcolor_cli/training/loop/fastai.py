"""What the training uses of fastai, imported here alone and without its warnings."""

from __future__ import annotations

import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its import uses what torch and pandas call deprecated
    from fastai.callback.core import (
        Callback,
        CancelBatchException,
        CancelFitException,
        TrainEvalCallback,
    )
    from fastai.callback.fp16 import MixedPrecision
    from fastai.callback.schedule import Learner  # the module adds fit_one_cycle to it
    from fastai.callback.training import GradientClip
    from fastai.data.core import DataLoaders
    from fastai.learner import AvgMetric, Metric, Recorder
    from fastai.optimizer import Adam, ranger
    from fastai.torch_core import TensorImage, norm_bias_params, set_seed, to_device

__all__ = [
    "Adam",
    "AvgMetric",
    "Callback",
    "CancelBatchException",
    "CancelFitException",
    "DataLoaders",
    "GradientClip",
    "Learner",
    "Metric",
    "MixedPrecision",
    "Recorder",
    "TensorImage",
    "TrainEvalCallback",
    "aug_transforms",
    "norm_bias_params",
    "ranger",
    "set_seed",
    "to_device",
]


def aug_transforms(**limits: Any) -> list[Any]:
    """Return fastai's transforms that augment; they need torchvision, which takes seconds to be imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fastai.vision import augment

    return augment.aug_transforms(**limits)  # type: ignore[no-any-return]
