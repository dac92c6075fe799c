"""One stage as a fit of fastai's Learner: what the stages have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from sketchcolor_cli.errors import DataError, SketchcolorError, TrainingError
from sketchcolor_cli.training.loop import callbacks
from sketchcolor_cli.training.loop.checkpoints import Checkpoints, Stateful
from sketchcolor_cli.training.loop.data import EpochBatches, loader
from sketchcolor_cli.training.loop.fastai import (
    AvgMetric,
    DataLoaders,
    GradientClip,
    Learner,
    Metric,
    Recorder,
    TrainEvalCallback,
    ranger,
)
from sketchcolor_cli.training.loop.log import EpochLog, TensorBoard
from sketchcolor_cli.training.settings import STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import Tensor
    from torch.utils.data import Dataset

    from sketchcolor_cli.training.loop.context import Context

_EPOCHS = 100_000  # a stage's pairs are those of epochs from this times its number on


@dataclass(frozen=True)
class Work:
    """What a stage fits."""

    stage: str
    model: nn.Module
    """What fastai calls with the inputs of a batch."""
    nets: dict[str, nn.Module]
    """The networks that learn; they go into checkpoints."""
    network: nn.Module
    """The one that is the stage's result."""
    train: Dataset[Any]
    valid: Dataset[Any]
    loss: Callable[..., Tensor]
    inputs: int
    """How many parts of a batch go into the model; the others go into the loss."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What more the network's file says of where it comes from."""
    metrics: Sequence[Any] = ()
    """Functions that return a batch's mean, or metrics of fastai's kind."""
    figures: Callable[[], dict[str, float]] | None = None
    """Measures more after each epoch."""
    batch_size: int = 0
    """Items of a batch, where that is not the configuration's number."""
    shares: Sequence[float] | None = None
    """How often each item is drawn, in proportion; None: each once in an epoch."""
    sheet: Callable[[Path], None] | None = None
    """Writes a contact sheet; asked after each epoch."""
    keeps_best: bool = True
    """Whether the network of the lowest held-out loss is written; else a callback of the stage does."""
    idle: bool = False
    """Whether some weights may have no part in a step, such as those for sheets where none is shown."""
    callbacks: list[Any] = field(default_factory=list)
    schedule: str = "one-cycle"
    """How the learning rate goes: ``one-cycle``, ``trapezoid`` or ``fixed``."""
    optimizer: Callable[[], Any] | None = None
    """Makes the optimizer, where it is not ranger over all weights."""


class _Loaders(DataLoaders):  # type: ignore[misc]
    """fastai's pair of loaders, here of PyTorch's kind."""

    device = torch.device("cpu")  # in place of a property that moves loaders, which PyTorch's cannot be
    n_inp = 1


def fit(context: Context, work: Work) -> None:
    """Fit a stage: gradients clipped, checkpoints, metrics, sheets; go on where it was left.

    Afterwards the networks hold the last weights, or their moving average where the configuration wants one.

    Raises:
        DataError: There are too few pictures for so many processes.
        TrainingError: The loss or a weight became NaN, or torch.compile fails.
    """
    average = callbacks.Average(work.nets, context.config.ema) if context.config.ema else None
    _run(build_learner(context, work, average), context, work)
    if average is not None:
        average.settle()


def build_learner(context: Context, work: Work, average: callbacks.Average | None) -> Learner:
    """Return fastai's Learner of a stage, with the state that it goes on from."""
    config = context.config
    batches = training_batches(context, work)
    own = [
        callback
        for callback in (average, _scaler(context), *_rate(context, work), *work.callbacks)
        if callback
    ]
    stateful = [callback for callback in own if isinstance(callback, Stateful)]
    learn = Learner(
        _loaders(context, work, batches),
        work.model.to(torch.device(context.device)).to(memory_format=torch.channels_last),
        loss_func=work.loss,
        opt_func=ranger,
        lr=config.lr[work.stage],
        metrics=[metric if isinstance(metric, Metric) else AvgMetric(metric) for metric in work.metrics],
        default_cbs=False,
        cbs=[*_callbacks(context, work, batches, stateful), *own],
    )
    if (state := context.state_of(work.stage)) is not None:
        for part in stateful:
            if type(part).__name__ not in state["more"]:
                raise TrainingError(
                    f"{context.checkpoint}: is of another version; start again in another folder"
                )
            part.load_state_dict(state["more"][type(part).__name__])
    if context.ranks.count > 1:
        if not len(batches):
            raise DataError(f"{len(work.train)} pictures are too few for {context.ranks.count} processes")  # type: ignore[arg-type]
        from sketchcolor_cli.training.loop.parallel import Parallel

        learn.add_cb(Parallel(context.device, idle=work.idle))
    if work.optimizer is not None:
        learn.opt = work.optimizer()
    return learn


def _callbacks(context: Context, work: Work, batches: EpochBatches, stateful: list[Stateful]) -> list[Any]:
    """Return the callbacks of every fit, which are called by their ``order``.

    -20 Seeds, -15 AlternatingUpdates, -10 TrainEvalCallback, -8 StopOnNaN, -5 JointAugment; 0 DropGradients,
    FrozenNorms, TrapezoidRate; 6 Accumulate, Scaled and GradientClip by fastai's; 50 Recorder; then what ends
    an epoch: 55 EpochLog, 56 TensorBoard, 57 GeneratorMonitor, 58 Average, 60 Checkpoints.
    """
    config, first = context.config, context.ranks.first
    save = (lambda path: context.save(path, work.network, **work.facts)) if work.keeps_best else None
    return [
        TrainEvalCallback(),
        Recorder(add_time=False),
        GradientClip(config.clip),
        callbacks.DropGradients(),
        callbacks.Seeds(config.seed, STAGES.index(work.stage), context.ranks.rank),
        callbacks.StopOnNaN(context.checkpoint),
        Checkpoints(context, work.stage, work.nets, batches, stateful),
        EpochLog(context, work.stage, sheet=work.sheet, figures=work.figures, save=save),
        *([TensorBoard(context.run, work.stage)] if config.tensorboard and first else []),
        *([callbacks.Accumulate(config.accumulate)] if config.accumulate > 1 else []),
    ]


def training_batches(context: Context, work: Work) -> EpochBatches:
    """Return the order in which a stage's items are learnt from."""
    config = context.config
    return EpochBatches(
        len(work.train), work.batch_size or config.batch_size, config.seed, shuffled=True,  # type: ignore[arg-type]
        sizes=config.size, epochs=config.epochs[work.stage], first_epoch=STAGES.index(work.stage) * _EPOCHS,
        rank=context.ranks.rank, ranks=context.ranks.count, pixels=config.batch_pixels, shares=work.shares,
    )  # fmt: skip


def _loaders(context: Context, work: Work, batches: EpochBatches) -> _Loaders:
    config, pinned = context.config, context.device.startswith("cuda")
    size = work.batch_size or config.batch_size
    measured = EpochBatches(len(work.valid), size, config.seed, shuffled=False, sizes=config.size[-1:])  # type: ignore[arg-type]
    data = _Loaders(
        loader(work.train, batches, workers=config.workers, pinned=pinned),
        loader(work.valid, measured, pinned=pinned),
    )
    data.device, data.n_inp = torch.device(context.device), work.inputs
    return data


def _scaler(context: Context) -> callbacks.Scaled | None:
    return callbacks.Scaled(context.device) if context.config.precision == "float16" else None


def _rate(context: Context, work: Work) -> list[Any]:
    config = context.config
    if work.schedule != "trapezoid":
        return []
    return [callbacks.TrapezoidRate(config.lr[work.stage], config.warm_up, config.cool_down)]


def _run(learn: Learner, context: Context, work: Work) -> None:
    """Fit; errors are in one line."""
    config, state = context.config, context.state_of(work.stage)
    epochs, lr, begun = config.epochs[work.stage], config.lr[work.stage], state["epoch"] if state else 0
    try:
        with learn.no_logging():
            if work.schedule == "one-cycle":
                learn.fit_one_cycle(epochs, lr, div=0.95, pct_start=0.5, start_epoch=begun)
            else:
                learn.fit(epochs, lr, start_epoch=begun)
    except SketchcolorError as error:
        raise _in_one_line(error) from error
    except RuntimeError as error:
        if not config.compile or not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        reason = str(error).strip().partition("\n")[0]
        raise TrainingError(
            f"--compile: torch.compile cannot translate the network ({reason}); on a CPU it needs a C++ "
            "compiler such as g++; start again without --compile"
        ) from error


def _in_one_line(error: SketchcolorError) -> SketchcolorError:
    """Return the error without what fastai's callbacks and PyTorch's workers put round its text."""
    kind = type(error)
    last = str(error).strip().splitlines()[-1].strip()
    return kind(last.removeprefix(f"{kind.__module__}.{kind.__qualname__}: "))
