"""The network that draws lines: small, fully convolutional, and the same at every place of a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle, pixel_unshuffle

from sketchcolor_plugins.arrays import LUMA
from sketchcolor_plugins.linework.arrays import FADE
from sketchcolor_plugins.loading import like

WIDTHS = (24, 48, 96, 128)
"""Channels at a half, quarter, eighth and sixteenth of the picture's size."""

_FINE = 8  # channels at full size


class Linework(nn.Module):
    """A U-Net from a coloured picture to the ink that an artist would have drawn under it.

    It begins at half size, where most of its work is cheap, and returns to full size at the end, where it
    sees the picture once more, so that a line of one pixel stays one. There is no normalisation over the
    picture, so it is the same at every place.
    """

    def __init__(self, *, norm: bool = False) -> None:
        """Build the network; with ``norm``, normalisation over the batch, which helps training, is in it."""
        super().__init__()
        self.down = nn.ModuleList()
        inside = 12
        for level, width in enumerate(WIDTHS):
            first = _conv(inside, width, stride=2 if level else 1, norm=norm)
            rest = [_conv(width, width, norm=norm) for _ in range(1 if level == 0 else 2)]
            self.down.append(nn.Sequential(first, *rest))
            inside = width
        self.up = nn.ModuleList(
            nn.Sequential(_conv(below + width, width, norm=norm), _conv(width, width, norm=norm))
            for width, below in zip(WIDTHS[-2::-1], WIDTHS[:0:-1], strict=True)
        )
        self.enlarge = nn.Conv2d(WIDTHS[0], 4 * _FINE, 3, padding=1)
        self.fine = _conv(_FINE + 3, _FINE, norm=norm)
        self.last = nn.Conv2d(_FINE, 1, 3, padding=1)

    def forward(self, rgb: Tensor) -> Tensor:
        """Turn (N, 3, H, W) in [0, 1], sides multiples of 16, into logits of ink, (N, 1, H, W)."""
        x = pixel_unshuffle(rgb - 0.5, 2)
        levels = []
        for block in self.down:
            x = block(x)
            levels.append(x)
        levels.pop()
        for block in self.up:
            x = block(torch.cat([interpolate(x, scale_factor=2.0, mode="nearest"), levels.pop()], 1))
        fine = torch.cat([torch.relu(pixel_shuffle(self.enlarge(x), 2)), rgb - 0.5], 1)
        logits: Tensor = self.last(self.fine(fine))
        return logits


def _conv(inside: int, outside: int, *, stride: int = 1, norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(inside, outside, 3, stride, 1, bias=not norm)]
    if norm:
        layers.append(nn.BatchNorm2d(outside))
    return nn.Sequential(*layers, nn.ReLU(inplace=True))


@dataclass(frozen=True)
class LineworkSketcher:
    """From pictures to sketches by the network; what is black stays black."""

    network: Linework
    strength: float
    """How much likelier than the network says a line is taken to be, as odds."""
    black: float
    """Luma, from 0 to 1, below which an area is ink whatever it shows."""

    def __call__(self, rgb: Tensor) -> Tensor:
        """Turn (N, 3, H, W) in [0, 1], sides multiples of 16, into (N, 1, H, W) in [0, 1]."""
        logits = self.network(like(self.network, rgb)).float()
        lines = torch.sigmoid(logits + math.log(self.strength))
        luma = (rgb * rgb.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
        solid = ((self.black - luma) / FADE).clamp(0, 1)
        return 1 - torch.maximum(lines, solid)
