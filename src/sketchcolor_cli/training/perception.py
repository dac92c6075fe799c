"""The perceptual loss: pictures compared by what a network sees in them (Cortés Méndez 2022, losses)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sketchcolor_cli.networks.perceptual import Perceptual

FEATURE_WEIGHTS = (0.04, 0.12, 0.18, 0.6)
"""Weights w of the features φ0 to φ3."""
STYLE_WEIGHTS = (0.04, 0.12, 0.14, 0.05)
"""Weights w' of their Gram matrices."""
STYLE_FACTOR = 200
"""Weight of all Gram matrices together."""


def gram(features: Tensor) -> Tensor:
    """Return the Gram matrices (N, C, C) of features (N, C, H, W): products of channels, by C·H·W."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def perceptual_loss(seen: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Return P = Σ wi·SmoothL1(φi(ŷ), φi(y)) + 200·Σ w'i·SmoothL1(G(φi(ŷ)), G(φi(y))).

    ``seen`` and ``wanted`` are φ0 to φ3 of prediction and truth, float32.
    """
    content = sum(
        weight * F.smooth_l1_loss(a, b) for weight, a, b in zip(FEATURE_WEIGHTS, seen, wanted, strict=True)
    )
    style = sum(
        weight * F.smooth_l1_loss(gram(a), gram(b))
        for weight, a, b in zip(STYLE_WEIGHTS, seen, wanted, strict=True)
    )
    return content + STYLE_FACTOR * style  # type: ignore[return-value]  # tensors, though sum() begins with 0


def feature_extractor(
    network: Perceptual, device: str, dtype: torch.dtype
) -> Callable[[Tensor], tuple[Tensor, ...]]:
    """Return a function from XYV (N, 3, H, W) to φ0 to φ3, in float32; the network works in ``dtype``."""
    network = network.to(torch.device(device)).to(memory_format=torch.channels_last)
    network.eval().requires_grad_(False)
    kind = torch.device(device).type

    def features(xyv: Tensor) -> tuple[Tensor, ...]:
        with torch.autocast(kind, dtype, enabled=dtype != torch.float32):
            taps = network(xyv.contiguous(memory_format=torch.channels_last)).taps
        return tuple(tap.float() for tap in taps)

    return features
