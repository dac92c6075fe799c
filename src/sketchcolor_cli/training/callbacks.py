"""fastai callbacks of ours: random numbers, joint augmentation, checkpoints to go on from, the log of epochs.

fastai calls ``after_epoch`` also for the epochs that a resumed run leaves out; what ends an epoch here is
therefore ``after_validate``.
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from sketchcolor_cli.errors import TrainingError
from sketchcolor_cli.training.files import append_row, drop_rows, save_state
from sketchcolor_cli.training.results import contact_sheet

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fastai's import uses what torch and pandas call deprecated
    from fastai.callback.core import Callback
    from fastai.torch_core import TensorImage, set_seed, to_device
    from fastai.vision.augment import aug_transforms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sketchcolor_cli.model.base import ColorNet
    from sketchcolor_cli.training.data import EpochBatches


class Seeds(Callback):  # type: ignore[misc]
    """Let the random numbers of a step depend on seed, epoch and step alone, so that none need be kept."""

    order, run_valid = -20, False  # before anything that draws

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    def before_batch(self) -> None:
        """Seed torch, on every device, Python and NumPy."""
        place = (self.seed, self.epoch, self.learn.checkpoints.done)
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


class Checkpoints(Callback):  # type: ignore[misc]
    """Save everything that the next step depends on, and take it up again so that nothing differs.

    Saved every ``minutes`` after a step, and after each epoch. ``stop`` is asked after each step; when it
    says so the state is saved and KeyboardInterrupt raised. ``settings`` is kept with the state.
    """

    order = 60  # last, when a step or an epoch is complete

    def __init__(
        self,
        file: Path,
        batches: EpochBatches,
        settings: dict[str, Any],
        minutes: float,
        stop: Callable[[], bool],
        state: dict[str, Any] | None,
    ) -> None:
        super().__init__()
        self.file, self.batches, self.settings, self.seconds, self.stop = (
            file, batches, settings, minutes * 60, stop,
        )  # fmt: skip
        self.resumed = state
        self.best = state["best"] if state else float("inf")
        self.saved = time.monotonic()

    @property
    def done(self) -> int:
        """Steps of this epoch that came before the present one, those before a resumption included."""
        return self.batches.start + int(self.iter)

    def before_fit(self) -> None:
        """Take up weights, optimizer and the running mean of the loss."""
        if self.resumed is None:
            return
        self.learn.model.load_state_dict(self.resumed["model"])
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
        if not self.training:
            return
        if self.stop():
            self.save(self.epoch, self.done + 1)
            raise KeyboardInterrupt
        if time.monotonic() - self.saved >= self.seconds:
            self.save(self.epoch, self.done + 1)

    def after_validate(self) -> None:
        """Save at the end of the epoch."""
        self.save(self.epoch + 1, 0)

    def save(self, epoch: int, batch: int) -> None:
        """Write the state from which epoch ``epoch`` goes on after ``batch`` batches."""
        model = self.learn.model.state_dict()
        if not all(tensor.isfinite().all() for tensor in model.values()):
            raise TrainingError(f"the weights became NaN in epoch {self.epoch + 1}; {last_good(self.file)}")
        smooth = self.learn.recorder.smooth_loss
        state = {
            **self.settings,
            "model": model,
            "optimizer": _plain(self.learn.opt.state_dict()),
            "epoch": epoch,
            "batch": batch,
            "smooth_loss": [smooth.count, smooth.val],
            "best": self.best,
        }
        save_state(self.file, state)
        self.saved = time.monotonic()


def _plain(value: Any) -> Any:
    """Return fastai's containers as plain lists and dicts, which can be loaded without unpickling code."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Tensor):
        return value
    if isinstance(value, np.generic):
        return value.item()
    return [_plain(item) for item in value] if hasattr(value, "__iter__") else value


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
        net: ColorNet,
        sample: tuple[Tensor, ...],
        report: Callable[[dict[str, Any]], None],
        keep: Callable[[Path], None],
    ) -> None:
        super().__init__()
        self.folder, self.stage, self.net, self.sample, self.report, self.keep = (
            folder, stage, net, sample, report, keep,
        )  # fmt: skip
        self.table = folder / "metrics.csv"
        self.began = time.monotonic()

    def before_fit(self) -> None:
        """Drop the rows of epochs that will be done again."""
        resumed = self.learn.checkpoints.resumed
        drop_rows(self.table, self.stage, resumed["epoch"] if resumed else 0)

    def after_batch(self) -> None:
        """Report the step."""
        if self.training:
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
        _, *measured = self.learn.recorder.log
        _, *names = self.learn.recorder.metric_names
        now = time.monotonic()
        row = {
            "stage": self.stage, "epoch": self.epoch + 1, **dict(zip(names, measured, strict=True)),
            "lr": float(self.opt.hypers[-1]["lr"]), "seconds": round(now - self.began, 1),
        }  # fmt: skip
        self.began = now
        append_row(self.table, {key: _short(value) for key, value in row.items()})
        contact_sheet(
            self.net, self.sample, self.folder / "sheets" / f"{self.stage}-{self.epoch + 1:03d}.png"
        )
        if row["valid_loss"] < self.learn.checkpoints.best:
            self.learn.checkpoints.best = row["valid_loss"]
            self.keep(self.folder / "best.safetensors")
        self.report({"event": "epoch", **row})


def _short(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value
