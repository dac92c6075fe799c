"""Whether anything is drawn on a page: blank pages, titles, contents and afterwords stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sketchcolor_cli.coloring.page.light import evened
from sketchcolor_cli.coloring.page.shapes import components, count
from sketchcolor_cli.imaging.resize import shrink_by
from sketchcolor_cli.imaging.sizes import copy_scale, page_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.page.shapes import Components

    Plane = NDArray[np.float32]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class DrawnRules:
    """What is not a drawing; lengths are parts of the longer side of a page, as wide as a strip is."""

    side: int = 1000
    """Longer side, in pixels, of the copy that is looked at."""
    paper: float = 95
    """Percentile of the brightness of a page that its paper has."""
    contrast: float = 0.08
    """How much darker than paper ink is, or lighter than a black page."""
    dust: float = 0.003
    """Longest side of a speck that is not ink but dust or grain,"""
    rule: float = 0.008
    """and thickness of a printed rule or frame."""
    letter: float = 0.12
    """Longest side of a piece of a letter, in the largest title."""
    alone: float = 0.03
    """The same of one that stands by itself, as a page number does,"""
    few: int = 3
    """and how many such there are at most."""
    alike: float = 2.5
    """How much higher a letter is than its neighbour in a line, at most."""
    apart: float = 1.2
    """Gap between neighbouring letters, to the height of the larger of the two,"""
    overlap: float = 0.2
    """and how far one may reach into the other, the same."""
    aligned: float = 0.5
    """How far they are from one line, the same."""
    text: float = 0.85
    """Part of the ink that must be text, for nothing to be drawn."""
    neighbours: int = 12
    """Pieces around a letter that are looked at."""


_RULES = DrawnRules()


def is_drawn_on(gray: Plane) -> bool:
    """Return whether there is a drawing on a page (H, W), paper 1 and ink 0; text and blank pages have none.

    A page has no drawing where all ink stands in lines of letters, upright or lying, but for rules, frames
    and dust. White print on a black page counts alike.
    """
    height, width = gray.shape
    small = evened(shrink_by(gray, copy_scale(height, width, _RULES.side)))
    halfway = (small.max() + small.min()) / 2
    if count(small < halfway) > small.size / 2:  # white on black
        small = 1 - small
    paper = np.percentile(small, _RULES.paper)
    return _has_drawing(small < paper - _RULES.contrast, page_side(*small.shape))


class _Pieces(NamedTuple):
    """Pieces of ink that are neither rules nor dust, (n,) each: centres, x and y; sides; and areas."""

    centers: NDArray[np.float64]
    boxes: NDArray[np.float64]
    sides: NDArray[np.float64]
    areas: NDArray[np.int32]


def _has_drawing(ink: Mask, long: int) -> bool:
    found = components(ink, 8)
    kept = found.long_sides > _RULES.dust * long
    kept[0] = False
    for label in np.flatnonzero(kept & (found.long_sides > _RULES.letter * long)).tolist():
        if not _is_rule(found, label, max(3, round(_RULES.rule * long))):
            return True
        kept[label] = False
    boxes = found.boxes[kept].astype(float)
    pieces = _Pieces(boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:], boxes[:, 2:].max(1), found.areas[kept])
    if len(boxes) <= _RULES.few and (pieces.sides <= _RULES.alone * long).all():
        return False
    text = _in_lines(pieces)
    return bool(pieces.areas[text].sum() < _RULES.text * pieces.areas.sum())


def _is_rule(pieces: Components, label: int, thick: int) -> bool:
    """Return whether a piece of ink is a straight rule or a frame: all of it lies at the sides of its box."""
    left, top, width, height = pieces.boxes[label].tolist()
    inner = pieces.labels[top + thick : top + height - thick, left + thick : left + width - thick]
    return not (inner == label).any()


def _in_lines(pieces: _Pieces) -> Mask:
    """Return which pieces, (n,), have a neighbour beside or below that is about as large, as letters have."""
    from scipy.spatial import cKDTree

    number = len(pieces.sides)
    found = np.zeros(number, np.bool_)
    if number < 2:
        return found
    count = min(_RULES.neighbours + 1, number)
    _, near = cKDTree(pieces.centers).query(pieces.centers, k=count)
    own, other = np.repeat(np.arange(number), count - 1), near[:, 1:].ravel()
    offset = np.abs(pieces.centers[own] - pieces.centers[other])
    gaps = offset - (pieces.boxes[own] + pieces.boxes[other]) / 2
    for along, across in ((0, 1), (1, 0)):
        thick = pieces.boxes[:, across]
        larger, smaller = np.maximum(thick[own], thick[other]), np.minimum(thick[own], thick[other])
        fits = (larger <= _RULES.alike * smaller) & (offset[:, across] <= _RULES.aligned * larger)
        fits &= (gaps[:, along] <= _RULES.apart * larger) & (gaps[:, along] > -_RULES.overlap * larger)
        found[own[fits]] = True
    return found
