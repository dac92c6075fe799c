"""LPIPS (Zhang et al. 2018): how far two pictures are apart for a network, weighted as people judge."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name the field uses)

from sketchcolor_cli.errors import WeightError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "LPIPS v0.1 on AlexNet, pictures at their own size"

_MEAN, _SPREAD = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of pictures in [−1, 1]
_SMALLEST = 31  # pixels; of less, AlexNet's poolings leave nothing

# Of each convolution: its name, stride, padding, and whether the features before it are pooled.
_LAYERS = (
    ("features.0", 4, 2, False),
    ("features.3", 1, 2, True),
    ("features.6", 1, 1, True),
    ("features.8", 1, 1, False),
    ("features.10", 1, 1, False),
)


class Lpips(nn.Module):
    """The distance of pictures (N, 3, H, W), RGB in [0, 1], to others of that size: (N,), 0 for equal ones.

    After each of AlexNet's five convolutions the features of a place are brought to length 1; the squares of
    their differences, each channel with its own weight, are summed, averaged over places, and summed again.
    Of pictures with a side under 31 pixels it is not a number.

    Args:
        trunk: AlexNet's convolutions by torchvision's names.
        heads: The weights of channels by the names of the authors' file.

    Raises:
        KeyError: A tensor is missing.
    """

    def __init__(self, trunk: Mapping[str, Tensor], heads: Mapping[str, Tensor]) -> None:
        super().__init__()
        for number, (name, *_) in enumerate(_LAYERS):
            self.register_buffer(f"kernel{number}", trunk[f"{name}.weight"].float())
            self.register_buffer(f"bias{number}", trunk[f"{name}.bias"].float())
            self.register_buffer(f"head{number}", heads[f"lin{number}.model.1.weight"].float().flatten())

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the distance of each of the first to its second."""
        if min(first.shape[2:]) < _SMALLEST:
            return first.new_full((len(first),), math.nan)
        mean, spread = (first.new_tensor(values).view(1, 3, 1, 1) for values in (_MEAN, _SPREAD))
        x = (2 * torch.cat([first, second]) - 1 - mean) / spread
        total = first.new_zeros(len(first))
        for number, (_, stride, padding, pooled) in enumerate(_LAYERS):
            if pooled:
                x = F.max_pool2d(x, 3, 2)
            kernel, bias = getattr(self, f"kernel{number}"), getattr(self, f"bias{number}")
            x = F.relu(F.conv2d(x, kernel, bias, stride, padding))
            unit = x / (x.norm(dim=1, keepdim=True) + 1e-10)
            apart = (unit[: len(first)] - unit[len(first) :]).square()
            head = getattr(self, f"head{number}").view(1, -1, 1, 1)
            total = total + (head * apart).sum(1).mean((1, 2))
        return total


def load_lpips(trunk: Path, heads: Path, device: str = "cpu") -> Lpips:
    """Load the distance from the files of its two parts, as the weights store keeps them.

    Raises:
        WeightError: A file is missing, damaged, or of another network.
    """
    parts = []
    for path in (trunk, heads):
        try:
            parts.append(load_file(path))
        except (OSError, SafetensorError) as error:
            raise WeightError(f"{path}: cannot be read as weights; fetch them again") from error
    try:
        return Lpips(*parts).eval().to(device)
    except KeyError as error:
        raise WeightError(f"{trunk}, {heads}: not the weights of LPIPS; they lack {error}") from error
