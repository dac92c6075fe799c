"""How a page's grey is read as ink that covers paper; see :mod:`sketchcolor_cli.color.compositing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

_T = TypeVar("_T", "Tensor", "NDArray[np.floating[Any]]")

INK = 35.0
"""Lightness L* up to which a pixel of the page is ink and is kept untouched."""


def coverage(lightness: _T) -> _T:
    """Return how much of each pixel is covered by ink, in [0, 1], from the page's L* in [0, 100]."""
    return ((100 - lightness) / (100 - INK)).clip(0, 1)


def chroma_kept(covered: _T) -> _T:
    """Return the part of the paint's chroma that is seen under a coverage in [0, 1]."""
    return 1 - covered**4


def darkening(covered: _T) -> _T:
    """Return how far ink is as dark as paint that is darker than ``INK``, times the coverage, in [0, 1].

    Or a line in black hair would have a pale rim. Under nearly solid ink this fades out, where the page's own
    lightness takes over.
    """
    return covered * (1 - covered**8)
