"""Anime2Sketch: its network in both published variants, its layers named as in the published files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, group_norm, pad

from sketchcolor_plugins.loading import like

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WIDTHS = (64, 128, 256, 512, 512, 512, 512, 512)
"""Channels at a half, a quarter … a 256th of the picture's size."""

_TILES = (8, 8)  # columns and rows in which contrast is equalised


class Anime2Sketch(nn.Module):
    """The U-Net of pix2pix, from a picture (N, 3, H, W) to a sketch (N, 1, H, W), both in [-1, 1].

    Eight levels; normalisation is over each picture and channel. Sides are multiples of 256.

    With ``improved``, six of the eight transposed convolutions are `Enlarge` instead. ``widths`` are the
    channels of each level.
    """

    def __init__(self, *, improved: bool = False, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        block: _Level | None = None
        for depth in reversed(range(len(widths))):
            inside = widths[depth - 1] if depth else 3
            block = _Level(inside, widths[depth], block, outermost=not depth, improved=improved)
        self.model = block

    def forward(self, x: Tensor) -> Tensor:
        """Return the sketch."""
        drawn: Tensor = self.model(x)  # type: ignore[misc]
        return drawn


class _Level(nn.Module):
    """One level down and up again, with all that is deeper between; its input goes along with its result."""

    def __init__(
        self, outside: int, inside: int, deeper: _Level | None, *, outermost: bool, improved: bool
    ) -> None:
        super().__init__()
        self.outermost = outermost
        result = 1 if outermost else outside
        below = inside if deeper is None else 2 * inside
        down: list[nn.Module] = [nn.Conv2d(outside, inside, 4, 2, 1)]
        up: list[nn.Module] = [nn.ReLU(inplace=True), nn.ConvTranspose2d(below, result, 4, 2, 1)]
        if not outermost:
            down.insert(0, nn.LeakyReLU(0.2))
            up.append(_Normalize())
        if deeper is not None and not outermost:
            down.append(_Normalize())
            if improved:
                up[1] = Enlarge(below, result)
        if outermost:
            up.append(nn.Tanh())
        self.model = nn.Sequential(*down, *([deeper] if deeper else []), *up)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.model(x)
        return result if self.outermost else torch.cat([x, result], 1)


class _Normalize(nn.Module):
    """Mean 0 and variance 1 over each picture and channel.

    As a group for each channel, which torch computes in one pass, several times faster than by its parts.
    """

    def forward(self, x: Tensor) -> Tensor:
        return group_norm(x, x.shape[1], eps=1e-5)


class Enlarge(nn.Module):
    """Twice the size without the chequers of a transposed convolution: enlarged, smoothed, then convolved."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="bilinear")
        self.smooth = _Smooth()
        self.conv = nn.Conv2d(inside, outside, 3, padding=1)
        self.mlp = nn.Sequential(
            nn.Conv2d(outside, 4 * outside, 1), nn.GELU(), nn.Conv2d(4 * outside, outside, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Turn (N, inside, H, W) into (N, outside, 2·H, 2·W)."""
        x = self.conv(self.smooth(self.up(x)))
        enlarged: Tensor = x + self.mlp(x)
        return enlarged


class _Smooth(nn.Module):
    """A blur by 1, 2, 1 along both axes; its kernel stands in the published file."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        row = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("kernel", torch.outer(row, row)[None, None])

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        kernel = self.kernel.expand(channels, 1, 3, 3)
        return conv2d(pad(x, (1, 1, 1, 1), mode="replicate"), kernel, groups=channels)


@dataclass(frozen=True)
class Anime2SketchSketcher:
    """The reference procedure: the picture, its contrast equalised where asked for, through the network."""

    network: Anime2Sketch
    clahe: float
    """Limit of the contrast in equalising it (CLAHE); 0 leaves it as it is."""

    def __call__(self, rgb: Tensor) -> Tensor:
        """Turn (N, 3, H, W) in [0, 1] into (N, 1, H, W) in [0, 1]."""
        if self.clahe:
            rgb = equalized(rgb, self.clahe)
        drawn: Tensor = self.network(like(self.network, rgb * 2 - 1)).float()
        return ((drawn + 1) / 2).clamp(0, 1)


def equalized(rgb: Tensor, limit: float) -> Tensor:
    """Return pictures with the contrast of each channel equalised in 8×8 tiles (CLAHE), in 8-bit steps."""
    clahe = cv2.createCLAHE(limit, _TILES)
    planes: NDArray[np.uint8] = (rgb * 255).round().to("cpu", torch.uint8).numpy()
    equal: NDArray[np.uint8] = np.stack([[clahe.apply(plane) for plane in picture] for picture in planes])
    result: Tensor = torch.from_numpy(equal).to(rgb.device, rgb.dtype) / 255
    return result
