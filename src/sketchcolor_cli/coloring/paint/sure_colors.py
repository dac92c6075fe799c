"""A colour for each area as far as the network is sure of it: grey where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sketchcolor_cli.coloring.page.regions import borders
from sketchcolor_cli.coloring.paint.assign_colors import kinds_of, traits_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

_FULLER, _PALE = 0.8, 12.0  # by how much more chroma pale tones get, and at which chroma half of that
_WARM = 0.2  # part of b* that a* is at least: khaki looks like dirt, sand like a wash
_GREEN = 0.5  # part of b* below minus which a* is that of a green, and stays
_LIGHTER = 0.7  # how far from white a tone is, of what the network answers: a tone to paint over, not a shade
_PAPER = 78.0, 6.0  # an area above this L* and below this chroma stays paper
_SPECK = 0.008  # of a page; paper that is smaller has the tone of what is around it, or figures look patched
_SHARPER = 2.0  # power to which chances are raised; as they are they hold too many colours possible
_LEAST = 4.0  # distance below which a colour counts no more than at it
_STEPS = 12  # of Weiszfeld's algorithm


def quiet_tones(
    chances: Floats, light: Floats, sizes: Floats, colors: Floats, areas: NDArray[np.int32]
) -> Floats:
    """Return Lab (N, 3) for areas: a hue as far as the network is sure of it, else paper or a light tone.

    Areas alike share their tone. ``areas`` (h, w) is the number of each cell's area; the other arguments are
    those of :func:`assign_colors`.
    """
    kinds = kinds_of(traits_of(chances, light, sizes), sizes)
    member = np.zeros((kinds.max() + 1, len(kinds)))
    member[kinds, np.arange(len(kinds))] = sizes
    member /= member.sum(1, keepdims=True)
    light = member @ light
    hue = sure_colors(member @ chances, colors)
    hue = hue * (1 + _FULLER / (1 + (hue**2).sum(1, keepdims=True) / _PALE**2))
    sandy = hue[:, 0] > -_GREEN * hue[:, 1]
    hue[sandy, 0] = np.maximum(hue[sandy, 0], _WARM * hue[sandy, 1])
    tones = np.column_stack([100 - _LIGHTER * (100 - light), hue])
    paper = (light > _PAPER[0]) & (np.linalg.norm(hue, axis=1) < _PAPER[1])
    tones[paper] = (100, 0, 0)
    return tones[kinds][_sources(areas, paper[kinds] & (sizes < _SPECK))]


def _sources(areas: NDArray[np.int32], specks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each area the number of the one that gives it its tone: of specks the neighbour."""
    pairs, lengths = borders(areas)
    both, length = np.concatenate([pairs, pairs[:, ::-1]]), np.concatenate([lengths, lengths])
    of_speck = specks[both[:, 0]]
    both, length = both[of_speck], length[of_speck]
    source = np.arange(len(specks))
    own, other = both[np.argsort(length, kind="stable")].T
    source[own] = other  # the longest border is written last, and stays
    return source


def sure_colors(chances: Floats, colors: Floats) -> Floats:
    """Return a*b* (N, 2) for areas: the colours with the smallest expected error.

    ``chances`` (N, Q) are those of the lattice ``colors`` (Q, 2) for each area. The colour with the least
    expected distance is their geometric median, found by Weiszfeld's algorithm. Unlike their mean it stays
    grey where hues are about as likely as grey, and unlike the likeliest colour it is not a guess.
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
