"""Assign the colours of a page to its areas.

Drawn one by one, each area's colour is possible, and the page seldom: a sky of a colour that one sky in a
hundred has, and five of ten areas in the brown that is everybody's second choice. So the page as a whole gets
as much of each colour as all its areas together are to be expected to have, or as lies between that and what
a character sheet has.
The largest areas choose first, each by what is likely for it and by what is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Numbers = NDArray[np.int64]

_ALIKE = 0.11  # Hellinger distance at which two distributions are unlike
_LIGHT, _SIZE = 11.0, 2.0  # differences in L*, and in the logarithm of size to base 2, at which areas are
_NEAR = 12.0  # distance in a*b* at which a colour stands for another
_LIKELY = 0.8  # an area chooses among its likeliest colours, which make up this much
_RARE = 1e-4  # of a colour of which nothing is left there is still this much
_CHANCE = 0.15  # how much chance counts, beside how likely a colour is and how much of it is left
_FEATURES = 512  # of the random field


def assign_colors(
    chances: Floats, light: Floats, sizes: Floats, colors: Floats, seed: int, palette: Floats | None = None
) -> Numbers:
    """Return the number of the colour (N,) that each of N areas gets; areas alike get the same.

    ``chances`` (N, Q) are the areas' distributions over ``colors`` (Q, 2), a*b*; ``light`` (N,) is their L*,
    ``sizes`` (N,) their shares of the page. With a ``palette`` (Q,), shares of colours in a sheet, there is
    as much of a colour as lies between what it says and what is to be expected. ``seed`` gives other pages.
    """
    from scipy.spatial.distance import cdist

    kinds = kinds_of(traits_of(chances, light, sizes), sizes)
    member = np.zeros((kinds.max() + 1, len(kinds)))
    member[kinds, np.arange(len(kinds))] = sizes
    size = member.sum(1)
    expected, lightness = member @ chances / size[:, None], member @ light / size
    wish = _CHANCE * _luck(traits_of(expected, lightness, size), len(colors), seed)
    expected = _likeliest(expected)
    wish += np.log(expected, where=expected > 0, out=np.full(expected.shape, -np.inf))
    near = np.exp(-cdist(colors, colors, "sqeuclidean") / (2 * _NEAR**2))
    near /= near.sum(1, keepdims=True)
    left = size @ expected @ near
    if palette is not None and palette.any():
        left = np.sqrt(left * (palette @ near))
    left /= left.sum()
    picked = np.zeros(len(size), np.int64)
    for kind in np.argsort(-size, kind="stable"):
        picked[kind] = (wish[kind] + np.log(np.maximum(left, 0) + _RARE)).argmax()
        left -= size[kind] * near[picked[kind]]
    return picked[kinds]


def traits_of(chances: Floats, light: Floats, sizes: Floats) -> Floats:
    """Return points (N, Q + 2) of areas; at a distance of 1 they are unlike."""
    return np.column_stack([np.sqrt(chances / 2) / _ALIKE, light / _LIGHT, np.log2(sizes) / _SIZE])


def kinds_of(traits: Floats, sizes: Floats) -> Numbers:
    """Return the number of each area's kind: the largest of no kind begins one, and what is like it joins."""
    kinds = np.zeros(len(traits), np.int64)
    first: list[int] = []
    for area in np.argsort(-sizes, kind="stable"):
        away = np.linalg.norm(traits[first] - traits[area], axis=1) if first else np.array([np.inf])
        if away.min() < 1:
            kinds[area] = away.argmin()
        else:
            kinds[area] = len(first)
            first.append(int(area))
    return kinds


def _likeliest(chances: Floats) -> Floats:
    """Return distributions (N, Q) without their unlikely colours (nucleus sampling; Holtzman et al. 2020)."""
    ordered = np.sort(chances, 1)[:, ::-1]
    needed = np.minimum((ordered.cumsum(1) < _LIKELY).sum(1), chances.shape[1] - 1)
    kept = np.where(chances >= np.take_along_axis(ordered, needed[:, None], 1), chances, 0)
    likely: Floats = kept / kept.sum(1, keepdims=True)
    return likely


def _luck(traits: Floats, colors: int, seed: int) -> Floats:
    """Return what chance adds to each colour for each kind of area, (N, colors): Gumbel noise.

    It changes slowly with the traits, so that a kind of area has the same luck on every page: a Gaussian
    process by random Fourier features (Rahimi, Recht 2007).
    """
    from scipy.special import log_ndtr

    rng = np.random.default_rng(seed)
    waves = rng.normal(size=(traits.shape[1], _FEATURES))
    shifts = rng.uniform(0, 2 * np.pi, _FEATURES)
    weights = rng.normal(scale=(2 / _FEATURES) ** 0.5, size=(_FEATURES, colors))
    gumbel: Floats = -np.log(-log_ndtr(np.cos(traits @ waves + shifts) @ weights))
    return gumbel
