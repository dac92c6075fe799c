"""The light on a page that was photographed, or scanned as a bound book: it is brighter here than there.

A lamp's light changes steadily over the page, and beside the fold of a book it falls off quickly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]


@dataclass(frozen=True)
class LightRules:
    """What light on paper looks like; brightness is luma in [0, 1]."""

    side: int = 100
    """Either side, in pixels, of the copy on which light is found."""
    closed: int = 5
    """Pixels of the copy that are wider than lines, lettering and hair."""
    folds: tuple[float, ...] = (0.03, 0.07, 0.15)
    """How far the shadow of a fold reaches, as parts of the side of the page across it, mixed as need be."""
    rounds: int = 8
    """Rounds of reweighted least squares."""
    below: float = 4.0
    """How much less a pixel counts that is darker than the light says than one that is brighter."""
    near: float = 0.04
    """How much a pixel may differ from the light that still is paper."""
    paper: float = 0.6
    """Part of a page that is paper, at least, or else it is toned rather than lit unevenly."""
    brighter: float = 0.02
    """Part of it that may be brighter than paper, at most: a ground under white is a wash."""
    uneven: float = 0.1
    """How much brighter light is in one place than in another, at least, to be evened out,"""
    corners: float = 2.0
    """both without the brightest and the darkest places, in percent of the page;"""
    dim: float = 0.8
    """or how bright it is at most, where it is the same all over."""
    flat: float = 0.3
    """Part of a page that has one of 256 greys, from which on it was filled with that grey,"""
    white: int = 247
    """unless it is as light as this: scanners make paper white."""
    darkest: float = 0.25
    """Light that is still light,"""
    brightest: float = 1.02
    """and light in which paper is white; what seems brighter is not light."""


_RULES = LightRules()


def evened(gray: Plane) -> Plane:
    """Return a page (H, W), paper 1 and ink 0, as it would be in even light; itself where it was in such."""
    light = _find_light(gray)
    if light is None:
        return gray
    whole = cv2.resize(light, gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
    np.divide(gray, whole, out=whole)
    return np.minimum(whole, np.float32(1), out=whole)  # type: ignore[no-any-return]


def _find_light(gray: Plane) -> Plane | None:
    """Return how bright paper is at each place of a small copy of a page, (h, w); None in even light."""
    if min(gray.shape) < _RULES.side:
        return None
    small = cv2.resize(gray, (_RULES.side,) * 2, interpolation=cv2.INTER_AREA)
    paper = np.ascontiguousarray(_without_lines(small)[::2, ::2])  # light is smooth, and every other will do
    light = _fitted(paper)
    off = paper - light
    if not _RULES.darkest <= light.min() <= light.max() <= _RULES.brightest:
        return None
    if float((off > _RULES.near).mean()) > _RULES.brighter:
        return None
    dark, bright = np.percentile(light, (_RULES.corners, 100 - _RULES.corners))
    if bright - dark < _RULES.uneven and bright > _RULES.dim:
        return None
    if float((np.abs(off) < _RULES.near).mean()) < _RULES.paper:
        return None
    return None if _is_filled(gray) else light


def _without_lines(small: Plane) -> Plane:
    """Return a small copy of a page without lines and lettering, of whatever ink; what is wide stays."""
    far = _RULES.closed // 2
    # The page goes on darker beyond its edge, or a shadow at the edge would be taken for a line.
    framed = cv2.copyMakeBorder(small, far, far, far, far, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, np.ones((_RULES.closed,) * 2, np.uint8))
    return closed[far:-far, far:-far]  # type: ignore[no-any-return]


def _is_filled(gray: Plane) -> bool:
    """Return whether much of a page has exactly one grey, which no light leaves alike."""
    some = gray[:: max(1, gray.shape[0] // 256), :: max(1, gray.shape[1] // 256)]
    greys = np.bincount(np.rint(some.ravel() * 255).astype(int), minlength=256)[: _RULES.white]
    return int(greys.max()) > _RULES.flat * some.size


def _fitted(paper: Plane) -> Plane:
    """Return the brightness of a lamp's light and of folds, (h, w), that most of the paper has."""
    basis = _basis(*paper.shape)
    values = paper.ravel().astype(float)
    weight = np.clip(values, 1e-3, 1)  # paper is bright
    small = 1e-4 * len(values) * np.eye(basis.shape[1])  # what the page says nothing about stays at nothing
    small[0] = 0
    fit = np.zeros(len(values))
    for _ in range(_RULES.rounds):
        roots = np.sqrt(weight)
        weighted = basis * roots[:, None]
        squares = cv2.mulTransposed(weighted, aTa=True)  # NumPy would set threads spinning for so little
        fit = basis @ np.linalg.solve(squares + small, weighted.T @ (roots * values))
        off = values - fit
        far = np.abs(off) / _RULES.near
        weight = 1 / (1 + np.where(off < 0, _RULES.below, 1) * far**2)
    return fit.reshape(paper.shape).astype(np.float32)


@cache
def _basis(height: int, width: int) -> NDArray[np.float64]:
    """Return what light is made of, (h·w, T): a lamp's, up to the third power of the place, and folds."""
    y, x = (place.ravel() for place in np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j])
    terms = [x**i * y**j for i in range(4) for j in range(4 - i)]
    for place in (x, y):
        for fold in (-1, 0, 1):
            terms += [np.exp(-(((place - fold) / (2 * reach)) ** 2)) for reach in _RULES.folds]
    return np.stack(terms, 1)
