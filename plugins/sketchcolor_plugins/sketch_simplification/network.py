"""Sketch simplification: its network, written from the papers' table of layers."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from sketchcolor_plugins.loading import like

# What the published networks were trained to expect of a grey picture.
_MEAN, _SPREAD = 0.9664114577640158, 0.0858381272736797
_GRAY = (0.299, 0.587, 0.114)  # Rec. 601, as the reference makes pictures grey
# Channels in and out, size of the kernel, and what becomes of the picture's size: halved, kept, doubled.
_LAYERS = (
    (1, 48, 5, "half"), (48, 128, 3, "same"), (128, 128, 3, "same"),
    (128, 128, 3, "half"), (128, 256, 3, "same"), (256, 256, 3, "same"),
    (256, 256, 3, "half"), (256, 512, 3, "same"), (512, 1024, 3, "same"), (1024, 1024, 3, "same"),
    (1024, 1024, 3, "same"), (1024, 1024, 3, "same"), (1024, 512, 3, "same"), (512, 256, 3, "same"),
    (256, 256, 4, "double"), (256, 256, 3, "same"), (256, 128, 3, "same"),
    (128, 128, 4, "double"), (128, 128, 3, "same"), (128, 48, 3, "same"),
    (48, 48, 4, "double"), (48, 24, 3, "same"), (24, 1, 3, "same"),
)  # fmt: skip


def build() -> nn.Sequential:
    """Return the network: grey (N, 1, H, W), sides multiples of 8, to a sketch in [0, 1] of that size."""
    layers: list[nn.Module] = []
    for inside, outside, size, change in _LAYERS:
        if change == "double":
            layers.append(nn.ConvTranspose2d(inside, outside, size, 2, 1))
        else:
            layers.append(nn.Conv2d(inside, outside, size, 2 if change == "half" else 1, size // 2))
        layers.append(nn.ReLU(inplace=True))
    layers[-1] = nn.Sigmoid()
    return nn.Sequential(*layers)


@dataclass(frozen=True)
class SimplificationSketcher:
    """The reference procedure: the picture made grey and normalised, through the network."""

    network: nn.Sequential

    def __call__(self, rgb: Tensor) -> Tensor:
        """Turn (N, 3, H, W) in [0, 1] into (N, 1, H, W) in [0, 1]."""
        gray = (rgb * rgb.new_tensor(_GRAY)[:, None, None]).sum(1, keepdim=True)
        drawn: Tensor = self.network(like(self.network, (gray - _MEAN) / _SPREAD))
        return drawn.float()
