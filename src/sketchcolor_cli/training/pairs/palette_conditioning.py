"""What a character sheet is to a network in training: places to look colours up on, and a mood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from sketchcolor_cli.networks.hint_unet import HintUNet

PALETTE_ONLY_SHARE = 0.3
"""Share of the sheets of which the network sees the palette alone, so that a palette counts by itself."""


def sheet_and_palette(net: HintUNet, sheet: Tensor) -> tuple[Tensor, Tensor]:
    """Return sheets (N, 4, S, S), some of them blank at random, and the palettes (N, Z) of all."""
    z = net.palette_of(sheet)
    shown = torch.rand(len(sheet), 1, 1, 1, device=sheet.device) >= PALETTE_ONLY_SHARE
    return sheet * shown, z
