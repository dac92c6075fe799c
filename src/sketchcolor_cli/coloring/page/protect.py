"""What stays paper: the gutters and margins of a comic page, and speech bubbles with their text.

Everything here looks at a copy of the page whose longer side is at most ``LONGEST`` pixels, and needs no
training: gutters are blank strips between straight edges, bubbles are closed white areas that hold print.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from sketchcolor_cli.coloring.settings import Protect
from sketchcolor_cli.imaging.sizes import page_side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Mask = NDArray[np.bool_]
    Levels = NDArray[np.uint8]

LONGEST = 1400
"""Longest side, in pixels, of the copy of the page that is looked at."""

_LOWEST_PAPER = 0.85  # a page whose brightest areas are darker than this has no paper, but a wash
_PAPER_GRAIN = 0.08  # how much darker than paper still is paper


@dataclass(frozen=True, eq=False)
class Masks:
    """Where a page stays paper, (h, w) bool each, on a copy of it; the edges lie under the lines around.

    Attributes:
        gutters: Gutters between panels, and margins.
        bubbles: Speech bubbles and boxes of text.
    """

    gutters: Mask
    bubbles: Mask

    def both(self) -> Plane:
        """Return both together, 1 where the page stays paper."""
        return (self.gutters | self.bubbles).astype(np.float32)

    def shown_on(self, gray: Plane) -> NDArray[np.float32]:
        """Return their page, (H, W), as RGB of their size: gutters are green, bubbles red."""
        small = cv2.resize(gray, self.gutters.shape[::-1], interpolation=cv2.INTER_AREA)
        rgb = np.repeat(small[..., None], 3, axis=2)
        for mask, tint in ((self.gutters, (0.2, 0.8, 0.3)), (self.bubbles, (0.95, 0.3, 0.4))):
            rgb[mask] = 0.5 * rgb[mask] + 0.5 * np.array(tint, np.float32)
        return rgb


def find(gray: Plane, what: Protect) -> Masks | None:
    """Return what of a page (H, W), paper 1 and ink 0, stays paper; None for nothing."""
    if what is Protect.NONE or min(gray.shape) < 32:
        return None
    white, small = _white(gray)
    if max(small.shape) > page_side(*small.shape):
        return _in_pieces(white, small, what)
    return _found(white, small, what)


def _in_pieces(white: Mask, small: Plane, what: Protect) -> Masks:
    """Look at a strip as at pages in a row; each overlaps the next by half, and one has a bubble whole."""
    if small.shape[1] > small.shape[0]:
        lying = _in_pieces(white.T, np.ascontiguousarray(small.T), what)
        return Masks(lying.gutters.T, lying.bubbles.T)
    page = page_side(*small.shape)
    starts = np.linspace(0, len(small) - page, 1 + -(-2 * (len(small) - page) // page)).round().astype(int)
    whole = Masks(np.zeros(white.shape, np.bool_), np.zeros(white.shape, np.bool_))
    for start in starts.tolist():
        piece = slice(start, start + page)
        ends = start == 0, piece.stop == len(small)
        part = _found(white[piece], small[piece], what, ends)
        whole.gutters[piece] |= part.gutters
        whole.bubbles[piece] |= part.bubbles
    # A bubble that is cut where a piece ends may look like a gutter there.
    return Masks(whole.gutters & ~whole.bubbles, whole.bubbles)


def _found(white: Mask, small: Plane, what: Protect, ends: tuple[bool, bool] = (True, True)) -> Masks:
    """Look at a page, or at a piece of a strip that ends with the strip at the top, at the bottom, or not."""
    nothing = np.zeros(white.shape, np.bool_)
    pieces = _Pieces.of(white)
    # Gutters are found even where they may be coloured, for they are no bubbles.
    gutters = _gutters(white, pieces, ends)
    bubbles = nothing if what is Protect.GUTTERS else _bubbles(white & ~gutters, small, pieces)
    gutters = nothing if what is Protect.BUBBLES else gutters
    return Masks(_under_lines(gutters, white), _under_lines(bubbles, white))


class _Pieces(NamedTuple):
    """The pieces of ink of a page.

    How many there are, paper being one; the one of each pixel, (h, w), 0 for paper; and where they are as
    small as print beside panels; as large as letters; and of these no larger than dashes.
    """

    number: int
    labels: NDArray[np.int32]
    tiny: Mask
    letters: Mask
    dashes: Mask

    @classmethod
    def of(cls, white: Mask) -> _Pieces:
        """Find the pieces of what is not paper."""
        long = page_side(*white.shape)
        count, labels, stats, _ = cv2.connectedComponentsWithStats((~white).view(np.uint8), connectivity=8)
        sides = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(1)
        letters = (sides >= _MARK * long) & (sides <= _GLYPH * long)
        tiny, dashes = sides <= _GLYPH * long / 2, letters & (sides <= _SMALL * long)
        kinds = tiny | 2 * letters | 4 * dashes  # looked up for each pixel at once
        kinds[0] = 0
        kind = kinds.astype(np.uint8).take(labels)
        return cls(count, labels, *((kind & bit).astype(np.bool_) for bit in (1, 2, 4)))


def _white(gray: Plane) -> tuple[Mask, Plane]:
    """Return where a copy of the page is paper, and the copy."""
    scale = min(1.0, LONGEST / page_side(*gray.shape))
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    small = gray if scale == 1 else cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    paper = max(_LOWEST_PAPER, float(np.percentile(small[::4, ::4], 95)))
    return small >= paper - _PAPER_GRAIN, small


def _under_lines(mask: Mask, white: Mask) -> Mask:
    """Grow a mask into the ink around it, never into other paper, so that its edge lies under the lines."""
    reach = max(2, round(max(mask.shape) * 0.002))
    grown = cv2.dilate(mask.view(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)).astype(bool)
    out: Mask = mask | (grown & ~white)
    return out


# Gutters: blank strips that go right through a rectangle, with a straight edge beside them, as in an XY-cut

_BLANK = 0.92  # part of a row that is paper in a strip; a bubble or a head may reach into it
_STRAIGHT = 0.5  # part of a row beside a strip that is drawn on, on the side where the edge is clearer
_STRAIGHT_TOO = 0.25  # and on the other side
_DEEPEST = 0.2  # of a margin or gutter, as a part of the page
_SIDE = 0.02  # part of a strip at either end of what is drawn beside it; a panel has its own border there
_NEAR = 4  # rows beside a strip in which its edge may waver
_PRINTED = 1 / 3  # part of the rows of a margin that small print may stand in
_DEEP = 6  # cuts within cuts


def _gutters(white: Mask, pieces: _Pieces, ends: tuple[bool, bool]) -> Mask:
    found = np.zeros(white.shape, np.bool_)
    bare = white | pieces.tiny
    _cut(white, bare, found, slice(0, white.shape[0]), slice(0, white.shape[1]), _DEEP, ends)
    if not found.any():
        return found
    long = max(white.shape)
    # In a strip, paper that is cut off by ink from the rest is part of a drawing that reaches into it.
    count, labels, stats, _ = cv2.connectedComponentsWithStats((white & found).view(np.uint8), connectivity=4)
    kept = np.zeros(count, np.bool_)
    kept[1:] = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(1) > 0.1 * long
    gutters: Mask = kept[labels]
    return gutters | _slanting(white, gutters, found)


def _cut(
    white: Mask, bare: Mask, found: Mask, rows: slice, columns: slice, deep: int, ends: tuple[bool, bool]
) -> None:
    """Mark the strips of a rectangle in ``found``, and go on within the rectangles between them.

    ``bare`` is the page without small print, which may stand in margins.
    """
    for across in (False, True):
        part, empty = (one[rows, columns].T if across else one[rows, columns] for one in (white, bare))
        at_ends = _open_ends(rows, columns, white.shape, across, ends)
        strips = list(_strips(part, empty, *at_ends, white.shape[across]))
        if not strips:
            continue
        start = (columns if across else rows).start
        for strip in strips:
            place = slice(start + strip.start, start + strip.stop)
            found[(rows, place) if across else (place, columns)] = True
        cuts = [0, *(end for strip in strips for end in (strip.start, strip.stop)), part.shape[0]]
        for first, last in list(pairwise(cuts))[::2]:
            if deep and last - first > max(white.shape) // 30:
                place = slice(start + first, start + last)
                _cut(
                    white,
                    bare,
                    found,
                    rows if across else place,
                    place if across else columns,
                    deep - 1,
                    ends,
                )
        return


def _open_ends(
    rows: slice, columns: slice, shape: tuple[int, ...], across: bool, ends: tuple[bool, bool]
) -> tuple[bool, bool]:
    """Return whether the rectangle begins, and ends, at the edge of the page."""
    part, length = (columns, shape[1]) if across else (rows, shape[0])
    return part.start == 0 and (across or ends[0]), part.stop == length and (across or ends[1])


def _strips(part: Mask, empty: Mask, at_start: bool, at_end: bool, page: int) -> Iterator[slice]:
    """Give the runs of blank rows of a rectangle, on a page of so many, that are gutters or margins.

    ``empty`` is the rectangle without small print.
    """
    length = part.shape[0]
    blank = _shares(part) >= _BLANK
    runs = _runs(blank)
    strips = [
        slice(start, stop)
        for start, stop in _runs(_shares(empty) >= _BLANK)
        if ((at_start and start == 0) or (at_end and stop == length))
        and (start, stop) not in runs
        and blank[start:stop].mean() >= 1 - _PRINTED
        and _is_strip(empty, start, stop, at_start, at_end, page)
    ]
    strips += [
        slice(start, stop)
        for start, stop in runs
        if not any(one.start <= start and stop <= one.stop for one in strips)
        and _is_strip(part, start, stop, at_start, at_end, page)
    ]
    yield from sorted(strips, key=lambda one: one.start)


def _shares(part: Mask) -> NDArray[np.float64]:
    """Return how much of each row is marked; quickly, for this is asked of many rectangles."""
    rows = part.strides[1] == 1  # or else the rows are columns in memory
    marks = (part if rows else part.T).view(np.uint8)
    total = cv2.reduce(marks, int(rows), cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    return total.ravel() / part.shape[1]  # type: ignore[no-any-return]


def _runs(rows: Mask) -> list[tuple[int, int]]:
    """Return where runs of rows begin and end."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], rows, [False]]).astype(np.int8)))
    return list(zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True))


def _is_strip(part: Mask, start: int, stop: int, at_start: bool, at_end: bool, page: int) -> bool:
    """Return whether blank rows of a rectangle are a gutter or margin: they lie at straight edges."""
    length = part.shape[0]
    if stop - start < 3 or stop - start == length or stop - start >= _DEEPEST * page:
        return False
    before = (~part[max(0, start - _NEAR) : start]).any(0).mean() if start else float(at_start)
    after = (~part[stop : stop + _NEAR]).any(0).mean() if stop < length else float(at_end)
    if not start or stop == length:  # a margin: one edge is the page's own
        straight = min(before, after) >= _STRAIGHT
    else:
        straight = max(before, after) >= _STRAIGHT and min(before, after) >= _STRAIGHT_TOO
    return straight and not _inside_panel(part, start, stop)


def _inside_panel(part: Mask, start: int, stop: int) -> bool:
    """Return whether the side border of a panel runs through a strip, which then is no gutter."""
    beside = np.concatenate([part[max(0, start - _NEAR) : start], part[stop : stop + _NEAR]])
    drawn = np.flatnonzero(~beside.all(0))
    ends = max(4, round(_SIDE * part.shape[1]))
    crossed = part[start:stop].mean(0) < 1 - _BLANK
    first, last = int(drawn[0]), int(drawn[-1])
    return bool(
        crossed[max(0, first - ends) : first + ends].any() or crossed[last - ends : last + ends].any()
    )


def _slanting(white: Mask, gutters: Mask, strips: Mask) -> Mask:
    """Return long narrow paper that begins at a gutter and lies in no strip: a gutter that is not upright."""
    rest = white & ~strips
    count, labels, stats, _ = cv2.connectedComponentsWithStats(rest.view(np.uint8), connectivity=4)
    long = max(white.shape)
    touched = np.zeros(count, np.bool_)
    touched[labels[_grown(gutters, 1) & rest]] = True
    touched &= stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(1) > 0.15 * long
    if not touched.any():
        return np.zeros(white.shape, np.bool_)
    long_ones = np.pad(touched.take(labels), 1).view(np.uint8)
    inside = cv2.distanceTransform(long_ones, cv2.DIST_L2, 3)[1:-1, 1:-1]
    touched[labels[inside > 0.015 * long]] = False
    out: Mask = touched.take(labels)
    return out


# Bubbles: closed white areas, about convex, that hold print

_LEAST, _MOST = 0.0008, 0.2  # size of a bubble, as a part of the page
_SOLID = 0.72  # part of its convex hull that a bubble fills; tails and spikes take some
_ROUND = 0.93  # the same of one without tail or spikes, in which fewer letters are enough
_PRINT = (0.008, 0.5)  # part of the bubble that is print
_GLYPH = 0.045  # longest side of a piece of a letter, as a part of the page's longer side
_LETTERS = 0.6  # part of the holes that such pieces are
_APART = 0.006  # print keeps this far from the outline, as a part of the longer side; screentone does not,
_NOT_APART = 0.04  # but for this part
_GAP = 0.012  # between letters of a block, as a part of the longer side
_MANY, _ALIKE = 8, 0.1  # so many pieces of areas that differ less than this, to their mean, are a pattern
_ALONE = 0.95  # part of the holes that such a line is
_LINE = 1.6  # how long a line of few letters is at least, to its thickness
_LETTER, _SPACE = 1.4, 0.6  # how large its letters are at most, and what is between them, the same
_BLOCK, _BLOCKS = 3, 0.8  # pieces of letters in each of two blocks
_PALE = 0.72  # brightness of most print, at most: letters are darker than screentone


@dataclass(frozen=True)
class _Print:
    """How much print must be there, and how closely it must stand: a face has few features, far apart.

    Few letters must stand in one line, and be of one size, which features do not.
    """

    pieces: int
    block: float
    solid: float
    line: bool = False
    stray: float = _NOT_APART
    pale: float = _PALE


_ENOUGH = (
    _Print(20, 0.3, _SOLID),
    _Print(8, 0.5, _SOLID),
    _Print(4, 0.55, _ROUND),
    _Print(3, 0.7, _ROUND, line=True),
    _Print(2, 0.85, _ROUND),
)
_RUN_TOGETHER = _Print(8, 0.8, _ROUND, stray=0.01)
_ENOUGH_IF_OPEN = (*_ENOUGH[:2], _Print(4, 0.7, _ROUND, line=True))
_ENOUGH_IF_WIDE_OPEN = (_Print(8, 0.75, 0.9, stray=0.03, pale=0.65),)


def _bubbles(white: Mask, small: Plane, pieces: _Pieces) -> Mask:
    long = page_side(*white.shape)
    opened = _opened(white, small, _marks(pieces, long), long)
    out = opened.copy()
    for place, region in _regions(white):
        filled = _bubble(region, small[place], long)
        if filled is not None and not _mostly_elsewhere(filled, opened[place], white[place]):
            out[place] |= filled
    return out


def _mostly_elsewhere(filled: Mask, opened: Mask, white: Mask) -> bool:
    """Return whether a bubble is but the lettered part of white that a gap joins to something else."""
    inside, marks = filled & opened, filled & ~white
    much = _count(filled & ~opened) > _ELSEWHERE * _count(filled)
    return bool(inside.any() and much and _count(marks & inside) > (1 - _STRAY) * _count(marks))


def _regions(mask: Mask, least: float = _LEAST) -> Iterator[tuple[tuple[slice, slice], Mask]]:
    """Give the connected parts of a mask that are as large as a bubble: the box around each, and it there."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=4)
    area = stats[:, cv2.CC_STAT_AREA] / mask.size
    area[0] = 0
    for label in np.flatnonzero((area >= least) & (area <= _MOST)).tolist():
        left, top, width, height = stats[label, :4].tolist()
        place = np.s_[top : top + height, left : left + width]
        yield place, labels[place] == label


# Bubbles that are joined with another, or whose outline has a gap: cut off where the white is narrow

_NECKS = (0.022, 0.014, 0.008)  # half of the width at which white is cut, as a part of the longer side
_MARK = 0.0035  # longest side of the smallest letter, the same: dots of screentone are smaller
_CLOSED = 0.8  # part of the outline that must be ink
_THICK = 0.005  # how thick a line of the smallest letters is, as a part of the longer side
_SMALL = 0.009  # longest side of a dash or dot of an outline, the same
_BETWEEN = 0.003  # half of the gap between the dashes of an outline, the same
_OPEN = 0.33  # part of the outline that may be open around print that is like nothing else
_SIDED = 0.8  # part of the gap in an outline beyond which there is another bubble
_ELSEWHERE = 0.15  # part of a white area that is more than the tail of a bubble
_STRAY = 0.1  # part of the print of a bubble that may be letters in the drawing


def _opened(white: Mask, small: Plane, marks: Mask, long: int) -> Mask:
    """Return bubbles that hang together with other white, which narrows where they end."""
    paper = white | marks
    out = np.zeros(white.shape, np.bool_)
    dashed = ~_grown(~paper, round(_BETWEEN * long))
    parts = []
    for reach, place, region in _narrowed(paper, marks, long):
        rim = _grown(region, 1) & ~region
        gap = rim & paper[place]
        part, wide = (_count(one) / _count(rim) for one in (gap, gap & dashed[place]))
        if part <= _OPEN or wide <= 1 - _CLOSED:
            parts.append((part, reach, place, region, gap))
    # The widest cut of an outline that is about closed; or else the one that leaves the least of it open.
    parts.sort(key=lambda part: max(part[0], 1 - _CLOSED))
    # Few letters are enough where the gap leads to another bubble.
    enough: tuple[_Print, ...]
    for beside in False, True:
        for part, reach, place, region, gap in parts:
            closed = part <= 1 - _CLOSED
            if (beside and not closed) or (region & out[place]).any():
                continue
            enough = _ENOUGH_IF_OPEN if closed else _ENOUGH_IF_WIDE_OPEN
            if beside:
                if _count(gap & _grown(out[place], 2 * reach)) <= _SIDED * _count(gap):
                    continue
                enough = _ENOUGH
            filled = _bubble(region & white[place], small[place], long, enough)
            if filled is not None:
                out[place] |= filled
    return out


def _narrowed(paper: Mask, marks: Mask, long: int) -> Iterator[tuple[int, tuple[slice, ...], Mask]]:
    """Give the parts with marks on them into which paper falls when it is cut where it is narrow.

    Each as half of that width, box, and mask; where paper is widest first.
    """
    far = cv2.distanceTransform(np.pad(paper, 1).view(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    far, printed = far[::2, ::2], marks[::2, ::2]  # half the size is enough for what is so wide
    for half in _NECKS:
        reach = round(half * long) + 1
        for box, core in _regions(far > half * long, _LEAST / 4):
            if _count(printed[box] & core) < _PRINT[0] * _count(core):
                continue
            around = tuple(slice(max(0, one.start - 2 * reach), one.stop + 2 * reach) for one in box)
            away = np.ones(far[around].shape, np.uint8)
            away[
                tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(box, around, strict=True))
            ] -= core
            grown = cv2.distanceTransform(away, cv2.DIST_L2, 3) <= reach / 2
            place = tuple(slice(2 * one.start, 2 * one.stop) for one in around)
            part = paper[place]
            yield reach, place, grown.repeat(2, 0).repeat(2, 1)[: part.shape[0], : part.shape[1]] & part


def _marks(pieces: _Pieces, long: int) -> Mask:
    """Return pieces of ink as large as letters; not the dashes of an outline, which stand in thin lines."""
    thick = np.ones((max(3, round(_THICK * long)),) * 2, np.uint8)
    lines = cv2.morphologyEx(pieces.letters.view(np.uint8), cv2.MORPH_CLOSE, thick)
    lines = cv2.morphologyEx(lines, cv2.MORPH_OPEN, thick).view(np.bool_)
    kept = np.zeros(pieces.number, np.bool_)
    kept[pieces.labels[lines & pieces.dashes]] = True
    marks = pieces.letters & ~pieces.dashes
    if kept.any():
        marks |= kept.take(pieces.labels)
    return marks


def _count(mask: Mask) -> int:
    return int(cv2.countNonZero(mask.view(np.uint8)))


def _grown(mask: Mask, by: int) -> Mask:
    grown = cv2.dilate(mask.view(np.uint8), np.ones((2 * by + 1, 2 * by + 1), np.uint8))
    return grown.view(np.bool_)  # type: ignore[no-any-return]


def _bubble(region: Mask, gray: Plane, long: int, enough: tuple[_Print, ...] = _ENOUGH) -> Mask | None:
    """Return a white region with its holes filled if it is a bubble with print in it."""
    in_lines = enough is _ENOUGH
    outlines, _ = cv2.findContours(
        np.pad(region, 1).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    outer = max(outlines, key=cv2.contourArea)
    size = cv2.contourArea(outer)
    solid = size / max(cv2.contourArea(cv2.convexHull(outer)), 1)
    enough = tuple(one for one in enough if solid >= one.solid)
    if not enough:
        return None
    framed: Levels = np.zeros((region.shape[0] + 2, region.shape[1] + 2), np.uint8)
    cv2.drawContours(framed, [outer], -1, 1, cv2.FILLED)
    filled = framed[1:-1, 1:-1].view(np.bool_)
    holes = filled & ~region
    marked = _count(holes)
    if not _PRINT[0] <= marked / max(size, 1) <= _PRINT[1]:
        return None
    letters = _letters(holes, long)
    if letters.areas.sum() < _LETTERS * marked:
        # Lines of small print run together; the middle of a letter is darker than what joins it to the next.
        if not in_lines or solid < _ROUND or letters.in_lines < _LETTERS * marked:
            return None
        enough = (_RUN_TOGETHER,)
        middle = holes & (gray < (gray[holes].min() + 1) / 2)
        letters = _letters(middle, long)
        if letters.areas.sum() < _LETTERS * _count(middle):
            return None
    fits = [one for one in enough if len(letters.areas) >= one.pieces]
    if not fits or (len(letters.areas) >= _MANY and letters.areas.std() < _ALIKE * letters.areas.mean()):
        return None
    ink = letters.chosen.take(letters.labels)
    far = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    stray, pale = (far[ink] < _APART * long).mean(), float(np.median(gray[ink]))
    fits = [one for one in fits if stray <= one.stray and pale <= one.pale]
    if not fits:
        return None
    gap = max(_GAP * long, 1.4 * float(np.median(letters.sides)) if fits[0].pieces >= 8 else 0)
    block = _block(ink, max(3, round(gap)))
    fits = [one for one in fits if block >= one.block]
    if any(not one.line for one in fits):
        return filled
    alone = letters.areas.sum() > _ALONE * marked
    return filled if fits and alone and _in_line(ink, letters.sides) else None


class _Letters(NamedTuple):
    """The pieces of ink as large as letters.

    The number of each pixel's piece, and which pieces are chosen; longer sides and areas of these; and the
    area of all pieces that are no thicker than a line of letters.
    """

    labels: NDArray[np.int32]
    chosen: Mask
    sides: NDArray[np.int32]
    areas: NDArray[np.int32]
    in_lines: int


def _letters(ink: Mask, long: int) -> _Letters:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink.view(np.uint8), connectivity=8)
    across = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    areas, sides, thick = stats[:, cv2.CC_STAT_AREA], across.max(1), across.min(1)
    large = areas >= 4
    large[0] = False
    chosen = large & (sides <= _GLYPH * long)
    thin = large & (thick <= _GLYPH * long)
    return _Letters(labels, chosen, sides[chosen], areas[chosen], int(areas[thin].sum()))


def _block(ink: Mask, gap: int) -> float:
    """Return how much of its convex hull print fills when gaps of this many pixels are closed.

    In joined bubbles print stands in two blocks, of a few letters each; then of the hulls of these.
    """
    closed = cv2.morphologyEx(np.pad(ink, gap).view(np.uint8), cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))
    whole = float(closed.sum()) / max(_hull(ink), 1)
    count, labels = cv2.connectedComponents(closed, connectivity=8)
    if count != 3:
        return whole
    labels = labels[gap:-gap, gap:-gap]
    blocks = [ink & (labels == 1), ink & (labels == 2)]
    apart = float(closed.sum()) / max(sum(_hull(block) for block in blocks), 1)
    return apart if min(_pieces(block) for block in blocks) >= _BLOCK and apart >= _BLOCKS else whole


def _hull(ink: Mask) -> float:
    """Return the area of the convex hull of a mask; 0 of an empty one."""
    places = cv2.findNonZero(ink.view(np.uint8))
    return 0.0 if places is None else float(cv2.contourArea(cv2.convexHull(places)))


def _pieces(ink: Mask | Levels) -> int:
    return int(cv2.connectedComponents(ink.view(np.uint8), connectivity=8)[0]) - 1


def _in_line(ink: Mask, sides: NDArray[np.int32]) -> bool:
    """Return whether print is one line of letters that are about as large as it is thick."""
    thick, length = sorted(cv2.minAreaRect(cv2.findNonZero(ink.view(np.uint8)))[1])
    even = (sides >= sides.max() / 2).sum() >= len(sides) - 1  # but for a dot
    if not even or length < _LINE * thick or sides.max() > _LETTER * thick:
        return False
    apart = max(3, round(_SPACE * thick))
    closed = cv2.morphologyEx(
        np.pad(ink, apart).view(np.uint8), cv2.MORPH_CLOSE, np.ones((apart, apart), np.uint8)
    )
    return _pieces(closed) == 1
