"""Colour one picture: work at the network's size, lay the page's own ink over the colours at full size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from sketchcolor_cli import color, hints
from sketchcolor_cli.coloring.upsample import ink_aware_upsample
from sketchcolor_cli.compositing import INK, compose
from sketchcolor_cli.images import Picture, on_paper
from sketchcolor_cli.sizes import SizeRule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.model.base import ColorNet

_BAND = 256  # rows of the page that are composed at once; bounds the memory of a huge scan


@dataclass(frozen=True)
class ColorizeSettings:
    """How a picture is coloured."""

    work_size: int = 576
    """Shorter side, in pixels, at which the network works; a smaller picture is not enlarged."""
    max_pixels: int = 3_000_000
    """The most pixels the network sees at once; a long strip is brought below this."""
    saturation: float = 1.0
    """Factor on a*b* of the colours that the network gives."""


class Colorizer:
    """A network ready to colour pictures on one device; the same picture and reference give the same result."""

    def __init__(self, model: ColorNet, device: str, settings: ColorizeSettings | None = None) -> None:
        self.model = model.to(device).eval()
        self.device = device
        self.settings = settings or ColorizeSettings()

    def __call__(self, page: Picture, reference: Picture | None = None) -> Picture:
        """Return the coloured page: same size, depth and transparency.

        ``reference`` is a rough colouring of the same page in any size, stretched over it; where it is
        transparent it says nothing.
        """
        gray = cv2.cvtColor(on_paper(page), cv2.COLOR_RGB2GRAY)
        small = self._working_copy(gray)
        hint = _as_hint(reference, small.shape) if reference else np.zeros((*small.shape, 4), np.float32)
        paint = self._paint(small, hint)
        return replace(page, rgb=_compose_in_bands(gray, paint), gray=False)

    def _working_copy(self, gray: NDArray[np.float32]) -> NDArray[np.float32]:
        height, width = gray.shape
        scale = min(
            1.0, self.settings.work_size / min(height, width), (self.settings.max_pixels / (height * width)) ** 0.5
        )
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return gray if scale == 1 else cv2.resize(gray, size, interpolation=cv2.INTER_AREA)

    @torch.inference_mode()
    def _paint(self, sketch: NDArray[np.float32], hint: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return Lab paint (h, w, 3) for a sketch (h, w) and hint (h, w, 4) of working size."""
        height, width = sketch.shape
        rule = SizeRule(multiple=self.model.multiple)
        pad = rule.plan(height, width)
        sketch = np.pad(sketch, ((pad.top, pad.bottom), (pad.left, pad.right)), constant_values=1)
        hint = np.pad(hint, ((pad.top, pad.bottom), (pad.left, pad.right), (0, 0)))
        spread = hints.spread(sketch, hint)
        lines = torch.from_numpy(sketch)[None, None].to(self.device)
        given, around = (torch.from_numpy(x.transpose(2, 0, 1))[None].to(self.device) for x in (hint, spread))
        rgb = self.model.rgb(self.model(lines, given, spread=around))
        lab = color.rgb_to_lab(rgb)
        lab[:, 1:] *= self.settings.saturation
        full = ink_aware_upsample(lab, lines) if self.model.stride > 1 else lab
        full = full[0, :, pad.top : pad.top + height, pad.left : pad.left + width]
        return full.permute(1, 2, 0).contiguous().cpu().numpy()


def _as_hint(reference: Picture, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return a picture as a dense hint of ``shape``: RGB and mask, zero where it is transparent."""
    rgb = cv2.resize(reference.rgb, shape[1::-1], interpolation=cv2.INTER_AREA)
    if reference.alpha is None:
        return np.dstack([rgb, np.ones(shape[:2], np.float32)])
    mask = (cv2.resize(reference.alpha, shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5).astype(np.float32)
    return np.dstack([rgb * mask[..., None], mask])


def _compose_in_bands(gray: NDArray[np.float32], paint: NDArray[np.float32]) -> NDArray[np.float32]:
    """Enlarge the paint to the page and lay the page's ink over it; ink pixels are the page's own."""
    height, width = gray.shape
    out = np.empty((height, width, 3), np.float32)
    rows = (np.arange(height) + 0.5) * (paint.shape[0] / height) - 0.5
    columns = (np.arange(width, dtype=np.float32) + 0.5) * (paint.shape[1] / width) - 0.5
    for top in range(0, height, _BAND):
        band = slice(top, min(height, top + _BAND))
        map_x, map_y = np.meshgrid(columns, rows[band].astype(np.float32))
        colors = cv2.remap(paint, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        ink = torch.from_numpy(gray[band])[None, None]
        lightness = color.rgb_to_lab(ink.expand(-1, 3, -1, -1))[:, :1]
        lab = compose(lightness, torch.from_numpy(colors).permute(2, 0, 1)[None])
        result = torch.where(lightness <= INK, ink, color.lab_to_rgb(lab))
        out[band] = result[0].permute(1, 2, 0).numpy()
    return out
