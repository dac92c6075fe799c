"""A picture that lies over a page, a rough colouring or strokes, brought to any size."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.imaging.picture import Picture

    Hint = NDArray[np.float32]
    Places = NDArray[np.intp]

_OPAQUE = 0.5  # alpha above which a picture says something
_FEW = 0.05  # part of a layer up to which its opaque pixels are scaled one by one


class Layer:
    """A picture over a page; what every size needs is found once.

    Attributes:
        is_opaque: Whether it has no transparent part.
    """

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        alpha = picture.alpha
        self._seen = None if alpha is None else alpha > _OPAQUE
        self._count = int(np.prod(picture.shape)) if self._seen is None else int(np.count_nonzero(self._seen))
        self.is_opaque = self._seen is None or self._count == self._seen.size

    def lay(self, hint: Hint, least: float) -> None:
        """Write it to a hint (h, w, 4), RGB and mask, where more than the share ``least`` is opaque."""
        height, width = self._picture.shape
        smaller = hint.shape[0] <= height and hint.shape[1] <= width
        if smaller and self._count <= _FEW * height * width:
            self._lay_spots(hint, least)
            return
        layer = cv2.resize(self._whole, hint.shape[1::-1], interpolation=cv2.INTER_AREA)
        seen = layer[..., 3] > least
        colors = layer[seen]
        hint[seen] = colors / np.maximum(colors[:, 3:], 1e-9)

    @cached_property
    def _whole(self) -> Hint:
        return rgb_and_mask(self._picture)

    @cached_property
    def _spots(self) -> tuple[Places, Places, NDArray[np.float32]]:
        """The opaque pixels: rows, columns, colours (N, 3)."""
        assert self._seen is not None  # noqa: S101  (few are opaque)
        y, x = np.divmod(np.flatnonzero(self._seen), self._seen.shape[1])
        return y, x, self._picture.rgb[y, x]

    def _lay_spots(self, hint: Hint, least: float) -> None:
        """Do the same by area averaging of the opaque pixels alone: strokes cover little of a page."""
        y, x, colors = self._spots
        down = _shares(y, hint.shape[0] / self._picture.shape[0])
        right = _shares(x, hint.shape[1] / self._picture.shape[1])
        place = np.concatenate([row * hint.shape[1] + column for row, _ in down for column, _ in right])
        share = np.concatenate([high * wide for _, high in down for _, wide in right])
        some = share > 0
        cells, cell = np.unique(place[some], return_inverse=True)
        share, source = share[some], np.tile(np.arange(len(y)), 4)[some]
        covered = np.bincount(cell, share)
        sums = np.stack([np.bincount(cell, share * plane[source]) for plane in colors.T], 1)
        seen = covered > least
        flat = hint.reshape(-1, 4)
        flat[cells[seen], :3] = sums[seen] / covered[seen, None]
        flat[cells[seen], 3] = 1


def _shares(places: Places, scale: float) -> tuple[tuple[Places, Hint], tuple[Places, Hint]]:
    """Return the two places into which each falls at a scale up to 1, and what each takes of them."""
    first = np.floor(places * scale + 1e-9).astype(np.intp)
    over = np.maximum((places + 1) * scale - (first + 1), 0)
    over[over < 1e-6] = 0  # no more than rounding, and it may lie outside
    return (first, scale - over), (first + 1, over)


def rgb_and_mask(picture: Picture) -> Hint:
    """Return a picture as (H, W, 4): RGB and mask, both 0 where it is transparent."""
    if picture.alpha is None:
        return np.dstack([picture.rgb, np.ones(picture.shape, np.float32)])
    layer = np.zeros((*picture.shape, 4), np.float32)
    opaque = picture.alpha > _OPAQUE  # with strokes, in few places
    layer[opaque, :3], layer[opaque, 3] = picture.rgb[opaque], 1
    return layer
