"""fastai callbacks of ours: mixed precision, joint augmentation, checkpoints to go on from, log, contact sheets."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from fastai.callback.core import Callback
from fastai.torch_core import TensorImage
from fastai.vision.augment import aug_transforms
from torch import Tensor

from sketchcolor_cli.errors import TrainingError
from sketchcolor_cli.training.files import append_row, drop_rows, save_state
from sketchcolor_cli.training.results import contact_sheet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sketchcolor_cli.model.base import ColorNet, Prediction
    from sketchcolor_cli.training.data import EpochBatches


class Autocast(Callback):  # type: ignore[misc]
    """Run the network, not the loss, in a lower precision; bfloat16 needs no scaling of the loss."""

    order = 10

    def __init__(self, device: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.device_type, self.dtype = device.split(":")[0], dtype
        self.entered = ExitStack()

    def before_batch(self) -> None:
        self.entered.enter_context(
            torch.autocast(self.device_type, self.dtype, enabled=self.dtype != torch.float32)
        )

    def after_pred(self) -> None:
        self.entered.close()
        self.learn.pred = _as_float(self.pred)


def _as_float(prediction: Prediction) -> Prediction:
    parts = {name: value.float() for name, value in vars(prediction).items() if value is not None}
    return replace(prediction, **parts)


class JointAugment(Callback):  # type: ignore[misc]
    """Turn, warp, zoom and mirror picture, sketch and reference as one; change the light of the colours alone.

    fastai's ``aug_transforms`` with the thesis's limits. The reference is the picture itself, so it is taken
    from the changed picture. The light of a sketch is not changed: paper stays white.
    """

    order, run_valid = -5, False

    def __init__(self) -> None:
        super().__init__()
        self.moves = aug_transforms(max_rotate=30, max_warp=0.2, max_lighting=0)
        light_only = aug_transforms(do_flip=False, max_rotate=0, max_warp=0, max_zoom=1, max_lighting=0.1)
        self.lights = light_only

    def before_batch(self) -> None:
        (sketch, hint, spread), (truth, _) = self.learn.xb, self.learn.yb
        both = TensorImage(torch.cat([truth, sketch], 1))
        for move in self.moves:
            both = move(both, split_idx=0)
        truth, sketch = Tensor(both[:, :3]).clamp(0, 1), Tensor(both[:, 3:]).clamp(0, 1)
        colors = TensorImage(truth)
        for light in self.lights:
            colors = light(colors, split_idx=0)
        truth = Tensor(colors).clamp(0, 1)
        self.learn.xb = (sketch, torch.cat([truth, hint[:, 3:]], 1), spread)
        self.learn.yb = (truth, sketch)


class Checkpoints(Callback):  # type: ignore[misc]
    """Save everything that the next step depends on, and take it up again so that nothing differs.

    Saved every ``minutes`` after a step, and after each epoch. ``stop`` is asked after each step; when it says
    so the state is saved and KeyboardInterrupt raised.
    """

    order = 60

    def __init__(
        self,
        file: Path,
        batches: EpochBatches,
        config: dict[str, Any],
        minutes: float,
        stop: Callable[[], bool],
        state: dict[str, Any] | None,
    ) -> None:
        super().__init__()
        self.file, self.batches, self.config, self.seconds, self.stop = file, batches, config, minutes * 60, stop
        self.resumed = state
        self.best = state["best"] if state else float("inf")
        self.pending_random: dict[str, Any] | None = None
        self.saved = time.monotonic()

    def before_fit(self) -> None:
        if self.resumed is None:
            return
        self.learn.model.load_state_dict(self.resumed["model"])
        self.learn.opt.load_state_dict(self.resumed["optimizer"])

    def before_epoch(self) -> None:
        self.batches.epoch, self.batches.start = self.epoch, 0
        if self.resumed is not None and self.epoch == self.resumed["epoch"]:
            self.batches.start = self.resumed["batch"]
            self.pending_random = self.resumed["random"]

    def before_train(self) -> None:
        for _ in range(self.batches.start):  # added up one by one, so that rounding is that of an unbroken run
            self.learn.pct_train += 1.0 / (len(self.batches) * self.n_epoch)

    def before_batch(self) -> None:
        if self.pending_random is not None:
            _set_random(self.pending_random)
            self.pending_random = None

    def after_batch(self) -> None:
        if not self.training:
            return
        done = self.batches.start + self.iter + 1
        if self.stop():
            self.save(self.epoch, done)
            raise KeyboardInterrupt
        if done < len(self.batches) and time.monotonic() - self.saved > self.seconds:
            self.save(self.epoch, done)

    def after_epoch(self) -> None:
        self.save(self.epoch + 1, 0)

    def save(self, epoch: int, batch: int) -> None:
        """Write the state from which epoch ``epoch`` goes on after ``batch`` batches."""
        save_state(
            self.file,
            {
                "config": self.config,
                "model": self.learn.model.state_dict(),
                "optimizer": _plain(self.learn.opt.state_dict()),
                "epoch": epoch,
                "batch": batch,
                "random": _get_random(),
                "best": self.best,
            },
        )
        self.saved = time.monotonic()


def _plain(value: Any) -> Any:
    """Return fastai's containers as plain lists and dicts, which can be loaded without unpickling code."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (str, Tensor)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    return [_plain(item) for item in value] if hasattr(value, "__iter__") else value


def _get_random() -> dict[str, Any]:
    version, numbers, gauss = random.getstate()
    name, keys, *rest = np.random.get_state()  # noqa: NPY002  (fastai's transforms draw from it)
    return {
        "torch": torch.get_rng_state(),
        "python": [version, list(numbers), gauss],
        "numpy": [name, torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest],
    }


def _set_random(state: dict[str, Any]) -> None:
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(state["torch"].cpu())


class StopOnNaN(Callback):  # type: ignore[misc]
    """End the run with a clear word when the loss is no number any more, before the weights are spoilt."""

    order = -8

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def after_loss(self) -> None:
        if self.training and not torch.isfinite(self.loss):
            kept = f"{self.file} holds the last good state" if self.file.exists() else "no checkpoint was made yet"
            raise TrainingError(
                f"the loss became {self.loss.item()} in epoch {self.epoch + 1}, step {self.iter + 1}; {kept}; "
                "try a lower --lr"
            )


class Log(Callback):  # type: ignore[misc]
    """Write a row of metrics.csv and a contact sheet after each epoch; keep the best network; report steps."""

    order = 55  # after fastai's Recorder, which measures, and before Checkpoints, which keeps what is best

    def __init__(
        self, run: Path, stage: str, net: ColorNet, sample: tuple[Tensor, ...], report: Callable[[dict[str, Any]], None],
        keep: Callable[[Path], None],
    ) -> None:  # fmt: skip
        super().__init__()
        self.run_folder, self.stage, self.net, self.sample, self.report, self.keep = (
            run, stage, net, sample, report, keep,
        )  # fmt: skip
        self.began = time.monotonic()

    def before_fit(self) -> None:
        start = self.learn.checkpoints.resumed
        drop_rows(self.run_folder / "metrics.csv", self.stage, start["epoch"] if start else 0)

    def after_batch(self) -> None:
        if self.training:
            self.report(
                {
                    "event": "step", "stage": self.stage, "epoch": self.epoch + 1, "epochs": self.n_epoch,
                    "step": self.learn.checkpoints.batches.start + self.iter + 1, "steps": self.n_iter,
                    "loss": float(self.learn.smooth_loss),
                }  # fmt: skip
            )

    def after_epoch(self) -> None:
        train_loss, valid_loss, *measured = self.learn.final_record
        names = self.learn.recorder.metric_names[3:]
        row = {
            "stage": self.stage, "epoch": self.epoch + 1, "train_loss": train_loss, "valid_loss": valid_loss,
            **dict(zip(names, measured, strict=False)), "lr": self.learn.opt.hypers[-1]["lr"],
            "seconds": round(time.monotonic() - self.began, 1),
        }  # fmt: skip
        append_row(self.run_folder / "metrics.csv", {key: _short(value) for key, value in row.items()})
        contact_sheet(self.net, self.sample, self.run_folder / "sheets" / f"{self.stage}-{self.epoch + 1:03d}.png")
        checkpoints = self.learn.checkpoints
        if valid_loss < checkpoints.best:
            checkpoints.best = float(valid_loss)
            self.keep(self.run_folder / "best.safetensors")
        self.report({"event": "epoch", **row})


def _short(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value

