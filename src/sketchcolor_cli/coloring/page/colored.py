"""Whether a page is in colour already; tinted paper, sepia and coloured ink are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.imaging.images import on_paper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.imaging.images import Picture

_SIDE = 256  # longer side of the copy that is looked at; averages out the colour noise of JPEG and scanners
_STEP = 10  # of L*, in which a page of one ink on one paper has about one colour
_CLEAR = 12.0  # distance in a*b* from that one colour at which a pixel is coloured
_PART = 0.02  # of the page that must be
_ROUNDS = 5  # of reweighted least squares


def is_colored(page: Picture) -> bool:
    """Return whether a page is in colour.

    A page printed with one ink on one paper, or yellowed, or toned, has at each lightness one colour, however
    strong, and it changes steadily from paper to ink. So what counts is how many pixels are far, in a*b*,
    from the median of those as light as they are, or from the straight line through all.
    """
    if page.gray:
        return False
    rgb = on_paper(page)
    scale = min(1.0, _SIDE / max(rgb.shape[:2]))
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    lab = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB).reshape(-1, 3)
    return any(bool((off(lab) > _CLEAR).mean() > _PART) for off in (_off_medians, _off_line))


def _off_medians(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    level = np.clip(lab[:, 0] / _STEP, 0, 100 / _STEP - 1).astype(int)
    usual = np.zeros((100 // _STEP, 2), np.float32)
    for one in np.unique(level):
        usual[one] = np.median(lab[level == one, 1:], axis=0)
    off: NDArray[np.float32] = np.linalg.norm(lab[:, 1:] - usual[level], axis=1)
    return off


def _off_line(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far each colour is from the line, least in absolute distance, of a*b* over lightness."""
    place = np.column_stack([np.ones(len(lab), np.float32), lab[:, 0] / 100])
    off = np.zeros(len(lab), np.float32)
    for _ in range(_ROUNDS):
        weight = 1 / np.maximum(off, 1)[:, None]
        line, *_ = np.linalg.lstsq(place.T @ (weight * place), place.T @ (weight * lab[:, 1:]), rcond=None)
        off = np.linalg.norm(lab[:, 1:] - place @ line, axis=1)
    return off
