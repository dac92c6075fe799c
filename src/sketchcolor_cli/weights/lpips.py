"""The two parts of LPIPS, a trunk and its heads: their tensors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

TRUNK = {
    "features.0": (64, 3, 11, 11),
    "features.3": (192, 64, 5, 5),
    "features.6": (384, 192, 3, 3),
    "features.8": (256, 384, 3, 3),
    "features.10": (256, 256, 3, 3),
}
"""AlexNet's convolutions by torchvision's names: out, in, height, width."""


def trunk_layout() -> dict[str, Tensor]:
    """Return the 10 tensors of AlexNet's convolutions, on the "meta" device."""
    import torch

    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in TRUNK.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def heads_layout() -> dict[str, Tensor]:
    """Return the weight of each channel of each of the five convolutions, on the "meta" device."""
    import torch

    widths = [shape[0] for shape in TRUNK.values()]
    return {
        f"lin{number}.model.1.weight": torch.empty((1, width, 1, 1), device="meta")
        for number, width in enumerate(widths)
    }


def without_classifier(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Leave out the classifier, which LPIPS does not look at, and which is most of the file."""
    return {name: tensor for name, tensor in tensors.items() if not re.match(r"classifier\.", name)}
