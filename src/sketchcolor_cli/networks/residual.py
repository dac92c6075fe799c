"""The residual block of the default colour network."""

from __future__ import annotations

from torch import Tensor, nn


class Residual(nn.Module):
    """Pre-activation residual block of two 3×3 convolutions (He et al. 2016); starts as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
        )
        nn.init.zeros_(self.body[-1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape as ``x`` (N, C, H, W)."""
        return x + self.body(x)  # type: ignore[no-any-return]
