"""Colour spaces, as differentiable functions of tensors.

Every function takes (N, C, H, W) of float32 or float64 (half precision has too few bits for a hue), returns
a new contiguous (N, C', H, W) of the same dtype and device, and treats each pixel by itself. Grey has hue 0
and black has saturation 0, both without gradient, so that values and gradients are finite everywhere.

======  ========  =========================================================================
space   channels  ranges
======  ========  =========================================================================
RGB     3         [0, 1], sRGB-encoded
HSV     3         [0, 1]; hue 0 and hue 1 are the same red
HxHySV  4         hue as a point on the unit circle; saturation, value in [0, 1]
XYV     3         saturation and hue as a point in the unit disc; value in [0, 1]
Lab     3         L* in [0, 100]; of sRGB colours a* in [-86.2, 98.3], b* in [-107.9, 94.5]
======  ========  =========================================================================

HSV is Smith 1978, "Color gamut transform pairs". HxHySV and XYV are the colour spaces of Cortés Méndez 2022,
"Coloración automática de dibujos usando Redes Neuronales Convolucionales", with the angle θ = 2πh − π.
RGB is IEC 61966-2-1, Lab is CIE 15 under the white point D65.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sketchcolor_cli.color.luma import WEIGHTS
from sketchcolor_cli.color.matrices import DELTA, LINEAR_FROM_XYZ, XYZ_FROM_LINEAR


def rgb_to_hsv(rgb: Tensor) -> Tensor:
    """Convert (N, 3, H, W) RGB to HSV; the hue of greys and the saturation of black are 0 (Smith 1978)."""
    r, g, b = rgb.unbind(1)
    value = rgb.amax(1)
    chroma = value - rgb.amin(1)
    grey, black = chroma <= _eps(rgb), value <= _eps(rgb)
    safe = chroma.masked_fill(grey, 1)
    sextant = torch.where(
        value == r, (g - b) / safe, torch.where(value == g, (b - r) / safe + 2, (r - g) / safe + 4)
    )
    hue = (sextant % 6 / 6).masked_fill(grey, 0)
    return torch.stack([hue, chroma / value.masked_fill(black, 1), value], 1)


def hsv_to_rgb(hsv: Tensor) -> Tensor:
    """Convert (N, 3, H, W) HSV to RGB (Smith 1978).

    The hue wraps; saturation and value are clamped to [0, 1]. In closed form, channel n = 5, 3, 1 is
    v − v·s·clamp(min(k, 4 − k), 0, 1) with k = (n + 6h) mod 6.
    """
    hue, saturation, value = hsv.unbind(1)
    value = value.clamp(0, 1)
    chroma = value * saturation.clamp(0, 1)

    def channel(n: int) -> Tensor:
        k = (n + 6 * hue) % 6
        return value - chroma * torch.minimum(k, 4 - k).clamp(0, 1)

    return torch.stack([channel(5), channel(3), channel(1)], 1)


def hsv_to_hxhysv(hsv: Tensor) -> Tensor:
    """Convert (N, 3, H, W) HSV to HxHySV = (cos θ, sin θ, s, v) (Cortés Méndez 2022, colour spaces)."""
    hue, saturation, value = hsv.unbind(1)
    angle = 2 * math.pi * hue - math.pi
    return torch.stack([angle.cos(), angle.sin(), saturation, value], 1)


def hxhysv_to_hsv(hxhysv: Tensor) -> Tensor:
    """Convert (N, 4, H, W) HxHySV to HSV (Cortés Méndez 2022, colour spaces).

    Takes whatever a network predicts: only the direction of (Hx, Hy) counts, with hue 0 at the origin, and
    saturation and value are clamped to [0, 1]. The hue is in [0, 1], and 1 is the red of 0; in the code
    published with the thesis it was black.
    """
    x, y, saturation, value = hxhysv.unbind(1)
    hue, _ = _polar(x, y)
    return torch.stack([hue, saturation.clamp(0, 1), value.clamp(0, 1)], 1)


def hsv_to_xyv(hsv: Tensor) -> Tensor:
    """Convert (N, 3, H, W) HSV to XYV = (s·cos θ, s·sin θ, v) (Cortés Méndez 2022, colour spaces)."""
    return hxhysv_to_xyv(hsv_to_hxhysv(hsv))


def xyv_to_hsv(xyv: Tensor) -> Tensor:
    """Convert (N, 3, H, W) XYV to HSV, clamping saturation and value (Cortés Méndez 2022, colour spaces)."""
    x, y, value = xyv.unbind(1)
    hue, saturation = _polar(x, y)
    return torch.stack([hue, saturation.clamp(0, 1), value.clamp(0, 1)], 1)


def hxhysv_to_xyv(hxhysv: Tensor) -> Tensor:
    """Convert (N, 4, H, W) HxHySV to XYV = (Hx·S, Hy·S, V), without clamping (Cortés Méndez 2022)."""
    x, y, saturation, value = hxhysv.unbind(1)
    return torch.stack([x * saturation, y * saturation, value], 1)


def rgb_to_hxhysv(rgb: Tensor) -> Tensor:
    """Convert (N, 3, H, W) RGB to (N, 4, H, W) HxHySV; see :func:`hsv_to_hxhysv`."""
    return hsv_to_hxhysv(rgb_to_hsv(rgb))


def hxhysv_to_rgb(hxhysv: Tensor) -> Tensor:
    """Convert (N, 4, H, W) HxHySV, valid or not, to RGB in [0, 1]; see :func:`hxhysv_to_hsv`."""
    return hsv_to_rgb(hxhysv_to_hsv(hxhysv))


def rgb_to_xyv(rgb: Tensor) -> Tensor:
    """Convert (N, 3, H, W) RGB to XYV; see :func:`hsv_to_xyv`."""
    return hsv_to_xyv(rgb_to_hsv(rgb))


def xyv_to_rgb(xyv: Tensor) -> Tensor:
    """Convert (N, 3, H, W) XYV, valid or not, to RGB in [0, 1]; see :func:`xyv_to_hsv`."""
    return hsv_to_rgb(xyv_to_hsv(xyv))


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Convert (N, 3, H, W) RGB to CIELAB under D65 (IEC 61966-2-1; CIE 15)."""
    # Each where() clamps what its unused side would raise to a power: the gradient there must not be NaN.
    power = ((rgb.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4
    xyz = _mix(XYZ_FROM_LINEAR, torch.where(rgb <= 0.04045, rgb / 12.92, power))
    root = xyz.clamp_min(DELTA**3) ** (1 / 3)
    fx, fy, fz = torch.where(xyz <= DELTA**3, xyz / (3 * DELTA**2) + 4 / 29, root).unbind(1)
    return torch.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], 1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Convert (N, 3, H, W) CIELAB under D65 to RGB, clamped to [0, 1] (CIE 15; IEC 61966-2-1)."""
    return _encoded(_linear(lab))


def lab_to_rgb_in_hue(lab: Tensor) -> Tensor:
    """Convert (N, 3, H, W) CIELAB to RGB in [0, 1]; what sRGB has not as light gets darker in linear light.

    Its chromaticity stays (CIE 15), where clamping turns a light peach into a greenish yellow.
    """
    linear = _linear(lab)
    return _encoded(linear / linear.amax(1, keepdim=True).clamp_min(1))


def _linear(lab: Tensor) -> Tensor:
    """Return linear RGB, of which what is below 0 or above 1 is out of gamut."""
    lightness, a, b = lab.unbind(1)
    fy = (lightness + 16) / 116
    f = torch.stack([fy + a / 500, fy, fy - b / 200], 1)
    return _mix(LINEAR_FROM_XYZ, torch.where(f <= DELTA, 3 * DELTA**2 * (f - 4 / 29), f**3))


def _encoded(linear: Tensor) -> Tensor:
    power = 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, 12.92 * linear, power).clamp(0, 1)


def luma(rgb: Tensor) -> Tensor:
    """Return the (N, 1, H, W) luma of (N, 3, H, W) RGB: ITU-R BT.709 weights on the encoded values."""
    r, g, b = rgb.unbind(1)
    of_r, of_g, of_b = WEIGHTS
    return (of_r * r + of_g * g + of_b * b).unsqueeze(1).contiguous()


def _eps(x: Tensor) -> float:
    """Return the size below which a difference, or a radius, is rounding error and says nothing of hue."""
    return torch.finfo(x.dtype).eps


def _polar(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the hue in [0, 1] and the radius of points; both 0, without gradient, at the origin."""
    origin = torch.hypot(x, y) <= _eps(x)
    x, y = x.masked_fill(origin, 1), y.masked_fill(origin, 0)
    hue = (torch.atan2(y, x) + math.pi) / (2 * math.pi)
    return hue.masked_fill(origin, 0), torch.hypot(x, y).masked_fill(origin, 0)


def _mix(matrix: tuple[tuple[float, float, float], ...], image: Tensor) -> Tensor:
    """Apply a 3×3 matrix to the channels; by hand, for autocast and TF32 would make a product inexact."""
    r, g, b = image.unbind(1)
    return torch.stack([row[0] * r + row[1] * g + row[2] * b for row in matrix], 1)
