"""HintUNet, the network behind the default model: colour at a quarter of the sketch's resolution.

A residual U-Net that sees the sketch folded by pixel-unshuffle, so that no line is lost, beside the hint and
the hint spread along the lines. It predicts lightness and, for hue and saturation, a distribution over
quantised a*b* colours (Zhang, Isola, Efros 2016, "Colorful image colorization"), since regression alone
answers the many colours that a shirt may have with their mean, which is sepia. The ink is laid over the
enlarged colour afterwards; see ``sketchcolor_cli.color.compositing``.

Another drawing in the right colours, the sheet, helps in two ways: places of the sketch look for places like
them on it (``sketchcolor_cli.networks.sheet``), and its colours, or a palette given instead, count as more
probable everywhere: the mood of the picture, which is this network's z.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name the field uses)

from sketchcolor_cli.color.spaces import lab_to_rgb_in_hue, rgb_to_lab
from sketchcolor_cli.networks.base import ColorNet, Prediction
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.lattice import lab_grid, lattice_histogram
from sketchcolor_cli.networks.residual import Residual
from sketchcolor_cli.networks.sheet import SheetAttention, SheetEncoder

_PAPER = 95.0, 4.0  # from this L* on and below this chroma a pixel of a sheet is paper
_DOUBT = 0.1  # a colour that a palette does not have is this probable still, as a part of chance


class SelfAttention(nn.Module):
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
        """Return features of the same shape as ``x`` (N, C, H, W)."""
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
    outer = ("stem.", "palette.", "lightness.", "trust.")
    _colors: Tensor

    def __init__(self, config: HintUNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or HintUNetConfig()
        self.stride = config.stride
        self.multiple = config.stride * 2 ** (len(config.widths) - 1)
        widths, depths = config.widths, config.depths
        outer = list(zip(widths[:-1], depths[:-1], strict=True))
        self.stem = nn.Conv2d(config.stride**2 + 8, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Sequential(*(Residual(w) for _ in range(d))) for w, d in outer)
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        half = depths[-1] // 2
        self.bottom = nn.Sequential(
            *(Residual(widths[-1]) for _ in range(half)),
            SelfAttention(widths[-1]),
            *(Residual(widths[-1]) for _ in range(depths[-1] - half)),
            SelfAttention(widths[-1]),
        )
        self.grow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(nn.Sequential(*(Residual(w) for _ in range(d))) for w, d in outer)
        a, b = lab_grid(config.lab_step)
        self.register_buffer("_colors", torch.cartesian_prod(a, b), persistent=False)
        self.norm = nn.BatchNorm2d(widths[0])
        self.lightness = nn.Conv2d(widths[0], 1, 1)
        self.palette = nn.Conv2d(widths[0], len(a) * len(b), 1)
        self.sheet: SheetEncoder | None = None
        if config.sheet_width:
            self.sheet_size = config.sheet_size
            self.sheet = SheetEncoder(config.sheet_width)
            self.sheet_bottom = SheetAttention(widths[-1], config.sheet_width)
            self.sheet_up = SheetAttention(widths[-2], config.sheet_width)
            self.mood = nn.Sequential(nn.Linear(len(a) * len(b), 128), nn.ReLU(), nn.Linear(128, widths[-1]))
            self.trust = nn.Conv2d(widths[0], 1, 1)
            for last in (self.mood[-1], self.trust):
                nn.init.zeros_(last.weight)  # type: ignore[arg-type]
                nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    def forward(
        self,
        sketch: Tensor,
        hint: Tensor,
        *,
        spread: Tensor | None = None,
        sheet: Tensor | None = None,
        z: Tensor | None = None,
    ) -> Prediction:
        """See :class:`ColorNet`; ``z`` (N, A·B) is the share of each colour in the picture, 0 for unknown."""
        coarse = shrink_hint(hint, self.stride)
        spread = coarse if spread is None else spread
        tokens = None if self.sheet is None or sheet is None else self.sheet(sheet)
        knows_palette = z is not None or sheet is not None
        z = self.latent_of(hint, sheet) if z is None else z
        prior = _prior(z)
        x = self.stem(torch.cat([F.pixel_unshuffle(1 - sketch, self.stride), coarse, spread], 1))
        x = F.relu(self.norm(self._u(x, prior, tokens)))
        logits = _last(self.palette(x).float())
        if self.sheet is not None and (knows_palette or self.training):  # else the prior is 0
            logits = logits + _last(self.trust(x).float()) * prior[:, None, None]
        logits = logits.permute(0, 3, 1, 2)
        lightness = 100 * torch.sigmoid(self.lightness(x).float())
        color = torch.cat([lightness, self.annealed_mean(logits)], 1)
        return Prediction(color, logits=logits, z=z, sure=spread[:, 3:])

    def _u(self, x: Tensor, prior: Tensor, tokens: Tensor | None) -> Tensor:
        """Go down the U and up again; ``tokens`` (N, T, C) are the sheet's, None where there is none."""
        skips = []
        for blocks, shrink in zip(self.down, self.shrink, strict=True):
            x = blocks(x)
            skips.append(x)
            x = shrink(x)
        if self.sheet is not None:
            x = x + self.mood(prior)[..., None, None]
        middle = len(self.bottom) // 2
        x = self.bottom[:middle](x)
        if tokens is not None:
            x = self.sheet_bottom(x, tokens)
        x = self.bottom[middle:](x)
        for blocks, grow, skip in zip(reversed(self.up), reversed(self.grow), reversed(skips), strict=True):
            grown = F.interpolate(grow(x), size=skip.shape[2:], mode="bilinear", align_corners=False)
            x = skip + grown
            if tokens is not None and skip is skips[-1]:
                x = self.sheet_up(x, tokens)
            x = blocks(x)
        return x

    def latent_of(self, hint: Tensor, sheet: Tensor | None) -> Tensor:
        """See :class:`ColorNet`; it is the palette of the sheet."""
        return hint.new_zeros(len(hint), len(self._colors)) if sheet is None else self.palette_of(sheet)

    def palette_of(self, sheet: Tensor) -> Tensor:
        """Return the share of each lattice colour, (N, A·B), in sheets (N, 4, S, S); paper counts little."""
        lab = rgb_to_lab(sheet[:, :3].float())
        paper = (lab[:, :1] > _PAPER[0]) & (lab[:, 1:].square().sum(1, keepdim=True) < _PAPER[1] ** 2)
        weight = sheet[:, 3:] * torch.where(paper, 0.1, 1.0)
        a, b = lab_grid(self.config.lab_step)
        return lattice_histogram(lab[:, 1:], weight, a.to(sheet.device), b.to(sheet.device))

    def annealed_mean(self, logits: Tensor) -> Tensor:
        """Return a*b*, (N, 2, h, w), between mean and mode of the distribution (Zhang et al. 2016, eq. 5)."""
        weights = torch.softmax(_last(logits.float()) / self.config.temperature, -1)
        return (weights @ self._colors).permute(0, 3, 1, 2)

    def lattice(self) -> Tensor:
        """See :class:`ColorNet`."""
        return self._colors

    def rgb(self, prediction: Prediction) -> Tensor:
        """Return the colours as (N, 3, H/4, W/4) RGB in [0, 1].

        Under grey tones they are lighter than sRGB has them, since the tone darkens them.
        """
        return lab_to_rgb_in_hue(prediction.color)


def _prior(z: Tensor) -> Tensor:
    """Return how much likelier than by chance each colour is, as a logarithm; 0 where z says nothing."""
    chance = 1 / z.shape[1]
    likelier = ((z + _DOUBT * chance) / chance).log()
    return likelier * (z.sum(1, keepdim=True) > 0)


def _last(x: Tensor) -> Tensor:
    """Return (N, C, h, w) as (N, h, w, C), in which order softmax over channels is several times faster."""
    return x.permute(0, 2, 3, 1).contiguous()


def shrink_hint(hint: Tensor, stride: int) -> Tensor:
    """Return an (N, 4, H, W) hint at 1/stride: mean of the colours given in each square, and if any was."""
    total = F.avg_pool2d(hint.float(), stride)
    covered = total[:, 3:]
    return torch.cat([total[:, :3] / covered.clamp_min(1e-6), (covered > 0).float()], 1) * (covered > 0)
