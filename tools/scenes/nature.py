"""What is drawn outdoors: sky and clouds, hills, water, trees, grass, rocks."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from scenes import colors
from scenes.canvas import Canvas, Color, ellipse
from scenes.colors import mix, one_of, shade

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Points = NDArray[np.float64]


_LIGHT = {
    "day": (1, 1, 1),
    "grey": (0.93, 0.94, 0.96),
    "dusk": (0.96, 0.84, 0.82),
    "night": (0.5, 0.58, 0.78),
}


def ridge(rng: Generator, width: float, y: float, height: float, bumps: float, rough: float = 0.0) -> Points:
    """Return a curve (n, 2) from the left edge to the right, about ``height`` up and down around y."""
    x = np.linspace(-12, width + 12, 48)
    turn = x / width * 2 * np.pi
    rise = sum(
        rng.uniform(0.3, 1) / (k + 1) * np.sin(turn * bumps * (k + 1) / 2 + rng.uniform(0, 2 * np.pi))
        for k in range(3)
    )
    rise = rise + rng.normal(0, rough, x.shape)
    return np.stack([x, y + height * rise / 1.5], 1)


def down_to(curve: Points, y: float) -> Points:
    """Return a curve as a polygon that goes down to y."""
    return np.concatenate([curve, [(curve[-1, 0], y), (curve[0, 0], y)]])


def scalloped(rng: Generator, x: float, y: float, width: float, height: float, lobes: int) -> Points:
    """Return a closed outline of round bumps, as crowns, bushes and clouds have, with these half axes."""
    turns = np.sort((np.arange(lobes) + rng.uniform(-0.3, 0.3, lobes)) / lobes * 2 * np.pi)
    ends = np.append(turns, turns[0] + 2 * np.pi)
    found = []
    for start, end in pairwise(ends):
        share = np.linspace(0, 1, 7)[:-1]
        reach = 0.86 + (end - start) * 0.32 * np.sin(share * np.pi)
        turn = start + (end - start) * share
        found.append(np.stack([x + width * reach * np.cos(turn), y + height * reach * np.sin(turn)], 1))
    return np.concatenate(found)


def arc(x: float, y: float, width: float, height: float, start: float, end: float) -> Points:
    """Return a part of an ellipse, from one angle to another (radians)."""
    turn = np.linspace(start, end, 10)
    return np.stack([x + width * np.cos(turn), y + height * np.sin(turn)], 1)


def sky(rng: Generator, canvas: Canvas, bottom: float, mood: str) -> None:
    """Fill the sky down to ``bottom``: day, dusk, night, or grey; with sun, moon, stars and clouds.

    What is drawn after it is in its light.
    """
    w, unit = canvas.width, min(canvas.width, canvas.height)
    whole = np.array([(-9, -9), (w + 9, -9), (w + 9, bottom), (-9, bottom)])
    if mood == "night":
        high = one_of(rng, colors.NIGHT)
        canvas.shape(whole, high, below=shade(high, 1.3), pen=None)
        moon(rng, canvas, bottom)
    elif mood == "dusk":
        high, low = colors.DUSK[int(rng.integers(len(colors.DUSK)))]
        canvas.shape(whole, high, below=low, pen=None)
        x, y = rng.uniform(0.15, 0.85) * w, bottom * rng.uniform(0.7, 1)
        canvas.disc(x, y, unit * rng.uniform(0.07, 0.13), (255, 190, 90))
    else:
        high = one_of(rng, colors.SKY) if mood == "day" else one_of(rng, [(190, 200, 210), (205, 210, 215)])
        canvas.shape(whole, high, below=shade(high, rng.uniform(1, 1.9)), pen=None)
        if mood == "day" and rng.random() < 0.4:
            sun(rng, canvas, bottom)
    if mood != "night":
        tint = (
            colors.CLOUD
            if mood == "day"
            else mix(colors.CLOUD, (240, 170, 140) if mood == "dusk" else (200, 205, 210), 0.5)
        )
        for _ in range(int(rng.integers(0, 5))):
            cloud(
                rng,
                canvas,
                rng.uniform(0, w),
                rng.uniform(0.08, 0.62) * bottom,
                unit * rng.uniform(0.07, 0.2),
                tint,
            )
    canvas.light = np.array(_LIGHT[mood], np.float32)


def sun(rng: Generator, canvas: Canvas, bottom: float) -> None:
    """Draw a sun, half of them with rays."""
    radius = min(canvas.width, canvas.height) * rng.uniform(0.06, 0.11)
    x, y = canvas.width * rng.choice([0.12, 0.25, 0.75, 0.88]), bottom * rng.uniform(0.14, 0.35)
    if rng.random() < 0.5:
        turns = np.arange(10) / 10 * 2 * np.pi
        near, far = radius * 1.3, radius * 1.75
        canvas.strokes(
            [np.array([(x + r * np.cos(t), y + r * np.sin(t)) for r in (near, far)]) for t in turns]
        )
    canvas.disc(x, y, radius, one_of(rng, [colors.SUN]))


def moon(rng: Generator, canvas: Canvas, bottom: float) -> None:
    """Draw a moon, full or as a sickle, and stars."""
    unit = min(canvas.width, canvas.height)
    x, y, radius = (
        canvas.width * rng.uniform(0.12, 0.88),
        bottom * rng.uniform(0.15, 0.4),
        unit * rng.uniform(0.06, 0.1),
    )
    for _ in range(int(rng.integers(4, 14))):
        at, size = rng.uniform((0, 0), (canvas.width, bottom * 0.8)), unit * rng.uniform(0.01, 0.028)
        turn = np.arange(10) / 10 * 2 * np.pi - np.pi / 2
        reach = np.where(np.arange(10) % 2 == 0, size, size * 0.45)
        canvas.shape(
            np.stack([at[0] + reach * np.cos(turn), at[1] + reach * np.sin(turn)], 1),
            (250, 235, 150),
            pen=0.6,
        )
    if rng.random() < 0.5:
        canvas.disc(x, y, radius, one_of(rng, [colors.MOON], 4))
    else:
        outer, inner = (
            arc(x, y, radius, radius, 0.6, 5.2),
            arc(x + radius * 0.45, y - radius * 0.1, radius * 0.8, radius * 0.85, 4.9, 1.1),
        )
        canvas.shape(np.concatenate([outer, inner]), one_of(rng, [colors.MOON], 4))


def cloud(rng: Generator, canvas: Canvas, x: float, y: float, size: float, color: Color) -> None:
    """Draw a cloud with bumps above and, mostly, a flat foot."""
    outline = scalloped(
        rng, x, y, size * rng.uniform(1.1, 1.7), size * rng.uniform(0.45, 0.7), int(rng.integers(6, 10))
    )
    if rng.random() < 0.6:
        outline[:, 1] = np.minimum(outline[:, 1], y + size * 0.25)
    canvas.shape(outline, one_of(rng, [color], 2), below=shade(color, rng.uniform(0.93, 1)))
    if rng.random() < 0.5:
        canvas.stroke(arc(x - size * 0.2, y, size * 0.35, size * 0.25, 3.4, 5.2), 0.7)


def ground(rng: Generator, canvas: Canvas, curve: Points, color: Color, *, down: float | None = None) -> None:
    """Fill everything below a curve."""
    canvas.shape(
        down_to(curve, (down or canvas.height) + 12), color, below=shade(color, rng.uniform(0.85, 1.05))
    )


def hills(rng: Generator, canvas: Canvas, horizon: float, far: Color | None = None) -> None:
    """Draw one to three hills behind each other, the farther the paler."""
    h = canvas.height
    haze = one_of(rng, colors.SKY)
    count = int(rng.integers(1, 4))
    for step in range(count):
        share = 0.35 * (count - 1 - step)
        color = mix(far or one_of(rng, colors.FAR_HILL), haze, share)
        y = horizon - h * 0.05 * (count - step) * rng.uniform(0.6, 1.4)
        ground(
            rng,
            canvas,
            ridge(rng, canvas.width, y, h * rng.uniform(0.03, 0.09), rng.uniform(1, 4)),
            color,
            down=h,
        )


def mountains(rng: Generator, canvas: Canvas, horizon: float) -> None:
    """Draw peaks, often with snow on them, and strokes down their sides."""
    w, rise = canvas.width, horizon * rng.uniform(0.35, 0.75)
    base, snowy = one_of(rng, colors.ROCK), rng.random() < 0.6
    if rng.random() < 0.4:
        base = mix(base, (95, 120, 165), 0.6)
    for x in sorted(rng.uniform(0, w, int(rng.integers(2, 5))), key=lambda _: rng.random()):
        top, half = rise * rng.uniform(0.55, 1), w * rng.uniform(0.18, 0.35)
        sides = np.array([0, 0.25, 0.5, 0.8, 1])
        jag = rng.normal(0, 0.04, 5) * [0, 1, 1, 1, 0]
        left = np.stack([x - half * (sides + jag), horizon + 9 - top * (1 - sides)], 1)
        right = np.stack([x + half * (sides - jag[::-1]), horizon + 9 - top * (1 - sides)], 1)
        canvas.shape(np.concatenate([left[::-1], right[1:]]), one_of(rng, [base], 5), below=shade(base, 1.15))
        if snowy:
            cut = rng.uniform(0.22, 0.35)
            low = np.linspace(cut, -cut, 7)[1:-1]
            teeth = np.stack(
                [
                    x + half * low,
                    horizon + 9 - top * (1 - cut) + top * 0.07 * np.array([1, -0.6, 1, -0.6, 1]),
                ],
                1,
            )
            tip = np.array(
                [
                    (x - half * cut, horizon + 9 - top * (1 - cut)),
                    (x, horizon + 9 - top),
                    (x + half * cut, horizon + 9 - top * (1 - cut)),
                ]
            )
            canvas.shape(np.concatenate([tip, teeth]), one_of(rng, colors.SNOW, 2))
        start = 0.4 if snowy else 0.1
        canvas.stroke(
            np.array(
                [
                    (x + half * 0.1, horizon - top * (1 - start)),
                    (x + half * 0.02, horizon - top * (0.8 - start)),
                    (x + half * 0.2, horizon - top * (0.6 - start)),
                ]
            ),
            0.7,
        )


def tufts(rng: Generator, canvas: Canvas, top: float, bottom: float, count: int, blades: int = 3) -> None:
    """Draw tufts of grass as strokes."""
    h = canvas.height
    lines = []
    for _ in range(count):
        x, y = rng.uniform(0, canvas.width), rng.uniform(top, bottom)
        size = h * 0.018 * (0.6 + 1.4 * (y - top) / max(1, h - top))
        for blade in np.linspace(-1, 1, blades):
            lean = blade * size * 0.8
            lines.append(
                np.array(
                    [
                        (x + lean * 0.4, y),
                        (x + lean * 0.7, y - size * 0.6),
                        (x + lean * 1.3, y - size * (1.3 - 0.3 * abs(blade))),
                    ]
                )
            )
    if lines:
        canvas.strokes(lines, 0.8)


def flowers(rng: Generator, canvas: Canvas, top: float, bottom: float, count: int) -> None:
    """Draw small flowers on stems."""
    unit = canvas.height * 0.014
    for _ in range(count):
        x, y = rng.uniform(0, canvas.width), rng.uniform(top, bottom)
        canvas.stroke(np.array([(x, y), (x + unit * 0.3, y - unit * 2.4)]), 0.8)
        canvas.shape(
            scalloped(rng, x + unit * 0.3, y - unit * 2.8, unit * 1.2, unit * 1.2, 5),
            one_of(rng, colors.FLOWER),
            pen=0.7,
        )
        canvas.disc(x + unit * 0.3, y - unit * 2.8, unit * 0.4, (240, 200, 70), None)


def bush(rng: Generator, canvas: Canvas, x: float, y: float, size: float) -> None:
    """Draw a bush that stands at (x, y)."""
    color = colors.leaves(rng)
    outline = scalloped(rng, x, y - size * 0.4, size, size * 0.55, int(rng.integers(7, 12)))
    outline[:, 1] = np.minimum(outline[:, 1], y)
    canvas.shape(outline, color, below=shade(color, 0.85))
    canvas.strokes(
        [arc(x + dx * size, y - size * 0.35, size * 0.2, size * 0.14, 3.5, 5.6) for dx in (-0.3, 0.25)], 0.7
    )


def tree(rng: Generator, canvas: Canvas, x: float, y: float, size: float) -> None:
    """Draw a tree of height ``size`` that stands at (x, y): a round crown, a pine, or a poplar."""
    if rng.random() < 0.3:
        pine(rng, canvas, x, y, size)
        return
    bark, color = one_of(rng, colors.BARK), colors.leaves(rng)
    half = size * rng.uniform(0.04, 0.075)
    top = y - size * 0.6
    lean = rng.normal(0, size * 0.02)
    canvas.shape(
        np.array(
            [
                (x - half * 1.6, y),
                (x - half * 0.9, y - size * 0.12),
                (x - half * 0.7 + lean, top),
                (x + half * 0.7 + lean, top),
                (x + half * 0.9, y - size * 0.12),
                (x + half * 1.7, y),
            ]
        ),
        bark,
    )
    canvas.strokes(
        [
            np.array([(x + dx * half, y - size * a), (x + dx * half * 0.8, y - size * b)])
            for dx, a, b in ((-0.3, 0.1, 0.25), (0.3, 0.2, 0.34))
        ],
        0.7,
    )
    slim = rng.random() < 0.2
    wide = size * (0.17 if slim else rng.uniform(0.27, 0.42))
    blobs = [(x + lean, y - size * 0.66, wide, size * 0.34)]
    if not slim and rng.random() < 0.4:
        blobs = [
            (x + lean - wide * 0.5, y - size * 0.56, wide * 0.65, size * 0.2),
            (x + lean + wide * 0.5, y - size * 0.58, wide * 0.65, size * 0.2),
            (x + lean, y - size * 0.78, wide * 0.8, size * 0.22),
        ]
    for bx, by, bw, bh in blobs:
        canvas.shape(
            scalloped(rng, bx, by, bw, bh, int(rng.integers(7, 14))),
            color,
            below=shade(color, rng.uniform(0.8, 1)),
        )
        strokes = int(rng.integers(1, 5))
        canvas.strokes(
            [
                arc(
                    bx + rng.uniform(-0.5, 0.5) * bw,
                    by + rng.uniform(-0.5, 0.5) * bh,
                    bw * 0.2,
                    bw * 0.15,
                    *((3.4, 5.8) if rng.random() < 0.5 else (0.3, 2.6)),
                )
                for _ in range(strokes)
            ],
            0.7,
        )
    if rng.random() < 0.12:
        for _ in range(6):
            canvas.disc(
                x + lean + rng.uniform(-0.6, 0.6) * wide,
                y - size * 0.66 + rng.uniform(-0.2, 0.2) * size,
                size * 0.028,
                one_of(rng, [(215, 55, 50), (235, 140, 45)]),
                0.7,
            )


def pine(rng: Generator, canvas: Canvas, x: float, y: float, size: float) -> None:
    """Draw a pine of height ``size`` that stands at (x, y)."""
    color, half = one_of(rng, colors.PINE), size * rng.uniform(0.18, 0.26)
    canvas.shape(
        np.array(
            [
                (x - size * 0.04, y),
                (x - size * 0.035, y - size * 0.25),
                (x + size * 0.035, y - size * 0.25),
                (x + size * 0.04, y),
            ]
        ),
        one_of(rng, colors.BARK),
    )
    tiers = int(rng.integers(2, 5))
    for tier in range(tiers):
        share = tier / tiers
        foot, wide = y - size * (0.14 + 0.72 * share), half * (1 - 0.62 * share)
        tip = foot - size * (0.86 / tiers + 0.14)
        if tier == tiers - 1:
            tip = y - size
        teeth = [
            (x + wide * t, foot + (size * 0.02 if k % 2 else -size * 0.01))
            for k, t in enumerate(np.linspace(1, -1, 7))
        ]
        canvas.shape(np.array([(x, tip), *teeth]), color, below=shade(color, 0.88))


def palm(rng: Generator, canvas: Canvas, x: float, y: float, size: float) -> None:
    """Draw a palm that stands at (x, y)."""
    bend = rng.uniform(-0.25, 0.25) * size
    rise = np.linspace(0, 1, 8)
    stem = np.stack([x + bend * rise**2, y - size * 0.8 * rise], 1)
    half = size * 0.035 * (1.4 - 0.6 * rise)
    left, right = stem - np.stack([half, 0 * half], 1), stem + np.stack([half, 0 * half], 1)
    canvas.shape(np.concatenate([left, right[::-1]]), one_of(rng, colors.BARK))
    canvas.strokes([np.array([left[k], right[k] + (0, size * 0.012)]) for k in range(1, 7)], 0.7)
    color, (tx, ty) = one_of(rng, colors.LEAVES), stem[-1]
    for turn in rng.permutation(np.linspace(-0.25, np.pi + 0.25, 6)):
        reach = size * rng.uniform(0.32, 0.42)
        share = np.linspace(0, 1, 7)
        px, py = (
            tx + np.cos(turn) * reach * share,
            ty - np.sin(turn) * reach * share * 0.8 + reach * 0.55 * share**2,
        )
        broad = reach * 0.13 * np.sin(np.pi * np.clip(share * 0.9 + 0.1, 0, 1))
        canvas.shape(
            np.concatenate([np.stack([px, py - broad], 1), np.stack([px, py + broad], 1)[::-1]]),
            shade(color, rng.uniform(0.9, 1.1)),
        )


def rock(rng: Generator, canvas: Canvas, x: float, y: float, size: float) -> None:
    """Draw a rock that stands at (x, y)."""
    turns = np.sort(rng.uniform(np.pi, 2 * np.pi, 5))
    top = np.stack([x + size * np.cos(turns), y + size * 0.7 * np.sin(turns)], 1)
    color = one_of(rng, colors.ROCK)
    canvas.shape(np.concatenate([[(x - size, y)], top, [(x + size, y)]]), color, below=shade(color, 0.85))
    canvas.stroke(np.array([top[2], (x + size * 0.1, y - size * 0.3), (x + size * 0.2, y - size * 0.1)]), 0.7)


def water(rng: Generator, canvas: Canvas, top: float, bottom: float, color: Color) -> None:
    """Fill water between two heights and draw its waves: strokes, and crests with foam."""
    w = canvas.width
    canvas.shape(
        np.array([(-9, top), (w + 9, top), (w + 9, bottom + 9), (-9, bottom + 9)]),
        shade(color, rng.uniform(1, 1.25)),
        below=color,
    )
    waves(rng, canvas, top + 4, bottom, color)


def waves(rng: Generator, canvas: Canvas, top: float, bottom: float, color: Color) -> None:
    """Draw waves: strokes, and sometimes bands with a bumpy edge."""
    w, h = canvas.width, canvas.height
    if rng.random() < 0.4:
        for y in np.linspace(top, bottom, int(rng.integers(3, 5)))[1:]:
            x = np.linspace(-12, w + 12, 60)
            bumps = np.abs(np.sin(x / w * np.pi * rng.integers(4, 9) + rng.uniform(0, 3)))
            y = y - h * 0.03
            curve = np.stack([x, y - bumps * h * 0.025], 1)
            canvas.shape(down_to(curve, bottom + 9), shade(color, rng.uniform(0.9, 1.15)))
    lines = []
    for _ in range(int(rng.integers(12, 40))):
        y = rng.uniform(top, bottom)
        size = w * 0.02 * (0.6 + 1.8 * (y - top) / max(1, bottom - top))
        x = rng.uniform(0, w) + np.linspace(-1, 1, 9) * size * 1.5
        lines.append(np.stack([x, y - size * 0.28 * np.abs(np.sin(np.linspace(0, 2 * np.pi, 9)))], 1))
    canvas.strokes(lines, 0.7)


def weeds(rng: Generator, canvas: Canvas, y: float, count: int) -> None:
    """Draw seaweed and corals that grow from about y."""
    h = canvas.height
    for _ in range(count):
        x, foot, size = rng.uniform(0, canvas.width), y + rng.uniform(0, 0.1) * h, h * rng.uniform(0.12, 0.34)
        rise = np.linspace(0, 1, 12)
        sway = np.sin(rise * rng.uniform(5, 9)) * size * 0.08
        if rng.random() < 0.7:
            half = size * 0.07 * np.sin(np.pi * np.clip(1 - rise * 0.97, 0, 1) ** 0.6 * 0.9)
            canvas.shape(
                np.concatenate(
                    [
                        np.stack([x + sway - half, foot - rise * size], 1),
                        np.stack([x + sway + half, foot - rise * size], 1)[::-1],
                    ]
                ),
                one_of(rng, colors.WEED),
            )
        else:
            color, wide = one_of(rng, colors.CORAL), size * 0.09
            for dx, reach in ((-0.3, 0.6), (0.32, 0.7), (0, 0.9)):
                canvas.limb(
                    np.array(
                        [
                            (x, foot),
                            (x, foot - size * 0.25),
                            (x + dx * size, foot - size * 0.35),
                            (x + dx * size, foot - size * reach * 0.8),
                        ]
                    ),
                    wide,
                    color,
                )


def bubbles(rng: Generator, canvas: Canvas, bottom: float, color: Color) -> None:
    """Draw bubbles of air in water."""
    for _ in range(int(rng.integers(3, 14))):
        canvas.disc(
            rng.uniform(0, canvas.width),
            rng.uniform(0, bottom),
            canvas.height * rng.uniform(0.006, 0.02),
            shade(color, 1.8),
            0.7,
        )


def path(rng: Generator, canvas: Canvas, horizon: float, color: Color) -> None:
    """Draw a way that winds from the foreground to the horizon."""
    w, h = canvas.width, canvas.height
    far, near = rng.uniform(0.25, 0.75) * w, rng.uniform(0.2, 0.8) * w
    share = np.linspace(0, 1, 16)
    bend = np.sin(share * np.pi * rng.uniform(0.8, 1.8)) * w * rng.uniform(-0.15, 0.15)
    x = far + (near - far) * share + bend * share
    half = w * (0.012 + rng.uniform(0.12, 0.22) * share**1.6)
    y = horizon + (h + 9 - horizon) * share**1.15
    canvas.shape(np.concatenate([np.stack([x - half, y], 1), np.stack([x + half, y], 1)[::-1]]), color)


def pond(rng: Generator, canvas: Canvas, horizon: float) -> None:
    """Draw a pond in the ground."""
    w, h = canvas.width, canvas.height
    x, y = rng.uniform(0.2, 0.8) * w, rng.uniform(0.35, 0.7) * (h - horizon) + horizon
    outline = ellipse(x, y, w * rng.uniform(0.12, 0.26), (h - horizon) * rng.uniform(0.08, 0.16), 30)
    outline += rng.normal(0, h * 0.003, outline.shape)
    color = one_of(rng, colors.SEA)
    canvas.shape(outline, shade(color, 1.2))
    canvas.strokes(
        [
            np.array([(x + dx * w, y + dy * h), (x + dx * w + w * 0.05, y + dy * h)])
            for dx, dy in ((-0.08, -0.01), (0.02, 0.015))
        ],
        0.7,
    )
