"""Networks that tell drawings from generated pictures: the thesis's critic, and PatchGAN's."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from sketchcolor_cli.networks.blocks import ResBlock, blocks, conv, use_version
from sketchcolor_cli.networks.config import CriticConfig, PatchCriticConfig

if TYPE_CHECKING:
    from torch import Tensor


class Critic(nn.Module):
    """The thesis's critic (Cortés Méndez 2022), 3 247 681 parameters: one judgement of a whole picture.

    It sees XYV, since in HxHySV a generated picture gives itself away by Hx² + Hy² ≠ 1.
    """

    def __init__(self, config: CriticConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CriticConfig()
        a, b, c, d = config.widths
        depths = config.depths
        self.features = nn.Sequential(
            _conv_relu_norm(3, a, stride=1),
            *(ResBlock(a) for _ in range(depths[0])),
            blocks(a, b, depths[1], stride=2),
            _conv_relu_norm(b, c, stride=2),
            *(ResBlock(c) for _ in range(depths[2])),
            _conv_relu_norm(c, d, stride=2),
        )
        self.head = nn.Linear(d, 1)
        use_version(self, config.block)
        if config.spectral_norm:
            _normalise(self)

    def forward(self, xyv: Tensor) -> Tensor:
        """Return logits (N, 1), high for drawings, of pictures (N, 3, H, W) in XYV, at least 2×2."""
        return self.head(self.features(xyv).mean((2, 3)))  # type: ignore[no-any-return]


class PatchCritic(nn.Module):
    """PatchGAN's critic (Isola et al. 2017), 2 765 633 parameters: a judgement of each patch of 70×70 pixels.

    It sees XYV, as the thesis's does.
    """

    def __init__(self, config: PatchCriticConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or PatchCriticConfig()
        widths = config.widths
        layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for place, (i, o) in enumerate(pairwise(widths), start=2):
            stride = 1 if place == len(widths) else 2
            norm = nn.BatchNorm2d(o)
            layers += [nn.Conv2d(i, o, 4, stride, 1, bias=False), norm, nn.LeakyReLU(0.2)]
        self.features = nn.Sequential(*layers)
        self.head = nn.Conv2d(widths[-1], 1, 4, padding=1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, 0, 0.02)
        if config.spectral_norm:
            _normalise(self)

    def forward(self, xyv: Tensor) -> Tensor:
        """Return logits (N, 1, h, w), high for drawings, of pictures (N, 3, H, W) in XYV, at least 32×32."""
        return self.head(self.features(xyv))  # type: ignore[no-any-return]


def _normalise(network: nn.Module) -> None:
    for layer in [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]:
        spectral_norm(layer)


def _conv_relu_norm(ci: int, co: int, *, stride: int) -> nn.Sequential:
    # Without a bias in these three there would be 832 parameters too few.
    return nn.Sequential(conv(ci, co, 3, stride=stride), nn.ReLU(), nn.BatchNorm2d(co))
