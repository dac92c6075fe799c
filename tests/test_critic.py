"""The critic: its parameter count, and that it judges each picture for itself."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sketchcolor_cli.networks.config import CriticConfig
from sketchcolor_cli.networks.critic import Critic

SMALL = CriticConfig(widths=(4, 6, 8, 10), depths=(1, 0, 1))


def small() -> Critic:
    torch.manual_seed(0)
    critic = Critic(SMALL)
    for name, parameter in critic.named_parameters():
        if name.endswith(".norm.weight"):
            nn.init.constant_(parameter, 0.5)
    return critic


def test_the_thesis_count() -> None:
    assert sum(parameter.numel() for parameter in Critic().parameters()) == 3_247_681


@torch.no_grad()
@pytest.mark.parametrize(("n", "h", "w"), [(1, 2, 2), (3, 33, 20), (2, 64, 64)])
def test_one_logit_per_picture_of_any_size(n: int, h: int, w: int) -> None:
    assert small().eval()(torch.rand(n, 3, h, w)).shape == (n, 1)


@torch.no_grad()
def test_a_picture_in_a_batch_is_judged_for_itself() -> None:
    critic = small().eval()
    pictures = torch.rand(3, 3, 32, 32)
    alone = torch.cat([critic(picture[None]) for picture in pictures])
    torch.testing.assert_close(critic(pictures), alone, rtol=1e-4, atol=1e-5)
    assert alone.unique().numel() == 3


@torch.no_grad()
def test_bfloat16_and_channels_last() -> None:
    critic = small().eval()
    pictures = torch.rand(1, 3, 32, 32)
    plain = critic(pictures)
    pictures = pictures.to(memory_format=torch.channels_last)
    torch.testing.assert_close(critic(pictures), plain, rtol=1e-4, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(critic(pictures).float(), plain, rtol=0.1, atol=0.05)


def test_gradients_reach_every_parameter_and_the_picture() -> None:
    critic = small()
    pictures = torch.rand(4, 3, 32, 32, requires_grad=True)
    real = torch.tensor([[1.0], [0.0], [1.0], [0.0]])
    nn.functional.binary_cross_entropy_with_logits(critic(pictures), real).backward()
    assert [name for name, p in critic.named_parameters() if p.grad is None or not p.grad.any()] == []
    assert pictures.grad is not None
    assert pictures.grad.any()


def test_it_learns_to_tell_two_kinds_of_pictures() -> None:
    critic = small()
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-2)
    real = torch.arange(8).remainder(2).float()[:, None]
    losses = []
    for _ in range(25):
        pictures = torch.rand(8, 3, 16, 16)
        pictures[:, 0] *= real[:, :, None]
        loss = nn.functional.binary_cross_entropy_with_logits(critic(pictures), real)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 < losses[0]
