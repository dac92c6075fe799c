"""fastai callbacks of ours: random numbers, joint augmentation, checkpoints to go on from, the log of epochs.

fastai calls ``after_epoch`` also for the epochs that a resumed run leaves out; what ends an epoch here is
therefore ``after_validate``.
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from sketchcolor_cli.errors import TrainingError
from sketchcolor_cli.training.files import append_row, drop_rows, save_state

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fastai's import uses what torch and pandas call deprecated
    from fastai.callback.core import Callback, CancelBatchException
    from fastai.callback.fp16 import MixedPrecision
    from fastai.torch_core import TensorImage, set_seed, to_device
    from fastai.vision.augment import aug_transforms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sketchcolor_cli.training.loop.data import EpochBatches
    from sketchcolor_cli.training.settings import TrainSettings


class Seeds(Callback):  # type: ignore[misc]
    """Let the random numbers of a step depend on seed, epoch and step alone, so that none need be kept."""

    order, run_valid = -20, False  # before anything that draws

    def __init__(self, seed: int, *place: int) -> None:
        """``place`` tells stages, and processes that train side by side, apart."""
        super().__init__()
        self.seed, self.place = seed, place

    def before_batch(self) -> None:
        """Seed torch, on every device, Python and NumPy."""
        place = (self.seed, *self.place, self.epoch, self.learn.checkpoints.done)
        set_seed(int(np.random.SeedSequence(place).generate_state(1)[0]))


class JointAugment(Callback):  # type: ignore[misc]
    """Turn, warp, zoom and mirror picture, sketch and reference as one; change the light of colours alone.

    fastai's ``aug_transforms`` with the thesis's limits. The reference is the picture itself, so it is taken
    from the changed picture. The light of a sketch is not changed: paper stays white.
    """

    order, run_valid = -5, False

    def __init__(self) -> None:
        super().__init__()
        self.moves = aug_transforms(max_rotate=30, max_warp=0.2, max_lighting=0)
        self.lights = aug_transforms(do_flip=False, max_rotate=0, max_warp=0, max_zoom=1, max_lighting=0.1)

    def before_batch(self) -> None:
        """Replace the batch."""
        (sketch, hint, spread), (truth, _) = self.learn.xb, self.learn.yb
        moved = _transformed(torch.cat([truth, sketch], 1), self.moves)
        truth, sketch = _transformed(moved[:, :3], self.lights), moved[:, 3:]
        self.learn.xb = (sketch, torch.cat([truth, hint[:, 3:]], 1), spread)
        self.learn.yb = (truth, sketch)


def _transformed(pictures: Tensor, transforms: list[Any]) -> Tensor:
    changed = TensorImage(pictures)
    for transform in transforms:
        changed = transform(changed, split_idx=0)
    return changed.as_subclass(Tensor).clamp(0, 1)  # type: ignore[no-any-return]


@runtime_checkable
class Stateful(Protocol):
    """A callback with a state of its own, which belongs into checkpoints."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state: tensors and plain values."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state; called before fitting begins."""


class Checkpoints(Callback):  # type: ignore[misc]
    """Save everything that the next step depends on, and take it up again so that nothing differs.

    Saved every few minutes after a step, and after each epoch. ``stop`` is asked after each step; when it
    says so the state is saved and KeyboardInterrupt raised. ``settings`` is kept with the state. Within steps
    of several batches nothing is saved.
    """

    order = 60  # last, when a step or an epoch is complete

    def __init__(
        self,
        file: Path,
        stage: str,
        nets: dict[str, nn.Module],
        batches: EpochBatches,
        settings: dict[str, Any],
        config: TrainSettings,
        stop: Callable[[], bool],
        state: dict[str, Any] | None,
        stateful: Sequence[Stateful] = (),
        *,
        writes: bool = True,
    ) -> None:
        super().__init__()
        self.writes = writes
        self.file, self.stage, self.batches, self.settings, self.stop = file, stage, batches, settings, stop
        self.weights, self.stateful = nn.ModuleDict(nets), stateful
        self.seconds, self.accumulate = config.checkpoint_minutes * 60, config.accumulate
        self.resumed = state
        self.best = state["best"] if state else float("inf")
        self.saved = time.monotonic()

    @property
    def done(self) -> int:
        """Batches of this epoch that came before the present one, those before a resumption included."""
        return self.batches.start + int(self.iter)

    @property
    def completes_step(self) -> bool:
        """Whether the present batch is the last of a step of the optimizer."""
        return (self.done + 1) % self.accumulate == 0 or self.done + 1 == len(self.batches)

    def before_fit(self) -> None:
        """Take up weights, optimizer and the running mean of the loss."""
        if self.resumed is None:
            return
        self.weights.load_state_dict(self.resumed["model"])
        self.learn.opt.load_state_dict(to_device(self.resumed["optimizer"], self.dls.device))
        smooth = self.learn.recorder.smooth_loss
        smooth.count, smooth.val = self.resumed["smooth_loss"]

    def before_epoch(self) -> None:
        """Set the order of the pictures, and where in it to begin."""
        self.batches.epoch, self.batches.start = self.epoch, 0
        if self.resumed is not None and self.epoch == self.resumed["epoch"]:
            self.batches.start = self.resumed["batch"]

    def before_train(self) -> None:
        """Take up the place in the one-cycle schedule."""
        for _ in range(self.batches.start):  # added one by one, for the same rounding as in an unbroken run
            self.learn.pct_train += 1.0 / (len(self.batches) * self.n_epoch)

    def after_batch(self) -> None:
        """Save when it is time, or when the run shall stop."""
        if not self.training or not self.completes_step:
            return
        if self.stop():
            self.save(self.epoch, self.done + 1)
            raise KeyboardInterrupt
        if time.monotonic() - self.saved >= self.seconds:
            self.save(self.epoch, self.done + 1)

    def after_validate(self) -> None:
        """Save at the end of the epoch."""
        self.save(self.epoch + 1, 0)

    def check(self) -> None:
        """Raise TrainingError when a weight is no number any more."""
        if not all(tensor.isfinite().all() for tensor in self.weights.state_dict().values()):
            raise TrainingError(f"the weights became NaN in epoch {self.epoch + 1}; {last_good(self.file)}")

    def save(self, epoch: int, batch: int) -> None:
        """Write the state from which epoch ``epoch`` goes on after ``batch`` batches."""
        self.check()
        model = self.weights.state_dict()
        self.saved = time.monotonic()
        if not self.writes:
            return
        smooth = self.learn.recorder.smooth_loss
        state = {
            **self.settings,
            "stage": self.stage,
            "model": model,
            "optimizer": _plain(self.learn.opt.state_dict()),
            "more": {type(one).__name__: _plain(one.state_dict()) for one in self.stateful},
            "epoch": epoch,
            "batch": batch,
            "smooth_loss": [smooth.count, smooth.val],
            "best": self.best,
        }
        save_state(self.file, state)


def _plain(value: Any) -> Any:
    """Return fastai's containers as plain lists and dicts, which can be loaded without unpickling code."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Tensor):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, str):
        return value
    return [_plain(item) for item in value] if hasattr(value, "__iter__") else value


class Accumulate(Callback):  # type: ignore[misc]
    """Add up the gradients of ``count`` batches for one step; the last step of an epoch may have fewer."""

    order, run_valid = 6, False  # before gradients are clipped

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def after_loss(self) -> None:
        """Let the sum of the gradients be that of the mean loss of the batches of the step."""
        first = self.learn.checkpoints.done // self.count * self.count
        self.learn.loss_grad /= min(self.count, len(self.learn.checkpoints.batches) - first)

    def before_step(self) -> None:
        """Keep the gradients for the next batch until the step is complete."""
        if not self.learn.checkpoints.completes_step:
            raise CancelBatchException


class DropGradients(Callback):  # type: ignore[misc]
    """Leave weights alone in steps that they have no part in, such as those for sheets where there is none.

    fastai sets gradients to 0 after a step, which the optimizer takes for gradients in the next; a resumed
    run has none yet, and would go on differently.
    """

    run_valid = False

    def after_step(self) -> None:
        """Forget the gradients."""
        for parameter in self.learn.model.parameters():
            parameter.grad = None


class FrozenNorms(Callback):  # type: ignore[misc]
    """Leave the statistics of batch norms as they are: those of a few pictures would spoil them."""

    run_valid = False

    def before_train(self) -> None:
        """Put batch norms into evaluation mode after the rest was put into training mode."""
        for module in self.learn.model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()


class Average(Callback):  # type: ignore[misc]
    """Follow the weights with an exponential moving average, which is measured, shown and kept instead.

    The decay grows with the steps up to ``decay``, min(decay, (1 + n)/(10 + n)), so that the first weights
    are soon forgotten.
    """

    order = 58  # when an epoch has been written down, and before it is saved

    def __init__(self, nets: dict[str, nn.Module], decay: float) -> None:
        super().__init__()
        self.nets, self.decay, self.steps = nn.ModuleDict(nets), decay, 0
        self.mean: dict[str, Tensor] | None = None
        self.aside: dict[str, Tensor] = {}

    def before_fit(self) -> None:
        """Begin with the weights as they are, unless there is a state to go on from."""
        if self.mean is None:
            self.mean = _copied(self.nets)

    def after_step(self) -> None:
        """Follow the weights."""
        assert self.mean is not None  # noqa: S101  (set before fitting)
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            for name, value in self.nets.state_dict().items():
                if value.is_floating_point():
                    self.mean[name].lerp_(value, 1 - decay)
                else:
                    self.mean[name].copy_(value)

    def before_validate(self) -> None:
        """Put the average in the place of the weights."""
        self.aside = _copied(self.nets)
        self.settle()

    def after_validate(self) -> None:
        """Put the weights back."""
        self.nets.load_state_dict(self.aside)

    def settle(self) -> None:
        """Let the networks be their average."""
        if self.mean is not None:
            self.nets.load_state_dict(self.mean)

    def state_dict(self) -> dict[str, Any]:
        """Return the average and its number of steps."""
        return {"mean": self.mean, "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what was kept."""
        device = next(self.nets.parameters()).device
        self.mean, self.steps = to_device(state["mean"], device), state["steps"]


def _copied(nets: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in nets.state_dict().items()}


class Scaled(MixedPrecision):  # type: ignore[misc]
    """Scale the loss so that gradients do not vanish in float16, on any device.

    The networks cast themselves, so of fastai's callback only the scaling is used.
    """

    def __init__(self, device: str) -> None:
        super().__init__()
        self.device_type = device.split(":")[0]
        self.state: dict[str, Any] | None = None

    def before_fit(self) -> None:
        """Make the scaler, as it was left."""
        self.learn.scaler = torch.amp.GradScaler(self.device_type)
        self.scales: list[float] = []
        if self.state is not None:
            self.learn.scaler.load_state_dict(self.state)

    def before_batch(self) -> None:
        """Do nothing."""

    def after_pred(self) -> None:
        """Do nothing."""

    def after_loss(self) -> None:
        """Do nothing."""

    def after_fit(self) -> None:
        """Do nothing."""

    def state_dict(self) -> dict[str, Any]:
        """Return the scale and its history."""
        return dict(self.learn.scaler.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what was kept."""
        self.state = state


class StopOnNaN(Callback):  # type: ignore[misc]
    """End the run with a clear word when the loss is no number any more, before the weights are spoilt."""

    order, run_valid = -8, False

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def after_loss(self) -> None:
        """Raise TrainingError, before there are gradients."""
        if not self.loss.isfinite():
            where = f"epoch {self.epoch + 1}, step {self.learn.checkpoints.done + 1}"
            raise TrainingError(f"the loss became {self.loss.item()} in {where}; {last_good(self.file)}")


def last_good(checkpoint: Path) -> str:
    """Return what a user can do after a loss or weights have become NaN."""
    kept = f"{checkpoint} holds the last good state" if checkpoint.exists() else "there is no checkpoint yet"
    return f"{kept}; start again with a lower --lr"


class EpochLog(Callback):  # type: ignore[misc]
    """Report steps; after each epoch write metrics.csv and a contact sheet, and keep the best network."""

    order = 55  # after fastai's Recorder, which measures, and before Checkpoints, which keeps what is best

    def __init__(
        self,
        folder: Path,
        stage: str,
        report: Callable[[dict[str, Any]], None],
        *,
        sheet: Callable[[Path], None] | None,
        keep: Callable[[Path], None] | None,
        writes: bool = True,
    ) -> None:
        super().__init__()
        self.writes = writes
        self.folder, self.stage, self.sheet, self.report, self.keep = folder, stage, sheet, report, keep
        self.table = folder / "metrics.csv"
        self.began = time.monotonic()

    def before_fit(self) -> None:
        """Drop the rows of epochs that will be done again."""
        resumed = self.learn.checkpoints.resumed
        if self.writes:
            drop_rows(self.table, self.stage, resumed["epoch"] if resumed else 0)

    def after_batch(self) -> None:
        """Report the step."""
        if self.training and self.writes:
            self.report(
                {
                    "event": "step",
                    "stage": self.stage,
                    "epoch": self.epoch + 1,
                    "epochs": self.n_epoch,
                    "step": self.learn.checkpoints.done + 1,
                    "steps": self.n_iter,
                    "loss": float(self.learn.smooth_loss),
                }
            )

    def after_validate(self) -> None:
        """Write down the epoch."""
        if not self.writes:
            return
        _, *measured = self.learn.recorder.log
        _, *names = self.learn.recorder.metric_names
        now = time.monotonic()
        row = {
            "stage": self.stage, "epoch": self.epoch + 1, **dict(zip(names, measured, strict=True)),
            "lr": float(self.opt.hypers[-1]["lr"]), "seconds": round(now - self.began, 1),
        }  # fmt: skip
        self.began = now
        append_row(self.table, {key: _short(value) for key, value in row.items()})
        if self.sheet is not None:
            self.sheet(self.folder / "sheets" / f"{self.stage}-{self.epoch + 1:03d}.png")
        if self.keep is not None and row["valid_loss"] < self.learn.checkpoints.best:
            self.learn.checkpoints.best = row["valid_loss"]
            self.keep(self.folder / "best.safetensors")
        self.report({"event": "epoch", **row})


class TensorBoard(Callback):  # type: ignore[misc]
    """Write the loss of each step and the figures of each epoch for TensorBoard."""

    order = 56  # after the epoch has been written down

    def __init__(self, folder: Path, stage: str) -> None:
        super().__init__()
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise TrainingError("--tensorboard: install sketchcolor-cli[tensorboard] first") from error
        self.stage, self.writer = stage, SummaryWriter(str(folder / "tensorboard"))

    def after_batch(self) -> None:
        """Write the running mean of the loss."""
        if self.training:
            place = self.epoch * len(self.learn.checkpoints.batches) + self.learn.checkpoints.done + 1
            self.writer.add_scalar(f"{self.stage}/loss", float(self.learn.smooth_loss), place)

    def after_validate(self) -> None:
        """Write the figures of the epoch."""
        _, *measured = self.learn.recorder.log
        _, *names = self.learn.recorder.metric_names
        for name, value in zip(names, measured, strict=True):
            self.writer.add_scalar(f"{self.stage}/{name}", float(value), self.epoch + 1)
        self.writer.flush()


def _short(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value
