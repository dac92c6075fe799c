"""Colours from character sheets: each region of a page takes those of the places that it matches."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from sketchcolor_cli.coloring.extras.flats import closed_regions, find_lines
from sketchcolor_cli.coloring.guides.consensus import support
from sketchcolor_cli.compute import deadline
from sketchcolor_cli.imaging.resize import scaled_shape, shrink_by
from sketchcolor_cli.networks.logits import softmax
from sketchcolor_cli.networks.sheets import cell_colors, sheet_lines, shrunk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from sketchcolor_cli.networks.forward import MatchForward

    Plane = NDArray[np.float32]
    Layer = NDArray[np.float32]
    Lab = NDArray[np.float32]
    Labels = NDArray[np.int32]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class MatchRules:
    """How pages are matched to sheets; sizes are in pixels, distances of colours in CIELAB."""

    page_side: int = 256
    """Shorter side of the copy of a page that the matcher sees."""
    sheet_side: int = 256
    """The same of a sheet."""
    longest: float = 1.8
    """Longer side, in shorter ones, up to which that holds; of a longer sheet the longer side counts, and a
    longer page is matched in bands."""
    region_side: int = 512
    """Shorter side of the copy of a page in which regions between lines are found."""
    same_color: float = 8.0
    """Distance of colours of a sheet at which they count as the same by six tenths."""
    shade: float = 3.0
    """Step to which colours of sheets are rounded to be counted together."""
    several_colors: float = 15.0
    """Spread of colours in a place of a sheet at which it counts half."""
    unsure: float = 0.2
    """Share of the matches of a region up to which agreement counts for nothing."""
    sure: float = 0.5
    """The same, from which on the colour that they agree on counts alone."""
    one_way: float = 1e-5
    """Weight of a match that the sheet does not return, so that no region is without any."""


_RULES = MatchRules()


class Places(NamedTuple):
    """Places of a sheet: what they are found by, (S, C), their colours, (S, 3) Lab, and weights, (S,).

    And how many there would be down and across if all showed something, and which of those these are, (S,).
    """

    keys: NDArray[np.float32]
    colors: Lab
    weights: Plane
    grid: tuple[int, int]
    shown: NDArray[np.intp]


class RegionColors(NamedTuple):
    """The regions of a page and their colours.

    The region of each pixel, (h, w); where lines are, (h, w); the colour of each region, (R, 3) Lab; and
    which part of the matches of a region speaks for it, (R,) in [0, 1].
    """

    labels: Labels
    line: Mask
    colors: Lab
    agreed: Plane

    def hint(self, shape: tuple[int, ...], given: Layer) -> Layer:
        """Return the colours as a hint (h, w, 4) under one of the user's, where that does not know better.

        A region in which the user gave a colour takes none from the sheet.
        """
        rgb = cv2.cvtColor(self.colors[None], cv2.COLOR_LAB2RGB)[0].clip(0, 1)
        labels = cv2.resize(self.labels, shape[1::-1], interpolation=cv2.INTER_NEAREST)
        line = cv2.resize(self.line.view(np.uint8), shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
        known = np.ones(len(rgb), np.bool_)
        known[labels[given[..., 3] > 0]] = False
        shown = known[labels] & ~line
        matched = np.dstack([rgb[labels], np.ones_like(labels, np.float32)]).astype(np.float32)
        return np.where(given[..., 3:] > 0, given, np.where(shown[..., None], matched, np.float32(0)))


class SheetMatcher:
    """Sheets, ready to be matched to any number of pages.

    ``sheets`` are (H, W, 4), RGB and mask in [0, 1], RGB 0 where the mask is 0.
    """

    def __init__(self, network: MatchForward, sheets: Sequence[Layer]) -> None:
        self.network = network
        self._take([self.places(sheet) for sheet in sheets])

    def beside(self, more: Sequence[Places]) -> SheetMatcher:
        """Return a matcher to these sheets and to further ones."""
        other = copy(self)
        other._take([*self._own, *more])
        return other

    def _take(self, places: Sequence[Places]) -> None:
        """Get ready for these sheets."""
        from scipy.sparse import csr_array

        self._own = places
        self._last: tuple[Plane, RegionColors] | None = None
        if not places:
            return
        self.keys = np.concatenate([sheet.keys for sheet in places])
        colors = np.concatenate([sheet.colors for sheet in places])
        weights = np.concatenate([sheet.weights for sheet in places])
        # Votes are counted by colour, not by place: there are many times fewer colours.
        shades = np.rint(colors / _RULES.shade)
        _, own = np.unique(shades, axis=0, return_inverse=True)
        own = own.ravel()
        count = int(own.max()) + 1
        self.of_color = csr_array((weights, (own, np.arange(len(own)))), shape=(count, len(own)))
        self.colors = (self.of_color @ colors / np.bincount(own, weights)[:, None]).astype(np.float32)
        square = (self.colors**2).sum(1)
        apart = np.maximum(square[:, None] + square - 2 * self.colors @ self.colors.T, 0)
        self.alike = np.exp(-apart / (2 * _RULES.same_color**2))

    def __call__(self, gray: Plane) -> RegionColors:
        """Return the regions of a page (H, W), paper 1 and ink 0, in the colours of the sheets.

        Those of the last page are kept: a page that is worked on is asked for with each stroke.
        """
        known = self._last
        if known is not None and known[0] is gray:
            return known[1]
        regions = self._find(gray)
        self._last = gray, regions
        return regions

    def _find(self, gray: Plane) -> RegionColors:
        small = shrink_by(gray, _RULES.region_side / min(gray.shape))
        line = find_lines(small)
        labels = closed_regions(line)
        votes = np.zeros((int(labels.max()) + 1, len(self.colors)), np.float32)
        for band in bands(small.shape):
            deadline.check()
            matches, grid, part = self._match(small[band])
            votes += _shares(labels[band], line[band], len(votes), grid, part) @ matches
        return RegionColors(labels, line, *self._agreed(votes))

    def _match(self, gray: Plane) -> tuple[NDArray[np.float32], tuple[int, int], tuple[float, float]]:
        """Return how much each place of a page belongs to each colour of the sheets: (P, K).

        And how many places there are down and across, and which part of those shows the page. A match counts
        as far as it is one in both directions, and those beside it agree.
        """
        queries, grid, part = described(self.network, gray)
        logits = np.float32(self.network.sharpness) * (queries @ self.keys.T)
        matches = softmax(logits, 1) * (softmax(logits, 0) + np.float32(_RULES.one_way))
        matches = self._supported(matches / matches.sum(1, keepdims=True), grid)
        of_color = (self.of_color @ matches.T).T
        return of_color.astype(np.float32), grid, part

    def _supported(self, matches: NDArray[np.float32], grid: tuple[int, int]) -> NDArray[np.float32]:
        """Return matches (P, S) as far as those beside them agree with them, sheet by sheet."""
        found = []
        parts = np.split(matches, np.cumsum([len(sheet.keys) for sheet in self._own])[:-1], 1)
        for sheet, part in zip(self._own, parts, strict=True):
            whole = np.zeros((len(part), sheet.grid[0] * sheet.grid[1]), np.float32)
            whole[:, sheet.shown] = part
            found.append(part * support(whole, grid, sheet.grid)[:, sheet.shown])
        return np.concatenate(found, 1)

    def places(self, sheet: Layer) -> Places:
        """Return the places of a sheet that show something."""
        stride, cell = self.network.stride, self.network.cell
        on_paper = sheet[..., :3] + (1 - sheet[..., 3:])
        rgb, _ = _fitted(on_paper, _RULES.sheet_side, 1.0, self.network.multiple)
        mask, _ = _fitted(sheet[..., 3], _RULES.sheet_side, 0.0, self.network.multiple)
        line = sheet_lines(rgb)
        small = shrunk(rgb, stride)
        colors = np.dstack([small, np.ones_like(small[..., :1])])
        # Lines alone find the same thing, colours what is of its kind: what both say counts.
        seen = [self.network.keys(line, hint) for hint in (colors, np.zeros_like(colors))]
        keys = (seen[0] + seen[1]) * np.float32(0.5)
        mean, spread = cell_colors(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), line, cell)
        weights = (1 / (1 + (spread / _RULES.several_colors) ** 2)).astype(np.float32)
        shown = np.flatnonzero(shrunk(mask, cell).ravel() > 0.5)
        colors, weights = mean.reshape(-1, 3)[shown], weights.ravel()[shown]
        return Places(keys[shown], colors, weights, mean.shape[:2], shown)

    def _agreed(self, votes: NDArray[np.float32]) -> tuple[Lab, Plane]:
        """Return the colours that most votes, (R, K), for colours of the sheets agree on, and how many.

        A colour is the mode, not the mean, and so one that is on the sheet. Where few agree, as on a page
        whose things are not on the sheet, it goes over into the mean: a quiet tone that is less wrong.
        """
        votes = votes / np.maximum(votes.sum(1, keepdims=True), 1e-12)
        best = (votes @ self.alike).argmax(1)
        alike = votes * self.alike[best]
        agreed = alike.sum(1)
        mode, mean = alike @ self.colors / np.maximum(agreed, 1e-12)[:, None], votes @ self.colors
        share = np.clip((agreed - _RULES.unsure) / (_RULES.sure - _RULES.unsure), 0, 1)[:, None]
        return (mean + share * (mode - mean)).astype(np.float32), agreed


def described(
    network: MatchForward, gray: Plane
) -> tuple[NDArray[np.float32], tuple[int, int], tuple[float, float]]:
    """Return what the places of a page (H, W) look for, (P, C), by its lines alone.

    And how many places there are down and across, and which part of those shows the page.
    """
    page, part = _fitted(gray, _RULES.page_side, 1.0, network.multiple)
    height, width = page.shape
    blank = np.zeros((height // network.stride, width // network.stride, 4), np.float32)
    return network.queries(page, blank), (height // network.cell, width // network.cell), part


def _fitted(picture: Layer, side: int, value: float, multiple: int) -> tuple[Layer, tuple[float, float]]:
    """Return a picture at a size that the network takes, and which part of that it fills."""
    height, width = picture.shape[:2]
    scale = min(side / min(height, width), _RULES.longest * side / max(height, width))
    size = scaled_shape(picture, scale)[::-1]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(picture, size, interpolation=how)
    more = [(0, -length % multiple) for length in small.shape[:2]]
    padded = np.pad(small, [*more, *[(0, 0)] * (picture.ndim - 2)], constant_values=value)
    return padded, (size[1] / padded.shape[0], size[0] / padded.shape[1])


def bands(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """Return the parts of a page that are matched one by one: of a long strip several, else the whole."""
    long, short = max(shape), min(shape)
    count = -(-long // round(_RULES.longest * short)) if short else 1
    ends = [round(number * long / count) for number in range(count + 1)]
    parts = [slice(first, last) for first, last in pairwise(ends)]
    whole = slice(None)
    return [(part, whole) if shape[0] >= shape[1] else (whole, part) for part in parts]


def _shares(
    labels: Labels, line: Mask, count: int, grid: tuple[int, int], part: tuple[float, float]
) -> csr_array:
    """Return how much of each place of the page, a grid of cells, each of ``count`` regions fills: (R, P)."""
    from scipy.sparse import csr_array

    rows, columns = (
        np.minimum((np.arange(length) + 0.5) / length * filled * cells, cells - 1).astype(np.int64)
        for length, filled, cells in zip(labels.shape, part, grid, strict=True)
    )
    cells = rows[:, None] * grid[1] + columns
    weight = np.where(
        line, np.float32(1e-3), np.float32(1)
    )  # a region that is all line has the colour under it
    places = grid[0] * grid[1]
    table = csr_array((weight.ravel(), (labels.ravel(), cells.ravel())), shape=(count, places))
    full = np.bincount(cells.ravel(), weight.ravel(), places)
    return table * (1 / np.maximum(full, 1)).astype(np.float32)
