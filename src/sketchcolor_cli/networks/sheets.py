"""Character sheets: other drawings that show a network the right colours, laid out as it takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Layer = NDArray[np.float32]


def lay_out(pictures: Sequence[Layer], side: int) -> Layer:
    """Return a sheet (side, side, 4) with the pictures in a square grid, each whole and as large as fits.

    Pictures and sheet are RGB and mask in [0, 1]; the mask is 0 where nothing is shown, and RGB 0 there.
    """
    sheet = np.zeros((side, side, 4), np.float32)
    columns = int(np.ceil(np.sqrt(len(pictures))))
    for number, picture in enumerate(pictures):
        cell = side // columns
        scale = cell / max(picture.shape[:2])
        width, height = (max(1, round(length * scale)) for length in picture.shape[1::-1])
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        top = number // columns * cell + (cell - height) // 2
        left = number % columns * cell + (cell - width) // 2
        sheet[top : top + height, left : left + width] = small
    return sheet
