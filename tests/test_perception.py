"""The perceptual loss, by hand."""

from __future__ import annotations

import pytest
import torch

from sketchcolor_cli.networks.config import PerceptualConfig
from sketchcolor_cli.networks.perceptual import Perceptual
from sketchcolor_cli.training.perception import feature_extractor, gram, perceptual_loss


def smooth_l1(a: float, b: float) -> float:
    distance = abs(a - b)
    return distance**2 / 2 if distance < 1 else distance - 0.5


def test_gram_matrices_by_hand() -> None:
    """Two channels of 1×2 pixels, (1, 2) and (3, −1): products 5, 1, 1, 10, by C·H·W = 4."""
    features = torch.tensor([[1.0, 2], [3, -1]]).view(1, 2, 1, 2)
    assert gram(features).tolist() == [[[1.25, 0.25], [0.25, 2.5]]]


def test_each_picture_has_its_own_gram_matrix() -> None:
    features = torch.rand(3, 4, 5, 6)
    assert torch.allclose(gram(features)[1:2], gram(features[1:2]))


def test_perceptual_loss_by_hand() -> None:
    """One channel of one pixel in each tap: its Gram matrix is its square."""
    seen, wanted = (1.0, 0.5, 3.0, -2.0), (0.0, 0.25, 0.5, 1.0)
    taps = [[torch.full((1, 1, 1, 1), value) for value in values] for values in (seen, wanted)]
    content = sum(w * smooth_l1(a, b) for w, a, b in zip((0.04, 0.12, 0.18, 0.6), seen, wanted, strict=True))
    style = sum(
        w * smooth_l1(a * a, b * b) for w, a, b in zip((0.04, 0.12, 0.14, 0.05), seen, wanted, strict=True)
    )
    assert content == pytest.approx(0.04 * 0.5 + 0.12 * 0.03125 + 0.18 * 2 + 0.6 * 2.5)
    assert perceptual_loss(*taps).item() == pytest.approx(content + 200 * style, rel=1e-6)


def test_what_is_seen_alike_costs_nothing() -> None:
    taps = [torch.rand(2, 3, 4, 4) for _ in range(4)]
    assert perceptual_loss(taps, taps).item() == 0


def test_the_network_does_not_learn_and_gradients_reach_the_picture() -> None:
    network = Perceptual(PerceptualConfig(widths=(4, 6, 8, 10, 12, 16), classes=3))
    see = feature_extractor(network, "cpu", torch.bfloat16)
    picture = torch.rand(2, 3, 32, 32, requires_grad=True)
    taps = see(picture)
    assert {tap.dtype for tap in taps} == {torch.float32}
    perceptual_loss(taps, [tap.detach() + 1 for tap in taps]).backward()
    assert picture.grad is not None
    assert picture.grad.any()
    assert not network.training
    assert all(parameter.grad is None for parameter in network.parameters())
