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


class _Autocast(nn.Module):
    """A network that computes in a number format; its answers are float32."""

    def __init__(self, net: nn.Module, device: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.net, self.device_type, self.dtype = net, torch.device(device).type, dtype

    def autocast(self) -> torch.autocast:
        """Return the context in which it computes so."""
        return torch.autocast(self.device_type, self.dtype, enabled=self.dtype != torch.float32)


class AutocastColorNet(_Autocast):
    """A network that paints; in training some sheets are their palette alone, so that this counts too."""

    net: ColorNet

    def forward(
        self, sketch: Tensor, hint: Tensor, spread: Tensor, sheet: Tensor | None = None
    ) -> Prediction:
        """See :class:`ColorNet`."""
        z = None
        if sheet is not None and self.net.training and isinstance(self.net, HintUNet):
            sheet, z = sheet_and_palette(self.net, sheet)
        with self.autocast():
            prediction = self.net(sketch, hint, spread=spread, sheet=sheet, z=z)
        parts = {name: part.float() for name, part in vars(prediction).items() if part is not None}
        return replace(prediction, **parts)  # type: ignore[no-any-return]


class AutocastClassifier(_Autocast):
    """The perceptual network as a classifier of RGB pictures (N, 3, H, W) in [0, 1]."""

    net: Perceptual

    def forward(self, rgb: Tensor) -> Tensor:
        """Return logits (N, classes)."""
        xyv = rgb_to_xyv(rgb)
        with self.autocast():
            return self.net(xyv).logits.float()  # type: ignore[no-any-return]
