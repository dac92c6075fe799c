"""Composite a page's own ink over paint at the page's full size, tile by tile, and band by band."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from sketchcolor_cli.color.ink import INK, chroma_kept, coverage, darkening
from sketchcolor_cli.color.lab import rgb_to_lab
from sketchcolor_cli.compute import deadline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Lab = NDArray[np.float32]

_TILE = 4096  # longest side of a tile; OpenCV cannot sample pictures of more than 32 767
_PIXELS = 65_536  # in a tile, about: what fits the cache, and a huge scan takes no more room
_BAND = 2_000_000  # pixels in a band, about
_PULL = 1.25  # how far from a line, in paint pixels, colour is taken for the pixels beside it
_STEEP = 0.04  # slope of the blurred ink from which on it is taken that far


def composite(gray: Plane, paint: Lab, sketch: Plane, paper: Plane | None = None) -> NDArray[np.float32]:
    """Return the page (H, W, 3) in RGB: ``paint`` (h, w, 3) in Lab enlarged to it, and its ink on top.

    ``gray`` (H, W) is the page, ``sketch`` (h, w) the smaller copy that the paint was made for; both paper 1
    and ink 0. Where L* of the page is at most ``INK`` the result is the page, to the last bit.
    ``paper``, of any size, is 1 where the page stays as it is, 0 elsewhere.
    """
    out = np.empty((*gray.shape, 3), np.float32)
    _Laying(gray, paint, sketch, paper).write(slice(0, len(gray)), out)
    return out


def composite_bands(
    gray: Plane, paint: Lab, sketch: Plane, paper: Plane | None = None
) -> Iterator[NDArray[np.float32]]:
    """Give the rows of :func:`composite`, from the top and some at a time: a huge page takes no more room.

    Raises:
        TimeLimitError: The time for it is over.
    """
    laying = _Laying(gray, paint, sketch, paper)
    rows = max(1, _BAND // (laying.rows * gray.shape[1])) * laying.rows
    for top in range(0, len(gray), rows):
        deadline.check()
        band = slice(top, min(top + rows, len(gray)))
        out = np.empty((band.stop - top, gray.shape[1], 3), np.float32)
        laying.write(band, out)
        yield out


class _Laying:
    """Ink to be laid over paint; ``rows`` are done at a time, and bands begin at a multiple of them."""

    def __init__(self, gray: Plane, paint: Lab, sketch: Plane, paper: Plane | None) -> None:
        height, width = gray.shape
        self.gray = gray
        self.seen = _stretched(_seen_at(sketch, _PULL * (1 - sketch.shape[0] / height)), height, None)
        self.kept = None if paper is None else _stretched(paper, height, None)
        # OpenCV samples four channels faster than three. The last is how much darker than ink paint is.
        self.paint = cv2.cvtColor(paint, cv2.COLOR_RGB2RGBA)
        np.minimum(paint[..., 0] - np.float32(INK), 0, out=self.paint[..., 3])
        self.rows = max(1, min(_TILE, _PIXELS // width))

    def write(self, band: slice, out: NDArray[np.float32]) -> None:
        """Write the rows of a band to ``out``."""

        def write_rows(top: int) -> None:
            rows = slice(top, min(top + self.rows, band.stop))
            self._write_rows(rows, out[rows.start - band.start : rows.stop - band.start])

        # OpenCV alone would divide each small step, which costs more than it brings.
        with ThreadPoolExecutor(max(1, cv2.getNumThreads())) as pool:
            list(pool.map(write_rows, range(band.start, band.stop, self.rows)))

    def _write_rows(self, rows: slice, out: NDArray[np.float32]) -> None:
        width, kept = self.gray.shape[1], self.kept
        at = _stretched(self.seen[rows], None, width)
        own = None if kept is None or not kept[rows].any() else _stretched(kept[rows], None, width)
        for left in range(0, width, _TILE):
            tile = np.s_[left : left + _TILE]
            _composite_tile(
                self.gray[rows, tile],
                _sampled(self.paint, at[:, tile]),
                None if own is None else own[:, tile],
                out[:, tile],
            )


def _seen_at(sketch: Plane, pull: float) -> NDArray[np.float32]:
    """Return (h, w, 2), for each paint pixel the place x, y in the paint whose colour is taken for it.

    Enlarging blurs the border between two colours, which lies under a line, beyond the line. Taking each
    side's colour from a little farther off keeps the blur under the ink; on its ridge there is no step.
    """
    ink: Plane = cv2.GaussianBlur(1 - sketch, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    slope = [cv2.Sobel(ink, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1))]
    by = -pull / np.maximum(cv2.magnitude(*slope), _STEEP)
    places = (np.arange(length, dtype=np.float32) for length in sketch.shape)
    y, x = np.meshgrid(*places, indexing="ij", sparse=True)
    out: NDArray[np.float32] = cv2.merge((x + by * slope[0], y + by * slope[1]))
    return out


def _stretched(plane: Plane, height: int | None, width: int | None) -> Plane:
    """Return a plane (h, w) or (h, w, C), stretched bilinearly to a height or a width or both."""
    size = plane.shape[1] if width is None else width, plane.shape[0] if height is None else height
    out: Plane = cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
    return out


def _sampled(paint: Lab, at: NDArray[np.float32]) -> Lab:
    """Return paint (h, w, 4), sampled bilinearly at places x, y (rows, columns, 2)."""
    if max(paint.shape) >= _TILE:  # show it what it can sample
        left, top = (max(0, int(at[..., axis].min()) - 2) for axis in (0, 1))
        paint = paint[top : int(at[..., 1].max()) + 3, left : int(at[..., 0].max()) + 3]
        at = at - np.array((left, top), np.float32)
    out: Lab = cv2.remap(paint, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out


class _Curves(NamedTuple):
    """What compositing does at each of 65 536 greys, (1, 65536); see ``color.ink``."""

    shade: Plane
    """Lightness that the ink adds."""
    open: Plane
    """Factor on the lightness of paint."""
    kept: Plane
    """Factor on its a* and b*."""
    dim: Plane
    """Factor on how much darker than ink it is."""
    page: NDArray[np.uint8]
    """1 where the page is kept as it is, else 0."""


@cache
def _curves() -> _Curves:
    lightness = rgb_to_lab(np.linspace(0, 1, 65536)[None, :, None].repeat(3, 2))[..., 0]
    covered = coverage(lightness)
    planes = covered * INK, 1 - covered, chroma_kept(covered), darkening(covered)
    shade, paint, kept, dim = (plane.astype(np.float32) for plane in planes)
    return _Curves(shade, paint, kept, dim, (lightness <= INK).astype(np.uint8))


def _composite_tile(gray: Plane, paint: Lab, paper: Plane | None, out: NDArray[np.float32]) -> None:
    """Write the page's ink over ``paint`` (h, w, 4), Lab and how much darker than ink it is, to ``out``.

    Where ``paper`` is 1 the paint is white.
    """
    level = cv2.addWeighted(gray, 65535, gray, 0, 0, dtype=cv2.CV_16U)
    shade, open_, kept, dim, page = (cv2.LUT(level, curve) for curve in _curves())
    if paper is not None:
        cv2.add(shade, cv2.multiply(paper, open_, scale=100), shade)
        painted = 1 - paper
        for factor in (open_, kept, dim):
            cv2.multiply(factor, painted, factor)
    planes = np.empty((4, *gray.shape), np.float32)  # OpenCV would allocate its own and copy them once more
    for plane, factor in zip(cv2.split(paint, [*planes]), (open_, kept, kept, dim), strict=True):
        cv2.multiply(plane, factor, plane)
    lightness, a, b, darker = planes
    cv2.add(cv2.add(lightness, darker, lightness), shade, lightness)
    cv2.cvtColor(cv2.merge((lightness, a, b)), cv2.COLOR_LAB2RGB, out)  # which keeps to [0, 1]
    cv2.copyTo(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), page, out)
