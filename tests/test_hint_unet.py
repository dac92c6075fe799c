"""The network behind the default model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sketchcolor_cli.networks import hints
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet, SelfAttention, shrink_hint
from sketchcolor_cli.networks.lattice import lab_grid

SMALL = HintUNetConfig(widths=(8, 12, 16), depths=(1, 1, 2), lab_step=24.0, sheet_width=0)


@pytest.fixture(scope="module")
def net() -> HintUNet:
    """A small network in which nothing is zero, in eval mode; tests must leave it as it is."""
    return stirred(HintUNet(SMALL)).eval()


def stirred(net: HintUNet) -> HintUNet:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
    return net


def batch(n: int, h: int, w: int) -> tuple[Tensor, Tensor, Tensor]:
    """Sketches, hints with about half the pixels given, and something spread."""
    generator = torch.Generator().manual_seed(h + w)
    mask = torch.rand(n, 1, h, w, generator=generator).round()
    hint = torch.cat([torch.rand(n, 3, h, w, generator=generator) * mask, mask], 1)
    spread = torch.rand(n, 4, h // 4, w // 4, generator=generator)
    return torch.rand(n, 1, h, w, generator=generator), hint, spread


def blocked_at_first(net: HintUNet) -> set[str]:
    """Parameters that feed nothing but a layer whose weight is zero in a fresh network."""
    names = set()
    for name, module in net.named_modules():
        if name.endswith(".body"):
            names |= {f"{name}.{n}" for n, _ in module.named_parameters() if not n.startswith("5.")}
        if hasattr(module, "qkv"):
            names |= {f"{name}.{part}.{kind}" for part in ("norm", "qkv") for kind in ("weight", "bias")}
    return names


def without_gradient(net: HintUNet) -> set[str]:
    sketch, hint, spread = batch(2, 32, 48)
    prediction = net(sketch, hint, spread=spread)
    target = torch.randn(prediction.color.shape, generator=torch.Generator().manual_seed(1))
    (prediction.color * target).sum().backward()
    return {name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0}


def test_the_default_network() -> None:
    net = HintUNet()
    assert sum(parameter.numel() for parameter in net.parameters()) == 9_693_718
    assert (net.multiple, net.stride) == (32, 4)


@pytest.mark.parametrize(
    ("config", "multiple"),
    [
        (SMALL, 16),
        (HintUNetConfig(widths=(4,), depths=(2,), stride=2, sheet_width=0), 2),
        (HintUNetConfig(widths=(4, 4), depths=(0, 0), sheet_width=0), 8),
    ],
)
def test_shapes_at_the_smallest_and_other_sizes(config: HintUNetConfig, multiple: int) -> None:
    net = HintUNet(config).eval()
    assert net.multiple == multiple
    a, b = lab_grid(config.lab_step)
    for height, width in ((multiple, multiple), (3 * multiple, 2 * multiple)):
        sketch, hint, _ = batch(2, height, width)
        prediction = net(sketch, hint)
        assert prediction.logits is not None
        size = height // config.stride, width // config.stride
        assert prediction.color.shape == (2, 3, *size)
        assert prediction.logits.shape == (2, len(a) * len(b), *size)
        assert net.rgb(prediction).shape == (2, 3, *size)


def test_results_are_in_range(net: HintUNet) -> None:
    sketch, hint, spread = batch(2, 64, 64)
    prediction = net(sketch, hint, spread=spread)
    lightness, a, b = prediction.color.unbind(1)
    assert ((lightness >= 0) & (lightness <= 100)).all()
    assert ((a >= -96) & (a <= 108) & (b >= -108) & (b <= 96)).all()
    rgb = net.rgb(prediction)
    assert ((rgb >= 0) & (rgb <= 1)).all()


def test_rows_do_not_depend_on_one_another(net: HintUNet) -> None:
    sketch, hint, spread = batch(3, 32, 32)
    together = net(sketch, hint, spread=spread).color
    for i in range(3):
        alone = net(sketch[i : i + 1], hint[i : i + 1], spread=spread[i : i + 1]).color
        torch.testing.assert_close(together[i : i + 1], alone, atol=1e-3, rtol=1e-4)


def test_without_a_spread_the_hint_itself_takes_its_place(net: HintUNet) -> None:
    sketch, hint, _ = batch(2, 32, 32)
    given = net(sketch, hint, spread=shrink_hint(hint, 4)).color
    assert torch.equal(net(sketch, hint).color, given)
    nothing = torch.zeros_like(hint)
    empty = net(sketch, nothing, spread=torch.zeros(2, 4, 8, 8)).color
    assert torch.equal(net(sketch, nothing).color, empty)


def test_every_input_counts(net: HintUNet) -> None:
    sketch, hint, spread = batch(1, 32, 32)
    result = net(sketch, hint, spread=spread).color
    for other in (
        net(1 - sketch, hint, spread=spread),
        net(sketch, hint * 0, spread=spread),
        net(sketch, hint, spread=spread * 0),
    ):
        assert (other.color - result).abs().max() > 0.1


def test_attention_by_hand() -> None:
    """Channels are queries, keys, values, each head by head; trained weights rely on this order."""
    torch.manual_seed(0)
    attention = SelfAttention(8, heads=2).eval()
    torch.nn.init.normal_(attention.out.weight)
    x = torch.randn(1, 8, 2, 3)
    query, key, value = attention.qkv(attention.norm(x))[0].reshape(3, 2, 4, 6)
    seen = []
    for head in range(2):
        score = torch.stack([query[head, :, i] @ key[head] for i in range(6)]) / 4**0.5
        seen.append(value[head] @ score.softmax(1).T)
    expected = x + attention.out(torch.cat(seen).reshape(1, 8, 2, 3))
    torch.testing.assert_close(attention(x), expected)


def test_attention_carries_colour_across_the_page(net: HintUNet) -> None:
    """The far corner is out of reach of the convolutions."""
    sketch, hint = torch.ones(1, 1, 32, 32 * 16), torch.zeros(1, 4, 32, 32 * 16)
    plain = net(sketch, hint).color[..., -8:]
    hint[..., :16] = 1
    assert not torch.equal(net(sketch, hint).color[..., -8:], plain)


def test_gradients_reach_all_but_what_zeros_block() -> None:
    torch.manual_seed(0)
    fresh = HintUNet(SMALL).eval()  # in training, batch normalisation takes out a bias before it
    assert without_gradient(fresh) == blocked_at_first(fresh)
    assert without_gradient(stirred(HintUNet(SMALL)).eval()) == set()


def test_a_fresh_block_is_the_identity() -> None:
    net = HintUNet(SMALL).train()
    x = torch.randn(2, 16, 4, 4)
    torch.testing.assert_close(net.bottom(x), x)


def test_bfloat16_and_channels_last_on_the_cpu(net: HintUNet) -> None:
    sketch, hint, spread = batch(2, 64, 64)
    exact = net(sketch, hint, spread=spread)
    other = HintUNet(SMALL).eval().to(memory_format=torch.channels_last)
    other.load_state_dict(net.state_dict())
    torch.testing.assert_close(other(sketch, hint, spread=spread).color, exact.color, atol=1e-3, rtol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        rough = other(sketch.to(memory_format=torch.channels_last), hint, spread=spread)
    assert rough.color.dtype == torch.float32
    assert (rough.color - exact.color).abs().mean() < 1


# Colours


def test_the_annealed_mean_in_closed_form() -> None:
    net = HintUNet(HintUNetConfig(widths=(4,), depths=(0,), lab_step=24.0, temperature=0.5, sheet_width=0))
    a, b = lab_grid(24)
    logits = torch.full((1, len(a) * len(b), 1, 1), -1e4)
    logits[0, 1 * len(b) + 2] = 0.0
    assert net.annealed_mean(logits).flatten().tolist() == [a[1], b[2]]
    logits[0, 4 * len(b) + 3] = np.log(2)  # twice as likely, so at temperature 1/2 four times
    expected = [(a[1] + 4 * a[4]) / 5, (b[2] + 4 * b[3]) / 5]
    torch.testing.assert_close(net.annealed_mean(logits).flatten(), torch.stack(expected))


def test_shrinking_a_hint_agrees_with_what_spreads_it() -> None:
    _, hint, _ = batch(1, 32, 48)
    hint = hint * (torch.rand(1, 1, 32, 48, generator=torch.Generator().manual_seed(3)) < 0.1)
    ours = shrink_hint(hint, 4)[0].permute(1, 2, 0).numpy()
    theirs = hints.shrink(np.ascontiguousarray(hint[0].permute(1, 2, 0).numpy()), 4)
    assert 0 < ours[..., 3].mean() < 1
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_lattice_is_not_stored(net: HintUNet) -> None:
    parameters = {name for name, _ in net.named_parameters()}
    statistics = {
        f"{name}.{part}"
        for name, module in net.named_modules()
        if isinstance(module, nn.BatchNorm2d)
        for part in ("running_mean", "running_var", "num_batches_tracked")
    }
    assert set(net.state_dict()) == parameters | statistics
