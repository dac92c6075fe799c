"""SketchKeras: its network, layers named as in the published files, and the procedure around it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, pad, pixel_shuffle
from torch.nn.utils.fusion import fuse_conv_bn_eval

from sketchcolor_plugins.loading import like

_SIGMA = 3.0  # pixels; width of the blur that is taken off the picture
_REACH = 9  # pixels; there the blur ends, as it does on 8-bit pictures in the reference
_SCALE = 128  # 8-bit steps that are 1
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
        down_5 = self.downblock_5(down_4)
        x = torch.cat([down_5, self.downblock_6(down_5)], 1)
        x = torch.cat([down_4, _enlarged(self.upblock_1, x, down_4)], 1)
        x = torch.cat([down_3, _enlarged(self.upblock_2, x, down_3)], 1)
        x = torch.cat([down_2, _enlarged(self.upblock_3, x, down_2)], 1)
        x = torch.cat([down_1, _enlarged(self.upblock_4, x, down_1)], 1)
        ink: Tensor = self.last_conv(self.last_pad(x))
        return ink

    def folded(self) -> SketchKeras:
        """Rebuild it to give the same in less time; sides must then be multiples of 16.

        Each normalisation goes into the convolution before it, and each convolution of a picture that was
        enlarged before becomes one of the picture that was not.
        """
        for block in self.children():
            if not isinstance(block, nn.Sequential):
                continue
            for index, (layer, norm) in enumerate(pairwise(list(block))):
                if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    block[index] = fuse_conv_bn_eval(layer, norm)
                    block[index + 1] = nn.Identity()
            conv = block[2]
            if isinstance(block[0], _Enlarging) and isinstance(conv, nn.Conv2d):
                block[0], block[1], block[2] = nn.Identity(), nn.Identity(), _Doubling(conv)
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
    """Return a block of the decoder."""
    return nn.Sequential(
        _Enlarging(),
        nn.ReflectionPad2d((1, 2, 1, 2)),
        nn.Conv2d(inside, between, 4),
        nn.BatchNorm2d(between, eps=1e-3),
        nn.ReLU(inplace=True),
        *_step(between, outside, 3),
    )


def _enlarged(block: nn.Sequential, x: Tensor, larger: Tensor) -> Tensor:
    """Return what a block of the decoder makes of x, at the size of a larger one."""
    if isinstance(block[0], _Enlarging):
        block[0].size = larger.shape[2], larger.shape[3]
    result: Tensor = block(x)
    return result


class _Enlarging(nn.Module):
    """Repeats pixels up to a size."""

    size = (0, 0)

    def forward(self, x: Tensor) -> Tensor:
        return interpolate(x, size=self.size, mode="nearest")


class _Doubling(nn.Module):
    """Pixels repeated to twice the size, padded by reflection and convolved by 4×4, without being repeated.

    A pixel of the result has an even or an odd place in its row. At even places the four weights fall on
    three pixels of the smaller picture, the middle two on one; at odd places on two. So it is a convolution
    by 3×3 to four times as many channels, one for each kind of place: 36 multiplications instead of 64. Only
    the last row and the last column, where reflection tears such a pair apart, are computed as it stands.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv
        rows = torch.stack([_folded_taps(conv.weight, 2, odd=odd) for odd in (False, True)])
        weight = torch.stack([_folded_taps(rows, 4, odd=odd) for odd in (False, True)], 1)
        # row, column, out, in, 3, 3 → out, row, column, in, 3, 3: the order in which pixel_shuffle takes them
        self.weight = nn.Parameter(weight.permute(2, 0, 1, 3, 4, 5).flatten(0, 2), requires_grad=False)
        bias = conv.weight.new_zeros(len(conv.weight)) if conv.bias is None else conv.bias
        self.bias = nn.Parameter(bias.repeat_interleave(4), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        result = pixel_shuffle(conv2d(pad(x, (1, 1, 1, 1), mode="replicate"), self.weight, self.bias), 2)
        result[..., -1:, :] = self._last(x[..., -3:, :], (1, 2, 0, 2))[..., -1:, :]
        result[..., -1:] = self._last(x[..., -3:], (0, 2, 1, 2))[..., -1:]
        return result

    def _last(self, strip: Tensor, padding: tuple[int, int, int, int]) -> Tensor:
        repeated = interpolate(strip, scale_factor=2.0, mode="nearest")
        drawn: Tensor = self.conv(pad(repeated, padding, mode="reflect"))
        return drawn


def _folded_taps(weight: Tensor, axis: int, *, odd: bool) -> Tensor:
    """Return four weights along an axis as those of the three pixels that they fall on."""
    first, second, third, fourth = weight.unbind(axis)
    taps = [0 * first, first + second, third + fourth] if odd else [first, second + third, fourth]
    return torch.stack(taps, axis)


@dataclass(frozen=True)
class SketchKerasSketcher:
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
    """Return the picture minus a blurred one, over the greatest difference of that picture: (N, 3, H, W).

    Both are in whole 8-bit steps, as in the reference, which takes what is fainter than a step for none.
    """
    rgb = (rgb * 255).round()
    place = torch.arange(-_REACH, _REACH + 1, dtype=rgb.dtype, device=rgb.device)
    weights = torch.exp(-(place**2) / (2 * _SIGMA**2))
    weights = weights / weights.sum()
    planes = pad(rgb, (_REACH,) * 4, mode="reflect").flatten(0, 1)[:, None]
    blurred = conv2d(conv2d(planes, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))
    difference = (rgb - blurred.view_as(rgb).round()) / _SCALE
    return difference / difference.amax((1, 2, 3), keepdim=True).clamp(min=_FAINTEST)
