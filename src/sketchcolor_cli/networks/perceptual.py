"""The thesis's perceptual network (Cortés Méndez 2022): a small classifier in the manner of VGG, over XYV.

The thesis states no parameter count. As in its author's code, convolutions between the blocks have no bias.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name the field uses)

from sketchcolor_cli.networks.blocks import ResBlock, conv, start_as_resampling, use_version
from sketchcolor_cli.networks.config import PerceptualConfig


class Perception(NamedTuple):
    """What the network sees in pictures (N, 3, H, W)."""

    taps: tuple[Tensor, ...]
    """φ0 to φ3, features: by default (N, 64, H/4, W/4), (N, 96, H/8, W/8), (N, 192, H/16, W/16) and
    (N, 256, H/32, W/32)."""
    logits: Tensor
    """(N, classes)."""


class Perceptual(nn.Module):
    """What compares pictures by their features; 4 369 614 parameters."""

    def __init__(self, config: PerceptualConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or PerceptualConfig()
        a, b, c, d, e, f = config.widths
        first = conv(3, a, 6, stride=2)

        def between(ci: int, co: int) -> nn.Conv2d:
            return conv(ci, co, 3, bias=config.block == 1)

        identity = start_as_resampling(between(d, e))
        self.stages = nn.ModuleList(
            nn.Sequential(*layers)
            for layers in (
                (nn.BatchNorm2d(3), first, ResBlock(a, b), nn.MaxPool2d(2)),
                (nn.ReLU(), nn.BatchNorm2d(b), between(b, b), ResBlock(b), ResBlock(b, c), nn.MaxPool2d(2)),
                (
                    *(nn.ReLU(), between(c, d), nn.BatchNorm2d(d), ResBlock(d)),
                    *(nn.ReLU(), identity, nn.BatchNorm2d(e), ResBlock(e), nn.MaxPool2d(2)),
                ),
                (
                    *(nn.ReLU(), between(e, e), nn.BatchNorm2d(e), ResBlock(e, groups=2), ResBlock(e)),
                    *(ResBlock(e, f, stride=2), ResBlock(f, groups=2), ResBlock(f)),
                ),
            )
        )
        self.head = nn.Linear(f, config.classes)
        use_version(self, config.block)

    def forward(self, xyv: Tensor) -> Perception:
        """Return features and class logits of pictures (N, 3, H, W) in XYV, at least 32×32."""
        taps = []
        for stage in self.stages:
            xyv = stage(xyv)
            taps.append(xyv)
        return Perception(tuple(taps), self.head(F.celu(xyv.mean((2, 3)))))
