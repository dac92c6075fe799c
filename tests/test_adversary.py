"""What generator and critic play for, by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from sketchcolor_cli.training.gan.adversary import accuracy, critic_loss, generator_term, gradient_penalty

REAL, FAKE = torch.tensor([[2.0], [-1.0]]), torch.tensor([[0.0], [3.0]])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize("kind", ["linear", "bce"])
def test_the_critic_minimises_binary_cross_entropy(kind: str) -> None:
    right = [sigmoid(2), sigmoid(-1), 1 - sigmoid(0), 1 - sigmoid(3)]
    expected = -sum(map(math.log, right)) / 4
    assert critic_loss(kind, REAL, FAKE).item() == pytest.approx(expected, rel=1e-5)


def test_or_the_hinge_loss() -> None:
    assert critic_loss("hinge", REAL, FAKE).item() == pytest.approx((0 + 2 + 1 + 4) / 4)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("linear", -1.5), ("hinge", -1.5), ("bce", -(math.log(sigmoid(0)) + math.log(sigmoid(3))) / 2)],
)
def test_the_generator_wants_its_pictures_taken_for_drawings(kind: str, expected: float) -> None:
    assert generator_term(kind, FAKE).item() == pytest.approx(expected, rel=1e-5)


def test_accuracy_counts_both_kinds() -> None:
    assert accuracy(REAL, FAKE).item() == pytest.approx((1 + 0 + 1 + 0) / 4)


def test_patches_judge_a_picture_together() -> None:
    patches = torch.tensor([3.0, -1, -1, 0]).view(1, 1, 2, 2)  # their mean is above 0
    assert accuracy(patches, -patches).item() == 1
    assert critic_loss("hinge", patches, patches).item() == pytest.approx((0 + 2 + 2 + 1 + 4 + 0 + 0 + 1) / 8)


class Slope(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([3.0, 4.0]))

    def forward(self, x: Tensor) -> Tensor:
        return (x.flatten(1) * self.weight).sum(1, keepdim=True)


def test_the_penalty_is_half_the_squared_slope_and_teaches_the_critic() -> None:
    critic = Slope()
    penalty = gradient_penalty(critic, torch.rand(5, 2, 1, 1))
    assert penalty.item() == pytest.approx((9 + 16) / 2)
    penalty.backward()
    assert critic.weight.grad is not None
    assert critic.weight.grad.tolist() == pytest.approx([3, 4])
