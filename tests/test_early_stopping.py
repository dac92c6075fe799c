"""When a game has turned for the worse, and the figures it is told by."""

from __future__ import annotations

import json

import numpy as np
import torch
from torch import Tensor

from sketchcolor_cli.color.spaces import rgb_to_xyv
from sketchcolor_cli.metrics.pictures import colorfulness
from sketchcolor_cli.networks.base import ColorNet, Prediction
from sketchcolor_cli.training.gan.early_stopping import EarlyStopping, Figures, measure


def looks(stopping: EarlyStopping, *figures: tuple[float, float, float]) -> list[bool]:
    return [stopping.look(Figures(*each)) for each in figures]


def test_the_first_look_is_what_all_others_are_compared_with() -> None:
    assert looks(EarlyStopping(3, 0.1), (1, 20, 50), (1, 20, 50), (1, 20, 49)) == [True, False, True]


def test_a_lower_distance_does_not_count_when_pixels_or_colours_are_much_worse() -> None:
    stopping = EarlyStopping(9, 0.1)
    worse = ((1.11, 20, 40), (1, 17.9, 40), (1.09, 18.1, 40), (1.05, 18.1, 41))
    assert looks(stopping, (1, 20, 50), *worse) == [True, False, False, True, False]
    assert stopping.best == Figures(1.09, 18.1, 40)


def test_it_is_over_after_so_many_looks_without_a_better_one() -> None:
    stopping = EarlyStopping(2, 0.1)
    over = []
    for distance in (50, 40, 41, 39, 40, 41):
        stopping.look(Figures(1, 20, distance))
        over.append(stopping.over)
    assert over == [False, False, False, False, False, True]
    assert stopping.best == Figures(1, 20, 39)


def test_it_goes_on_from_what_was_kept() -> None:
    first, second = EarlyStopping(2, 0.1), EarlyStopping(2, 0.1)
    looks(first, (1, 20, 50), (1, 20, 40), (1, 20, 45))
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert looks(second, (1, 20, 44)) == looks(first, (1, 20, 44)) == [False]
    assert second.over
    assert (second.first, second.best) == (first.first, first.best)


class Echo(ColorNet):
    """Gives the hint back."""

    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def rgb(self, prediction: Prediction) -> Tensor:
        return prediction.color


def test_the_figures_of_pictures_that_are_known() -> None:
    torch.manual_seed(0)
    results, truths = torch.rand(10, 3, 8, 8), torch.rand(10, 3, 8, 8)
    sketch = torch.ones(10, 1, 8, 8)
    batches = [
        (sketch[part], results[part], sketch[part], truths[part], sketch[part])
        for part in (slice(0, 7), slice(7, 10))
    ]
    net = Echo()
    figures = measure(
        net, lambda _sketch, hint, _spread: Prediction(hint), batches,
        lambda prediction, truth, _: (prediction.color - truth).square().mean(),
        lambda xyv: (xyv[:, :0], xyv), "cpu",
    )  # fmt: skip
    assert np.isclose(figures.pixel_loss, float((results - truths).square().mean()), rtol=1e-5)
    assert np.isclose(figures.colorfulness, float(colorfulness(results).mean()), rtol=1e-5)
    # Fréchet distance of the pictures' means of XYV, by the formula with a matrix root.
    first, second = (rgb_to_xyv(x).mean((2, 3)).double().numpy() for x in (results, truths))
    step, c1, c2 = first.mean(0) - second.mean(0), np.cov(first.T), np.cov(second.T)
    root = np.sqrt(np.clip(np.linalg.eigvals(c1 @ c2).real, 0, None)).sum()
    assert np.isclose(figures.frechet, step @ step + np.trace(c1) + np.trace(c2) - 2 * root, rtol=1e-6)
    assert net.training
