"""Watching a generator: figures of its pictures, and when the game has turned for the worse."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sketchcolor_cli.color.spaces import rgb_to_xyv
from sketchcolor_cli.metrics.pictures import colorfulness
from sketchcolor_cli.metrics.sets import RunningMoments, frechet_distance
from sketchcolor_cli.training.results import result_rgb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sketchcolor_cli.networks.base import ColorNet, Prediction


@dataclass(frozen=True)
class Figures:
    """What is measured on the held-out pairs."""

    pixel_loss: float
    """Mean loss of the pixel stage."""
    colorfulness: float
    """Mean over the pictures (Hasler & Süsstrunk 2003)."""
    frechet: float
    """Fréchet distance between results and truths, on the perceptual network's last features, averaged over
    the picture; of few pictures it is too large, and comparable only to that of the same pictures."""


class EarlyStopping:
    """Which generator is the best so far, and whether it is time to stop.

    The first figures are those before the game. A generator is better when its Fréchet distance is lower than
    the best so far, while neither its pixel loss is higher nor its colourfulness lower than before the game
    by more than the share ``slack``. After ``patience`` looks without a better one, the game has turned.
    """

    def __init__(self, patience: int, slack: float) -> None:
        self.patience, self.slack = patience, slack
        self.first: Figures | None = None
        self.best: Figures | None = None
        self.since = 0

    def look(self, figures: Figures) -> bool:
        """Take in the next figures; return whether this generator is the best so far."""
        if self.first is None or self.best is None:
            self.first = self.best = figures
            return True
        if (
            figures.frechet < self.best.frechet
            and figures.pixel_loss <= self.first.pixel_loss * (1 + self.slack)
            and figures.colorfulness >= self.first.colorfulness * (1 - self.slack)
        ):
            self.best, self.since = figures, 0
            return True
        self.since += 1
        return False

    @property
    def over(self) -> bool:
        """Whether the game has turned for the worse."""
        return self.since >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Return the state, in plain values."""
        figures = {name: asdict(part) for name in ("first", "best") if (part := getattr(self, name))}
        return {**figures, "since": self.since}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` returned."""
        for name in ("first", "best"):
            setattr(self, name, Figures(**state[name]) if name in state else None)
        self.since = state["since"]


@torch.no_grad()
def measure(
    net: ColorNet,
    predict: Callable[..., Prediction],
    batches: Iterable[Sequence[Tensor]],
    loss: Callable[[Prediction, Tensor, Tensor], Tensor],
    features: Callable[[Tensor], tuple[Tensor, ...]],
    device: str,
) -> Figures:
    """Return the figures of a network, in evaluation mode, over batches of (sketch, hint, …, truth, sketch).

    ``predict`` calls the network; ``features`` gives features of XYV pictures, of which the last are used.
    """
    was_training = net.training
    net.eval()
    total, colors, count = 0.0, 0.0, 0
    found, wanted = RunningMoments(), RunningMoments()
    for batch in batches:
        *given, truth, sketch = (part.to(device) for part in batch)
        prediction = predict(*given)
        result = result_rgb(net, prediction, sketch)
        total += float(loss(prediction, truth, sketch)) * len(truth)
        colors += float(colorfulness(result).sum())
        count += len(truth)
        for moments, pictures in ((found, result), (wanted, truth)):
            seen = features(rgb_to_xyv(pictures))[-1].mean((2, 3))
            moments.add(seen.double().cpu().numpy())
    net.train(was_training)
    distance = frechet_distance(found.moments(), wanted.moments())
    return Figures(total / count, colors / count, distance)
