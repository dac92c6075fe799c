"""The thesis's blocks, against closed forms and the same maths written another way."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sketchcolor_cli.networks.blocks import (
    LBL,
    HueDropout,
    PixelShuffleICNR,
    PositionalInfo,
    ResBlock,
    blocks,
    conv,
    start_as_resampling,
    use_version,
)

SHAPES = [(6, 6, 1, 1), (6, 10, 1, 1), (10, 6, 1, 1), (6, 6, 2, 1), (4, 8, 2, 1), (1, 4, 2, 1), (8, 8, 1, 2)]


def scrambled(module: nn.Module) -> nn.Module:
    """The module with random numbers in all parameters and statistics, none of them special."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            tensor.data.uniform_(0.3, 1.3)
            if tensor.dim() > 1:
                tensor.data -= 0.8
    return module


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def rewritten(block: ResBlock, x: Tensor, stride: int, groups: int) -> Tensor:
    """The block in eval mode from its state alone, batch norm written out."""
    state = block.state_dict()

    def norm(x: Tensor, name: str) -> Tensor:
        mean, var, weight, bias = (
            state[f"{name}.{part}"].view(-1, 1, 1)
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias

    start = norm(torch.where(x > 0, x, x.exp() - 1), "body.1")
    b = norm(F.conv2d(start, state["body.2.weight"], padding=1, groups=groups), "body.3").clamp_min(0)
    b = norm(F.conv2d(b, state["body.5.weight"], stride=stride, padding=1, groups=groups), "norm")
    a = start if block.version == 2 else x
    if "shortcut.weight" in state:
        a = F.conv2d(a, state["shortcut.weight"], state["shortcut.bias"], stride=stride, padding=1)
    gamma = state["norm.weight"].view(-1, 1, 1)
    return (a + b) / ((1 + gamma.square()).sqrt() + 1e-6)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("ci", "co", "stride", "groups"), SHAPES)
def test_resblock_is_the_written_out_formula(
    ci: int, co: int, stride: int, groups: int, version: int
) -> None:
    block = ResBlock(ci, co, stride=stride, groups=groups).eval()
    use_version(block, version)
    scrambled(block)
    x = torch.randn(2, ci, 6, 8)
    out = block(x)
    assert out.shape == (2, co, 6 // stride, 8 // stride)
    torch.testing.assert_close(out, rewritten(block, x, stride, groups), rtol=1e-4, atol=1e-4)


def test_resblock_has_a_shortcut_convolution_only_where_the_shape_changes() -> None:
    assert isinstance(ResBlock(6).shortcut, nn.Identity)
    assert ResBlock(6, 8).shortcut.kernel_size == (3, 3)
    assert ResBlock(6, stride=2).shortcut.kernel_size == (4, 4)


def test_resblock_bottleneck_is_half_the_input_but_at_least_two() -> None:
    assert [ResBlock(ci, 8).body[2].out_channels for ci in (1, 4, 5, 12)] == [2, 2, 2, 6]
    assert ResBlock(5, 8, bottle=4).body[2].out_channels == 4


@torch.no_grad()
@pytest.mark.parametrize(
    ("version", "a", "divisor"), [(2, 2.0, 1.25 + 1e-6), (1, -math.log(2), math.sqrt(1.5625 + 1e-6))]
)
def test_resblock_by_hand(version: int, a: float, divisor: float) -> None:
    """One pixel −ln 2: CELU −1/2; norm of weight 2 and bias 3: 2; kernels 1 and −1: 2 and −2; ReLU: 2 and 0.

    Kernels 3 and 5: 6; norm of weight 3/4, bias 1: 5.5. Path A is 2, or −ln 2 in version 1; √(25/16) is 5/4.
    """
    block = ResBlock(1).eval().double()
    use_version(block, version)
    for norm in (block.body[1], block.body[3], block.norm):
        norm.running_var.fill_(1 - 1e-5)
    block.body[1].weight.fill_(2)
    block.body[1].bias.fill_(3)
    for layer, weights in ((block.body[2], (1.0, -1.0)), (block.body[5], (3.0, 5.0))):
        layer.weight.zero_()
        layer.weight[..., 1, 1] = torch.tensor(weights).view(layer.weight.shape[:2]).double()
    block.norm.weight.fill_(0.75)
    block.norm.bias.fill_(1)
    x = torch.full((1, 1, 1, 1), -math.log(2), dtype=torch.float64)
    assert block(x).item() == pytest.approx((a + 5.5) / divisor, rel=1e-7)


def started(x: Tensor) -> Tensor:
    """What both paths begin with in training: CELU, then each channel of mean 0 and variance 1."""
    x = torch.where(x > 0, x, x.exp() - 1)
    mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), correction=0, keepdim=True)
    return (x - mean) / (var + 1e-5).sqrt()


def test_resblock_starts_as_celu_and_norm_and_keeps_the_variance_at_one() -> None:
    x = 5 * torch.randn(3, 6, 7, 5)
    torch.testing.assert_close(ResBlock(6)(x), started(x), rtol=1e-4, atol=1e-4)
    deep = nn.Sequential(*(ResBlock(6) for _ in range(12)))
    assert deep(x).std().item() == pytest.approx(1, abs=0.01)


@torch.no_grad()
@pytest.mark.parametrize("co", [6, 3, 12])
def test_resblock_starts_as_the_mean_of_2x2_squares_when_it_halves(co: int) -> None:
    """Outputs beyond the inputs keep their random start; inputs beyond the outputs are left out."""
    x = torch.randn(2, 6, 8, 6)
    pooled = F.avg_pool2d(started(x), 2)
    block = ResBlock(6, co, stride=2)
    out = block(x)
    torch.testing.assert_close(out[:, :6], pooled[:, :co], rtol=1e-4, atol=1e-4)
    if co == 12:
        kernels = block.shortcut.weight[6:]
        wanted = F.conv2d(started(x), kernels, stride=2, padding=1)
        torch.testing.assert_close(out[:, 6:], wanted, rtol=1e-4, atol=1e-4)
        assert kernels.std().item() == pytest.approx((2 / (6 * 16)) ** 0.5, rel=0.1)


def test_narrowing_starts_as_a_copy_of_the_first_channels() -> None:
    layer = start_as_resampling(conv(5, 2, 3))
    x = torch.randn(1, 5, 4, 4)
    torch.testing.assert_close(layer(x), x[:, :2])


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_resblock_keeps_the_variance(gamma: float) -> None:
    block = ResBlock(64)
    nn.init.constant_(block.norm.weight, gamma)
    assert block(torch.randn(8, 64, 16, 16)).var().item() == pytest.approx(1, abs=0.05)


def test_a_gamma_of_its_own_scales_each_channel() -> None:
    block = ResBlock(2)
    block.norm.weight.data = torch.tensor([0.0, 3.0])
    block.norm.register_forward_hook(lambda *_: torch.tensor(0.0))
    x = torch.randn(2, 2, 4, 4)
    wanted = started(x) / torch.tensor([1.0, 10**0.5]).view(1, 2, 1, 1)
    torch.testing.assert_close(block(x), wanted, rtol=1e-4, atol=1e-4)


def test_blocks_are_one_that_leads_and_others_that_follow() -> None:
    row = blocks(4, 6, 2, stride=2)
    assert count(row) == count(ResBlock(4, 6, stride=2)) + 2 * count(ResBlock(6))
    assert row(torch.zeros(1, 4, 8, 8)).shape == (1, 6, 4, 4)


def test_convolutions_start_kaiming_normal() -> None:
    layer = conv(64, 128, 3)
    assert layer.weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)
    assert layer.bias is not None
    assert layer.bias.count_nonzero() == 0


def test_pixel_shuffle_starts_as_nearest_neighbour() -> None:
    up = PixelShuffleICNR(6, 3)
    x = torch.randn(2, 6, 4, 5)
    before = up[1](up[0](x))[:, ::4]
    torch.testing.assert_close(up(x), F.interpolate(before, scale_factor=2, mode="nearest"))
    assert up(x).shape == (2, 3, 8, 10)
    assert (up(x) > 0).any()


def test_pixel_shuffle_is_weight_normalised_with_bias_and_relu() -> None:
    up = PixelShuffleICNR(6, 3)
    assert count(up) == 6 * 12 + 12 + 12
    x = torch.randn(2, 6, 4, 5)
    scrambled(up)
    layer = up[0]
    length, direction = layer.parametrizations.weight.original0, layer.parametrizations.weight.original1
    weight = length * direction / direction.square().sum((1, 2, 3), keepdim=True).sqrt()
    wanted = F.pixel_shuffle(F.conv2d(x, weight, layer.bias).clamp_min(0), 2)
    torch.testing.assert_close(up(x), wanted)


def test_lbl_is_the_written_out_formula() -> None:
    layer = scrambled(LBL(6, 4)).eval()
    _, norm, linear = layer
    x = torch.randn(5, 6)
    y = torch.where(x > 0, x, x / 16)
    y = (y - norm.running_mean) / (norm.running_var + 1e-5).sqrt() * norm.weight + norm.bias
    torch.testing.assert_close(layer(x), y @ linear.weight.T)
    assert count(layer) == 2 * 6 + 6 * 4


def test_hue_dropout_leaves_evaluation_alone() -> None:
    rgb = torch.rand(2, 3, 8, 8)
    assert torch.equal(HueDropout(1.0).eval()(rgb), rgb)
    assert torch.equal(HueDropout(0.0).train()(rgb), rgb)


def test_hue_dropout_turns_whole_pixels_white_and_leaves_the_others() -> None:
    rgb = torch.rand(4, 3, 16, 16) * 0.9
    out = HueDropout(0.5)(rgb)
    white = (out == 1).all(1, keepdim=True)
    assert torch.equal(out, torch.where(white, 1.0, rgb))
    assert 0 < white.float().mean() < 0.5


def test_hue_dropout_draws_its_share_per_picture_uniformly() -> None:
    share = (HueDropout(0.5)(torch.zeros(500, 3, 32, 32)) == 1)[:, 0].float().mean((1, 2))
    # U(0, 0.5), quarter by quarter
    assert torch.quantile(share, torch.tensor([0.25, 0.5, 0.75])).tolist() == pytest.approx(
        [0.125, 0.25, 0.375], abs=0.04
    )


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 3), c=st.integers(1, 4), h=st.integers(1, 9), w=st.integers(1, 9))
def test_positional_info_says_row_and_column(n: int, c: int, h: int, w: int) -> None:
    x = torch.rand(n, c, h, w)
    out = PositionalInfo()(x)
    assert out.shape == (n, c + 2, h, w)
    assert torch.equal(out[:, 2:], x)
    for row in range(h):
        assert (out[:, 0, row] == torch.tensor(row) / h).all()
    for column in range(w):
        assert (out[:, 1, :, column] == torch.tensor(column) / w).all()
