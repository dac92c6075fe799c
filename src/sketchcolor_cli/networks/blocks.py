"""What the thesis's networks are built from (Cortés Méndez 2022, "Blocks").

The thesis gives the parts tersely, and three parameter counts and one count of operations. What is read here
meets all four exactly; where they cannot decide, a comment says so.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm


class ResBlock(nn.Module):
    """Residual block of the thesis, which keeps the variance of what it is given.

    Both paths begin with CELU and batch norm. Path A goes on as it is or, where the shape changes, through a
    convolution; path B through a bottleneck of two convolutions that ends in a batch norm of weight γ. The
    result is (A + B) / (√(1 + γ²) + 1e-6): with A of variance 1, and B of γ², it has variance 1. γ starts at
    0, so that the block starts as path A.

    Attributes:
        version: 2; or 1 for the block of files written before version 2, where A took the block's input and
            the 1e-6 stood inside the root. :func:`use_version` sets it.
    """

    version = 2

    def __init__(
        self, ci: int, co: int | None = None, *, bottle: int | None = None, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        co, bottle = co or ci, bottle or max(ci // 2, 2)
        kernel = 4 if stride == 2 else 3
        self.body = nn.Sequential(
            nn.CELU(),
            nn.BatchNorm2d(ci),
            conv(ci, bottle, 3, groups=groups, bias=False),
            nn.BatchNorm2d(bottle),
            nn.ReLU(),
            conv(bottle, co, kernel, stride=stride, groups=groups, bias=False),
        )
        self.norm = nn.BatchNorm2d(co)
        nn.init.zeros_(self.norm.weight)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or ci != co:
            self.shortcut = start_as_resampling(conv(ci, co, kernel, stride=stride))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, co, H/stride, W/stride) of (N, ci, H, W)."""
        celu, norm, *rest = self.body
        start = norm(celu(x))
        b = start
        for layer in rest:
            b = layer(b)
        total: Tensor = self.shortcut(x if self.version == 1 else start) + self.norm(b)
        square = self.norm.weight**2
        divisor = (1 + square + 1e-6).sqrt() if self.version == 1 else (1 + square).sqrt() + 1e-6
        return total / divisor.view(1, -1, 1, 1).to(total.dtype)  # else autocast would go on in float32


def use_version(network: nn.Module, version: int) -> None:
    """Let every residual block of a network be of this version."""
    for module in network.modules():
        if isinstance(module, ResBlock):
            module.version = version


def blocks(ci: int, co: int, following: int, *, stride: int = 1) -> nn.Sequential:
    """Return the block that goes from ``ci`` to ``co`` channels and ``following`` more of ``co``."""
    return nn.Sequential(ResBlock(ci, co, stride=stride), *(ResBlock(co) for _ in range(following)))


def conv(ci: int, co: int, kernel: int, *, stride: int = 1, groups: int = 1, bias: bool = True) -> nn.Conv2d:
    """Return a convolution: Kaiming-normal weights (He et al. 2015), bias 0, padding (kernel − 1)//2."""
    layer = nn.Conv2d(ci, co, kernel, stride, (kernel - 1) // 2, groups=groups, bias=bias)
    nn.init.kaiming_normal_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


@torch.no_grad()
def start_as_resampling(layer: nn.Conv2d) -> nn.Conv2d:
    """Return the layer, set to copy its input, or with a 4×4 kernel and stride 2 to halve its size.

    Halving is the mean of each 2×2 square. Output channel o is input channel o; outputs beyond the inputs
    keep the weights that they have, inputs beyond the outputs are left out.
    """
    co, ci, size, _ = layer.weight.shape
    centre = slice((size - 1) // 2, size // 2 + 1)
    channel = torch.arange(min(ci, co))
    layer.weight[channel] = 0
    layer.weight[channel, channel, centre, centre] = 1 / (size // 2 + 1 - (size - 1) // 2) ** 2
    return layer


class PixelShuffleICNR(nn.Sequential):
    """Upsampling by 2, (N, ci, H, W) → (N, co, 2H, 2W): 1×1 convolution, ReLU, pixel shuffle.

    The convolution is weight-normalised (Salimans, Kingma 2016) with a bias, and its four outputs that make
    one 2×2 square start equal (ICNR; Aitken et al. 2017, "Checkerboard artifact free sub-pixel convolution"),
    so that upsampling starts as nearest neighbour.
    """

    def __init__(self, ci: int, co: int) -> None:
        layer = nn.Conv2d(ci, 4 * co, 1)
        kernel = nn.init.kaiming_normal_(torch.empty(co, ci, 1, 1))
        with torch.no_grad():
            layer.weight.copy_(kernel.repeat_interleave(4, 0))
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        super().__init__(weight_norm(layer), nn.ReLU(), nn.PixelShuffle(2))


class LBL(nn.Sequential):
    """LeakyReLU of slope 1/16, batch norm, linear layer without bias: (N, i) → (N, o)."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__(nn.LeakyReLU(1 / 16), nn.BatchNorm1d(i), nn.Linear(i, o, bias=False))


class HueDropout(nn.Module):
    """In training, turns pixels of the reference white, so that a few given pixels must be enough.

    The probability is drawn per picture from [0, ``most``), as in the thesis's code; its text has 0.25.
    """

    def __init__(self, most: float) -> None:
        super().__init__()
        self.most = most

    def forward(self, rgb: Tensor) -> Tensor:
        """Return (N, 3, H, W) RGB in [0, 1]; in evaluation as it came."""
        if not self.training:
            return rgb
        n, _, h, w = rgb.shape
        probability = self.most * torch.rand(n, 1, 1, 1, device=rgb.device)
        return torch.where(torch.rand(n, 1, h, w, device=rgb.device) < probability, 1.0, rgb)


class PositionalInfo(nn.Module):
    """Puts two channels in front that say where a pixel is: its row and its column, both in [0, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, 2 + C, H, W) of (N, C, H, W)."""
        n, _, h, w = x.shape
        rows = torch.arange(h, device=x.device, dtype=x.dtype).view(1, 1, h, 1) / h
        columns = torch.arange(w, device=x.device, dtype=x.dtype).view(1, 1, 1, w) / w
        return torch.cat([rows.expand(n, 1, h, w), columns.expand(n, 1, h, w), x], 1)
