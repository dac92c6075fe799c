"""A colour for each area as far as the network is sure of it: grey where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

_SHARPER = 2.0  # power to which chances are raised; as they are they hold too many colours possible
_LEAST = 4.0  # distance below which a colour counts no more than at it
_STEPS = 12  # of Weiszfeld's algorithm


def sure_colors(chances: Floats, colors: Floats) -> Floats:
    """Return a*b* (N, 2) for areas: the colours that are least far off whatever is true.

    ``chances`` (N, Q) are those of the lattice ``colors`` (Q, 2) for each area. The colour with the least
    expected distance is their geometric median, found by Weiszfeld's algorithm. Unlike their mean it stays
    grey where hues are about as likely as grey, and unlike the likeliest it is no guess.
    """
    weights = chances**_SHARPER
    weights /= np.maximum(weights.sum(1, keepdims=True), 1e-12)
    apart = np.linalg.norm(colors[:, None] - colors[None], axis=2)
    found = colors[(weights @ apart).argmin(1)].astype(np.float64)
    for _ in range(_STEPS):
        square = (found**2).sum(1)[:, None] + (colors**2).sum(1) - 2 * found @ colors.T
        near = weights / np.maximum(np.sqrt(np.maximum(square, 0)), _LEAST)
        found = near @ colors / np.maximum(near.sum(1, keepdims=True), 1e-12)
    return found  # type: ignore[no-any-return]
