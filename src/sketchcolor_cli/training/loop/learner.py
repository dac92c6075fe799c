"""One stage as a fit of fastai's Learner: what the stages have in common."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from sketchcolor_cli.errors import DataError, SketchcolorError, TrainingError
from sketchcolor_cli.training.loop import callbacks
from sketchcolor_cli.training.loop.data import EpochBatches, loader
from sketchcolor_cli.training.settings import STAGES

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fastai's import uses what torch and pandas call deprecated
    from fastai.callback.core import TrainEvalCallback
    from fastai.callback.schedule import Learner  # the module adds fit_one_cycle to it
    from fastai.callback.training import GradientClip
    from fastai.data.core import DataLoaders
    from fastai.learner import AvgMetric, Metric, Recorder
    from fastai.optimizer import ranger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import Tensor
    from torch.utils.data import Dataset

    from sketchcolor_cli.training.loop.ranks import Ranks
    from sketchcolor_cli.training.settings import TrainSettings

_EPOCHS = 100_000  # a stage's pairs are those of epochs from this times its number on


@dataclass(frozen=True)
class Context:
    """What all stages of a run share."""

    run: Path
    config: TrainSettings
    device: str
    settings: dict[str, Any]
    """Goes into checkpoints, to be compared when the run is resumed."""
    state: dict[str, Any] | None
    """The checkpoint to go on from, or None."""
    report: Callable[[dict[str, Any]], None]
    stop: Callable[[], bool]
    ranks: Ranks

    @property
    def dtype(self) -> torch.dtype:
        """Number format that networks work in; weights and losses stay float32."""
        return getattr(torch, self.config.precision)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Work:
    """What a stage fits."""

    stage: str
    model: nn.Module
    """What fastai calls with the inputs of a batch."""
    nets: dict[str, nn.Module]
    """The networks that learn; they go into checkpoints."""
    train: Dataset[Any]
    valid: Dataset[Any]
    loss: Callable[..., Tensor]
    inputs: int
    """How many parts of a batch go into the model; the others go into the loss."""
    metrics: Sequence[Any] = ()
    """Functions that return a batch's mean, or metrics of fastai's kind."""
    batch_size: int = 0
    """Items of a batch, where that is not the configuration's number."""
    sheet: Callable[[Path], None] | None = None
    """Writes a contact sheet; asked after each epoch."""
    keep: Callable[[Path], None] | None = None
    """Writes the network to a file; asked when it is the best so far."""
    idle: bool = False
    """Whether some weights may have no part in a step, such as those for sheets where none is shown."""
    callbacks: list[Any] = field(default_factory=list)
    one_cycle: bool = True
    """Whether the learning rate follows one cycle; else it is fixed."""
    optimizer: Callable[[], Any] | None = None
    """Makes the optimizer, where it is not ranger over all weights."""


class _Loaders(DataLoaders):  # type: ignore[misc]
    """fastai's pair of loaders, here of PyTorch's kind."""

    device = torch.device("cpu")  # in place of a property that moves loaders, which PyTorch's cannot be
    n_inp = 1


def fit(context: Context, work: Work) -> None:
    """Fit a stage: gradients clipped to norm 1, checkpoints, metrics, sheets; go on where it was left.

    Afterwards the networks hold the last weights, or their moving average where the configuration wants one.
    """
    config, number = context.config, STAGES.index(work.stage)
    epochs, lr = config.epochs[work.stage], config.lr[work.stage]
    size = work.batch_size or config.batch_size
    batches = EpochBatches(
        len(work.train), size, config.seed, shuffled=True,  # type: ignore[arg-type]
        sizes=config.size, epochs=epochs, first_epoch=number * _EPOCHS,
        rank=context.ranks.rank, ranks=context.ranks.count,
    )  # fmt: skip
    measured = EpochBatches(len(work.valid), size, config.seed, shuffled=False, sizes=config.size[-1:])  # type: ignore[arg-type]
    pinned = context.device.startswith("cuda")
    data = _Loaders(
        loader(work.train, batches, workers=config.workers, pinned=pinned),
        loader(work.valid, measured, pinned=pinned),
    )
    data.device, data.n_inp = torch.device(context.device), work.inputs
    state = context.state if context.state and context.state["stage"] == work.stage else None
    average = callbacks.Average(work.nets, config.ema) if config.ema else None
    scaled = callbacks.Scaled(context.device) if config.precision == "float16" else None
    stateful = [
        callback
        for callback in (average, scaled, *work.callbacks)
        if isinstance(callback, callbacks.Stateful)
    ]
    file = context.run / "checkpoint.pt"
    learn = Learner(
        data,
        work.model.to(torch.device(context.device)).to(memory_format=torch.channels_last),
        loss_func=work.loss,
        opt_func=ranger,
        lr=lr,
        metrics=[one if isinstance(one, Metric) else AvgMetric(one) for one in work.metrics],
        default_cbs=False,
        cbs=[
            TrainEvalCallback(),
            Recorder(add_time=False),
            GradientClip(1.0),
            callbacks.DropGradients(),
            callbacks.Seeds(config.seed, number, context.ranks.rank),
            callbacks.StopOnNaN(file),
            callbacks.Checkpoints(
                file,
                work.stage,
                work.nets,
                batches,
                context.settings,
                config,
                context.stop,
                state,
                stateful,
                writes=context.ranks.first,
            ),
            callbacks.EpochLog(
                context.run,
                work.stage,
                context.report,
                sheet=work.sheet,
                keep=work.keep,
                writes=context.ranks.first,
            ),
            *(
                [callbacks.TensorBoard(context.run, work.stage)]
                if config.tensorboard and context.ranks.first
                else []
            ),
            *([callbacks.Accumulate(config.accumulate)] if config.accumulate > 1 else []),
            *(callback for callback in (average, scaled) if callback is not None),
            *work.callbacks,
        ],
    )
    begun = 0
    if state is not None:
        begun = state["epoch"]
        for one in stateful:
            one.load_state_dict(state["more"][type(one).__name__])
    if context.ranks.count > 1:
        if not len(batches):
            raise DataError(f"{len(work.train)} pictures are too few for {context.ranks.count} processes")  # type: ignore[arg-type]
        from sketchcolor_cli.training.loop.parallel import Parallel

        learn.add_cb(Parallel(context.device, idle=work.idle))
    if work.optimizer is not None:
        learn.opt = work.optimizer()
    run_fit = (
        partial(learn.fit_one_cycle, epochs, lr, div=1 / 0.95, pct_start=0.5)
        if work.one_cycle
        else partial(learn.fit, epochs, lr)
    )
    try:
        with learn.no_logging():
            run_fit(start_epoch=begun)
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
    if average is not None:
        average.settle()


def _in_one_line(error: SketchcolorError) -> SketchcolorError:
    """Return the error without what fastai's callbacks and PyTorch's workers put round its text."""
    kind = type(error)
    last = str(error).strip().splitlines()[-1].strip()
    return kind(last.removeprefix(f"{kind.__module__}.{kind.__qualname__}: "))
