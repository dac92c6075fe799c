"""The thesis's critic (Cortés Méndez 2022), 3 247 681 parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from sketchcolor_cli.model.blocks import ResBlock, blocks, conv
from sketchcolor_cli.model.config import CriticConfig

if TYPE_CHECKING:
    from torch import Tensor


class Critic(nn.Module):
    """What tells drawings from the generator's work.

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

    def forward(self, xyv: Tensor) -> Tensor:
        """Return logits (N, 1), high for drawings, of pictures (N, 3, H, W) in XYV, at least 2×2."""
        return self.head(self.features(xyv).mean((2, 3)))  # type: ignore[no-any-return]


def _conv_relu_norm(ci: int, co: int, *, stride: int) -> nn.Sequential:
    # Without a bias in these three there would be 832 parameters too few.
    return nn.Sequential(conv(ci, co, 3, stride=stride), nn.ReLU(), nn.BatchNorm2d(co))
