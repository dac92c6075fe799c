"""The stages of training, each a fastai Learner's fit (Cortés Méndez 2022, training recipe)."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sketchcolor_cli.errors import SketchcolorError
from sketchcolor_cli.training import callbacks, results
from sketchcolor_cli.training.data import EpochBatches, loader

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fastai's import uses what torch and pandas call deprecated
    from fastai.callback.core import TrainEvalCallback
    from fastai.callback.schedule import Learner  # the module adds fit_one_cycle to it
    from fastai.callback.training import GradientClip
    from fastai.data.core import DataLoaders
    from fastai.learner import AvgMetric, Recorder
    from fastai.optimizer import ranger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sketchcolor_cli.model.base import ColorNet, Prediction
    from sketchcolor_cli.training.config import TrainConfig
    from sketchcolor_cli.training.presets import Setup

_SHEET_ROWS = 8


class _Loaders(DataLoaders):  # type: ignore[misc]
    """fastai's pair of loaders, here of PyTorch's kind."""

    device = torch.device("cpu")  # in place of a property that moves loaders, which PyTorch's cannot be
    n_inp = 3  # sketch, hint and spread go into the network; truth and sketch again into the loss


class _Fed(nn.Module):
    """A network as fastai calls it; it works in a lower precision, its results and the loss do not.

    bfloat16 has the range of float32, so the loss needs no scaling.
    """

    def __init__(self, net: ColorNet, device: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.net, self.device_type, self.dtype = net, torch.device(device).type, dtype

    def forward(self, sketch: Tensor, hint: Tensor, spread: Tensor) -> Prediction:
        with torch.autocast(self.device_type, self.dtype, enabled=self.dtype != torch.float32):
            prediction = self.net(sketch, hint, spread=spread)
        parts = {name: part.float() for name, part in vars(prediction).items() if part is not None}
        return replace(prediction, **parts)  # type: ignore[no-any-return]


def fit_pixel(
    setup: Setup,
    config: TrainConfig,
    settings: dict[str, Any],
    run: Path,
    device: str,
    state: dict[str, Any] | None,
    *,
    report: Callable[[dict[str, Any]], None],
    stop: Callable[[], bool],
    keep: Callable[[Path], None],
) -> None:
    """Train on pixels: ranger, gradients clipped to norm 1, one cycle; go on from ``state`` if there is any.

    ``settings`` goes into the checkpoints. The other arguments are those of ``run.train``.
    """
    batches = EpochBatches(len(setup.train), config.batch_size, config.seed, shuffled=True)
    measured = EpochBatches(len(setup.valid), config.batch_size, config.seed, shuffled=False)
    shown = EpochBatches(len(setup.valid), _SHEET_ROWS, config.seed, shuffled=False)
    pinned = device.startswith("cuda")
    data = _Loaders(
        loader(setup.train, batches, workers=config.workers, pinned=pinned),
        loader(setup.valid, measured, pinned=pinned),
    )
    data.device = torch.device(device)

    def psnr(prediction: Prediction, truth: Tensor, sketch: Tensor) -> Tensor:
        return results.psnr(results.result_rgb(setup.net, prediction, sketch), truth)

    learn = Learner(
        data,
        _Fed(setup.net, device, getattr(torch, config.precision)).to(memory_format=torch.channels_last),
        loss_func=setup.loss,
        opt_func=ranger,
        lr=config.lr,
        metrics=AvgMetric(psnr),
        default_cbs=False,
        cbs=[
            TrainEvalCallback(),
            Recorder(add_time=False),
            GradientClip(1.0),
            callbacks.Seeds(config.seed),
            *([callbacks.JointAugment()] if setup.augments_batches else []),
            callbacks.StopOnNaN(run / "checkpoint.pt"),
            callbacks.Checkpoints(
                run / "checkpoint.pt", batches, settings, config.checkpoint_minutes, stop, state
            ),
            callbacks.EpochLog(run, "pixel", setup.net, next(iter(loader(setup.valid, shown))), report, keep),
        ],
    )
    begun = state["epoch"] if state else 0
    try:
        with learn.no_logging():
            learn.fit_one_cycle(config.epochs, config.lr, div=1 / 0.95, pct_start=0.5, start_epoch=begun)
    except SketchcolorError as error:
        raise _in_one_line(error) from error


def _in_one_line(error: SketchcolorError) -> SketchcolorError:
    """Return the error without what fastai's callbacks and PyTorch's workers put round its text."""
    kind = type(error)
    last = str(error).strip().splitlines()[-1].strip()
    return kind(last.removeprefix(f"{kind.__module__}.{kind.__qualname__}: "))
