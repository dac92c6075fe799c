"""Flat colours: a page cut into regions along its own lines, each of one colour, for filling and selecting.

Gaps in the lines are closed as in trapped-ball segmentation (Zhang et al. 2009, "Vectorizing cartoon
animations"): a region is what a ball of some radius can reach, and smaller balls fill what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.coloring.guides.palette import nearest
from sketchcolor_cli.coloring.page.regions import borders, groups
from sketchcolor_cli.compute import deadline
from sketchcolor_cli.imaging.resize import shrink_by
from sketchcolor_cli.imaging.sizes import page_area, page_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Lab = NDArray[np.float32]
    Labels = NDArray[np.int32]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class FlatRules:
    """How a page is cut into flat colours; distances of colours are in CIELAB."""

    thickest_line: float = 0.012
    """Widest line, as a part of the page's longer side; a wider black area is a region."""
    line_contrast: float = 0.2
    """Brightness by which a line is darker than what is around it."""
    edge_step: float = 0.35
    """Change of brightness within three pixels that is as good as a line."""
    balls: tuple[float, ...] = (0.006, 0.003, 0.0012)
    """Radii of the balls, as parts of the page's longer side."""
    speck: float = 0.00006
    """Smaller regions, as a part of the page, go to a neighbour."""
    patch: float = 0.0015
    """The same for the parts of a region that has no line between its colours."""
    same_color: float = 7.0
    """Distance below which neighbours without a line between them are one."""
    several_colors: float = 14.0
    """Spread of paint from which on a region has several colours."""
    clusters: int = 12
    """Colours that a page is reduced to, to find them."""
    rounds: int = 3
    """Rounds of merging."""
    samples: int = 500_000
    """Pixels of a page that are enough to find the colours of its regions."""
    few_samples: int = 50
    """Of them in a region, below which all its pixels are looked at."""
    smallest_kept: float = 0.1
    """Part of a speck; so large a thing is none where lines close it in and it has another colour."""
    compactness: float = 0.45
    """Part of its box that such a thing fills; what is between strokes of hatching does not."""
    most: int = 16_000_000
    """Pixels of the copy on which the regions of a larger page are found; lines are thick on such a one."""
    other_color: float = 8.0
    """Distance from what is around that is another colour, or of brightness, in hundredths."""


_RULES = FlatRules()


@dataclass(frozen=True, eq=False)
class Flats:
    """A page in flat colours.

    Attributes:
        labels: (H, W) int32, the region of each pixel, from 0; lines belong to the regions beside them.
        colors: (R, 3), RGB in [0, 1], the colour of each region.
    """

    labels: Labels
    colors: NDArray[np.float32]

    def rgb(self) -> NDArray[np.float32]:
        """Return the picture (H, W, 3); no pixel has a colour between two regions."""
        out: NDArray[np.float32] = self.colors[self.labels]
        return out


def find_flats(gray: Plane, paint: Lab, paper: Mask | None = None, palette: Lab | None = None) -> Flats:
    """Cut a page into regions and give each its colour.

    ``gray`` (H, W) is the page, paper 1 and ink 0, without screentone; ``paint`` (h, w, 3), Lab, what it is
    painted with; ``paper``, of any size, where it stays paper; ``palette`` (K, 3), Lab, the only colours
    that regions may have, beside white.

    Raises:
        TimeLimitError: The time for it is over.
    """
    small = shrink_by(gray, (_RULES.most / gray.size) ** 0.5)
    found = _found(small, paint, paper, palette)
    if small is gray:
        return found
    return Flats(cv2.resize(found.labels, gray.shape[::-1], interpolation=cv2.INTER_NEAREST), found.colors)


def _found(gray: Plane, paint: Lab, paper: Mask | None, palette: Lab | None) -> Flats:
    height, width = gray.shape
    colors = cv2.resize(paint, (width, height), interpolation=cv2.INTER_LINEAR)
    if paper is not None:
        kept = cv2.resize(paper.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        colors[kept.astype(bool)] = (100, 0, 0)
    line = find_lines(gray)
    deadline.check()
    labels = closed_regions(line)
    deadline.check()
    means, spread = _robust(labels, colors, ~line)
    labels = _parted(labels, colors, spread)
    closed = _closed_in(labels, line, colors, gray)
    for _ in range(_RULES.rounds):
        deadline.check()
        labels = _without_specks(labels, round(_RULES.speck * page_area(*gray.shape)), kept=closed)
        means, _ = _robust(labels, colors, ~line)
        labels, merged = _joined(labels, line, means)
        if not merged:
            break
    means, _ = _robust(labels, colors, ~line)
    if palette is not None:
        allowed = np.concatenate([palette, np.array([[100, 0, 0]], np.float32)])
        means = allowed[nearest(means, allowed)]
    rgb = cv2.cvtColor(means[None], cv2.COLOR_LAB2RGB)[0].clip(0, 1)
    # In steps of 8 bits, so that regions of about one colour have one to the wand.
    return Flats(labels, (np.rint(rgb * 255) / 255).astype(np.float32))


def find_lines(gray: Plane) -> Mask:
    """Return where the page has lines, and the edges of solid black."""
    wide = max(5, round(_RULES.thickest_line * page_side(*gray.shape))) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide))
    around = cv2.morphologyEx(gray, cv2.MORPH_CLOSE, disc)
    step = cv2.morphologyEx(gray, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    out: Mask = (around - gray > _RULES.line_contrast) | (step > _RULES.edge_step)
    return out


def closed_regions(line: Mask, gap: float = 0) -> Labels:
    """Return a label for every pixel; the borders lie in the middle of lines and in the gaps between them.

    Gaps up to twice the largest ball are closed, or up to ``gap``, a part of the page's longer side.
    """
    far = cv2.distanceTransform(
        np.pad(~line, 1, constant_values=True).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )[1:-1, 1:-1]
    marks = np.zeros(line.shape, np.int32)
    wider = (gap / 2,) if gap / 2 > max(_RULES.balls) else ()
    for part in (*wider, *_RULES.balls):
        _roll(marks, far, max(1.5, part * page_side(*line.shape)))
    # What no ball reaches, corners and hatching, goes to the region it opens to, or is one of its own.
    count = int(marks.max())
    found, rest = cv2.connectedComponents(((marks == 0) & ~line).view(np.uint8), connectivity=4)
    marks[rest > 0] = rest[rest > 0] + count
    if not marks.any():
        return np.zeros(line.shape, np.int32)
    spare = np.zeros(count + found, np.bool_)
    spare[count + 1 :] = True
    return numbered(_nearest(given_away(marks, spare, ~line), line))


def _roll(marks: Labels, far: Plane, ball: float) -> None:
    """Mark, in place, what a ball of this radius reaches, but what hangs together with a mark."""
    count = int(marks.max())
    found, cores = cv2.connectedComponents((far > ball).view(np.uint8), connectivity=4)
    known = np.zeros(found, np.bool_)
    known[cores[marks > 0]] = True
    known[0] = True
    fresh = ~known[cores]
    if not fresh.any():
        return
    away, nearest_ = cv2.distanceTransformWithLabels(
        (~fresh).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    name = np.zeros(int(nearest_.max()) + 1, np.int32)
    name[nearest_[fresh]] = cores[fresh] + count
    reached = (away <= ball) & (far > 0) & (marks == 0)
    marks[reached] = name[nearest_[reached]]


def _nearest(marks: Labels, line: Mask) -> Labels:
    """Return the labels with those of lines, which have none, taken from the nearest pixel that has one."""
    _, place = cv2.distanceTransformWithLabels(
        line.view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    name = np.zeros(int(place.max()) + 1, np.int32)
    name[place[~line]] = marks[~line]
    out: Labels = np.where(line, name[place], marks)
    return out


def given_away(labels: Labels, spare: Mask, seen: Mask | None = None, kinds: Labels | None = None) -> Labels:
    """Return labels with each that is ``spare`` replaced by its neighbour with the longest border, if any.

    Only borders between pixels that are ``seen`` count, all if None; only to neighbours of the same kind, of
    ``kinds`` by label, where these are given.
    """
    pairs, lengths = borders(labels, seen)
    both, length = np.concatenate([pairs, pairs[:, ::-1]]), np.concatenate([lengths, lengths])
    useful = spare[both[:, 0]] & ~spare[both[:, 1]]
    if kinds is not None:
        useful &= kinds[both[:, 0]] == kinds[both[:, 1]]
    elif seen is not None:
        useful &= both[:, 1] > 0
    both, length = both[useful], length[useful]
    order = np.lexsort((length, both[:, 0]))
    target = np.arange(len(spare), dtype=np.int32)
    own, other = both[order].T
    target[own] = other  # the longest border is written last, and stays
    out: Labels = target[labels]
    return out


def numbered(labels: Labels) -> Labels:
    """Return labels from 0 on, without gaps."""
    used = np.zeros(int(labels.max()) + 1, np.bool_)
    used[labels] = True
    place = np.cumsum(used, dtype=np.int32) - 1
    out: Labels = place[labels]
    return out


def _robust(labels: Labels, colors: Lab, seen: Mask) -> tuple[Lab, Plane]:
    """Return each region's colour, a mean that leaves out what is far from it, and how far paint spreads."""
    from scipy.sparse import csr_array

    count = int(labels.max()) + 1
    step = max(1, round((labels.size / _RULES.samples) ** 0.5))
    sample = np.zeros(labels.shape, np.bool_)
    sample[::step, ::step] = True
    few = np.bincount(labels[::step, ::step].ravel(), minlength=count) < _RULES.few_samples
    if step > 1 and few.any():
        sample |= few.take(labels)
    place = np.flatnonzero(sample)
    flat = labels.ravel()[place]
    # Region after region, as running over them in their order is several times as fast.
    place = place[csr_array((np.arange(len(place)), (flat, np.arange(len(place)))), (count, len(place))).data]
    lengths = np.bincount(flat, minlength=count)
    filled = np.flatnonzero(lengths)
    lengths = lengths[filled]
    starts = np.cumsum(lengths) - lengths
    once = np.where(seen.ravel()[place], 1.0, 1e-3)  # a region that is all line has the colour under it
    planes = np.ascontiguousarray(colors.reshape(-1, colors.shape[2])[place].T)
    weight = once
    for _ in range(3):
        total = np.maximum(np.add.reduceat(weight, starts), 1e-12)
        means = np.stack([np.add.reduceat(weight * plane, starts) / total for plane in planes])
        off = np.zeros(len(place), np.float32)
        for mean, plane in zip(means.astype(np.float32), planes, strict=True):
            away = plane - np.repeat(mean, lengths)
            off += away * away
        spread = np.add.reduceat(weight * np.sqrt(off), starts) / total
        weight = once / (1 + off / 36)
    mean, wide = np.zeros((count, len(planes)), np.float32), np.zeros(count, np.float32)
    mean[filled], wide[filled] = means.T, spread
    return mean, wide


def _parted(labels: Labels, colors: Lab, spread: Plane) -> Labels:
    """Cut regions whose paint has several colours, with no line between, along the change of colour."""
    many = spread > _RULES.several_colors
    if not many.any():
        return labels
    fine = min(labels.shape) < 8  # nothing to make smaller
    small = colors if fine else cv2.resize(colors, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = small.reshape(-1, 3)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    cv2.setRNGSeed(0)
    count = min(_RULES.clusters, len(small))
    _, _, centres = cv2.kmeans(small, count, np.zeros(0), criteria, 1, cv2.KMEANS_PP_CENTERS)
    place = np.zeros(labels.shape, np.int32)
    inside = many[labels]
    place[inside] = _nearest_in_blocks(colors[inside], centres) + 1
    whole = labels * (count + 1) + place
    parts = _connected(numbered(whole))
    # Patches that are too small for a change of colour go back to their neighbours.
    return _without_specks(parts, round(_RULES.patch * page_area(*labels.shape)), only=many[labels])


def _nearest_in_blocks(colors: Lab, palette: Lab) -> NDArray[np.intp]:
    blocks = np.array_split(colors, max(1, len(colors) // 200_000))
    return np.concatenate([nearest(block, palette) for block in blocks])


def _connected(labels: Labels) -> Labels:
    """Return labels of which each hangs together."""
    begins = np.ones(labels.shape, np.bool_)
    begins[:, 1:] = labels[:, 1:] != labels[:, :-1]
    runs = np.cumsum(begins, dtype=np.int32).reshape(labels.shape) - 1  # in rows; far fewer than pixels
    down = labels[:-1] == labels[1:]
    first, second = runs[:-1][down], runs[1:][down]
    other = np.ones(len(first), np.bool_)
    other[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    first, second = first[other], second[other]
    number = int(runs[-1, -1]) + 1
    return numbered(groups(np.stack([first, second], 1), number)[runs])


def _without_specks(labels: Labels, least: int, only: Mask | None = None, kept: Mask | None = None) -> Labels:
    """Give regions of fewer pixels than ``least`` to the neighbour with the longest border.

    With ``only``, a mask, those alone that lie in it; without those that lie in ``kept``.
    """
    for _ in range(_RULES.rounds):
        count = int(labels.max()) + 1
        small = np.bincount(labels.ravel(), minlength=count) < least
        if only is not None:
            small &= np.bincount(labels[only], minlength=count) > 0
        if kept is not None:
            small[labels[kept]] = False
        if not small.any():
            break
        labels = numbered(given_away(labels, small))
    return labels


def _closed_in(labels: Labels, line: Mask, colors: Lab, gray: Plane) -> Mask:
    """Return a pixel of each small region that lines close in, as an eye or a button, and that stands out."""
    count = int(labels.max()) + 1
    speck = _RULES.speck * page_area(*labels.shape)
    open_ = np.bincount(labels[~line], minlength=count)  # pixels that are not line
    whole = np.bincount(labels.ravel(), minlength=count)
    small = (whole < speck) & (open_ >= max(6.0, _RULES.smallest_kept * speck))
    pairs, _ = borders(labels, ~line)
    small[pairs.ravel()] = False
    out = np.zeros(labels.shape, np.bool_)
    if not small.any():
        return out
    y, x = np.nonzero(small.take(labels) & ~line)
    own = labels[y, x]
    box = [np.full(count, 1 << 30), np.full(count, 1 << 30), np.zeros(count, int), np.zeros(count, int)]
    for place, low, high in ((y, box[0], box[2]), (x, box[1], box[3])):
        np.minimum.at(low, own, place)
        np.maximum.at(high, own, place)
    filled = open_ / np.maximum((box[2] - box[0] + 1) * (box[3] - box[1] + 1), 1)
    small &= filled >= _RULES.compactness
    means, _ = _robust(labels, np.concatenate([colors, 100 * gray[..., None]], 2), ~line)
    pairs, _ = borders(labels)
    apart = np.abs(means[pairs[:, 0]] - means[pairs[:, 1]])
    differs = np.maximum(np.linalg.norm(apart[:, :3], axis=1), apart[:, 3]) >= _RULES.other_color
    alike = np.unique(pairs[~differs])
    small[alike] = False
    first = small[own]
    out[y[first], x[first]] = True
    return out


def _joined(labels: Labels, line: Mask, means: Lab) -> tuple[Labels, bool]:
    """Join neighbours of about one colour without a line between them: there was no gap to close."""
    pairs, lengths = borders(labels, ~line)
    if not len(pairs):
        return labels, False
    alike = np.linalg.norm(means[pairs[:, 0]] - means[pairs[:, 1]], axis=1) < _RULES.same_color
    alike &= lengths >= 2
    if not alike.any():
        return labels, False
    count = len(means)
    return numbered(groups(pairs[alike], count)[labels]), True
