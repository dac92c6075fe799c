"""Colour one picture: work at the network's size, lay the page's own ink over the colours at full size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from sketchcolor_cli import color
from sketchcolor_cli.coloring.config import ColorizeSettings
from sketchcolor_cli.coloring.upsample import ink_aware_upsample
from sketchcolor_cli.compositing import INK, compose
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.hints import spread
from sketchcolor_cli.images import Picture, on_paper
from sketchcolor_cli.sizes import SizeRule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.model.base import ColorNet

    Plane = NDArray[np.float32]
    Hint = NDArray[np.float32]

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_OPAQUE = 0.5  # alpha above which a picture says something
# Pixels of the page that are composed at once. They fit the cache, a huge scan takes no more room, and torch
# does not split so few among threads, which on a busy machine wait far longer for one another than they work.
_BAND = 8192


class Colorizer:
    """A network ready to colour pictures on one device; equal pictures give equal results."""

    def __init__(self, model: ColorNet, device: str, settings: ColorizeSettings | None = None) -> None:
        self.model = model.to(device).eval()
        self.device = device
        self.settings = settings or ColorizeSettings()

    def __call__(
        self, page: Picture, reference: Picture | None = None, hints: Picture | None = None
    ) -> Picture:
        """Return the coloured page: same size, depth and transparency.

        ``reference`` is a rough colouring of the same page, ``hints`` a transparent layer with strokes of
        colour; each in any size, stretched over the page, and where it is transparent it says nothing.
        Hints count before the reference.

        Raises:
            UsageError: ``hints`` has no transparent parts.
        """
        gray = _luma(page)
        small = self._working_copy(gray)
        paint = self._paint(small, _dense_hint(reference, hints, small.shape))
        return replace(page, rgb=_compose_in_bands(gray, paint), gray=False)

    def _working_copy(self, gray: Plane) -> Plane:
        height, width = gray.shape
        of_side = self.settings.work_size / min(height, width)
        of_area = (self.settings.max_pixels / (height * width)) ** 0.5
        scale = min(1, of_side, of_area)
        if scale == 1:
            return gray
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return cv2.resize(gray, size, interpolation=cv2.INTER_AREA)  # type: ignore[no-any-return]

    @torch.inference_mode()
    def _paint(self, sketch: Plane, hint: Hint) -> NDArray[np.float32]:
        """Return Lab paint (h, w, 3) for a sketch (h, w) and hint (h, w, 4) of working size."""
        pad = SizeRule(multiple=self.model.multiple).plan(*sketch.shape)
        edges = (pad.top, pad.bottom), (pad.left, pad.right)
        sketch, hint = np.pad(sketch, edges, constant_values=1), np.pad(hint, (*edges, (0, 0)))
        lines, given = self._batch(sketch[..., None]), self._batch(hint)
        coarse = self.model.stride > 1
        around = self._batch(spread(sketch, hint, self.model.stride)) if coarse else None
        lab = color.rgb_to_lab(self.model.rgb(self.model(lines, given, spread=around)))
        lab[:, 1:] *= self.settings.saturation
        full = ink_aware_upsample(lab, lines) if coarse else lab
        rows, columns = pad.crop
        return full[0, :, rows, columns].permute(1, 2, 0).contiguous().cpu().numpy()

    def _batch(self, planes: NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1)))[None].to(self.device)


def _luma(page: Picture) -> Plane:
    """Return the BT.709 luma of the page on white paper; of a grey page its own values, to the last bit."""
    rgb = on_paper(page)
    gray: Plane = rgb[..., 0] if page.gray else rgb @ _LUMA
    return np.ascontiguousarray(gray)


def _dense_hint(reference: Picture | None, strokes: Picture | None, shape: tuple[int, ...]) -> Hint:
    """Return (h, w, 4), RGB and mask: strokes, under them the reference, zero where neither is opaque."""
    hint = np.zeros((*shape, 4), np.float32) if reference is None else _layer(reference, shape, least=0.5)
    if strokes is None:
        return hint
    if strokes.alpha is None or (strokes.alpha > _OPAQUE).all():
        raise UsageError(
            "the picture with the hints has no transparent parts; "
            "paint hints on a transparent layer, or pass it as --reference"
        )
    painted = _layer(strokes, shape, least=0)  # the thinnest stroke counts
    return np.where(painted[..., 3:] > 0, painted, hint)


def _layer(picture: Picture, shape: tuple[int, ...], *, least: float) -> Hint:
    """Return a picture as (h, w, 4), RGB and mask: given where more than the share ``least`` is opaque."""
    if picture.alpha is None:
        opaque = np.ones((*picture.rgb.shape[:2], 1), np.float32)
    else:
        opaque = (picture.alpha[..., None] > _OPAQUE).astype(np.float32)
    layer = np.concatenate([picture.rgb * opaque, opaque], axis=2)
    layer = cv2.resize(layer, shape[::-1], interpolation=cv2.INTER_AREA)
    share = layer[..., 3:]
    mean: Hint = layer / np.maximum(share, 1e-9)
    return np.where(share > least, mean, 0)


def _compose_in_bands(gray: Plane, paint: NDArray[np.float32]) -> NDArray[np.float32]:
    """Enlarge the paint to the page and lay the page's ink over it; ink pixels are the page's own."""
    height, width = gray.shape
    out: NDArray[np.float32] = cv2.resize(paint, (width, height), interpolation=cv2.INTER_LINEAR)
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        band = slice(top, top + rows)
        ink = torch.from_numpy(gray[band])[None, None]
        lightness = color.rgb_to_lab(ink.expand(-1, 3, -1, -1))[:, :1]
        lab = compose(lightness, torch.from_numpy(out[band]).permute(2, 0, 1)[None])
        result = torch.where(lightness <= INK, ink, color.lab_to_rgb(lab))
        out[band] = result[0].permute(1, 2, 0).numpy()
    return out
