"""Laying a page's own ink over the colours of a network, and the way back that training needs.

All in CIELAB, L* in [0, 100]. A pixel of the page is read as ink of lightness ``INK`` that covers the part
``c`` of white paper: ``L_page = c·INK + (1 − c)·100``. Paint takes the place of the paper, so a result has
the lightness ``c·INK + (1 − c)·L_paint``; pixels darker than ``INK`` are kept as they are. Chroma fades with
the fourth power of the coverage only, so that grey washes and screentone still take colour while ink stays
grey. Ink does not lighten paint that is darker than itself: ``darkening(c)·(INK − L_paint)`` is taken off
there.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sketchcolor_cli.color.ink import INK, chroma_kept, coverage, darkening


def compose(lightness: Tensor, paint: Tensor) -> Tensor:
    """Lay the page's ink over paint.

    ``lightness`` (N, 1, H, W) is the page's L*, ``paint`` (N, 3, H, W) is Lab. Returns Lab (N, 3, H, W);
    where ``lightness`` ≤ ``INK`` it is the page itself, grey.
    """
    covered = coverage(lightness)
    mixed = covered * INK + (1 - covered) * paint[:, :1]
    mixed = mixed - darkening(covered) * (INK - paint[:, :1]).clamp_min(0)
    return torch.cat(
        [torch.where(lightness <= INK, lightness, mixed), paint[:, 1:] * chroma_kept(covered)], 1
    )


def paint_under(lightness: Tensor, truth: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Return the paint that :func:`compose` would need to give ``truth``, at 1/stride of the size.

    ``lightness`` (N, 1, H, W) is the sketch's L*, ``truth`` (N, 3, H, W) is Lab. Returns Lab paint
    (N, 3, H/stride, W/stride), averaged where the ink lets it be seen, and how well it is seen, the same
    shape: the weight in [0, 1] that a loss should give to it, zero under solid ink.
    """
    covered = coverage(lightness)
    open_, kept, dim = 1 - covered, chroma_kept(covered), darkening(covered)
    light = (truth[:, :1] - covered * INK) / open_.clamp_min(1e-3)
    dark = (truth[:, :1] - (covered - dim) * INK) / (open_ + dim).clamp_min(1e-3)
    light = torch.maximum(light, dark).clamp(0, 100)
    chroma = truth[:, 1:] / kept.clamp_min(0.2)
    weight = torch.cat([open_, kept, kept], 1).square()
    paint = torch.cat([light, chroma], 1)
    seen = torch.nn.functional.avg_pool2d(weight, stride)
    return torch.nn.functional.avg_pool2d(paint * weight, stride) / seen.clamp_min(1e-4), seen
