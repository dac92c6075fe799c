"""Losses, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from sketchcolor_cli.color.spaces import rgb_to_lab
from sketchcolor_cli.networks.base import Prediction
from sketchcolor_cli.networks.lattice import lab_grid, lattice_shares
from sketchcolor_cli.networks.spaces import SPACES
from sketchcolor_cli.training.losses import color_rarity, paint_loss, pixel_loss

A, B = lab_grid(12)
COLORS = torch.cartesian_prod(A, B)
EVEN = torch.ones(len(COLORS))


def chroma_of(*places: tuple[float, float]) -> Tensor:
    return torch.tensor(places).T[None, :, None].contiguous()


def sure_of(corners: Tensor, shares: Tensor) -> Tensor:
    """Logits of the distribution with these shares; all else as good as impossible."""
    probability = torch.zeros(len(corners), len(COLORS), *corners.shape[2:])
    return probability.scatter_add(1, corners, shares).clamp_min(1e-30).log()


def perfect(truth: Tensor) -> Prediction:
    return Prediction(truth.clone(), logits=sure_of(*lattice_shares(truth[:, 1:], A, B)))


def some_truth() -> Tensor:
    rgb = torch.rand(2, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    return rgb_to_lab(rgb)


def loss(
    prediction: Prediction, truth: Tensor, page: Tensor | None = None, rarity: Tensor = EVEN
) -> dict[str, Tensor]:
    stride = 1 if page is None else page.shape[-1] // prediction.color.shape[-1]
    page = torch.full_like(truth[:, :1], 100) if page is None else page
    assert truth.shape[-1] == prediction.color.shape[-1] * stride
    return paint_loss(prediction, page, truth, (A, B), rarity)


# Rarity


def test_rarity_by_hand() -> None:
    weights = color_rarity(torch.tensor([6.0, 2, 0, 0]), mix=0.5)
    raw = torch.tensor([1 / (0.375 + 0.25), 1 / (0.125 + 0.25), 1 / 0.25, 1 / 0.25])
    torch.testing.assert_close(weights, raw / (0.75 * raw[0] + 0.25 * raw[1]))


def test_rarity_has_mean_one_over_the_data() -> None:
    counts = torch.rand(50, generator=torch.Generator().manual_seed(0)) ** 4
    weights = color_rarity(counts)
    assert (counts / counts.sum() * weights).sum().item() == pytest.approx(1)
    assert (weights[counts.argsort()].diff() <= 0).all()  # the rarer, the heavier


def test_full_mixing_makes_all_colours_equal() -> None:
    assert color_rarity(torch.tensor([9.0, 1, 0]), mix=1).tolist() == pytest.approx([1, 1, 1])


# Paint


def test_a_perfect_prediction_leaves_only_the_spread_of_the_truth() -> None:
    truth = some_truth()
    parts = loss(perfect(truth), truth)
    shares = lattice_shares(truth[:, 1:], A, B)[1]
    entropy = -(shares * shares.clamp_min(1e-30).log()).sum(1).mean()
    assert parts["light"] == 0
    assert parts["chroma"] == 0
    torch.testing.assert_close(parts["palette"], entropy, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(parts["total"], parts["palette"] + parts["light"] + parts["chroma"])


def test_the_perfect_prediction_is_the_least() -> None:
    truth = some_truth()
    best = perfect(truth)
    assert best.logits is not None
    generator = torch.Generator().manual_seed(1)
    least = loss(best, truth)
    for size in (0.05, 1.0):
        color = best.color + size * torch.randn(best.color.shape, generator=generator)
        assert loss(Prediction(color, logits=best.logits), truth)["total"] > least["total"]
        logits = best.logits + size * torch.randn(best.logits.shape, generator=generator)
        assert loss(Prediction(best.color, logits=logits), truth)["palette"] > least["palette"]


def test_paint_loss_by_hand() -> None:
    """One place: L* off by 5, a* by 20; even odds on all colours; the true colour counts three times."""
    truth = torch.tensor([50.0, 12, 24]).view(1, 3, 1, 1)
    prediction = Prediction(
        truth + torch.tensor([5.0, 20, 0]).view(1, 3, 1, 1), logits=torch.zeros(1, len(COLORS), 1, 1)
    )
    parts = loss(prediction, truth, rarity=3 * EVEN)
    assert parts["light"].item() == pytest.approx(0.5**2 / 2)
    assert parts["chroma"].item() == pytest.approx((2 - 0.5) / 2)
    assert parts["palette"].item() == pytest.approx(3 * math.log(len(COLORS)), rel=1e-5)


def test_without_a_hint_the_distribution_alone_counts_for_hue() -> None:
    truth = some_truth()
    off = Prediction(perfect(truth).color + 20, logits=perfect(truth).logits)
    everywhere = loss(off, truth)
    for sure, share in ((0.0, 0), (0.5, 0.5), (1.0, 1)):
        told = loss(replace(off, sure=torch.full_like(truth[:, :1], sure)), truth)
        torch.testing.assert_close(told["chroma"], share * everywhere["chroma"])
        assert (told["light"], told["palette"]) == (everywhere["light"], everywhere["palette"])


def test_what_ink_hides_does_not_count() -> None:
    torch.manual_seed(0)
    page = torch.full((1, 1, 8, 8), 100.0)
    page[..., 4:] = 0
    truth = torch.rand(1, 3, 8, 8) * 50
    predicted = torch.rand(1, 3, 2, 2) * 50
    logits = torch.randn(1, len(COLORS), 2, 2)
    before = loss(Prediction(predicted, logits=logits), truth, page)
    truth[..., 4:], predicted[..., 1] = 7, 99
    logits[..., 1] = torch.randn(1, len(COLORS), 2)
    after = loss(Prediction(predicted, logits=logits), truth, page)
    assert before == after


def test_a_page_of_solid_ink_costs_nothing() -> None:
    prediction = Prediction(
        torch.rand(1, 3, 2, 2, requires_grad=True), logits=torch.randn(1, len(COLORS), 2, 2)
    )
    parts = loss(prediction, torch.rand(1, 3, 8, 8), torch.zeros(1, 1, 8, 8))
    assert parts["total"].item() == 0
    (gradient,) = torch.autograd.grad(parts["total"], prediction.color)
    assert not gradient.any()


def test_half_precision_logits_are_taken_in_full() -> None:
    truth = some_truth()
    logits = torch.randn(2, len(COLORS), 4, 6).half()
    rough, full = (loss(Prediction(truth, logits=x), truth)["total"] for x in (logits, logits.float()))
    assert torch.equal(rough, full)


def test_a_network_without_logits_cannot_have_this_loss() -> None:
    with pytest.raises(ValueError, match="no distribution"):
        loss(Prediction(some_truth()), some_truth())


# Pixels


def test_pixel_loss_by_hand() -> None:
    truth = torch.full((1, 3, 32, 32), 0.5)
    prediction = Prediction(truth + 0.1, extra=torch.full((1, 3, 2, 2), 0.3))
    assert pixel_loss(prediction, truth, SPACES["rgb"]).item() == pytest.approx(0.01 + 0.04, rel=1e-5)


def test_pixel_loss_without_a_rough_picture() -> None:
    truth = torch.zeros(1, 3, 4, 4)
    assert pixel_loss(Prediction(truth + 0.2), truth, SPACES["rgb"]).item() == pytest.approx(0.04)


def test_pixel_loss_compares_in_the_networks_space() -> None:
    """Red is θ = −π, so (Hx, Hy, S, V) = (−1, 0, 1, 1)."""
    truth = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    color = torch.tensor([-1.0, 0, 1, 1]).view(1, 4, 1, 1).expand(1, 4, 16, 16)
    assert pixel_loss(Prediction(color, extra=color[..., :1, :1]), truth, SPACES["hxhysv"]).item() < 1e-12
    assert pixel_loss(Prediction(color * 0), truth, SPACES["hxhysv"]).item() == pytest.approx(3 / 4)


def test_the_rough_truth_is_resized_before_it_is_converted() -> None:
    """Half red, half cyan is grey when resized first: saturation 0, value 1/2."""
    truth = torch.zeros(1, 3, 16, 16)
    truth[:, 0, :, ::2] = 1
    truth[:, 1:, :, 1::2] = 1
    space = SPACES["xyv"]
    extra = torch.tensor([0, 0, 0.5]).view(1, 3, 1, 1)
    assert pixel_loss(Prediction(space.encode(truth), extra=extra), truth, space).item() < 1e-3
