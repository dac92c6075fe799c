"""The lattice of a*b* colours on which hue and saturation are predicted, and how colours lie on it."""

from __future__ import annotations

import torch
from torch import Tensor

_A_RANGE = (-96.0, 108.0)  # what sRGB reaches in a* and b*, rounded outwards to steps of 12 that hit grey, 0
_B_RANGE = (-108.0, 96.0)


def lab_grid(step: float) -> tuple[Tensor, Tensor]:
    """Return the a* and b* values, (A,) and (B,), of the lattice that colours are quantised on."""
    return (
        torch.arange(_A_RANGE[0], _A_RANGE[1] + step / 2, step),
        torch.arange(_B_RANGE[0], _B_RANGE[1] + step / 2, step),
    )


def lattice_shares(chroma: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return which four lattice colours surround each a*b* value, and the bilinear share of each.

    ``chroma`` (N, 2, h, w); ``a`` (A,) and ``b`` (B,) evenly spaced. Returns indices into the A·B colours and
    shares that sum to 1, both (N, 4, h, w).
    """
    shape = (1, -1, 1, 1)
    sizes = torch.tensor([len(a), len(b)], device=chroma.device).view(shape)
    origin, step = torch.stack([a[0], b[0]]).view(shape), (a[1] - a[0])
    place = ((chroma - origin) / step).clamp_min(0).minimum(sizes - 1 - 1e-4)
    low = place.floor().long()
    high_share = place - low
    corners, shares = [], []
    for up_a in (0, 1):
        for up_b in (0, 1):
            corners.append((low[:, 0] + up_a) * len(b) + low[:, 1] + up_b)
            share_a = high_share[:, 0] if up_a else 1 - high_share[:, 0]
            share_b = high_share[:, 1] if up_b else 1 - high_share[:, 1]
            shares.append(share_a * share_b)
    return torch.stack(corners, 1), torch.stack(shares, 1)


def lattice_histogram(chroma: Tensor, weight: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return the share of each lattice colour, (N, A·B), in pictures.

    ``chroma`` (N, 2, h, w) is a*b*, ``weight`` (N, 1, h, w) how much each pixel counts. Rows sum to 1; where
    nothing counts they are 0.
    """
    corners, shares = lattice_shares(chroma, a, b)
    counts = chroma.new_zeros(len(chroma), len(a) * len(b))
    counts.scatter_add_(1, corners.flatten(1), (shares * weight).flatten(1))
    return counts / counts.sum(1, keepdim=True).clamp_min(1e-9)
