"""What a network makes of a batch, as pictures and as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from sketchcolor_cli.color.compositing import compose
from sketchcolor_cli.color.spaces import lab_to_rgb, rgb_to_lab
from sketchcolor_cli.imaging.images import Picture, to_array, write_picture

if TYPE_CHECKING:
    from pathlib import Path

    from sketchcolor_cli.networks.base import ColorNet, Prediction


def page_lightness(sketch: Tensor) -> Tensor:
    """Return L* in [0, 100], (N, 1, H, W), of a sketch (N, 1, H, W) in [0, 1]."""
    return rgb_to_lab(sketch.expand(-1, 3, -1, -1))[:, :1]


def result_rgb(net: ColorNet, prediction: Prediction, sketch: Tensor) -> Tensor:
    """Return the coloured picture (N, 3, H, W), RGB in [0, 1].

    ``sketch`` is (N, 1, H, W). Coarse paint is enlarged and gets the sketch's ink.
    """
    rgb = net.rgb(prediction)
    if net.stride == 1:
        return rgb
    paint = F.interpolate(rgb_to_lab(rgb), scale_factor=net.stride, mode="bilinear", align_corners=False)
    return lab_to_rgb(compose(page_lightness(sketch), paint))


@torch.no_grad()
def contact_sheet(net: ColorNet, sample: tuple[Tensor, ...], path: Path) -> None:
    """Write a picture with a row for each pair: sketch, reference, sheet if there are some, result, truth."""
    device = next(net.parameters()).device
    *given, truth, sketch = (part.to(device) for part in sample)
    _, hint, spread, *sheets = given
    was_training = net.training
    net.eval()
    result = result_rgb(net, net(sketch, hint, spread=spread, sheet=sheets[0] if sheets else None), sketch)
    net.train(was_training)
    columns = [sketch.expand(-1, 3, -1, -1), _on_grey(hint)]
    columns += [_on_grey(F.interpolate(sheet, size=sketch.shape[2:])) for sheet in sheets]
    columns += [result, truth]
    rows = torch.cat([torch.cat(list(column), 1) for column in columns], 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(path, Picture(rgb=to_array(rows[None].clamp(0, 1).cpu())))


def _on_grey(given: Tensor) -> Tensor:
    """Return RGB (N, 3, H, W) of a hint or sheet (N, 4, H, W), grey where it says nothing."""
    return given[:, :3] + 0.5 * (1 - given[:, 3:])
