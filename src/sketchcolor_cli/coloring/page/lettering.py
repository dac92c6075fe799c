"""Print: pieces of ink as large as letters, and whether they stand together as text does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from sketchcolor_cli.coloring.page.shapes import (
    Components,
    components,
    count,
    hull_area,
    per_pixel,
    piece_count,
)
from sketchcolor_cli.imaging.sizes import page_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.page.shapes import Shape

    Plane = NDArray[np.float32]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class LetterRules:
    """What letters look like; lengths are parts of the page's longer side."""

    longest: float = 0.045
    """Longest side of a piece of a letter."""
    shortest: float = 0.0035
    """Longest side of the smallest letter; dots of screentone are smaller."""
    dash: float = 0.009
    """Longest side of a dash or dot of an outline, which is no larger than a small letter."""
    stroke: float = 0.005
    """How thick a line of the smallest letters is; one of dashes is thinner."""
    share: tuple[float, float] = (0.008, 0.5)
    """Part of a balloon that is print."""
    letters: float = 0.6
    """Part of the ink in a balloon that pieces of letters are."""
    apart: float = 0.006
    """Print keeps this far from the outline; screentone does not."""
    apart_in_box: float = 0.0018
    """The same in a rectangle: boxes of text are tight."""
    box: float = 0.93
    """Part of its bounding box that a rectangle fills."""
    gap: float = 0.012
    """Between letters of a block."""
    wide_gap: float = 1.4
    """The same of many letters, to the size of most of them."""
    many: int = 8
    """Pieces that are many letters."""
    alike: float = 0.1
    """Many pieces whose areas differ less than this, to their mean, are a pattern."""
    small_print: float = 0.012
    """How high letters are at most that may run together."""
    smallest_area: int = 4
    """Area of a piece of a letter, in pixels."""
    line_alone: float = 0.95
    """Part of the ink in a balloon that a single line of few letters is."""
    line_length: float = 1.6
    """How long such a line is at least, to its thickness."""
    line_letter: float = 1.4
    """How large its letters are at most, to its thickness."""
    line_space: float = 0.6
    """What is between them at most, the same."""
    half_block: int = 3
    """Letters in each of two blocks of joined balloons."""
    half_blocks: float = 0.8
    """Part of the hulls of two such blocks that their print fills."""


RULES = LetterRules()


@dataclass(frozen=True)
class Evidence:
    """How much print must be there, and how closely it must stand: a face has few features, far apart."""

    letters: int
    """Pieces of letters, at least."""
    block: float
    """Part of its convex hull that the print fills when the gaps between letters are closed."""
    solidity: float
    """Part of its convex hull that the white area fills."""
    line: bool = False
    """Whether it must stand in one line, of letters of one size, which features are not."""
    stray: float = 0.04
    """Part of it that may be as near to the outline as screentone."""
    brightness: float = 0.72
    """Median brightness, at most: letters are darker than screentone."""


class InkPieces(NamedTuple):
    """The pieces of ink of a page.

    All of them; and where they are as small as print beside panels; as large as letters; and of these no
    larger than dashes; (h, w) each.
    """

    all: Components
    tiny: Mask
    letters: Mask
    dashes: Mask


def ink_pieces(white: Mask) -> InkPieces:
    """Find the pieces of what is not paper."""
    long = page_side(*white.shape)
    pieces = components(~white, 8)
    sides = pieces.long_sides
    letters = (sides >= RULES.shortest * long) & (sides <= RULES.longest * long)
    tiny, dashes = sides <= RULES.longest * long / 2, letters & (sides <= RULES.dash * long)
    kinds = tiny | 2 * letters | 4 * dashes  # looked up for each pixel at once
    kinds[0] = 0
    kind = per_pixel(kinds.astype(np.uint8), pieces.labels)
    return InkPieces(pieces, *((kind & bit).astype(np.bool_) for bit in (1, 2, 4)))


def letter_marks(pieces: InkPieces, long: int) -> Mask:
    """Return pieces of ink as large as letters; not the dashes of an outline, which stand in thin lines."""
    thick = np.ones((max(3, round(RULES.stroke * long)),) * 2, np.uint8)
    lines = cv2.morphologyEx(pieces.letters.view(np.uint8), cv2.MORPH_CLOSE, thick)
    lines = cv2.morphologyEx(lines, cv2.MORPH_OPEN, thick).view(np.bool_)
    kept = np.zeros(pieces.all.number, np.bool_)
    kept[pieces.all.labels[lines & pieces.dashes]] = True
    marks = pieces.letters & ~pieces.dashes
    if kept.any():
        marks |= per_pixel(kept, pieces.all.labels)
    return marks


def holds_print(
    shape: Shape, holes: Mask, gray: Plane, long: int, enough: tuple[Evidence, ...], small: Evidence | None
) -> bool:
    """Return whether the ink in the holes of a white area is print.

    ``gray`` (h, w) is the page there, ``long`` the page's longer side; each of ``enough`` is evidence that
    will do, ``small`` the same for lines of small print whose letters run together, if they count.
    """
    marked = count(holes)
    if not RULES.share[0] <= marked / max(shape.size, 1) <= RULES.share[1]:
        return False
    letters = _letters(holes, long)
    if letters.areas.sum() < RULES.letters * marked:
        if small is None or shape.solidity < small.solidity or letters.in_lines < RULES.letters * marked:
            return False
        holes = _middles(holes, gray)
        letters, enough = _letters(holes, long), (small,)
        if letters.areas.sum() < RULES.letters * count(holes):
            return False
    alone = letters.areas.sum() > RULES.line_alone * marked
    if _stands_as_text(letters, shape, gray, long, enough, alone):
        return True
    if letters.height > RULES.small_print * long:
        return False
    dark = _middles(holes, gray)
    apart = _letters(dark, long)
    if len(apart.areas) <= len(letters.areas) or apart.areas.sum() < RULES.letters * count(dark):
        return False
    return _stands_as_text(apart, shape, gray, long, enough, alone)


def _middles(ink: Mask, gray: Plane) -> Mask:
    """Return the middles of lines, which are darker than what joins small letters to each other."""
    middles: Mask = ink & (gray < (gray[ink].min() + 1) / 2)
    return middles


class _Letters(NamedTuple):
    """The pieces of ink as large as letters.

    The number of each pixel's piece, and which pieces are chosen; longer sides and areas of these; how high
    they are at most; and the area of all pieces that are no thicker than a line of letters.
    """

    labels: NDArray[np.int32]
    chosen: Mask
    sides: NDArray[np.int32]
    areas: NDArray[np.int32]
    height: int
    in_lines: int


def _letters(ink: Mask, long: int) -> _Letters:
    pieces = components(ink, 8)
    large = pieces.areas >= RULES.smallest_area
    large[0] = False
    chosen = large & (pieces.long_sides <= RULES.longest * long)
    thin = large & (pieces.short_sides <= RULES.longest * long)
    in_lines = int(pieces.areas[thin].sum())
    height = int(pieces.short_sides[chosen].max(initial=0))
    return _Letters(pieces.labels, chosen, pieces.long_sides[chosen], pieces.areas[chosen], height, in_lines)


def _stands_as_text(
    letters: _Letters, shape: Shape, gray: Plane, long: int, enough: tuple[Evidence, ...], alone: bool
) -> bool:
    """Return whether letters stand as closely, and as far from the outline, as some evidence asks.

    ``alone``: whether there is hardly other ink beside them.
    """
    number = len(letters.areas)
    fits = [evidence for evidence in enough if number >= evidence.letters]
    if not fits or _is_pattern(letters):
        return False
    ink = per_pixel(letters.chosen, letters.labels)
    far = cv2.distanceTransform(shape.framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    is_box = shape.size >= RULES.box * shape.filled.size
    apart = (RULES.apart_in_box if is_box else RULES.apart) * long
    stray = count(ink & (far < apart)) / count(ink)
    fits = [evidence for evidence in fits if stray <= evidence.stray]
    brightness = float(np.median(gray[ink])) if fits else 0
    fits = [evidence for evidence in fits if brightness <= evidence.brightness]
    if not fits:
        return False
    wide = RULES.wide_gap * float(np.median(letters.sides)) if fits[0].letters >= RULES.many else 0
    block = block_share(ink, max(3, round(max(RULES.gap * long, wide))))
    fits = [evidence for evidence in fits if block >= evidence.block]
    if any(not evidence.line for evidence in fits):
        return True
    return bool(fits) and alone and _in_one_line(ink, letters.sides)


def _is_pattern(letters: _Letters) -> bool:
    """Return whether many pieces are all as large as each other, as dots of a pattern are."""
    areas = letters.areas
    return bool(len(areas) >= RULES.many and areas.std() < RULES.alike * areas.mean())


def block_share(ink: Mask, gap: int) -> float:
    """Return how much of its convex hull print fills when gaps of this many pixels are closed.

    In joined balloons print stands in two blocks, of a few letters each; then of the hulls of these.
    """
    closed = cv2.morphologyEx(np.pad(ink, gap).view(np.uint8), cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))
    whole = count(closed) / max(hull_area(ink), 1)
    number, labels = cv2.connectedComponents(closed, connectivity=8)
    if number != 3:
        return whole
    labels = labels[gap:-gap, gap:-gap]
    blocks = [ink & (labels == 1), ink & (labels == 2)]
    apart = count(closed) / max(sum(hull_area(block) for block in blocks), 1)
    are_two = min(piece_count(block) for block in blocks) >= RULES.half_block and apart >= RULES.half_blocks
    return apart if are_two else whole


def _in_one_line(ink: Mask, sides: NDArray[np.int32]) -> bool:
    """Return whether print is one line of letters that are about as large as it is thick."""
    thick, length = sorted(cv2.minAreaRect(cv2.findNonZero(ink.view(np.uint8)))[1])
    even = (sides >= sides.max() / 2).sum() >= len(sides) - 1  # but for a dot
    if not even or length < RULES.line_length * thick or sides.max() > RULES.line_letter * thick:
        return False
    apart = max(3, round(RULES.line_space * thick))
    closed = cv2.morphologyEx(
        np.pad(ink, apart).view(np.uint8), cv2.MORPH_CLOSE, np.ones((apart, apart), np.uint8)
    )
    return piece_count(closed) == 1
