"""Networks as fastai calls them: they work in a lower precision, their results and the loss in float32."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from sketchcolor_cli.color.spaces import rgb_to_xyv
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.training.pairs.palette_conditioning import sheet_and_palette

if TYPE_CHECKING:
    from sketchcolor_cli.networks.base import ColorNet, Prediction
    from sketchcolor_cli.networks.perceptual import Perceptual


class AutocastColorNet(nn.Module):
    """A network that paints; in training some sheets are their palette alone, so that this counts too."""

    def __init__(self, net: ColorNet, device: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.net, self.device_type, self.dtype = net, torch.device(device).type, dtype

    def forward(
        self, sketch: Tensor, hint: Tensor, spread: Tensor, sheet: Tensor | None = None
    ) -> Prediction:
        """See :class:`ColorNet`."""
        z = None
        if sheet is not None and self.net.training and isinstance(self.net, HintUNet):
            sheet, z = sheet_and_palette(self.net, sheet)
        with torch.autocast(self.device_type, self.dtype, enabled=self.dtype != torch.float32):
            prediction = self.net(sketch, hint, spread=spread, sheet=sheet, z=z)
        parts = {name: part.float() for name, part in vars(prediction).items() if part is not None}
        return replace(prediction, **parts)  # type: ignore[no-any-return]


class AutocastClassifier(nn.Module):
    """The perceptual network as a classifier of RGB pictures (N, 3, H, W) in [0, 1]."""

    def __init__(self, net: Perceptual, device: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.net, self.device_type, self.dtype = net, torch.device(device).type, dtype

    def forward(self, rgb: Tensor) -> Tensor:
        """Return logits (N, classes)."""
        xyv = rgb_to_xyv(rgb)
        with torch.autocast(self.device_type, self.dtype, enabled=self.dtype != torch.float32):
            return self.net(xyv).logits.float()  # type: ignore[no-any-return]
