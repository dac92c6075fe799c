"""HintUNet, the network behind the default model: colour at a quarter of the sketch's resolution.

A residual U-Net that sees the sketch folded by pixel-unshuffle, so that no line is lost, beside the hint and
the hint spread along the lines. It predicts lightness and, for hue and saturation, a distribution over
quantised a*b* colours (Zhang, Isola, Efros 2016, "Colorful image colorization"), since regression alone
answers the many colours that a shirt may have with their mean, which is sepia. The ink is laid over the
enlarged colour afterwards; see ``sketchcolor_cli.compositing``.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name the field uses)

from sketchcolor_cli.color import lab_to_rgb
from sketchcolor_cli.model.base import ColorNet, Prediction
from sketchcolor_cli.model.config import HintUNetConfig

_A_RANGE = (-96.0, 108.0)  # what sRGB reaches in a* and b*, rounded outwards to steps of 12 that hit grey, 0
_B_RANGE = (-108.0, 96.0)


def lab_grid(step: float) -> tuple[Tensor, Tensor]:
    """Return the a* and b* values, (A,) and (B,), of the lattice that colours are quantised on."""
    return (
        torch.arange(_A_RANGE[0], _A_RANGE[1] + step / 2, step),
        torch.arange(_B_RANGE[0], _B_RANGE[1] + step / 2, step),
    )


class _Residual(nn.Module):
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
        return x + self.body(x)  # type: ignore[no-any-return]


class _SelfAttention(nn.Module):
    """Self-attention over all places, so that far parts of a page agree; starts as the identity."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.BatchNorm2d(width)
        self.qkv = nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        qkv = self.qkv(self.norm(x)).reshape(n, 3, self.heads, c // self.heads, h * w)
        q, k, v = qkv.transpose(-1, -2).unbind(1)
        seen = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(seen.transpose(-1, -2).reshape(n, c, h, w))  # type: ignore[no-any-return]


class HintUNet(ColorNet):
    """The default colour network.

    ``Prediction.color`` is (N, 3, H/4, W/4) Lab: L* in [0, 100] and the annealed mean of the predicted a*b*
    distribution. ``Prediction.logits`` is (N, A·B, H/4, W/4) over the lattice of :func:`lab_grid`.
    """

    config: HintUNetConfig

    def __init__(self, config: HintUNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or HintUNetConfig()
        self.stride = config.stride
        self.multiple = config.stride * 2 ** (len(config.widths) - 1)
        widths, depths = config.widths, config.depths
        outer = list(zip(widths[:-1], depths[:-1], strict=True))
        self.stem = nn.Conv2d(config.stride**2 + 8, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Sequential(*(_Residual(w) for _ in range(d))) for w, d in outer)
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        half = depths[-1] // 2
        self.bottom = nn.Sequential(
            *(_Residual(widths[-1]) for _ in range(half)),
            _SelfAttention(widths[-1]),
            *(_Residual(widths[-1]) for _ in range(depths[-1] - half)),
            _SelfAttention(widths[-1]),
        )
        self.grow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(nn.Sequential(*(_Residual(w) for _ in range(d))) for w, d in outer)
        a, b = lab_grid(config.lab_step)
        self.register_buffer("_colors", torch.cartesian_prod(a, b), persistent=False)
        self.norm = nn.BatchNorm2d(widths[0])
        self.lightness = nn.Conv2d(widths[0], 1, 1)
        self.palette = nn.Conv2d(widths[0], len(a) * len(b), 1)

    def forward(
        self, sketch: Tensor, hint: Tensor, *, spread: Tensor | None = None, z: Tensor | None = None
    ) -> Prediction:
        """See :class:`ColorNet`; ``z`` is not used by this network."""
        coarse = shrink_hint(hint, self.stride)
        spread = coarse if spread is None else spread
        x = self.stem(torch.cat([F.pixel_unshuffle(1 - sketch, self.stride), coarse, spread], 1))
        skips = []
        for blocks, shrink in zip(self.down, self.shrink, strict=True):
            x = blocks(x)
            skips.append(x)
            x = shrink(x)
        x = self.bottom(x)
        for blocks, grow, skip in zip(reversed(self.up), reversed(self.grow), reversed(skips), strict=True):
            grown = F.interpolate(grow(x), size=skip.shape[2:], mode="bilinear", align_corners=False)
            x = blocks(skip + grown)
        x = F.relu(self.norm(x))
        logits = self.palette(x)
        lightness = 100 * torch.sigmoid(self.lightness(x).float())
        return Prediction(torch.cat([lightness, self.annealed_mean(logits)], 1), logits=logits)

    def annealed_mean(self, logits: Tensor) -> Tensor:
        """Return a*b*, (N, 2, h, w), between mean and mode of the distribution (Zhang et al. 2016, eq. 5)."""
        weights = torch.softmax(logits.float() / self.config.temperature, 1)
        return torch.einsum("nqhw,qc->nchw", weights, self._colors)

    def rgb(self, prediction: Prediction) -> Tensor:
        """Return the colours as (N, 3, H/4, W/4) RGB in [0, 1]."""
        return lab_to_rgb(prediction.color)


def shrink_hint(hint: Tensor, stride: int) -> Tensor:
    """Return an (N, 4, H, W) hint at 1/stride: mean of the colours given in each square, and if any was."""
    total = F.avg_pool2d(hint.float(), stride)
    covered = total[:, 3:]
    return torch.cat([total[:, :3] / covered.clamp_min(1e-6), (covered > 0).float()], 1) * (covered > 0)
