"""Metrics for fastai's Learner: of any Learner, batched in any way."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sketchcolor_cli.metrics.pictures import delta_e, psnr
from sketchcolor_cli.metrics.sets import RunningMoments, frechet_distance
from sketchcolor_cli.training.loop.metrics import (
    FrechetMetric,
    PictureMetric,
    colorfulness_ratio,
    picture_metrics,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand((count, 3, 16, 20), generator=torch.Generator().manual_seed(seed))


def seen(metric: Any, *batches: tuple[torch.Tensor, ...]) -> float:
    metric.reset()
    for prediction, *truth in batches:
        metric.accumulate(SimpleNamespace(pred=prediction, yb=tuple(truth)))
    return float(metric.value)


def mean_colors(rgb: np.ndarray) -> np.ndarray:
    return rgb.mean((0, 1))


def test_a_mean_is_over_pictures_not_over_batches() -> None:
    result, truth = pictures(5), pictures(5, 1)
    due = float(psnr(result, truth).double().mean())
    metric = PictureMetric(psnr)
    assert metric.name == "psnr"
    for cut in (1, 3, 5):
        found = seen(metric, (result[:cut], truth[:cut]), (result[cut:], truth[cut:]))
        assert found == pytest.approx(due, rel=1e-6)


def test_a_map_is_averaged_and_results_are_clipped() -> None:
    result, truth = pictures(2), pictures(2, 1)
    due = float(delta_e(result, truth).mean())
    assert seen(PictureMetric(delta_e), (result, truth)) == pytest.approx(due, rel=1e-5)
    assert seen(PictureMetric(psnr), (torch.full_like(truth, 9), torch.ones_like(truth))) == 100


def test_pictures_without_a_figure_are_left_out() -> None:
    truth = pictures(2)
    truth[1] = 0.5  # grey, to which no colourfulness can be compared
    metric = PictureMetric(colorfulness_ratio)
    assert seen(metric, (truth, truth)) == pytest.approx(1)
    assert np.isnan(seen(metric, (truth[1:], truth[1:])))


def test_a_network_that_gives_something_else_says_how_to_get_pictures() -> None:
    metric = PictureMetric(
        psnr, "mine", pictures=lambda prediction, truth, shift: (prediction["rgb"] + shift, truth)
    )
    truth = pictures(2) / 2
    assert seen(metric, ({"rgb": truth - 0.1}, truth, 0.2)) == pytest.approx(20, abs=1e-4)
    assert metric.name == "mine"


def test_a_frechet_distance_is_that_of_all_pictures_together() -> None:
    result, truth = pictures(7), pictures(7, 1)
    sets = []
    for batch in (result, truth):
        moments = RunningMoments()
        moments.add(batch.mean((2, 3)).double().numpy())
        sets.append(moments.moments())
    metric = FrechetMetric(mean_colors)
    found = seen(metric, (result[:3], truth[:3]), (result[3:], truth[3:]))
    assert found == pytest.approx(frechet_distance(*sets), rel=1e-4)
    assert seen(metric, (truth, truth)) == pytest.approx(0, abs=1e-9)
    assert np.isnan(seen(metric))


def test_any_learner_takes_them() -> None:
    truth = pictures(8, 1)
    data = [(picture, picture) for picture in truth]
    network = nn.Conv2d(3, 3, 1)
    with torch.no_grad():
        network.weight.copy_(torch.eye(3)[..., None, None])
        network.bias.fill_(0.1)
    loaders = DataLoaders.from_dsets(data, data, bs=3, shuffle=False)
    metrics = [*picture_metrics(), FrechetMetric(mean_colors)]
    learn = Learner(loaders, network, loss_func=nn.MSELoss(), metrics=metrics)
    with learn.no_logging():
        measured = learn.validate()[1:]
    by_name = dict(zip([metric.name for metric in metrics], measured, strict=True))
    assert list(by_name) == ["psnr", "ssim", "delta_e", "colorfulness_ratio", "frechet"]
    clipped = (truth + 0.1).clamp(0, 1)
    assert by_name["psnr"] == pytest.approx(float(psnr(clipped, truth).mean()), rel=1e-5)
    assert 0 < by_name["frechet"] < 0.1
