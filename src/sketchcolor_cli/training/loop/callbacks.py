"""fastai callbacks for steps: random numbers, augmentation, gradients, averages, the learning rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from sketchcolor_cli.errors import TrainingError
from sketchcolor_cli.training.loop.checkpoints import last_good
from sketchcolor_cli.training.loop.fastai import (
    Callback,
    CancelBatchException,
    MixedPrecision,
    TensorImage,
    aug_transforms,
    set_seed,
    to_device,
)

if TYPE_CHECKING:
    from pathlib import Path


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
    """Leave a network's batch norms as they are: the statistics of a few pictures would spoil them."""

    run_valid = False

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def before_batch(self) -> None:
        """Put them into evaluation mode: in a game, each turn puts the network into training mode again."""
        for module in self.net.modules():
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
    """End the run with a clear word when the loss is not a number, before the weights are spoilt."""

    order, run_valid = -8, False

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def after_loss(self) -> None:
        """Raise TrainingError, before there are gradients."""
        if not self.loss.isfinite():
            where = f"epoch {self.epoch + 1}, step {self.learn.checkpoints.done + 1}"
            raise TrainingError(f"the loss became {self.loss.item()} in {where}; {last_good(self.file)}")


class TrapezoidRate(Callback):  # type: ignore[misc]
    """Let the learning rate rise over the first steps, stay, and fall to a hundredth over the last part."""

    run_valid = False

    def __init__(self, lr: float, warm_up: int, cool_down: float) -> None:
        """Take the highest rate, the steps in which it is reached, and the share of the run that it falls."""
        super().__init__()
        self.lr, self.warm_up, self.cool_down = lr, warm_up, cool_down
        self.steps = 0

    def before_batch(self) -> None:
        """Set the rate of the step."""
        rate = self.lr * min(1.0, (self.steps + 1) / max(1, self.warm_up))
        left = 1 - float(self.pct_train)
        if left < self.cool_down:
            rate *= max(0.01, left / self.cool_down)
        self.learn.opt.set_hyper("lr", rate)

    def after_step(self) -> None:
        """Count the step."""
        self.steps += 1

    def state_dict(self) -> dict[str, Any]:
        """Return the number of steps."""
        return {"steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.steps = state["steps"]
