"""What a run tells and writes down: steps, figures and a contact sheet of each epoch, the best network."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import TrainingError
from sketchcolor_cli.training.files import append_row, drop_rows
from sketchcolor_cli.training.loop.fastai import Callback

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sketchcolor_cli.training.loop.context import Context


class EpochLog(Callback):  # type: ignore[misc]
    """Report steps; after each epoch write metrics.csv and a contact sheet, and keep the best network."""

    order = 55  # after fastai's Recorder, which measures, and before Checkpoints, which keeps what is best

    def __init__(
        self,
        context: Context,
        stage: str,
        *,
        sheet: Callable[[Path], None] | None = None,
        figures: Callable[[], dict[str, float]] | None = None,
        save: Callable[[Path], None] | None = None,
    ) -> None:
        """``sheet`` writes a contact sheet, ``figures`` measures more, ``save`` writes the best network."""
        super().__init__()
        self.context, self.stage, self.sheet, self.figures, self.save = context, stage, sheet, figures, save
        self.table = context.run / "metrics.csv"
        self.began = time.monotonic()

    def before_fit(self) -> None:
        """Drop the rows of epochs that will be done again."""
        resumed = self.learn.checkpoints.resumed
        if self.context.ranks.first:
            drop_rows(self.table, self.stage, resumed["epoch"] if resumed else 0)

    def after_batch(self) -> None:
        """Report the step."""
        if self.training and self.context.ranks.first:
            self.context.report(
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
        if not self.context.ranks.first:
            return
        _, *measured = self.learn.recorder.log
        _, *names = self.learn.recorder.metric_names
        now = time.monotonic()
        row = {
            "stage": self.stage, "epoch": self.epoch + 1, **dict(zip(names, measured, strict=True)),
            **(self.figures() if self.figures is not None else {}),
            "lr": float(self.opt.hypers[-1]["lr"]), "seconds": round(now - self.began, 1),
        }  # fmt: skip
        self.began = now
        append_row(self.table, {key: _short(value) for key, value in row.items()})
        if self.sheet is not None:
            self.sheet(self.context.run / "sheets" / f"{self.stage}-{self.epoch + 1:03d}.png")
        if self.save is not None and row["valid_loss"] < self.learn.checkpoints.best:
            self.learn.checkpoints.best = row["valid_loss"]
            self.save(self.context.run / "best.safetensors")
        self.context.report({"event": "epoch", **row})


class TensorBoard(Callback):  # type: ignore[misc]
    """Write the loss of each step and the figures of each epoch for TensorBoard."""

    order = 56  # after the epoch has been written down

    def __init__(self, folder: Path, stage: str) -> None:
        super().__init__()
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise TrainingError(
                "--tensorboard needs TensorBoard; install it with: pip install tensorboard"
            ) from error
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
