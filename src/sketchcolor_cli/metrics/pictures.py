"""What can be said of one picture, or of one picture and another, as functions of tensors.

Pictures are (N, 3, H, W) float32 or float64 RGB in [0, 1]; each function returns one number per picture,
(N,), or a map (N, H, W). All are differentiable where their formula is.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name the field uses)

from sketchcolor_cli.color.spaces import luma, rgb_to_lab


def colorfulness(rgb: Tensor) -> Tensor:
    """Return how colourful each picture looks: 0 for greys, about 15 slightly, 45 averagely, 100 extremely.

    Hasler & Süsstrunk 2003, "Measuring colourfulness in natural images": with rg = R − G, yb = (R + G)/2 − B
    on values of 0 to 255 it is √(σ_rg² + σ_yb²) + 0.3·√(μ_rg² + μ_yb²).
    """
    r, g, b = (255 * rgb).flatten(2).unbind(1)
    opponents = torch.stack([r - g, (r + g) / 2 - b], 1)
    spread = opponents.var(2, unbiased=False).sum(1)
    return spread.sqrt() + 0.3 * opponents.mean(2).square().sum(1).sqrt()


def psnr(result: Tensor, truth: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio in dB; 100 for equal pictures, where it would be infinite."""
    error = (result - truth).square().flatten(1).mean(1)
    return -10 * torch.log10(error.clamp_min(1e-10))


def ssim(result: Tensor, truth: Tensor) -> Tensor:
    """Return the structural similarity of the luma, at most 1 (Wang et al. 2004).

    Gaussian window of σ = 1.5 over 11×11 pixels, K = (0.01, 0.03), only places that the window fits into;
    of a picture with a side below 11 pixels it is not a number.
    """
    x, y = luma(result), luma(truth)
    if min(x.shape[2:]) < 11:
        return x.new_full((len(x),), math.nan)
    if x.is_cuda:  # there, convolutions of float32 are TF32 by default, too few digits for a variance
        x, y = x.double(), y.double()
    place = torch.arange(-5, 6, dtype=x.dtype, device=x.device)
    bell = torch.exp(-place.square() / (2 * 1.5**2))
    bell = bell / bell.sum()

    def mean(values: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(values, bell.view(1, 1, 11, 1)), bell.view(1, 1, 1, 11))

    mean_x, mean_y = mean(x), mean(y)
    var_x, var_y = mean(x * x) - mean_x.square(), mean(y * y) - mean_y.square()
    shared = mean(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    likeness = (2 * mean_x * mean_y + c1) * (2 * shared + c2)
    likeness = likeness / ((mean_x.square() + mean_y.square() + c1) * (var_x + var_y + c2))
    return likeness.flatten(1).mean(1).to(result.dtype)


def delta_e(result: Tensor, truth: Tensor) -> Tensor:
    """Return the map (N, H, W) of colour differences ΔE00 of two RGB pictures; about 1 can just be seen."""
    return delta_e00(rgb_to_lab(result), rgb_to_lab(truth))


def delta_e00(first: Tensor, second: Tensor) -> Tensor:
    """Return CIEDE2000 of two Lab pictures, (N, H, W), with all weights 1 (Sharma, Wu, Dalal 2005)."""
    l1, a1, b1 = first.unbind(1)
    l2, a2, b2 = second.unbind(1)
    mean_c7 = ((torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2) ** 7
    stretch = 1 + 0.5 * (1 - torch.sqrt(mean_c7 / (mean_c7 + 25.0**7)))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    h1, h2 = (torch.rad2deg(torch.atan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    grey = c1 * c2 == 0
    # A hue is an angle: the shorter way between two, and the middle of that way.
    turn = h2 - h1
    turn = (turn - 360 * (turn > 180) + 360 * (turn < -180)).masked_fill(grey, 0)
    far = (h1 - h2).abs() > 180
    hue = torch.where(grey, h1 + h2, (h1 + h2 + 360 * far * torch.where(h1 + h2 < 360, 1, -1)) / 2)
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * _cos(hue - 30)
        + 0.24 * _cos(2 * hue)
        + 0.32 * _cos(3 * hue + 6)
        - 0.20 * _cos(4 * hue - 63)
    )
    from_middle = (light - 50).square()
    s_l = 1 + 0.015 * from_middle / torch.sqrt(20 + from_middle)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    rotation = 60 * torch.exp(-(((hue - 275) / 25).square()))
    c7 = chroma**7
    r_t = -2 * torch.sqrt(c7 / (c7 + 25.0**7)) * torch.sin(torch.deg2rad(rotation))
    d_l, d_c = (l2 - l1) / s_l, (c2 - c1) / s_c
    d_h = 2 * torch.sqrt(c1 * c2) * torch.sin(torch.deg2rad(turn / 2)) / s_h
    total = d_l.square() + d_c.square() + d_h.square() + r_t * d_c * d_h
    return total.clamp_min(0).sqrt()


def _cos(degrees: Tensor) -> Tensor:
    return torch.cos(torch.deg2rad(degrees))
