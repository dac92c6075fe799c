"""Every output space: targets come back as the picture, and any output is a colour."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
import torch

from sketchcolor_cli.color.spaces import rgb_to_xyv
from sketchcolor_cli.networks.config import GeneratorConfig, OutputSpace
from sketchcolor_cli.networks.spaces import SPACES

EVERY = pytest.mark.parametrize("space", get_args(OutputSpace))
CORNERS = torch.tensor(list(product([0.0, 1 / 255, 0.5, 254 / 255, 1.0], repeat=3))).T.reshape(1, 3, 5, 25)


def wild() -> torch.Tensor:
    return 3 * torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(0))


@EVERY
def test_targets_come_back(space: OutputSpace) -> None:
    target = SPACES[space].encode(CORNERS)
    assert target.shape[1] == GeneratorConfig(output_space=space).channels
    torch.testing.assert_close(SPACES[space].to_rgb(target), CORNERS, rtol=0, atol=2e-5)


@EVERY
def test_targets_are_of_order_one(space: OutputSpace) -> None:
    target = SPACES[space].encode(CORNERS)
    assert target.abs().amax((0, 2, 3)).tolist() == pytest.approx([1.0] * target.shape[1], abs=0.1)


@EVERY
def test_any_output_is_a_color(space: OutputSpace) -> None:
    rgb = SPACES[space].to_rgb(wild()[:, : GeneratorConfig(output_space=space).channels])
    assert rgb.shape == (2, 3, 16, 16)
    assert rgb.min() >= 0
    assert rgb.max() <= 1


@EVERY
def test_the_critic_sees_the_same_colors_in_every_space(space: OutputSpace) -> None:
    xyv = SPACES[space].to_xyv(SPACES[space].encode(CORNERS))
    torch.testing.assert_close(xyv, rgb_to_xyv(CORNERS), rtol=0, atol=1e-4)


@EVERY
@pytest.mark.parametrize("name", ["to_rgb", "to_xyv"])
def test_gradients_are_finite_and_there(space: OutputSpace, name: str) -> None:
    channels = GeneratorConfig(output_space=space).channels
    for output in (wild()[:, :channels], torch.zeros(1, channels, 2, 2), SPACES[space].encode(CORNERS)):
        leaf = output.clone().requires_grad_()
        (grad,) = torch.autograd.grad(getattr(SPACES[space], name)(leaf).sum(), leaf)
        assert grad.isfinite().all()
    assert grad.count_nonzero() > 0
