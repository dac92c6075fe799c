"""The kinds of scene: each draws its place and says what may stand where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from scenes import built, colors, nature
from scenes.colors import one_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

    from scenes.canvas import Canvas

PERSON = "drawn-person", "drawn-person", "drawn-person", "drawn-person", "person"
"""Whole people, mostly heads of avatars on bodies that are drawn."""

BUST = ("avatar", "avatar", "bust")
"""People who are cut off below the chest; emoji, which are more but alike, come seldom."""


@dataclass(frozen=True)
class Slot:
    """Where parts may be.

    Attributes:
        kinds: Of parts, each as likely.
        top: Height of the farthest of them, in pixels: of their feet, or of their middle where they float.
        bottom: Height of the nearest.
        size: Their larger side at the nearest, as a share of the picture's shorter side, from and to.
        count: How many there are, from and to.
        floats: Whether (x, y) is their middle rather than their foot.
        far: Size of the farthest, as a share of that of the nearest.
        left: Where they begin, as a share of the width.
        right: Where they end.
    """

    kinds: tuple[str, ...]
    top: float
    bottom: float
    size: tuple[float, float]
    count: tuple[int, int] = (1, 1)
    floats: bool = False
    far: float = 0.6
    left: float = 0.08
    right: float = 0.92


@dataclass
class Place:
    """A place that is drawn: what may be in it, and what is drawn before it at last."""

    slots: list[Slot]
    front: Callable[[], None] = field(default=lambda: None)


def mood_of(rng: Generator) -> str:
    """Return the light outdoors, mostly that of day."""
    return str(rng.choice(["day", "dusk", "night", "grey"], p=[0.8, 0.07, 0.07, 0.06]))


def _in_sky(horizon: float, mood: str) -> Slot:
    kinds = ("bird", "plane") if mood != "night" else ("bird",)
    return Slot(kinds, horizon * 0.15, horizon * 0.6, (0.1, 0.22), (-1, 2), floats=True, far=1)


def _living(
    low: float, high: float, *, people: tuple[int, int] = (0, 3), animals: tuple[int, int] = (0, 2)
) -> list[Slot]:
    return [
        Slot(
            PERSON,
            low,
            high,
            (0.4, 0.68),
            people,
        ),
        Slot(("animal",), low, high, (0.24, 0.5), animals),
    ]


def meadow(rng: Generator, canvas: Canvas) -> Place:
    """Draw grass below a sky, with hills, trees, houses, a way, a fence or a pond."""
    w, h = canvas.width, canvas.height
    horizon, mood = h * rng.uniform(0.35, 0.6), mood_of(rng)
    nature.sky(rng, canvas, horizon + 9, mood)
    if rng.random() < 0.25:
        nature.mountains(rng, canvas, horizon)
    if rng.random() < 0.8:
        nature.hills(rng, canvas, horizon)
    grass = one_of(rng, colors.GRASS)
    nature.ground(rng, canvas, nature.ridge(rng, w, horizon, h * 0.015, 2), grass)
    if rng.random() < 0.35:
        nature.path(rng, canvas, horizon + h * 0.02, one_of(rng, colors.PATH))
    elif rng.random() < 0.2:
        nature.pond(rng, canvas, horizon)
    _wood(rng, canvas, horizon, int(rng.integers(0, 5)))
    if rng.random() < 0.35:
        built.house(
            rng,
            canvas,
            rng.uniform(0.12, 0.88) * w,
            horizon + h * 0.06,
            h * rng.uniform(0.18, 0.34),
            lit=mood == "night",
        )
    if rng.random() < 0.2:
        built.fence(rng, canvas, horizon + h * 0.1, h * rng.uniform(0.08, 0.13))
    nature.tufts(rng, canvas, horizon + h * 0.05, h, int(rng.integers(5, 26)))
    if rng.random() < 0.5:
        nature.flowers(rng, canvas, horizon + h * 0.1, h, int(rng.integers(3, 10)))
    if rng.random() < 0.4:
        nature.bush(
            rng, canvas, rng.uniform(0, w), horizon + h * rng.uniform(0.03, 0.12), h * rng.uniform(0.06, 0.12)
        )
    low = horizon + (h - horizon) * 0.3
    slots = [
        _in_sky(horizon, mood),
        Slot(("house", "tree"), horizon + h * 0.02, horizon + h * 0.1, (0.25, 0.42), (-1, 1)),
        Slot(("outdoor", "flower", "vehicle"), low, h * 0.9, (0.15, 0.3), (-1, 1)),
        *_living(low, h * 0.97),
        Slot(("insect",), horizon, h * 0.7, (0.06, 0.12), (-2, 2), floats=True),
    ]
    return Place(slots, lambda: nature.tufts(rng, canvas, h * 0.9, h, int(rng.integers(0, 9)), 5))


def _wood(rng: Generator, canvas: Canvas, horizon: float, count: int) -> None:
    h = canvas.height
    feet = np.sort(horizon + h * rng.uniform(0, 0.16, count))
    for foot in feet:
        nature.tree(
            rng,
            canvas,
            rng.uniform(0, canvas.width),
            foot + h * 0.02,
            h * rng.uniform(0.26, 0.46) * (0.8 + 2 * (foot - horizon) / h),
        )


def forest(rng: Generator, canvas: Canvas) -> Place:
    """Draw trees behind trees, on grass or bare ground."""
    w, h = canvas.width, canvas.height
    horizon, mood = h * rng.uniform(0.45, 0.62), mood_of(rng)
    nature.sky(rng, canvas, horizon + 9, mood)
    far = colors.leaves(rng)
    edge = nature.scalloped(rng, w / 2, horizon, w * 0.75, horizon * rng.uniform(0.4, 0.75), 22)
    canvas.shape(edge, colors.mix(far, one_of(rng, colors.SKY), 0.3))
    base = one_of(rng, colors.GRASS if rng.random() < 0.7 else colors.PATH)
    nature.ground(rng, canvas, nature.ridge(rng, w, horizon, h * 0.012, 2), base)
    if rng.random() < 0.4:
        nature.path(rng, canvas, horizon + h * 0.01, one_of(rng, colors.PATH))
    for foot in np.sort(horizon + h * rng.uniform(0.01, 0.22, int(rng.integers(4, 9)))):
        nature.tree(rng, canvas, rng.uniform(-0.05, 1.05) * w, foot, h * rng.uniform(0.4, 0.75))
    if rng.random() < 0.5:
        nature.rock(rng, canvas, rng.uniform(0, w), horizon + h * 0.2, h * rng.uniform(0.04, 0.09))
    nature.tufts(rng, canvas, horizon + h * 0.05, h, int(rng.integers(5, 20)))
    low = horizon + (h - horizon) * 0.4
    return Place(
        [
            *_living(low, h * 0.97, animals=(1, 3)),
            Slot(("flower",), low, h * 0.95, (0.1, 0.2), (-1, 2)),
            Slot(("bird", "insect"), h * 0.2, h * 0.5, (0.08, 0.15), (-1, 1), floats=True),
        ]
    )


def highland(rng: Generator, canvas: Canvas) -> Place:
    """Draw mountains above grass, snow or rock, sometimes with a lake."""
    w, h = canvas.width, canvas.height
    horizon, mood = h * rng.uniform(0.45, 0.65), mood_of(rng)
    nature.sky(rng, canvas, horizon + 9, mood)
    nature.mountains(rng, canvas, horizon)
    if rng.random() < 0.4:
        nature.hills(rng, canvas, horizon, one_of(rng, colors.PINE))
    if rng.random() < 0.35:
        nature.water(rng, canvas, horizon - h * 0.02, horizon + h * 0.15, one_of(rng, colors.SEA))
        horizon += h * 0.12
    nature.ground(rng, canvas, nature.ridge(rng, w, horizon, h * 0.02, 2), one_of(rng, colors.GRASS))
    _wood(rng, canvas, horizon, int(rng.integers(0, 4)))
    for _ in range(int(rng.integers(0, 3))):
        nature.rock(
            rng, canvas, rng.uniform(0, w), horizon + h * rng.uniform(0.05, 0.2), h * rng.uniform(0.03, 0.08)
        )
    nature.tufts(rng, canvas, horizon + h * 0.03, h, int(rng.integers(4, 20)))
    low = horizon + (h - horizon) * 0.35
    return Place(
        [
            _in_sky(h * 0.4, mood),
            Slot(("house", "outdoor"), horizon + h * 0.03, low, (0.2, 0.32), (-1, 1)),
            *_living(low, h * 0.97, animals=(0, 3)),
        ]
    )


def beach(rng: Generator, canvas: Canvas) -> Place:
    """Draw sky, sea and sand."""
    w, h = canvas.width, canvas.height
    horizon, mood = h * rng.uniform(0.32, 0.5), mood_of(rng)
    shore = horizon + h * rng.uniform(0.12, 0.25)
    nature.sky(rng, canvas, horizon + 9, mood)
    if rng.random() < 0.25:
        x = rng.uniform(0, w)
        canvas.shape(
            nature.scalloped(rng, x, horizon + 4, w * 0.2, h * 0.06, 8), one_of(rng, colors.FAR_HILL)
        )
    nature.water(rng, canvas, horizon, shore + h * 0.05, one_of(rng, colors.SEA))
    curve = nature.ridge(rng, w, shore, h * 0.025, 2)
    if rng.random() < 0.6:
        canvas.shape(nature.down_to(curve - (0, h * 0.02), h + 9), (245, 250, 252), pen=0.8)
    nature.ground(rng, canvas, curve, one_of(rng, colors.SAND))
    dots = rng.uniform((0, shore + h * 0.06), (w, h), (int(rng.integers(6, 30)), 2))
    canvas.strokes([np.array([(x, y), (x + w * 0.006, y)]) for x, y in dots], 0.7)
    if rng.random() < 0.5:
        nature.palm(
            rng,
            canvas,
            w * rng.choice([0.1, 0.2, 0.82, 0.92]),
            shore + h * rng.uniform(0.08, 0.2),
            h * rng.uniform(0.4, 0.65),
        )
    if rng.random() < 0.3:
        nature.rock(rng, canvas, rng.uniform(0, w), shore + h * 0.08, h * rng.uniform(0.04, 0.09))
    low = shore + (h - shore) * 0.35
    return Place(
        [
            _in_sky(horizon, mood),
            Slot(("boat", "whale"), horizon + h * 0.01, shore - h * 0.01, (0.14, 0.28), (-1, 2)),
            Slot(("beach",), low, h * 0.95, (0.12, 0.22), (-1, 2)),
            Slot(PERSON, low, h * 0.97, (0.42, 0.65), (0, 2)),
            Slot(("animal",), low, h * 0.96, (0.22, 0.4), (-2, 1)),
        ]
    )


def sea(rng: Generator, canvas: Canvas) -> Place:
    """Draw water up to the horizon, sometimes with an island."""
    w, h = canvas.width, canvas.height
    horizon, mood = h * rng.uniform(0.3, 0.55), mood_of(rng)
    nature.sky(rng, canvas, horizon + 9, mood)
    if rng.random() < 0.35:
        nature.mountains(rng, canvas, horizon)
    color = one_of(rng, colors.SEA)
    nature.water(rng, canvas, horizon, h, color)
    if rng.random() < 0.4:
        x, y = rng.uniform(0.2, 0.8) * w, horizon + h * rng.uniform(0.08, 0.2)
        island = nature.scalloped(rng, x, y, w * rng.uniform(0.14, 0.24), h * 0.05, 7)
        island[:, 1] = np.minimum(island[:, 1], y + h * 0.015)
        canvas.shape(island, one_of(rng, colors.SAND))
        nature.palm(rng, canvas, x, y - h * 0.02, h * rng.uniform(0.2, 0.35))

    def front() -> None:
        if rng.random() < 0.5:
            nature.waves(rng, canvas, h * 0.88, h, color)

    low = horizon + (h - horizon) * 0.15
    return Place(
        [
            _in_sky(horizon, mood),
            Slot(("boat",), low, h * 0.85, (0.28, 0.6), (0, 2), far=0.4),
            Slot(("whale", "swimmer"), low + h * 0.1, h * 0.9, (0.22, 0.4), (0, 2), far=0.5),
        ],
        front,
    )


def underwater(rng: Generator, canvas: Canvas) -> Place:
    """Draw what is below the sea: sand, weeds, corals, bubbles."""
    w, h = canvas.width, canvas.height
    color = one_of(rng, colors.DEEP)
    canvas.shape(
        np.array([(-9, -9), (w + 9, -9), (w + 9, h + 9), (-9, h + 9)]),
        colors.shade(color, 1.35),
        below=colors.shade(color, 0.85),
        pen=None,
    )
    bed = h * rng.uniform(0.72, 0.86)
    if rng.random() < 0.4:
        nature.ground(
            rng,
            canvas,
            nature.ridge(rng, w, bed - h * 0.1, h * 0.05, 3),
            colors.mix(one_of(rng, colors.ROCK), color, 0.5),
        )
    nature.weeds(rng, canvas, bed, int(rng.integers(2, 7)))
    nature.ground(rng, canvas, nature.ridge(rng, w, bed, h * 0.025, 3), one_of(rng, colors.SAND))
    for _ in range(int(rng.integers(0, 4))):
        nature.rock(
            rng, canvas, rng.uniform(0, w), bed + h * rng.uniform(0.04, 0.12), h * rng.uniform(0.03, 0.08)
        )
    nature.bubbles(rng, canvas, bed, color)
    return Place(
        [
            Slot(("seabed",), bed + h * 0.05, h * 0.96, (0.1, 0.2), (0, 3)),
            Slot(("fish",), h * 0.12, bed - h * 0.06, (0.14, 0.42), (2, 5), floats=True, far=1),
        ],
        lambda: nature.weeds(rng, canvas, h * 0.98, int(rng.integers(0, 3))),
    )


def desert(rng: Generator, canvas: Canvas) -> Place:
    """Draw dunes below a clear sky."""
    w, h = canvas.width, canvas.height
    horizon, mood = h * rng.uniform(0.4, 0.6), mood_of(rng)
    nature.sky(rng, canvas, horizon + 9, mood)
    sand = one_of(rng, colors.SAND)
    for step in range(int(rng.integers(2, 5))):
        nature.ground(
            rng,
            canvas,
            nature.ridge(rng, w, horizon + h * 0.11 * step, h * 0.04, 2),
            colors.shade(sand, rng.uniform(0.9, 1.1)),
        )
    lines = [
        nature.arc(rng.uniform(0, w), rng.uniform(horizon + h * 0.1, h), w * 0.08, h * 0.015, 3.5, 5.9)
        for _ in range(int(rng.integers(3, 10)))
    ]
    canvas.strokes(lines, 0.7)
    if rng.random() < 0.4:
        nature.rock(rng, canvas, rng.uniform(0, w), horizon + h * 0.15, h * rng.uniform(0.04, 0.1))
    if rng.random() < 0.3:
        nature.palm(rng, canvas, rng.uniform(0.1, 0.9) * w, horizon + h * 0.12, h * rng.uniform(0.3, 0.5))
    low = horizon + (h - horizon) * 0.3
    return Place(
        [
            _in_sky(horizon, mood),
            Slot(("cactus", "palm"), low, h * 0.9, (0.25, 0.45), (0, 3)),
            *_living(low + h * 0.1, h * 0.97, people=(0, 2), animals=(-1, 1)),
        ]
    )


def snow(rng: Generator, canvas: Canvas) -> Place:
    """Draw a snowy ground with pines, and falling flakes."""
    w, h = canvas.width, canvas.height
    horizon = h * rng.uniform(0.4, 0.6)
    mood = str(rng.choice(["day", "night", "grey"], p=[0.6, 0.15, 0.25]))
    nature.sky(rng, canvas, horizon + 9, mood)
    if rng.random() < 0.4:
        nature.mountains(rng, canvas, horizon)
    white = one_of(rng, colors.SNOW, 2)
    for step in range(int(rng.integers(1, 4))):
        nature.ground(
            rng,
            canvas,
            nature.ridge(rng, w, horizon + h * 0.07 * step, h * 0.03, 2),
            colors.shade(white, rng.uniform(0.95, 1)),
        )
        for _ in range(int(rng.integers(0, 3))):
            nature.pine(
                rng, canvas, rng.uniform(0, w), horizon + h * (0.07 * step + 0.03), h * rng.uniform(0.2, 0.4)
            )
    if rng.random() < 0.35:
        built.house(
            rng,
            canvas,
            rng.uniform(0.15, 0.85) * w,
            horizon + h * 0.12,
            h * rng.uniform(0.2, 0.32),
            lit=mood == "night",
        )
    low = horizon + (h - horizon) * 0.4

    def front() -> None:
        if rng.random() < 0.4:
            for x, y in rng.uniform((0, 0), (w, h), (int(rng.integers(8, 25)), 2)):
                canvas.disc(x, y, h * rng.uniform(0.006, 0.012), (255, 255, 255), 0.6)

    return Place(
        [
            Slot(("winter",), low, h * 0.96, (0.25, 0.45), (0, 2)),
            Slot(PERSON, low, h * 0.97, (0.42, 0.66), (0, 2)),
        ],
        front,
    )


def street(rng: Generator, canvas: Canvas) -> Place:
    """Draw houses along a road."""
    w, h = canvas.width, canvas.height
    horizon, mood = h * rng.uniform(0.5, 0.66), mood_of(rng)
    nature.sky(rng, canvas, horizon + 9, mood)
    lit = mood == "night"
    if rng.random() < 0.55:
        built.city(rng, canvas, horizon, lit=lit)
    else:
        x = -w * rng.uniform(0, 0.15)
        while x < w * 1.1:
            size = h * rng.uniform(0.3, 0.45)
            if rng.random() < 0.15:
                nature.tree(rng, canvas, x + size * 0.4, horizon, size)
            else:
                built.house(rng, canvas, x + size * 0.55, horizon, size, lit=lit)
            x += size * rng.uniform(1, 1.3)
    built.street(rng, canvas, horizon)
    if rng.random() < 0.4:
        nature.tree(rng, canvas, rng.uniform(0, w), horizon + h * 0.06, h * rng.uniform(0.3, 0.5))
    road = horizon + (h - horizon) * 0.5
    return Place(
        [
            _in_sky(h * 0.3, mood),
            Slot(("building", "tree"), horizon, horizon + h * 0.02, (0.3, 0.42), (-2, 1)),
            Slot(
                ("drawn-person", "drawn-person", "animal", "outdoor"),
                horizon + h * 0.08,
                road,
                (0.3, 0.42),
                (0, 3),
                far=0.85,
            ),
            Slot(
                ("vehicle", "vehicle", "vehicle", "vehicle", "rider"),
                road + h * 0.08,
                h * 0.97,
                (0.35, 0.6),
                (0, 2),
                far=0.85,
            ),
            Slot(PERSON, h * 0.9, h * 0.98, (0.5, 0.68), (-1, 1)),
        ]
    )


def yard(rng: Generator, canvas: Canvas) -> Place:
    """Draw a wall of bricks or planks, or a fence, behind grass, sand or pavement."""
    w, h = canvas.width, canvas.height
    edge, kind = h * rng.uniform(0.6, 0.8), rng.random()
    if kind < 0.65:
        top = -9.0 if rng.random() < 0.55 else h * rng.uniform(0.15, 0.35)
        if top > 0:
            nature.sky(rng, canvas, h, mood_of(rng))
            _wood(rng, canvas, top + h * 0.2, int(rng.integers(0, 3)))
        if kind < 0.4:
            built.bricks(rng, canvas, -9, top, w + 18, edge - top + 4, whole=rng.random() < 0.5)
        else:
            built.planks(rng, canvas, -9, top, w + 18, edge - top + 4, upright=rng.random() < 0.7)
        if rng.random() < 0.4:
            built.window(rng, canvas, w * rng.uniform(0.1, 0.6), edge - h * 0.42, w * 0.18, h * 0.2)
        if rng.random() < 0.3:
            built.door(rng, canvas, w * rng.uniform(0.1, 0.7), edge, w * 0.16, h * 0.42)
    else:
        nature.sky(rng, canvas, h, mood_of(rng))
        _wood(rng, canvas, edge - h * 0.15, int(rng.integers(0, 4)))
        nature.ground(rng, canvas, nature.ridge(rng, w, edge - h * 0.1, 2, 1), one_of(rng, colors.GRASS))
        built.fence(rng, canvas, edge, h * rng.uniform(0.16, 0.3))
    base = [colors.GRASS, colors.PATH, colors.PAVEMENT][int(rng.integers(3))]
    nature.ground(rng, canvas, nature.ridge(rng, w, edge, h * 0.008, 2), one_of(rng, base))
    if base is colors.GRASS:
        nature.tufts(rng, canvas, edge + h * 0.03, h, int(rng.integers(5, 20)))
        if rng.random() < 0.5:
            nature.flowers(rng, canvas, edge + h * 0.02, edge + h * 0.1, int(rng.integers(3, 9)))
    if rng.random() < 0.4:
        nature.bush(rng, canvas, rng.uniform(0, w), edge + h * 0.03, h * rng.uniform(0.07, 0.13))
    return Place(
        [
            Slot(
                ("outdoor", "toy", "vehicle", "flower"), edge + h * 0.04, edge + h * 0.12, (0.2, 0.4), (-1, 1)
            ),
            *_living(edge + h * 0.08, h * 0.97, people=(0, 3), animals=(0, 2)),
        ]
    )


def room(rng: Generator, canvas: Canvas) -> Place:
    """Draw a room with people, furniture and toys, sometimes a table."""
    w, h = canvas.width, canvas.height
    edge = h * rng.uniform(0.58, 0.74)
    built.room(rng, canvas, edge, mood_of(rng))
    slots = [
        Slot(("furniture",), edge + h * 0.04, edge + h * 0.1, (0.3, 0.46), (0, 2), far=1),
        Slot(
            PERSON,
            edge + h * 0.08,
            h * 0.96,
            (0.48, 0.72),
            (0, 3),
            far=0.9,
        ),
    ]
    if rng.random() < 0.4:
        width, x = w * rng.uniform(0.4, 0.65), w * rng.uniform(0.05, 0.4)
        y = edge + h * rng.uniform(0.12, 0.24)
        top, low = built.table(rng, canvas, x, y, width, h * rng.uniform(0.26, 0.36))
        slots.insert(
            0,
            Slot(
                ("food", "food", "food", "toy"),
                top,
                low,
                (0.1, 0.2),
                (1, 4),
                far=1,
                left=x / w + 0.08,
                right=(x + width) / w - 0.08,
            ),
        )
    slots.append(Slot(("animal",), edge + h * 0.1, h * 0.96, (0.2, 0.34), (-2, 1)))
    slots.append(Slot(("toy",), edge + h * 0.1, h * 0.96, (0.12, 0.24), (-1, 2)))
    return Place(slots)


def still_life(rng: Generator, canvas: Canvas) -> Place:
    """Draw the near top of a table, for food and things."""
    h = canvas.height
    edge = h * rng.uniform(0.42, 0.62)
    if rng.random() < 0.75:
        built.room(rng, canvas, edge + h * 0.25, mood_of(rng))
    else:
        nature.sky(rng, canvas, h, "day")
        nature.hills(rng, canvas, h * 0.5)
    built.board(rng, canvas, edge)
    return Place(
        [
            Slot(
                ("food", "food", "food", "toy"), edge + h * 0.08, edge + h * 0.2, (0.2, 0.38), (1, 3), far=1
            ),
            Slot(("food",), edge + h * 0.25, h * 0.97, (0.22, 0.4), (1, 3), far=1),
        ]
    )


def portrait(rng: Generator, canvas: Canvas) -> Place:
    """Draw what is behind people who are cut off below the chest: a room, a wall or a landscape."""
    w, h = canvas.width, canvas.height
    kind = rng.random()
    if kind < 0.3:
        built.room(rng, canvas, h * rng.uniform(0.7, 0.9), mood_of(rng))
    elif kind < 0.42:
        built.bricks(rng, canvas, -9, -9, w + 18, h + 18, whole=rng.random() < 0.4)
    elif kind < 0.5:
        built.planks(rng, canvas, -9, -9, w + 18, h + 18, upright=True)
    elif kind < 0.6:
        nature.sky(rng, canvas, h * 0.7, mood_of(rng))
        built.city(rng, canvas, h * 0.75, lit=False)
        built.street(rng, canvas, h * 0.75)
    elif kind < 0.7:
        nature.sky(rng, canvas, h * 0.5, mood_of(rng))
        nature.water(rng, canvas, h * 0.5, h, one_of(rng, colors.SEA))
        nature.ground(rng, canvas, nature.ridge(rng, w, h * 0.75, h * 0.02, 2), one_of(rng, colors.SAND))
    else:
        horizon = h * rng.uniform(0.5, 0.75)
        nature.sky(rng, canvas, horizon + 9, mood_of(rng))
        if rng.random() < 0.3:
            nature.mountains(rng, canvas, horizon)
        nature.hills(rng, canvas, horizon)
        nature.ground(rng, canvas, nature.ridge(rng, w, horizon, h * 0.015, 2), one_of(rng, colors.GRASS))
        _wood(rng, canvas, horizon, int(rng.integers(0, 4)))
    return Place(
        [
            Slot(
                BUST,
                h * 1.02,
                h * 1.02,
                (0.55, 0.85),
                (1, 1 + int(w > h * 0.9) + int(w > h * 1.2)),
                far=1,
                left=0.15,
                right=0.85,
            )
        ]
    )


KINDS: dict[str, tuple[Callable[[Generator, Canvas], Place], float]] = {
    "meadow": (meadow, 0.17),
    "forest": (forest, 0.08),
    "highland": (highland, 0.06),
    "beach": (beach, 0.09),
    "sea": (sea, 0.07),
    "underwater": (underwater, 0.05),
    "desert": (desert, 0.04),
    "snow": (snow, 0.05),
    "street": (street, 0.09),
    "yard": (yard, 0.08),
    "room": (room, 0.12),
    "still life": (still_life, 0.05),
    "portrait": (portrait, 0.13),
}
"""Every kind of scene: what draws it, and how often."""
