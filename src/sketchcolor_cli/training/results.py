"""What a network makes of a batch, as pictures and as numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from sketchcolor_cli.color.compositing import compose
from sketchcolor_cli.color.spaces import lab_to_rgb, rgb_to_lab
from sketchcolor_cli.imaging.picture import Picture, to_array
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.metrics.pictures import psnr
from sketchcolor_cli.training.loop.data import EpochBatches, loader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sketchcolor_cli.networks.base import ColorNet, Prediction
    from sketchcolor_cli.training.loop.data import PairDataset

_BATCH = 16  # pairs that are measured at a time
_SHOWN = 12  # pairs in a row of the picture


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


class ByHint:
    """What a network paints with each kind of hint, as figures and as a picture.

    ``pairs`` has for each kind the pairs to measure on; of a sheet, the other drawing is shown as the hint.
    """

    def __init__(
        self, net: ColorNet, pairs: Mapping[str, PairDataset], size: int, device: str, dtype: torch.dtype
    ) -> None:
        self.net, self.pairs, self.size, self.device, self.dtype = net, pairs, size, device, dtype

    def figures(self) -> dict[str, float]:
        """Return for each kind PSNR in dB, and the chroma of the results over that of the truths."""
        found = {}
        for kind, pairs in self.pairs.items():
            order = EpochBatches(len(pairs), _BATCH, 0, shuffled=False, sizes=(self.size,))
            ratios, chroma = [], torch.zeros(2)
            for batch in loader(pairs, order):
                *_, result, truth = self._painted(batch)
                ratios.append(psnr(result, truth))
                for place, rgb in enumerate((result, truth)):
                    chroma[place] += float(rgb_to_lab(rgb)[:, 1:].norm(dim=1).mean((1, 2)).sum())
            found[f"psnr_{kind}"] = float(torch.cat(ratios).mean())
            found[f"chroma_{kind}"] = float(chroma[0] / chroma[1].clamp_min(1e-6))
        return found

    def sheet(self, path: Path) -> None:
        """Write a picture with four rows for each kind: sketches, hints, results, truths."""
        rows = []
        for pairs in self.pairs.values():
            order = EpochBatches(len(pairs), _SHOWN, 0, shuffled=False, sizes=(self.size,))
            for part in self._painted(next(iter(loader(pairs, order)))):
                row = torch.cat(list(part.cpu()), 2)
                missing = _SHOWN * self.size - row.shape[2]
                rows.append(F.pad(row, (0, missing), value=1.0))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, Picture(rgb=to_array(torch.cat(rows, 1)[None].clamp(0, 1))))

    @torch.no_grad()
    def _painted(self, batch: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return sketches, hints, results and truths of a batch, RGB (N, 3, S, S)."""
        *given, truth, sketch = (part.to(self.device) for part in batch)
        _, hint, spread, *sheets = given
        sheet = sheets[0] if sheets else None
        was_training = self.net.training
        self.net.eval()
        with torch.autocast(torch.device(self.device).type, self.dtype, enabled=self.dtype != torch.float32):
            prediction = self.net(sketch, hint, spread=spread, sheet=sheet)
        self.net.train(was_training)
        parts = {name: part.float() for name, part in vars(prediction).items() if part is not None}
        result = result_rgb(self.net, replace(prediction, **parts), sketch)
        shown = F.interpolate(sheet, size=sketch.shape[2:]) if sheet is not None and sheet.any() else hint
        return sketch.expand(-1, 3, -1, -1), _on_grey(shown), result, truth


def _on_grey(given: Tensor) -> Tensor:
    """Return RGB (N, 3, H, W) of a hint or sheet (N, 4, H, W), grey where it says nothing."""
    return given[:, :3] + 0.5 * (1 - given[:, 3:])
