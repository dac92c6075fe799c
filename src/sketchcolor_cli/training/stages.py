"""The stages of training, each a fastai Learner's fit (Cortés Méndez 2022, training recipe)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from fastai.callback.core import TrainEvalCallback
from fastai.callback.schedule import Learner  # the module adds fit_one_cycle to it
from fastai.callback.training import GradientClip
from fastai.data.core import DataLoaders
from fastai.learner import AvgMetric, Recorder
from fastai.optimizer import ranger
from torch import Tensor, nn

from sketchcolor_cli.training import callbacks, results
from sketchcolor_cli.training.data import EpochBatches, loader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sketchcolor_cli.model.base import ColorNet, Prediction
    from sketchcolor_cli.training.config import TrainConfig
    from sketchcolor_cli.training.presets import Setup

_SHEET_ROWS = 8


class _Positional(nn.Module):
    """Takes a batch as fastai hands it over, and names what the network wants named."""

    def __init__(self, net: ColorNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, sketch: Tensor, hint: Tensor, spread: Tensor) -> Prediction:
        return self.net(sketch, hint, spread=spread)  # type: ignore[no-any-return]


def fit_pixel(
    setup: Setup,
    config: TrainConfig,
    plain_config: dict[str, Any],
    run: Path,
    device: str,
    state: dict[str, Any] | None,
    *,
    report: Callable[[dict[str, Any]], None],
    stop: Callable[[], bool],
    keep: Callable[[Path], None],
) -> None:
    """Train on pixels: ranger, gradients clipped to norm 1, one cycle; goes on from ``state`` when there is one."""
    batches = EpochBatches(len(setup.train), config.batch_size, config.seed, shuffled=True)
    measured = EpochBatches(len(setup.valid), config.batch_size, config.seed, shuffled=False)
    data = DataLoaders(
        loader(setup.train, batches, config.workers), loader(setup.valid, measured, 0), device=torch.device(device)
    )
    data.n_inp = 3
    sample = next(iter(loader(setup.valid, EpochBatches(len(setup.valid), _SHEET_ROWS, 0, shuffled=False), 0)))

    def psnr(prediction: Prediction, truth: Tensor, sketch: Tensor) -> Tensor:
        return results.psnr(results.result_rgb(setup.net, prediction, sketch), truth)

    learn = Learner(
        data,
        _Positional(setup.net).to(memory_format=torch.channels_last),
        loss_func=setup.loss,
        opt_func=partial(ranger),
        lr=config.lr,
        metrics=AvgMetric(psnr),
        default_cbs=False,
        cbs=[
            TrainEvalCallback(),
            Recorder(add_time=False),
            GradientClip(1.0),
            callbacks.Autocast(device, getattr(torch, config.precision)),
            callbacks.StopOnNaN(run / "checkpoint.pt"),
            callbacks.Checkpoints(
                run / "checkpoint.pt", batches, plain_config, config.checkpoint_minutes, stop, state
            ),
            callbacks.Log(run, "pixel", setup.net, sample, report, keep),
            *([callbacks.JointAugment()] if setup.augments_batches else []),
        ],
    )
    learn.logger = _silent
    learn.create_opt()
    learn.fit_one_cycle(
        config.epochs, config.lr, div=1 / 0.95, pct_start=0.5, start_epoch=state["epoch"] if state else 0
    )


def _silent(_line: object) -> None:
    """Take the place of fastai's printing; what there is to say goes through ``report``."""
