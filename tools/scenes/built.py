"""What people build: houses, towers, walls, fences, streets, and rooms with what stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenes import colors
from scenes.canvas import Canvas, rectangle
from scenes.colors import one_of, shade
from scenes.nature import scalloped, sky

if TYPE_CHECKING:
    from numpy.random import Generator


_LAMPLIGHT = 250, 225, 130


def lines_across(canvas: Canvas, x0: float, x1: float, rows: np.ndarray, pen: float = 0.7) -> None:
    """Draw level lines from x0 to x1."""
    canvas.strokes([np.array([(x0, y), (x1, y)]) for y in rows], pen)


def bricks(
    rng: Generator, canvas: Canvas, x: float, y: float, width: float, height: float, *, whole: bool
) -> None:
    """Fill a wall of bricks; all of them are drawn, or some groups here and there."""
    color = one_of(rng, colors.BRICK)
    canvas.box(x, y, width, height, color)
    step = min(canvas.width, canvas.height) * rng.uniform(0.035, 0.06)
    long = step * rng.uniform(1.8, 2.4)
    rows = np.arange(y + step, y + height, step)
    for number, row in enumerate(np.append(rows, y + height)):
        ends = np.arange(x + (long / 2 if number % 2 else 0), x + width, long)
        top = row - step
        if whole:
            canvas.strokes(
                [np.array([(end, top), (end, min(row, y + height))]) for end in ends if end > x + 2], 0.6
            )
        else:
            for end in ends[rng.random(ends.shape) < 0.12]:
                canvas.shape(
                    rectangle(end, top, min(long, x + width - end), min(step, y + height - top)),
                    shade(color, rng.uniform(0.85, 1.2)),
                    pen=0.6,
                )
    if whole:
        lines_across(canvas, x, x + width, rows, 0.6)


def planks(
    rng: Generator, canvas: Canvas, x: float, y: float, width: float, height: float, *, upright: bool
) -> None:
    """Fill a wall of planks, with knots and grain."""
    color = one_of(rng, colors.WOOD)
    canvas.box(x, y, width, height, color)
    step = min(canvas.width, canvas.height) * rng.uniform(0.06, 0.13)
    if upright:
        canvas.strokes(
            [np.array([(at, y), (at, y + height)]) for at in np.arange(x + step, x + width, step)], 0.8
        )
    else:
        lines_across(canvas, x, x + width, np.arange(y + step, y + height, step), 0.8)
    for _ in range(int(rng.integers(2, 9))):
        px, py, size = (
            x + rng.uniform(0.05, 0.95) * width,
            y + rng.uniform(0.05, 0.95) * height,
            step * rng.uniform(0.4, 1),
        )
        canvas.stroke(np.array([(px, py), (px, py + size)] if upright else [(px, py), (px + size, py)]), 0.5)


def window(
    rng: Generator, canvas: Canvas, x: float, y: float, width: float, height: float, *, lit: bool = False
) -> None:
    """Draw a window with frame and bars."""
    edge = max(2.5 * canvas.pen, width * 0.07)
    canvas.box(
        x - edge, y - edge, width + 2 * edge, height + 2 * edge, one_of(rng, [(245, 245, 240), *colors.WOOD])
    )
    canvas.box(x, y, width, height, _LAMPLIGHT if lit else one_of(rng, colors.GLASS), glows=lit)
    if width > 9 * canvas.pen:
        canvas.stroke(np.array([(x + width / 2, y), (x + width / 2, y + height)]))
        if rng.random() < 0.7:
            canvas.stroke(np.array([(x, y + height * 0.45), (x + width, y + height * 0.45)]))


def door(rng: Generator, canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    """Draw a door whose foot is at y."""
    color = one_of(rng, colors.WOOD) if rng.random() < 0.65 else colors.hue_free(rng)
    edge = width * 0.08
    canvas.box(
        x - edge, y - height - edge, width + 2 * edge, height + edge, shade(color, rng.choice([0.8, 1.4]))
    )
    canvas.box(x, y - height, width, height, color)
    if width > 16 * canvas.pen:
        for top, size in ((0.1, 0.32), (0.52, 0.38)):
            canvas.box(
                x + width * 0.18, y - height * (1 - top), width * 0.64, height * size, shade(color, 0.93), 0.7
            )
    canvas.disc(x + width * 0.86, y - height * 0.47, max(2, width * 0.05), (225, 190, 90), 0.8)


def house(rng: Generator, canvas: Canvas, x: float, y: float, size: float, *, lit: bool = False) -> None:
    """Draw a house of about this height that stands at (x, y) with its middle."""
    width, wall = size * rng.uniform(0.75, 1.25), size * rng.uniform(0.48, 0.62)
    left, top = x - width / 2, y - wall
    if rng.random() < 0.3:
        bricks(rng, canvas, left, top, width, wall, whole=rng.random() < 0.4)
    elif rng.random() < 0.25:
        planks(rng, canvas, left, top, width, wall, upright=False)
    else:
        canvas.box(left, top, width, wall, one_of(rng, colors.PLASTER))
    roof, over, rise = one_of(rng, colors.ROOF), width * 0.09, size - wall
    if rng.random() < 0.5:
        cx = left + width * rng.uniform(0.62, 0.8)
        canvas.box(cx, top - rise * 0.95, width * 0.1, rise * 0.9, one_of(rng, colors.BRICK))
    inset = width * rng.choice([0.5, 0.2])
    outline = np.array(
        [
            (left - over, top),
            (left - over + inset + 0.01, top - rise),
            (left + width + over - inset, top - rise),
            (left + width + over, top),
        ]
    )
    canvas.shape(outline, roof)
    if inset < width * 0.4 and size > 40 * canvas.pen / 2:
        for share in (0.33, 0.66):
            canvas.stroke(
                np.array(
                    [
                        (left - over + inset * share, top - rise * share),
                        (left + width + over - inset * share, top - rise * share),
                    ]
                ),
                0.6,
            )
    across = width * 0.18
    door(rng, canvas, x - across / 2, y, across, wall * 0.58)
    for side in (-0.33, 0.33):
        window(rng, canvas, x + width * side - across / 2, top + wall * 0.25, across, wall * 0.3, lit=lit)


def tower(
    rng: Generator, canvas: Canvas, x: float, y: float, width: float, height: float, *, lit: bool
) -> None:
    """Draw a building of a city with rows of windows; y is its foot."""
    color = one_of(rng, colors.TOWER)
    canvas.box(x, y - height, width, height, color)
    if rng.random() < 0.2:
        canvas.shape(
            np.array([(x, y - height), (x + width / 2, y - height - width * 0.5), (x + width, y - height)]),
            shade(color, 0.8),
        )
    columns, rows = int(rng.integers(2, 5)), max(2, int(height / width * rng.uniform(2, 4)))
    cell_w, cell_h = width / columns, height / rows
    if cell_w < 5 * canvas.pen or cell_h < 5 * canvas.pen:
        return
    glass = one_of(rng, colors.GLASS)
    for row in range(rows - 1):
        for column in range(columns):
            glows = lit and rng.random() < 0.5
            canvas.box(
                x + (column + 0.22) * cell_w,
                y - height + (row + 0.25) * cell_h,
                cell_w * 0.56,
                cell_h * 0.5,
                _LAMPLIGHT if glows else glass,
                0.6,
                glows=glows,
            )


def city(rng: Generator, canvas: Canvas, y: float, *, lit: bool) -> None:
    """Draw a row of towers whose feet are at y, often with a paler row behind."""
    w, h = canvas.width, canvas.height
    if rng.random() < 0.6:
        x, pale = -w * 0.05, one_of(rng, [(60, 65, 110)] if lit else [(170, 190, 215), (180, 195, 210)])
        outline = [(x, y)]
        while x < w * 1.05:
            step, top = w * rng.uniform(0.05, 0.14), y - h * rng.uniform(0.25, 0.6)
            outline += [(x, top), (x + step, top)]
            x += step
        canvas.shape(np.array([*outline, (x, y)]), pale)
    x = -w * rng.uniform(0, 0.1)
    while x < w:
        width = w * rng.uniform(0.1, 0.22)
        tower(rng, canvas, x, y, width, h * rng.uniform(0.15, 0.48), lit=lit)
        x += width * rng.choice([1.0, 1.0, 1.25])


def street(rng: Generator, canvas: Canvas, horizon: float) -> None:
    """Draw pavement, kerb and a road with its marks."""
    w, h = canvas.width, canvas.height
    road = horizon + (h - horizon) * rng.uniform(0.3, 0.5)
    canvas.shape(rectangle(-9, horizon, w + 18, h), one_of(rng, colors.PAVEMENT))
    if rng.random() < 0.6:
        canvas.strokes(
            [
                np.array([(x, horizon), (x - (road - horizon) * 0.6, road)])
                for x in np.arange(0, w * 1.3, w * 0.13)
            ],
            0.6,
        )
    canvas.shape(rectangle(-9, road, w + 18, h), one_of(rng, colors.PAVEMENT + colors.ROCK))
    canvas.shape(rectangle(-9, road + h * 0.018, w + 18, h), one_of(rng, colors.ASPHALT))
    if rng.random() < 0.7:
        y = road + (h - road) * 0.55
        for x in np.arange(-w * 0.05, w, w * 0.22):
            canvas.shape(
                np.array(
                    [(x, y), (x + w * 0.11, y), (x + w * 0.1, y + h * 0.02), (x - w * 0.01, y + h * 0.02)]
                ),
                (245, 245, 240),
                pen=0.8,
            )


def fence(rng: Generator, canvas: Canvas, y: float, height: float) -> None:
    """Draw a fence across the picture whose foot is at y."""
    color = one_of(rng, [*colors.WOOD, (245, 242, 235)])
    step, w = height * rng.uniform(0.35, 0.7), canvas.width
    slim = step * rng.uniform(0.3, 0.6)
    for share in (0.35, 0.75):
        canvas.box(-9, y - height * share - height * 0.06, w + 18, height * 0.12, color)
    for x in np.arange(-step / 2, w + step, step):
        canvas.shape(
            np.array(
                [
                    (x, y),
                    (x, y - height * 0.9),
                    (x + slim / 2, y - height),
                    (x + slim, y - height * 0.9),
                    (x + slim, y),
                ]
            ),
            color,
        )


def room(rng: Generator, canvas: Canvas, edge: float, mood: str) -> None:
    """Draw wall and floor, which meet at ``edge``, a window, a door, pictures, a lamp, a carpet."""
    w, h = canvas.width, canvas.height
    wall = one_of(rng, colors.ROOM)
    kind = rng.random()
    if kind < 0.1:
        planks(rng, canvas, -9, -9, w + 18, edge + 9, upright=True)
    elif kind < 0.18:
        bricks(rng, canvas, -9, -9, w + 18, edge + 9, whole=rng.random() < 0.5)
    else:
        canvas.shape(rectangle(-9, -9, w + 18, edge + 9), wall, below=shade(wall, rng.uniform(0.92, 1)))
        if kind < 0.3:
            canvas.strokes(
                [np.array([(x, 0), (x, edge)]) for x in np.arange(w * 0.04, w, w * rng.uniform(0.06, 0.12))],
                0.5,
            )
        if rng.random() < 0.3:
            low = edge - h * rng.uniform(0.12, 0.2)
            planks(rng, canvas, -9, low, w + 18, edge - low, upright=True)
    floor(rng, canvas, edge)
    if rng.random() < 0.75:
        canvas.box(-9, edge - h * 0.03, w + 18, h * 0.03, one_of(rng, [(240, 238, 230), *colors.WOOD]))
    places = list(rng.permutation([0.04, 0.38, 0.7]) * w)
    if rng.random() < 0.8:
        view(
            rng,
            canvas,
            places.pop() + w * 0.03,
            edge - h * rng.uniform(0.42, 0.5),
            w * rng.uniform(0.16, 0.24),
            h * rng.uniform(0.2, 0.28),
            mood,
        )
    if rng.random() < 0.45:
        door(
            rng,
            canvas,
            places.pop() + w * 0.02,
            edge,
            w * rng.uniform(0.15, 0.2),
            min(edge * 0.85, h * rng.uniform(0.42, 0.5)),
        )
    if places and rng.random() < 0.5:
        picture(rng, canvas, places.pop() + w * 0.05, edge - h * rng.uniform(0.36, 0.45), w * 0.14, h * 0.12)
    elif places and rng.random() < 0.5:
        shelf(rng, canvas, places.pop(), edge, w * rng.uniform(0.18, 0.26), h * rng.uniform(0.3, 0.42))
    if rng.random() < 0.25:
        lamp(rng, canvas, rng.uniform(0.3, 0.7) * w, h * rng.uniform(0.06, 0.12), w * 0.07)


def floor(rng: Generator, canvas: Canvas, edge: float) -> None:
    """Draw a floor from ``edge`` down: planks, tiles or plain, sometimes with a carpet."""
    w, h = canvas.width, canvas.height
    kind = rng.random()
    color = (
        one_of(rng, colors.WOOD)
        if kind < 0.65
        else one_of(rng, [(225, 220, 210), (200, 205, 210), *colors.PATH])
    )
    canvas.shape(rectangle(-9, edge, w + 18, h), color, below=shade(color, 0.92))
    vanish = w * rng.uniform(0.3, 0.7), edge - h * 0.5
    slanted = [
        np.array([(x, edge), (x + (x - vanish[0]) * (h - edge) / (edge - vanish[1]), h)])
        for x in np.arange(-w * 0.6, w * 1.6, w * 0.11)
    ]
    if kind < 0.45 or 0.65 < kind < 0.8:
        canvas.strokes(slanted, 0.7)
    if 0.45 < kind < 0.8:
        lines_across(canvas, 0, w, edge + (h - edge) * np.array([0.12, 0.28, 0.48, 0.72]))
    if rng.random() < 0.35:
        x, y, half, tall = (
            w * rng.uniform(0.35, 0.65),
            edge + (h - edge) * 0.55,
            w * rng.uniform(0.2, 0.33),
            (h - edge) * 0.25,
        )
        carpet = colors.hue_free(rng)
        if rng.random() < 0.5:
            turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
            for share, paint in ((1, carpet), (0.75, shade(carpet, 1.4))):
                canvas.shape(
                    np.stack([x + half * share * np.cos(turn), y + tall * share * np.sin(turn)], 1), paint
                )
        else:
            canvas.shape(
                np.array(
                    [
                        (x - half * 0.85, y - tall),
                        (x + half * 0.85, y - tall),
                        (x + half, y + tall),
                        (x - half, y + tall),
                    ]
                ),
                carpet,
            )
            canvas.shape(
                np.array(
                    [
                        (x - half * 0.75, y - tall * 0.8),
                        (x + half * 0.75, y - tall * 0.8),
                        (x + half * 0.87, y + tall * 0.8),
                        (x - half * 0.87, y + tall * 0.8),
                    ]
                ),
                shade(carpet, 1.4),
            )


def view(rng: Generator, canvas: Canvas, x: float, y: float, width: float, height: float, mood: str) -> None:
    """Draw a window of a room, through which sky and leaves are seen, sometimes with curtains."""
    left, top, right, low = round(x), round(y), round(x + width), round(y + height)
    edge = max(3 * canvas.pen, width * 0.06)
    frame = one_of(rng, [(245, 245, 240), *colors.WOOD])
    canvas.box(left - edge, top - edge, right - left + 2 * edge, low - top + 2 * edge, frame)
    if (
        right - left > 8
        and low - top > 8
        and left >= 0
        and top >= 0
        and right < canvas.width
        and low < canvas.height
    ):
        outside = Canvas(right - left, low - top, canvas.pen)
        sky(rng, outside, outside.height + 9, mood)
        if rng.random() < 0.6:
            color = colors.leaves(rng)
            outside.shape(
                scalloped(
                    rng,
                    outside.width * rng.uniform(0, 1),
                    outside.height,
                    outside.width * 0.45,
                    outside.height * rng.uniform(0.3, 0.55),
                    8,
                ),
                color,
            )
        canvas.paste(outside, left, top)
    canvas.stroke(rectangle(x, y, width, height), closed=True)
    canvas.stroke(np.array([(x + width / 2, y), (x + width / 2, y + height)]), 1.6)
    if rng.random() < 0.5:
        canvas.stroke(np.array([(x, y + height / 2), (x + width, y + height / 2)]), 1.6)
    canvas.box(x - 2 * edge, y + height + edge, width + 4 * edge, edge, frame)
    if rng.random() < 0.55:
        color = colors.hue_free(rng)
        for side in (-1, 1):
            start = x + width / 2 + side * width * 0.72
            inner = x + width / 2 + side * width * rng.uniform(0.25, 0.36)
            tie = start - side * width * 0.14
            foot = y + height * rng.choice([1.15, 1.5])
            canvas.shape(
                np.array(
                    [
                        (start, y - 2 * edge),
                        (inner, y - 2 * edge),
                        (inner, y + height * 0.3),
                        (tie, y + height * 0.75),
                        (inner + side * width * 0.1, foot),
                        (start, foot),
                    ]
                ),
                color,
            )
            canvas.strokes(
                [
                    np.array(
                        [
                            (start + (inner - start) * s, y - edge),
                            (tie + (start - tie) * (1 - s) * 0.7, y + height * 0.72),
                        ]
                    )
                    for s in (0.35, 0.65)
                ],
                0.6,
            )
        canvas.box(x - width * 0.3, y - 3 * edge, width * 1.6, edge * 1.2, one_of(rng, colors.WOOD))


def picture(rng: Generator, canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    """Draw a framed picture of hills."""
    canvas.box(x, y, width, height, one_of(rng, [*colors.WOOD, (225, 190, 90)]))
    inner = width * 0.1
    canvas.box(x + inner, y + inner, width - 2 * inner, height - 2 * inner, one_of(rng, colors.SKY))
    low, mid = y + height - inner, y + height * 0.6
    canvas.shape(
        np.array(
            [
                (x + inner, low),
                (x + inner, mid),
                (x + width * 0.35, y + height * 0.4),
                (x + width * 0.6, mid),
                (x + width - inner, mid - height * 0.08),
                (x + width - inner, low),
            ]
        ),
        one_of(rng, colors.GRASS),
        pen=0.8,
    )


def shelf(rng: Generator, canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    """Draw a shelf with books; y is its foot."""
    wood = one_of(rng, colors.WOOD)
    canvas.box(x, y - height, width, height, wood)
    board, rows = height * 0.04, int(rng.integers(2, 4))
    tall = (height - board) / rows
    for row in range(rows):
        top = y - height + board + row * tall
        canvas.box(x + board, top, width - 2 * board, tall - board, shade(wood, 0.7))
        at = x + board
        while at < x + width - 4 * board:
            book = width * rng.uniform(0.06, 0.12)
            rise = (tall - board) * rng.uniform(0.6, 0.9)
            if rng.random() < 0.85:
                canvas.box(
                    at,
                    top + tall - board - rise,
                    min(book, x + width - board - at),
                    rise,
                    colors.hue_free(rng),
                    0.8,
                )
            at += book


def lamp(rng: Generator, canvas: Canvas, x: float, y: float, size: float) -> None:
    """Draw a lamp that hangs from the ceiling."""
    canvas.stroke(np.array([(x, 0), (x, y)]))
    canvas.disc(x, y + size * 0.75, size * 0.3, (252, 240, 180))
    canvas.shape(
        np.array(
            [
                (x - size * 0.3, y),
                (x + size * 0.3, y),
                (x + size, y + size * 0.75),
                (x - size, y + size * 0.75),
            ]
        ),
        colors.hue_free(rng),
    )


def table(
    rng: Generator, canvas: Canvas, x: float, y: float, width: float, height: float
) -> tuple[float, float]:
    """Draw a table whose feet are at y; returns the heights between which things stand on it."""
    wood, deep = one_of(rng, colors.WOOD), height * rng.uniform(0.22, 0.34)
    leg, top = width * 0.06, y - height
    for at in (x + width * 0.05, x + width * 0.89):
        canvas.box(at, top + deep, leg, height - deep, shade(wood, 0.9))
    outline = np.array(
        [(x + width * 0.07, top), (x + width * 0.93, top), (x + width, top + deep), (x, top + deep)]
    )
    cloth = colors.hue_free(rng) if rng.random() < 0.3 else None
    canvas.box(x, top + deep, width, height * 0.1, cloth or shade(wood, 0.85))
    canvas.shape(outline, cloth or wood)
    if cloth is None:
        canvas.strokes(
            [
                np.array([(x + width * a, top + deep * b), (x + width * (a + 0.2), top + deep * b)])
                for a, b in ((0.15, 0.4), (0.55, 0.7))
            ],
            0.5,
        )
    return top + deep * 0.35, top + deep * 0.85


def board(rng: Generator, canvas: Canvas, edge: float) -> None:
    """Draw the near top of a table from ``edge`` down: wood, or a cloth with checks."""
    w, h = canvas.width, canvas.height
    if rng.random() < 0.65:
        color = one_of(rng, colors.WOOD)
        canvas.shape(rectangle(-9, edge, w + 18, h), color, below=shade(color, 0.92))
        if rng.random() < 0.6:
            lines_across(canvas, 0, w, edge + (h - edge) * np.array([0.2, 0.45, 0.75]))
        canvas.strokes(
            [np.array([(x, y), (x + w * 0.08, y)]) for x, y in rng.uniform((0, edge), (w, h), (6, 2))], 0.5
        )
    else:
        color = colors.hue_free(rng)
        canvas.shape(rectangle(-9, edge, w + 18, h), color)
        if rng.random() < 0.6:
            step = w * rng.uniform(0.07, 0.12)
            canvas.strokes(
                [
                    np.array([(x, edge), (x + (x - w / 2) * 0.5, h)])
                    for x in np.arange(-w * 0.3, w * 1.3, step)
                ],
                0.6,
            )
            lines_across(canvas, 0, w, edge + (h - edge) * np.array([0.15, 0.35, 0.6, 0.88]))
