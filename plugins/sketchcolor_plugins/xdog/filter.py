"""The XDoG filter itself, on the CPU.

Memory bounds it, so it works in bands of rows that stay in a core's cache, several at a time.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_plugins.arrays import LUMA, OnArrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LUMA = np.array(LUMA, np.float32)
_BAND = 2**18  # pixels; 1 MB of float32
_MIN_WIDTH = 0.01
_MAX_WIDTH = 1000.0
_MAX_PHI = 1e12  # float32 holds its products


@dataclass(frozen=True)
class XDoG(OnArrays):
    """The thresholded difference of Gaussians of luminance.

    With luminance L in [0, 1] and * for convolution, ``D = G_sigma * L - tau · G_(k·sigma) * L``, and the
    sketch is 1 where D ≥ epsilon, else ``1 + tanh(phi · (D - epsilon))``. Beyond its borders the picture is
    mirrored at its edge pixels.

    Source: Winnemöller, Kyprianidis and Olsen, "XDoG: An eXtended difference-of-Gaussians compendium
    including advanced image stylization", Computers & Graphics 36 (2012).

    Raises:
        ValueError: A value is out of its range.
    """

    sigma: float
    k: float
    tau: float
    epsilon: float
    phi: float

    def __post_init__(self) -> None:
        if not (self.sigma >= _MIN_WIDTH and self.k > 1 and self.sigma * self.k <= _MAX_WIDTH):
            raise ValueError(
                f"sigma is at least {_MIN_WIDTH:g}, k above 1, sigma times k at most {_MAX_WIDTH:g} pixels"
            )
        if self.tau < 0:
            raise ValueError("tau is at least 0")
        if not 0 < self.phi <= _MAX_PHI:
            raise ValueError(f"phi is above 0 and at most {_MAX_PHI:g}")

    def draw_array(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn (N, 3, H, W) in [0, 1] into (N, 1, H, W) in [0, 1]."""
        count, _, height, width = pictures.shape
        sketches = np.empty((count, 1, height, width), np.float32)
        rows = max(_BAND // width, 8 * _reach(self.k * self.sigma))
        with ThreadPoolExecutor(max(1, cv2.getNumThreads())) as pool:
            bands = [
                pool.submit(self._draw, picture, sketch[0], slice(top, min(top + rows, height)))
                for picture, sketch in zip(pictures, sketches, strict=True)
                for top in range(0, height, rows)
            ]
        for band in bands:
            band.result()
        return sketches

    def _draw(self, rgb: NDArray[np.float32], sketch: NDArray[np.float32], rows: slice) -> None:
        """Draw these rows of a 3×H×W picture's sketch into ``sketch``, H×W."""
        first = max(rows.start - _reach(self.k * self.sigma), 0)
        seen = rgb[:, first : rows.stop + _reach(self.k * self.sigma)]
        luminance = np.matmul(_LUMA, seen.transpose(1, 0, 2))  # row by row is fast for planes and for pixels
        within = slice(rows.start - first, rows.stop - first)
        fine = _blur(luminance, self.sigma)[within]
        coarse = _blur(luminance, self.k * self.sigma)[within]
        ink = sketch[rows]
        # phi · (D - epsilon), cut off at 0: paper is 1 + tanh(0), exactly 1
        cv2.addWeighted(fine, self.phi, coarse, -self.phi * self.tau, -self.phi * self.epsilon, dst=ink)
        cv2.threshold(ink, 0, 0, cv2.THRESH_TRUNC, dst=ink)
        np.tanh(ink, out=ink)
        np.add(ink, 1, out=ink)


def _reach(sigma: float) -> int:
    """Return after how many pixels a Gaussian is cut off: three standard deviations, 0.3 % of its mass."""
    return math.ceil(3 * sigma)


def _blur(luminance: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    size = 2 * _reach(sigma) + 1
    blurred: NDArray[np.float32] = cv2.GaussianBlur(
        luminance, (size, size), sigma, borderType=cv2.BORDER_REFLECT_101
    )
    return blurred
