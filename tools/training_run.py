"""What the training tools share: a run within its time, its moving average, and its log."""

from __future__ import annotations

import csv
import math
import time
from typing import TYPE_CHECKING, Protocol

import torch
from torch import nn

from sketchcolor_cli.training.loop.muon import MuonAndAdamW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from typing import Any

    Report = Callable[[Mapping[str, float]], None]


class Optimizer(MuonAndAdamW):
    """The library's Muon with AdamW, which is told the rate of each step."""

    def __init__(self, model: nn.Module, lr: float, *, outer: Iterable[str]) -> None:
        """``outer`` are the names of the layers that are first and last."""
        super().__init__(model, lr, tuple(f"{name}." for name in outer))

    def zero_grad(self, *, set_to_none: bool = True) -> None:
        """See ``torch.optim.Optimizer``."""
        super().zero_grad()

    def step_at(self, lr: float) -> None:
        """Take a step of this learning rate."""
        self.set_hyper("lr", lr)
        self.step()

    def state(self) -> dict[str, Any]:
        """Return what :meth:`load` takes."""
        return {"muon": self.state_dict()}

    def load(self, state: Mapping[str, Any]) -> bool:
        """Go on from a state; return if there was one of this kind of optimizer."""
        if "muon" not in state:
            return False
        self.load_state_dict(state["muon"])
        return True


class Trainee(Protocol):
    """What :class:`Session` trains.

    Attributes:
        lr: The highest learning rate.
        step: How many steps were taken.
        fresh: The step at which the optimizer knew nothing yet.
    """

    lr: float
    step: int
    fresh: int

    def save(self) -> None:
        """Write the state that the next run goes on from."""

    def learn(self, batch: Any, lr: float) -> dict[str, float]:
        """Take one step; return the parts of the loss."""


class Session:
    """So many seconds of a run.

    The learning rate rises over the first ``warm_up`` steps and falls to 0 in the last part ``cooldown`` of
    the time. State is saved every ``every`` seconds, for the last time before it falls, so that the next run
    goes on from there; ``report`` is told as often about minutes, learning rate and mean losses.
    """

    def __init__(
        self, run: Trainee, seconds: float, *, cooldown: float, warm_up: int, every: float, report: Report
    ) -> None:
        self.run, self.seconds, self.warm_up, self.every, self.report = run, seconds, warm_up, every, report
        self.stable = seconds * (1 - cooldown)
        self.cooling = False
        self.start = self.reported = time.monotonic()
        self.lr, self.steps, self.sums = 0.0, 0, dict[str, float]()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.start

    def learn(self, batches: Iterable[Any], until: float = 1) -> None:
        """Train on batches until this part of the time is over."""
        for batch in batches:
            now = self.elapsed
            if now >= self.seconds * until:
                return
            if now >= self.stable and not self.cooling:
                self.run.save()
                self.cooling = True
            self.lr = self.run.lr * min(1, (self.run.step - self.run.fresh + 1) / self.warm_up)
            if self.cooling:
                self.lr *= max(0.01, (self.seconds - now) / (self.seconds - self.stable))
            for name, value in self.run.learn(batch, self.lr).items():
                self.sums[name] = self.sums.get(name, 0.0) + value
            self.steps += 1
            if time.monotonic() - self.reported > self.every:
                if not self.cooling:
                    self.run.save()
                self.tell()

    def tell(self) -> None:
        """Report what happened since the last report."""
        losses = {name: value / max(1, self.steps) for name, value in self.sums.items()}
        self.report({"minutes": self.elapsed / 60, "lr": self.lr, **losses})
        self.reported, self.steps, self.sums = time.monotonic(), 0, {}


def check_gradients(model: nn.Module, step: int, file: Path) -> None:
    """Shorten gradients to a norm of 2.

    Raises:
        SystemExit: The loss became NaN.
    """
    if not math.isfinite(float(nn.utils.clip_grad_norm_(model.parameters(), 2.0))):
        raise SystemExit(f"the loss became NaN at step {step}; {file} holds the last good state")


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the average of the weights towards those of a model."""
    parts = zip(average.state_dict().values(), model.state_dict().values(), strict=True)
    means, values = zip(*((a, b) for a, b in parts if a.dtype.is_floating_point), strict=True)
    torch._foreach_lerp_(means, values, 1 - decay)


def log(folder: Path, row: Mapping[str, float]) -> None:
    """Print a row of figures, and append it to ``log.csv``."""
    shown = [f"{name}={value:.5g}" for name, value in row.items()]
    with (folder / "log.csv").open("a", newline="") as file:
        csv.writer(file).writerow(shown)
    print(*shown, flush=True)
