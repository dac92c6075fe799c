"""SketchKeras: its network, layers named as in the published files, and the procedure around it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, pad
from torch.nn.utils.fusion import fuse_conv_bn_eval

from sketchcolor_plugins.loading import like

_SIGMA = 3.0  # pixels; width of the blur that is taken off the picture
_REACH = 9  # pixels; there the blur ends, as it does on 8-bit pictures in the reference
_SCALE = 255 / 128  # differences in 8-bit steps, over 128
_FAINTEST = 1 / 128  # a single 8-bit step; a picture without any edge stays one, instead of becoming noise


class SketchKeras(nn.Module):
    """From what is fine in one colour channel of a picture, (N, 1, H, W), to ink, (N, 1, H, W).

    An encoder of six blocks and a decoder of four. A block of the decoder begins at the size of the encoder's
    block whose result it is joined with next, so any size from 32 pixels on will do.
    """

    def __init__(self, width: int = 32) -> None:
        """Build it with ``width`` channels at full size, and up to 16 times as many below."""
        super().__init__()
        full, half, quarter, eighth, sixteenth = (width * 2**level for level in range(5))
        self.downblock_1 = nn.Sequential(*_step(1, full, 3))
        self.downblock_2 = nn.Sequential(*_step(full, half, 4), *_step(half, half, 3))
        self.downblock_3 = nn.Sequential(*_step(half, quarter, 4), *_step(quarter, quarter, 3))
        self.downblock_4 = nn.Sequential(*_step(quarter, eighth, 4), *_step(eighth, eighth, 3))
        self.downblock_5 = nn.Sequential(*_step(eighth, sixteenth, 4))
        self.downblock_6 = nn.Sequential(*_step(sixteenth, sixteenth, 3))
        self.upblock_1 = _up(2 * sixteenth, sixteenth, eighth)
        self.upblock_2 = _up(2 * eighth, eighth, quarter)
        self.upblock_3 = _up(2 * quarter, quarter, half)
        self.upblock_4 = _up(2 * half, half, full)
        self.last_pad = nn.ReflectionPad2d(1)
        self.last_conv = nn.Conv2d(2 * full, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Return ink, mostly between 0 and 1; nothing holds it there."""
        down_1 = self.downblock_1(x)
        down_2 = self.downblock_2(down_1)
        down_3 = self.downblock_3(down_2)
        down_4 = self.downblock_4(down_3)
        x = self.downblock_5(down_4)
        x = _joined(x, self.downblock_6(x), down_4)
        x = _joined(down_4, self.upblock_1(x), down_3)
        x = _joined(down_3, self.upblock_2(x), down_2)
        x = _joined(down_2, self.upblock_3(x), down_1)
        x = torch.cat([down_1, self.upblock_4(x)], 1)
        ink: Tensor = self.last_conv(self.last_pad(x))
        return ink

    def folded(self) -> SketchKeras:
        """Fold each normalisation into the convolution before it, which gives the same in less time."""
        for block in self.children():
            if not isinstance(block, nn.Sequential):
                continue
            for index, (layer, norm) in enumerate(pairwise(list(block))):
                if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    block[index] = fuse_conv_bn_eval(layer, norm)
                    block[index + 1] = nn.Identity()
        return self


def _step(inside: int, outside: int, size: int) -> list[nn.Module]:
    """Reflection padding, convolution, normalisation, ReLU; a convolution of 4×4 pixels halves the size."""
    return [
        nn.ReflectionPad2d(1),
        nn.Conv2d(inside, outside, size, stride=2 if size == 4 else 1),
        nn.BatchNorm2d(outside, eps=1e-3),
        nn.ReLU(inplace=True),
    ]


def _up(inside: int, between: int, outside: int) -> nn.Sequential:
    """Return a block of the decoder; its first place is that of the enlarging, which forward does."""
    return nn.Sequential(
        nn.Identity(),
        nn.ReflectionPad2d((1, 2, 1, 2)),
        nn.Conv2d(inside, between, 4),
        nn.BatchNorm2d(between, eps=1e-3),
        nn.ReLU(inplace=True),
        *_step(between, outside, 3),
    )


def _joined(first: Tensor, second: Tensor, larger: Tensor) -> Tensor:
    """Return both side by side, at the size of a larger one."""
    return interpolate(torch.cat([first, second], 1), size=larger.shape[2:], mode="nearest")


@dataclass(frozen=True)
class Procedure:
    """The reference procedure: what is fine in each colour channel goes through the network alone."""

    network: SketchKeras
    threshold: float
    """Ink below it becomes paper."""

    def __call__(self, rgb: Tensor) -> Tensor:
        """Turn (N, 3, H, W) in [0, 1] into (N, 1, H, W) in [0, 1]."""
        count, channels, height, width = rgb.shape
        fine = high_pass(rgb).reshape(count * channels, 1, height, width)
        ink = self.network(like(self.network, fine)).float()
        ink = ink.view(count, channels, height, width).amax(1, keepdim=True)
        return 1 - torch.where(ink < self.threshold, 0.0, ink).clamp(0, 1)


def high_pass(rgb: Tensor) -> Tensor:
    """Return the picture minus a blurred one, over the greatest difference of that picture: (N, 3, H, W)."""
    place = torch.arange(-_REACH, _REACH + 1, dtype=rgb.dtype, device=rgb.device)
    weights = torch.exp(-(place**2) / (2 * _SIGMA**2))
    weights = weights / weights.sum()
    planes = pad(rgb, (_REACH,) * 4, mode="reflect").flatten(0, 1)[:, None]
    blurred = conv2d(conv2d(planes, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))
    difference = (rgb - blurred.view_as(rgb)) * _SCALE
    return difference / difference.amax((1, 2, 3), keepdim=True).clamp(min=_FAINTEST)
