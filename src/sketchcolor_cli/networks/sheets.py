"""Character sheets: other drawings that show a network the right colours, laid out as it takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.imaging.sizes import scaled

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
        height, width = scaled(picture.shape[0], picture.shape[1], cell)
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        top = number // columns * cell + (cell - height) // 2
        left = number % columns * cell + (cell - width) // 2
        sheet[top : top + height, left : left + width] = small
    return sheet


def sheet_lines(rgb: Layer) -> Layer:
    """Return the lines of a coloured drawing (H, W, 3) as the matcher knows them: (H, W), paper 1, ink 0.

    Each channel over the brightest around it, squared; the darkest channel counts (colour dodge).
    """
    brightest = cv2.dilate(rgb, np.ones((5, 5), np.uint8))
    out: Layer = (((rgb + 0.05) / (brightest + 0.05)).min(2) ** 2).astype(np.float32)
    return out


def cell_colors(lab: Layer, line: Layer, cell: int) -> tuple[Layer, Layer]:
    """Return the colour of each square of ``cell`` pixels off its lines, (h, w, 3), and its spread."""
    seen = (0.02 + np.clip((line - 0.2) / 0.6, 0, 1)).astype(np.float32)
    total = shrunk(seen, cell)[..., None]
    mean = shrunk(lab * seen[..., None], cell) / total
    square = shrunk(lab**2 * seen[..., None], cell) / total
    return mean, np.sqrt(np.maximum((square - mean**2).sum(2), 0))


def shrunk(array: Layer, factor: int) -> Layer:
    """Return an array (H, W) or (H, W, C) at 1/factor of its size, each place the mean of its square."""
    size = array.shape[1] // factor, array.shape[0] // factor
    return cv2.resize(array, size, interpolation=cv2.INTER_AREA)  # type: ignore[no-any-return]
