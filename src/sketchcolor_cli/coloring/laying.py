"""Lay a page's own ink over paint at the page's full size, tile by tile."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import torch

from sketchcolor_cli import color
from sketchcolor_cli.compositing import INK, chroma_kept, coverage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Lab = NDArray[np.float32]

_TILE = 4096  # longest side of a tile; OpenCV cannot sample pictures of more than 32 767
_PIXELS = 262_144  # in a tile, about: what fits the cache, and a huge scan takes no more room
_PULL = 1.25  # how far from a line, in paint pixels, colour is taken for the pixels beside it
_STEEP = 0.04  # slope of the blurred ink from which on it is taken that far


def lay(gray: Plane, paint: Lab, sketch: Plane, paper: Plane | None = None) -> NDArray[np.float32]:
    """Return the page (H, W, 3) in RGB: ``paint`` (h, w, 3) in Lab enlarged to it, and its ink on top.

    ``gray`` (H, W) is the page, ``sketch`` (h, w) the smaller copy that the paint was made for; both paper 1
    and ink 0. Where L* of the page is at most ``INK`` the result is the page, to the last bit.
    ``paper``, of any size, is 1 where the page stays as it is, 0 elsewhere.
    """
    height, width = gray.shape
    out = np.empty((height, width, 3), np.float32)
    away = _away_from_lines(sketch, _PULL * (1 - sketch.shape[0] / height))
    columns = min(width, _TILE)
    rows = max(1, min(_TILE, _PIXELS // columns))
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            tile = slice(top, top + rows), slice(left, left + columns)
            enlarged = _enlarged(paint, away, gray.shape, tile)
            if paper is not None:
                _bleach(enlarged, _stretched(paper, gray.shape, tile))
            _lay_tile(gray[tile], enlarged, out[tile])
    return out


def _bleach(paint: Lab, paper: Plane) -> None:
    """Make paint (h, w, 3), in place, white where ``paper`` (h, w) is 1."""
    if paper.any():
        paint *= (1 - paper)[..., None]
        paint[..., 0] += 100 * paper


def _away_from_lines(sketch: Plane, pull: float) -> NDArray[np.float32]:
    """Return (h, w, 2), for each paint pixel the step to the right and down that leads away from a line.

    Enlarging blurs the border between two colours, which lies under a line, beyond the line. Taking each
    side's colour from a little farther off keeps the blur under the ink; on its ridge there is no step.
    """
    ink: Plane = cv2.GaussianBlur(1 - sketch, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    slope = np.stack(
        [cv2.Sobel(ink, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(ink, cv2.CV_32F, 0, 1, scale=1 / 8)], 2
    )
    steep = np.sqrt((slope**2).sum(2, keepdims=True))
    out: NDArray[np.float32] = slope * (-pull / np.maximum(steep, _STEEP))
    return out


def _enlarged(paint: Lab, away: NDArray[np.float32], size: tuple[int, ...], tile: tuple[slice, slice]) -> Lab:
    """Return the paint for a tile of a page of this size, sampled bilinearly, off the lines."""
    near, at, to = _sampled(paint.shape, size, tile)
    step = cv2.remap(away[near], at, to, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    at += step[..., 0]
    to += step[..., 1]
    out: Lab = cv2.remap(paint[near], at, to, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out


def _stretched(plane: Plane, size: tuple[int, ...], tile: tuple[slice, slice]) -> Plane:
    """Return a plane, stretched bilinearly over a page of this size, for a tile of it."""
    near, at, to = _sampled(plane.shape, size, tile)
    out: Plane = cv2.remap(plane[near], at, to, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out


def _sampled(
    shape: tuple[int, ...], size: tuple[int, ...], tile: tuple[slice, slice]
) -> tuple[tuple[slice, slice], Plane, Plane]:
    """Return what part of a picture a tile of the page shows, and where in that part: x, y."""
    y, x = (_places(part, length, count) for part, length, count in zip(tile, size, shape[:2], strict=True))
    top, left = max(0, int(y[0]) - 4), max(0, int(x[0]) - 4)
    near = np.s_[top : int(y[-1]) + 6, left : int(x[-1]) + 6]
    return near, np.repeat(x[None] - left, len(y), axis=0), np.repeat(y[:, None] - top, len(x), axis=1)


def _places(part: slice, length: int, count: int) -> Plane:
    """Return where the centres of these pixels of ``length`` lie on a line of ``count`` pixels."""
    pixels = np.arange(part.start, min(part.stop, length), dtype=np.float64)
    places: Plane = ((pixels + 0.5) * (count / length) - 0.5).astype(np.float32)
    return places


class _Curves(NamedTuple):
    """What compositing does at each of 65 536 greys, as ``sketchcolor_cli.compositing`` says."""

    shade: Plane
    """Lightness that the ink adds."""
    open: Plane
    """Factor on the lightness of paint."""
    kept: Plane
    """Factor on its a* and b*."""
    page: NDArray[np.bool_]
    """Whether the page is kept as it is."""


@cache
def _curves() -> _Curves:
    gray = torch.linspace(0, 1, 65536, dtype=torch.float64).expand(1, 3, 1, -1)
    lightness = color.rgb_to_lab(gray)[0, 0, 0]
    covered = coverage(lightness)
    shade, open_, kept = (
        plane.float().numpy() for plane in (covered * INK, 1 - covered, chroma_kept(covered))
    )
    return _Curves(shade, open_, kept, (lightness <= INK).numpy())


def _lay_tile(gray: Plane, paint: Lab, out: NDArray[np.float32]) -> None:
    """Write the page's ink over ``paint``, which is used up, to ``out``."""
    curves = _curves()
    level = np.rint(gray * np.float32(65535)).astype(np.uint16)
    lightness, a, b = (paint[..., channel] for channel in range(3))
    lightness *= curves.open.take(level)
    lightness += curves.shade.take(level)
    kept = curves.kept.take(level)
    a *= kept
    b *= kept
    rgb = cv2.cvtColor(paint, cv2.COLOR_LAB2RGB)
    np.clip(rgb, 0, 1, out=rgb)
    np.copyto(rgb, gray[..., None], where=curves.page.take(level)[..., None])
    out[...] = rgb
