"""Scenes of one panel or several: a place, what stands in it, balloons, and frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from scenes import people, places
from scenes.canvas import SCALE, Canvas, ellipse, rectangle

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from scenes.parts import Library, Part

_LINES = 1.0, 4.2  # widths that a part's lines may have, in pixels of the picture
_INKS = [(0, 0, 0)] * 8 + [(45, 30, 25), (25, 30, 55)]


@dataclass
class Scene:
    """A composed picture.

    Attributes:
        kind: Of its place; several are joined by a plus sign.
        color: (H, W, 3) RGB.
        line: (H, W), paper 255.
        parts: What it was made of, each once.
    """

    kind: str
    color: NDArray[np.uint8]
    line: NDArray[np.uint8]
    parts: list[Part]


@dataclass
class _Used:
    parts: dict[str, Part] = field(default_factory=dict)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)


def scene(rng: Generator, library: Library) -> Scene:
    """Compose a scene with a shorter side from 176 to 256 pixels."""
    short = int(rng.integers(176, 257)) // 2 * 2
    ratio = rng.choice([1, 1.33, 1.5, 0.75, 0.67])
    width, height = (short * ratio, short) if ratio >= 1 else (short, short / ratio)
    size = round(width) * SCALE, round(height) * SCALE
    pen = SCALE * rng.uniform(0.8, 2.0)
    if rng.random() < 0.2:
        return _panels(rng, library, size, min(pen, SCALE * 1.6))
    canvas, kind, used = _panel(rng, library, size, pen)
    if rng.random() < 0.15:
        _frame(canvas, 0, 0, *size)
    color, line = canvas.finish(_INKS[int(rng.integers(len(_INKS)))])
    return Scene(kind, color, line, list(used.values()))


def _panels(rng: Generator, library: Library, size: tuple[int, int], pen: float) -> Scene:
    """Compose two to four panels on white paper."""
    width, height = max(size[0], 224 * SCALE), max(size[1], 224 * SCALE)
    page = Canvas(width, height, pen)
    gutter = round(min(width, height) * rng.uniform(0.02, 0.045))
    kinds, used = [], {}
    for x, y, w, h in _layout(rng, width, height, gutter):
        canvas, kind, parts = _panel(rng, library, (w, h), pen)
        page.paste(canvas, x, y)
        _frame(page, x, y, w, h)
        kinds.append(kind)
        used.update(parts)
    color, line = page.finish((0, 0, 0))
    return Scene("+".join(kinds), color, line, list(used.values()))


def _layout(rng: Generator, width: int, height: int, gutter: int) -> list[tuple[int, int, int, int]]:
    """Return two to four panels of a page as x, y, width, height."""
    edge = gutter if rng.random() < 0.7 else 0
    rows = 1 if width > height * 1.25 else 3 if height > width * 1.1 and rng.random() < 0.3 else 2
    if rows == 1:
        columns = [int(rng.integers(2, 4))]
    elif rows == 2:
        columns = [int(rng.integers(1, 3)) for _ in range(2)]
    else:
        columns = [1, 1, int(rng.integers(1, 3))]
        rng.shuffle(columns)
    found = []
    for (y0, y1), count in zip(_cuts(rng, edge, height - edge, rows, gutter), columns, strict=True):
        found += [(x0, y0, x1 - x0, y1 - y0) for x0, x1 in _cuts(rng, edge, width - edge, count, gutter)]
    return found


def _cuts(rng: Generator, start: int, end: int, count: int, gutter: int) -> list[tuple[int, int]]:
    shares = rng.uniform(0.8, 1.25, count)
    lengths = shares / shares.sum() * (end - start - gutter * (count - 1))
    at, found = float(start), []
    for length in lengths:
        found.append((round(at), round(at + length)))
        at += length + gutter
    return found


def _frame(canvas: Canvas, x: int, y: int, width: int, height: int) -> None:
    canvas.stroke(rectangle(x, y, width - 1, height - 1), 1.3, closed=True)


def _panel(
    rng: Generator, library: Library, size: tuple[int, int], pen: float
) -> tuple[Canvas, str, dict[str, Part]]:
    kinds = list(places.KINDS)
    weights = np.array([places.KINDS[kind][1] for kind in kinds])
    kind = str(rng.choice(kinds, p=weights / weights.sum()))
    pen = max(0.7 * SCALE, pen * min(1, min(size) / (170 * SCALE)))
    canvas, used = Canvas(*size, pen), _Used()
    place = places.KINDS[kind][0](rng, canvas)
    slots = list(place.slots)
    if kind not in ("portrait", "underwater", "sea", "still life") and rng.random() < 0.12:
        slots.append(
            places.Slot(places.BUST, canvas.height * 1.02, canvas.height * 1.02, (0.45, 0.65), far=1)
        )
    for slot in slots:
        _fill(rng, canvas, library, slot, used)
    place.front()
    if rng.random() < 0.1:
        _balloon(rng, canvas)
    return canvas, kind, used.parts


def _fill(rng: Generator, canvas: Canvas, library: Library, slot: places.Slot, used: _Used) -> None:
    """Put parts into a slot, the farthest first, beside what is there rather than upon it."""
    count = max(0, int(rng.integers(slot.count[0], slot.count[1] + 1)))
    for y in np.sort(rng.uniform(slot.top, slot.bottom, count)):
        near = (y - slot.top) / (slot.bottom - slot.top) if slot.bottom > slot.top else 1.0
        unit = min(canvas.width, canvas.height) * (slot.far + (1 - slot.far) * near)
        kind = slot.kinds[int(rng.integers(len(slot.kinds)))]
        part = _drawn(rng, library, "head" if kind == "drawn-person" else kind)
        if part is None:
            continue
        side = unit * rng.uniform(*slot.size)
        height = side if part.aspect < 1 else side / part.aspect
        if kind in ("drawn-person", "person", *places.BUST):
            height = side
        if kind == "drawn-person":
            x = _free(rng, canvas, slot, used, y - height, side * 0.45, height)
            if people.person(rng, canvas, part, x, y, height):
                used.parts[part.key] = part
            continue
        height = _sized(part, height)
        width = height * part.aspect
        top = y - height / 2 if slot.floats else y - height
        if kind == "person" and not part.stands:
            top = canvas.height * 1.02 - height
        x = _free(rng, canvas, slot, used, top, width, height)
        canvas.part(part, x - width / 2, top, width, height, mirror=bool(rng.random() < 0.5))
        used.parts[part.key] = part


def _drawn(rng: Generator, library: Library, kind: str) -> Part | None:
    """Return a part of a kind. Avatars have hair of all colours, so those of natural ones come more often."""
    part = library.draw(rng, [kind])
    for _ in range(3):
        if part is None or kind not in ("head", "avatar") or not people.is_dyed(part) or rng.random() < 0.3:
            break
        part = library.draw(rng, [kind])
    return part


def _sized(part: Part, height: float) -> float:
    """Return the height nearest to this one at which a part's lines are as wide as pens draw."""
    width = part.line_width * height / part.mask.shape[0]
    if width < _LINES[0] * SCALE:
        height *= min(1.4, _LINES[0] * SCALE / width)
    elif width > _LINES[1] * SCALE:
        height *= max(0.6, _LINES[1] * SCALE / width)
    return height


def _free(
    rng: Generator, canvas: Canvas, slot: places.Slot, used: _Used, top: float, width: float, height: float
) -> float:
    """Return the x of some at which a thing hides the least of what was put there before."""
    margin = min(width * 0.4, canvas.width * 0.4)
    low, high = slot.left * canvas.width, slot.right * canvas.width
    low, high = (low + margin * 0.5, high - margin * 0.5) if high - low > margin else (low, high)
    best, least = canvas.width / 2, np.inf
    for x in rng.uniform(low, max(low + 1, high), 7):
        box = x - width / 2, top, x + width / 2, top + height
        hidden = sum(_overlap(box, other) for other in used.boxes)
        if hidden < least:
            best, least = float(x), hidden
    used.boxes.append((best - width / 2, top, best + width / 2, top + height))
    return best


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _balloon(rng: Generator, canvas: Canvas) -> None:
    """Draw a speech balloon with strokes as lettering, its tail downwards."""
    w, h = canvas.width, canvas.height
    half, tall = w * rng.uniform(0.13, 0.22), h * rng.uniform(0.07, 0.11)
    x, y = rng.uniform(half * 1.1, w - half * 1.1), rng.uniform(tall * 1.2, h * 0.25)
    outline = ellipse(x, y, half, tall, 40)
    turn = int(rng.integers(7, 12))
    tip = np.array([(x + (outline[turn, 0] - x) * 1.2, y + tall * rng.uniform(1.5, 2))])
    canvas.shape(np.concatenate([outline[: turn - 1], tip, outline[turn + 2 :]]), (255, 255, 255))
    letters = []
    for row in (-0.35, 0.05, 0.45):
        reach = half * 0.62 * np.sqrt(1 - row**2)
        at = x - reach
        while at < x + reach:
            size = tall * 0.16
            end = at + rng.uniform(1.5, 4) * size
            steps = np.arange(at, min(end, x + reach), size * 0.5)
            if len(steps) > 1:
                up = y + row * tall + rng.uniform(-1, 1, steps.shape) * size * 0.7
                letters.append(np.stack([steps, up], 1))
            at = end + size
    canvas.strokes(letters, 0.7)
