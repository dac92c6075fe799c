"""The perceptual network: its taps, its groups, and that it sees each picture for itself."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sketchcolor_cli.networks.blocks import ResBlock
from sketchcolor_cli.networks.config import PerceptualConfig
from sketchcolor_cli.networks.perceptual import Perceptual

SMALL = PerceptualConfig(widths=(4, 6, 8, 10, 12, 16), classes=7)


def small() -> Perceptual:
    torch.manual_seed(0)
    network = Perceptual(SMALL)
    for name, parameter in network.named_parameters():
        if name.endswith(".norm.weight"):
            nn.init.constant_(parameter, 0.5)
    return network


def residual(ci: int, co: int, groups: int = 1, stride: int = 1) -> int:
    """Parameters of a block, by its description."""
    half, k = ci // 2, 4 if stride == 2 else 3
    path_b = 2 * ci + 9 * ci * half // groups + 2 * half + k * k * half * co // groups + 2 * co
    return path_b + (k * k * ci * co + co if ci != co or stride == 2 else 0)


def test_the_count_is_that_of_the_description() -> None:
    def layer(ci: int, co: int, k: int) -> int:
        """Convolutions between blocks have no bias."""
        return k * k * ci * co + (co if k == 6 else 0)

    blocks = [(48, 64), (64, 64), (64, 96), (128, 128), (192, 192), (192, 192, 2), (192, 192)]
    blocks += [(192, 256, 1, 2), (256, 256, 2), (256, 256)]
    convolutions = [(3, 48, 6), (64, 64, 3), (96, 128, 3), (128, 192, 3), (192, 192, 3)]
    norms = 3 + 64 + 128 + 192 + 192
    wanted = sum(residual(*b) for b in blocks) + sum(layer(*c) for c in convolutions) + 2 * norms + 257_000
    assert sum(parameter.numel() for parameter in Perceptual().parameters()) == wanted == 4_369_614


@torch.no_grad()
@pytest.mark.parametrize(("n", "h", "w"), [(1, 32, 32), (3, 64, 96)])
def test_shapes_of_taps_and_logits(n: int, h: int, w: int) -> None:
    seen = small().eval()(torch.rand(n, 3, h, w))
    assert [tuple(tap.shape) for tap in seen.taps] == [
        (n, 6, h // 4, w // 4),
        (n, 8, h // 8, w // 8),
        (n, 12, h // 16, w // 16),
        (n, 16, h // 32, w // 32),
    ]
    assert seen.logits.shape == (n, 7)


@torch.no_grad()
def test_taps_are_three_poolings_and_the_last_block() -> None:
    network = small().eval()
    results: list[torch.Tensor] = []
    for module in network.modules():
        if isinstance(module, nn.MaxPool2d | ResBlock):
            module.register_forward_hook(lambda module, _given, result: results.append((module, result)))
    taps = network(torch.rand(1, 3, 32, 32)).taps
    pooled = [result for module, result in results if isinstance(module, nn.MaxPool2d)]
    assert all(a is b for a, b in zip(taps, [*pooled, results[-1][1]], strict=True))


@torch.no_grad()
def test_logits_come_from_the_last_tap() -> None:
    network = small().eval()
    seen = network(torch.rand(2, 3, 32, 64))
    pooled = seen.taps[3].mean((2, 3))
    pooled = torch.where(pooled > 0, pooled, pooled.exp() - 1)
    torch.testing.assert_close(seen.logits, pooled @ network.head.weight.T + network.head.bias)


@torch.no_grad()
def test_a_picture_in_a_batch_is_seen_for_itself() -> None:
    network = small().eval()
    pictures = torch.rand(3, 3, 64, 64)
    together = network(pictures)
    for i in range(3):
        alone = network(pictures[i : i + 1])
        for a, b in zip((*alone.taps, alone.logits), (*together.taps, together.logits), strict=True):
            torch.testing.assert_close(a, b[i : i + 1], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_bfloat16_and_channels_last() -> None:
    network = small().eval()
    pictures = torch.rand(1, 3, 64, 64)
    plain = network(pictures).logits
    pictures = pictures.to(memory_format=torch.channels_last)
    torch.testing.assert_close(network(pictures).logits, plain, rtol=1e-4, atol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(network(pictures).logits.float(), plain, rtol=0.1, atol=0.1)


def test_gradients_reach_every_parameter_and_the_picture() -> None:
    network = small()
    pictures = torch.rand(4, 3, 64, 64, requires_grad=True)
    nn.functional.cross_entropy(network(pictures).logits, torch.arange(4)).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []
    assert pictures.grad is not None
    assert pictures.grad.any()


def test_widths_that_cannot_be_grouped_are_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        PerceptualConfig(widths=(4, 6, 8, 10, 12, 18))
    with pytest.raises(ValueError, match="widths must have 6 entries"):
        PerceptualConfig(widths=(4, 6))


def test_the_network_of_older_files_has_four_biases_more() -> None:
    network = Perceptual(PerceptualConfig(block=1))
    assert sum(parameter.numel() for parameter in network.parameters()) == 4_369_614 + 576
    assert {block.version for block in network.modules() if isinstance(block, ResBlock)} == {1}
