"""Matcher: which places of a character sheet show what a place of the page shows.

Page and sheet go through one network, the page as lines alone, the sheet as its lines and colours; where
both show the same, their features are alike: dense semantic correspondence (Lee et al. 2020, "Reference-
based sketch image colorization using augmented-self reference and dense semantic correspondence"), but
taught by itself, not through the picture that is painted by it. The way down, the bottom and most of the
way up are those of :class:`HintUNet`, from whose weights training begins.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sketchcolor_cli.networks.config import MatcherConfig
from sketchcolor_cli.networks.hint_unet import SelfAttention
from sketchcolor_cli.networks.residual import Residual

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sketchcolor_cli.networks.hint_unet import HintUNet

_SHARPNESS = 2.7  # logarithm of what the cosine of query and key is multiplied by, at first


class Matcher(nn.Module):
    """Features of the places of pages and sheets, by which they are matched.

    Attributes:
        multiple: The sides of pictures must be divisible by this.
        cell: Side, in pixels, of the square that one place stands for.
    """

    def __init__(self, config: MatcherConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MatcherConfig()
        widths = config.widths
        self.cell = 2 * config.stride
        self.multiple = config.stride * 2 ** (len(widths) - 1)
        self.stem = nn.Conv2d(config.stride**2 + 4, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(*(Residual(w) for _ in range(d)))
            for w, d in zip(widths[:-1], config.down_depths[:-1], strict=True)
        )
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        self.bottom = nn.Sequential(
            *(Residual(widths[-1]) for _ in range(config.down_depths[-1])),
            *(SelfAttention(widths[-1]) for _ in range(config.attentions)),
        )
        self.grow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths[1:]))
        self.up = nn.ModuleList(
            nn.Sequential(*(Residual(w) for _ in range(d)))
            for w, d in zip(widths[1:-1], config.up_depths, strict=True)
        )
        self.norm = nn.BatchNorm2d(widths[1])
        self.query = nn.Conv2d(widths[1], config.features, 1)
        self.key = nn.Conv2d(widths[1], config.features, 1)
        self.sharpness = nn.Parameter(torch.full((1,), _SHARPNESS))
        with torch.no_grad():  # alike at first: what looks the same on page and sheet matches
            nn.init.orthogonal_(self.query.weight.flatten(1))
            self.key.weight.copy_(self.query.weight)
            for layer in (self.query, self.key):
                layer.bias.zero_()  # type: ignore[union-attr]

    def forward(self, sketch: Tensor, colors: Tensor) -> Tensor:
        """Return the features (N, C, H/cell, W/cell) of pictures.

        ``sketch`` (N, 1, H, W) has paper 1 and ink 0; ``colors`` (N, 4, H/stride, W/stride) is RGB and mask
        in [0, 1], all 0 where the colours are not known, as on a page.
        """
        x = self.stem(torch.cat([F.pixel_unshuffle(1 - sketch, self.config.stride), colors], 1))
        skips = []
        for blocks, shrink in zip(self.down, self.shrink, strict=True):
            x = blocks(x)
            skips.append(x)
            x = shrink(x)
        x = self.bottom(x)
        for blocks, grow, skip in zip(
            reversed(self.up), reversed(self.grow), reversed(skips[1:]), strict=True
        ):
            grown = F.interpolate(grow(x), size=skip.shape[2:], mode="bilinear", align_corners=False)
            x = blocks(skip + grown)
        return F.relu(self.norm(x))

    def queries(self, features: Tensor) -> Tensor:
        """Return what a page's places look for, (N, h·w, features), each of length 1."""
        return _directions(self.query(features))

    def keys(self, features: Tensor) -> Tensor:
        """Return what a sheet's places are found by, (N, h·w, features), each of length 1."""
        return _directions(self.key(features))

    def logits(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return how well each place of a page, (…, P, C), fits each of a sheet, (…, S, C): (…, P, S)."""
        return self.sharpness.exp() * (queries @ keys.transpose(-1, -2))

    @torch.no_grad()
    def begin_with(self, painter: HintUNet) -> None:
        """Take over the weights of a painting network of the same widths; of more blocks the first.

        Raises:
            ValueError: The widths are others.
        """
        if painter.config.widths != self.config.widths or painter.config.stride != self.config.stride:
            raise ValueError(f"a painting network of widths {self.config.widths} is needed")
        lines = self.config.stride**2
        theirs = painter.stem.weight
        hints = theirs[:, lines : lines + 4] + theirs[:, lines + 4 :]  # as given and as spread: the same here
        self.stem.weight.copy_(torch.cat([theirs[:, :lines], hints], 1))
        self.stem.bias.copy_(painter.stem.bias)  # type: ignore[union-attr, arg-type]
        pairs: list[tuple[Iterable[nn.Module], Iterable[nn.Module]]] = [
            (self.shrink, painter.shrink),
            (self.grow, painter.grow[1:]),
            *zip(self.down, painter.down, strict=True),  # type: ignore[list-item]
            *zip(self.up, painter.up[1:], strict=True),  # type: ignore[list-item]
            *((_of(kind, self.bottom), _of(kind, painter.bottom)) for kind in (Residual, SelfAttention)),
        ]
        for ours, others in pairs:
            for block, other in zip(ours, others, strict=False):
                block.load_state_dict(other.state_dict())


def _of(kind: type[nn.Module], blocks: Iterable[nn.Module]) -> list[nn.Module]:
    return [block for block in blocks if isinstance(block, kind)]


def _directions(x: Tensor) -> Tensor:
    return F.normalize(x.flatten(2).transpose(1, 2).float(), dim=-1)
