"""The picture in grey: not a drawing, but what a black-and-white copy of it looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli import Extractor, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from sketchcolor_cli import Resources, Sketcher

_LUMA = (0.2126, 0.7152, 0.0722)  # Rec. 709, on sRGB-encoded values


@hookimpl
def sketchcolor_extractors() -> Iterable[Extractor]:
    """Declare the extractor "gray"."""
    return [
        Extractor(
            name="gray",
            summary="The picture in grey, as a black-and-white copy; draws no lines, needs no weights.",
            load=_load,
            margin=0,
        )
    ]


def _load(_: Resources) -> Sketcher:
    return _Gray()


class _Gray:
    """Luma, of tensors and arrays alike."""

    def __call__(self, rgb: Tensor) -> Tensor:
        """Turn (N, 3, H, W) in [0, 1] into its luma, (N, 1, H, W)."""
        red, green, blue = rgb[:, 0:1], rgb[:, 1:2], rgb[:, 2:3]
        return (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue).clip(0, 1)

    def draw_array(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """Do the same with an array."""
        red, green, blue = rgb[:, 0:1], rgb[:, 1:2], rgb[:, 2:3]
        luma: NDArray[np.float32] = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
        return luma.clip(0, 1)
