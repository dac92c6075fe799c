"""The state of a fit to a file and back, so that a run that was stopped goes on as if nothing had been.

fastai calls ``after_epoch`` also for the epochs that a resumed run leaves out; so what ends an epoch is
``after_validate``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor, nn

from sketchcolor_cli.errors import TrainingError
from sketchcolor_cli.training.files import save_state
from sketchcolor_cli.training.loop.fastai import Callback, to_device

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sketchcolor_cli.training.loop.context import Context
    from sketchcolor_cli.training.loop.data import EpochBatches


@runtime_checkable
class Stateful(Protocol):
    """A callback with a state of its own, which belongs into checkpoints."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state: tensors and plain values."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state; called before fitting begins."""


class Checkpoints(Callback):  # type: ignore[misc]
    """Save everything that the next step depends on, and take it up again so that nothing differs.

    Saved every few minutes after a step, and after each epoch. The context's ``stop`` is asked after each
    step; when it says so the state is saved and KeyboardInterrupt raised. Within steps of several batches
    nothing is saved.
    """

    order = 60  # last, when a step or an epoch is complete

    def __init__(
        self,
        context: Context,
        stage: str,
        nets: dict[str, nn.Module],
        batches: EpochBatches,
        stateful: Sequence[Stateful] = (),
    ) -> None:
        super().__init__()
        self.context, self.stage, self.batches = context, stage, batches
        self.weights, self.stateful = nn.ModuleDict(nets), stateful
        self.resumed = context.state_of(stage)
        self.best = self.resumed["best"] if self.resumed else float("inf")
        self.saved = time.monotonic()

    @property
    def done(self) -> int:
        """Batches of this epoch that came before the present one, those before a resumption included."""
        return self.batches.start + int(self.iter)

    @property
    def completes_step(self) -> bool:
        """Whether the present batch is the last of a step of the optimizer."""
        return (self.done + 1) % self.context.config.accumulate == 0 or self.done + 1 == len(self.batches)

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
        if self.context.stop():
            self.save(self.epoch, self.done + 1)
            raise KeyboardInterrupt
        if time.monotonic() - self.saved >= 60 * self.context.config.checkpoint_minutes:
            self.save(self.epoch, self.done + 1)

    def after_validate(self) -> None:
        """Save at the end of the epoch."""
        self.save(self.epoch + 1, 0)

    def check(self) -> None:
        """Raise TrainingError when a weight is not a number."""
        if not all(tensor.isfinite().all() for tensor in self.weights.state_dict().values()):
            raise TrainingError(
                f"the weights became NaN in epoch {self.epoch + 1}; {last_good(self.context.checkpoint)}"
            )

    def save(self, epoch: int, batch: int) -> None:
        """Write the state from which epoch ``epoch`` goes on after ``batch`` batches."""
        self.check()
        model = self.weights.state_dict()
        self.saved = time.monotonic()
        if not self.context.ranks.first:
            return
        smooth = self.learn.recorder.smooth_loss
        state = {
            **self.context.binding,
            "stage": self.stage,
            "model": model,
            "optimizer": _plain(self.learn.opt.state_dict()),
            "more": {type(part).__name__: _plain(part.state_dict()) for part in self.stateful},
            "epoch": epoch,
            "batch": batch,
            "smooth_loss": [smooth.count, smooth.val],
            "best": self.best,
        }
        save_state(self.context.checkpoint, state)


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


def last_good(checkpoint: Path) -> str:
    """Return what a user can do after a loss or weights have become NaN."""
    kept = f"{checkpoint} holds the last good state" if checkpoint.exists() else "there is no checkpoint yet"
    return f"{kept}; start again with a lower --lr"
