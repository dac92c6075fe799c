"""Draw the example comic pages, their clean colouring, and the rough colouring given as reference.

    python tools/draw_examples.py [FOLDER]        # default: examples/

Everything is drawn from curves below; the same shapes give ink, colour and rough reference, so that the three
lie over one another exactly. Needs numpy, opencv-python and Pillow.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Point = tuple[float, float]
    Rgb = tuple[int, int, int]
    Lettering = tuple[float, float, str]

SCALE = 3  # drawn so much larger, then averaged down
WHITE, BLACK = (255, 255, 255), (20, 18, 22)
SKIN, DARK_SKIN, CAT = (250, 214, 186), (134, 84, 58), (236, 158, 82)
HAIR, DARK_HAIR, COAT, SHIRT = (120, 66, 44), (36, 30, 38), (196, 60, 62), (70, 120, 190)
SKY, DUSK, SEA, GRASS, WOOD, ROOF, WALL, STONE = (
    (176, 214, 240), (240, 178, 130), (74, 140, 176), (136, 184, 96), (150, 104, 66), (186, 84, 66), (244, 228, 196),
    (166, 168, 178),
)  # fmt: skip


@dataclass
class Shape:
    """A closed or open curve in the panel's units (0–100 across), its colour, and how it is inked."""

    points: list[Point]
    color: Rgb | None = None
    tone: float = 0  # screentone: 0 paper, 1 solid black
    width: float = 0.55
    smooth: bool = True
    closed: bool = True
    hatch: bool = field(default=False)


def ellipse(x: float, y: float, a: float, b: float, turn: float = 0, **more: Any) -> Shape:
    """Return an ellipse round (x, y) with half axes a and b."""
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    u, v = a * np.cos(t), b * np.sin(t)
    c, s = np.cos(turn), np.sin(turn)
    return Shape(list(zip(x + c * u - s * v, y + s * u + c * v, strict=True)), **more)


def line(*points: Point, width: float = 0.5) -> Shape:
    """Return an open stroke."""
    return Shape(list(points), width=width, closed=False)


def curve(points: list[Point], *, closed: bool, smooth: bool) -> np.ndarray:
    """Return the Catmull-Rom curve through the points, (N, 2)."""
    given = np.array(points, float)
    if not smooth or len(given) < 3:
        return given
    around = np.vstack([given[-1], given, given[:2]]) if closed else np.vstack([given[0], given, given[-1]])
    t = np.linspace(0, 1, 14, endpoint=False)[:, None]
    parts = []
    for p0, p1, p2, p3 in zip(around, around[1:], around[2:], around[3:], strict=False):
        parts.append(
            0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
        )
    return np.vstack([*parts, given[:1] if closed else given[-1:]])


def face(
    x: float, y: float, r: float, skin: Rgb, hair: Rgb, *, look: float = 0, smile: float = 1, long_hair: bool = False
) -> Iterator[Shape]:
    """Return the shapes of a head: hair behind, neck, face, features, fringe."""
    back = [(-1.15, -0.2), (-0.95, -1.05), (0, -1.42), (0.95, -1.05), (1.15, -0.2)]
    back += [(1.2, 1.5), (0.75, 2.1), (-0.75, 2.1), (-1.2, 1.5)] if long_hair else [(1.0, 0.45), (-1.0, 0.45)]

    def at(points: Iterable[Point]) -> list[Point]:
        return [(x + r * px, y + r * py) for px, py in points]

    dark = sum(hair) < 150
    yield Shape(at(back), hair, tone=1 if dark else 0.35)
    yield Shape(at([(-0.32, 0.6), (0.32, 0.6), (0.36, 1.6), (-0.36, 1.6)]), skin, tone=0.12 if sum(skin) < 400 else 0)
    head = [(-0.92, -0.3), (-0.6, -1.0), (0, -1.15), (0.6, -1.0), (0.92, -0.3), (0.82, 0.35), (0.4, 0.95), (0, 1.12)]
    head += [(-0.4, 0.95), (-0.82, 0.35)]
    yield Shape(at(head), skin, tone=0.12 if sum(skin) < 400 else 0)
    for side in (-1, 1):
        ex = 0.4 * side + 0.1 * look
        yield Shape(at([(ex - 0.2, 0.06), (ex, -0.13), (ex + 0.2, 0.06), (ex, 0.2)]), WHITE, width=0.4)
        yield ellipse(x + r * (ex + 0.06 * look), y + r * 0.05, r * 0.11, r * 0.14, color=(70, 48, 40), tone=1, width=0.2)
        yield ellipse(x + r * (ex + 0.06 * look + 0.04), y + r * 0.0, r * 0.035, r * 0.04, color=WHITE, width=0)
        yield line(*at([(ex - 0.23, -0.02), (ex, -0.19), (ex + 0.23, -0.02)]), width=0.9)
        yield line(*at([(ex - 0.22, -0.34), (ex, -0.42 - 0.03 * smile), (ex + 0.2, -0.36)]), width=0.7)
        yield ellipse(x + r * 0.58 * side, y + r * 0.42, r * 0.16, r * 0.08, color=_mix(skin, (230, 110, 100), 0.35), width=0)
    yield line(*at([(0.08 * look, 0.2), (0.1 + 0.1 * look, 0.42), (-0.02 + 0.1 * look, 0.46)]), width=0.45)
    yield line(*at([(-0.26, 0.68 - 0.06 * smile), (0, 0.7 + 0.08 * smile), (0.26, 0.68 - 0.06 * smile)]), width=0.6)
    fringe = [(-1.0, 0.1), (-1.05, -0.75), (-0.4, -1.36), (0.4, -1.36), (1.05, -0.75), (1.0, 0.1), (0.78, -0.42)]
    fringe += [(0.5, -0.2), (0.3, -0.62), (-0.05, -0.26), (-0.3, -0.66), (-0.62, -0.22), (-0.8, -0.45)]
    yield Shape(at(fringe), hair, tone=1 if dark else 0.35, smooth=True)
    if dark:
        yield line(*at([(-0.5, -1.0), (-0.1, -1.15), (0.3, -1.05)]), width=0.5)


def _mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    red, green, blue = (int(p + (q - p) * share) for p, q in zip(a, b, strict=True))
    return red, green, blue


def bust(x: float, y: float, r: float, skin: Rgb, hair: Rgb, cloth: Rgb, **how: Any) -> Iterator[Shape]:
    """Return a person down to the chest."""
    body = [(-0.4, 1.35), (-1.5, 1.8), (-2.1, 2.9), (-2.3, 4.6), (2.3, 4.6), (2.1, 2.9), (1.5, 1.8), (0.4, 1.35)]
    head = list(face(x, y, r, skin, hair, **how))
    yield head[0]
    yield Shape([(x + r * px, y + r * py) for px, py in body], cloth, tone=0.22)
    yield from head[1:]
    collar = [(-0.55, 1.35), (-0.15, 2.0), (0, 2.25), (0.15, 2.0), (0.55, 1.35)]
    yield line(*[(x + r * px, y + r * py) for px, py in collar], width=0.7)
    for dy in (2.6, 3.2):
        yield ellipse(x, y + r * dy, r * 0.07, r * 0.07, color=WHITE, width=0.35)


def cat(x: float, y: float, r: float, color: Rgb = CAT) -> Iterator[Shape]:
    """Return a sitting cat."""

    def at(points: Iterable[Point]) -> list[Point]:
        return [(x + r * px, y + r * py) for px, py in points]

    yield Shape(at([(0.9, 2.6), (1.9, 2.5), (2.2, 1.4), (1.8, 0.7), (2.0, 0.6), (2.6, 1.5), (2.3, 2.9), (1.0, 3.1)]), color)
    yield Shape(at([(-0.7, 0.6), (-1.1, 2.0), (-1.05, 3.1), (1.2, 3.1), (1.3, 2.0), (0.7, 0.6)]), color)
    for side in (-1, 1):
        yield Shape(at([(0.9 * side, -0.3), (0.95 * side, -1.5), (0.2 * side, -0.85)]), color, smooth=False)
        yield ellipse(x + r * 0.4 * side, y + r * 3.02, r * 0.36, r * 0.2, color=WHITE)
    yield ellipse(x, y, r * 1.12, r * 0.95, color=color)
    yield ellipse(x, y + r * 0.38, r * 0.5, r * 0.36, color=WHITE, width=0.3)
    for side in (-1, 1):
        yield ellipse(x + r * 0.45 * side, y - r * 0.1, r * 0.19, r * 0.24, color=(150, 190, 90), width=0.4)
        yield ellipse(x + r * 0.45 * side, y - r * 0.1, r * 0.08, r * 0.2, color=BLACK, tone=1, width=0)
        for k in (-1, 0, 1):
            yield line(*at([(0.5 * side, 0.36 + 0.06 * k), (1.55 * side, 0.3 + 0.22 * k)]), width=0.3)
    yield Shape(at([(-0.12, 0.2), (0.12, 0.2), (0, 0.34)]), (220, 120, 120), width=0.3, smooth=False)
    yield line(*at([(-0.25, 0.5), (0, 0.36), (0.25, 0.5)]), width=0.4)
    for across in (-0.35, 0, 0.35):
        yield line(*at([(across, -0.9), (across * 0.8, -0.6)]), width=0.6)


def hills(width: float, horizon: float, sky: Rgb = SKY) -> Iterator[Shape]:
    """Return sky, clouds, sea and two hills."""
    yield Shape([(-5, -5), (width + 5, -5), (width + 5, horizon + 30), (-5, horizon + 30)], sky, tone=0.1, width=0, smooth=False)
    for cx, cy, r in ((width * 0.25, horizon * 0.35, 5), (width * 0.72, horizon * 0.25, 7)):
        puffs = [(-2, 0.5), (-1.5, -0.5), (-0.5, -1), (0.5, -0.7), (1.2, -1), (2, -0.1), (2.2, 0.6), (0, 0.8)]
        yield Shape([(cx + r * px, cy + r * py) for px, py in puffs], WHITE)
    yield Shape([(-5, horizon), (width + 5, horizon), (width + 5, horizon + 40), (-5, horizon + 40)], SEA, tone=0.3, smooth=False)
    for k in range(6):
        x0 = width * (0.1 + 0.15 * k)
        yield line((x0, horizon + 3 + k % 3 * 3), (x0 + 4, horizon + 2.4 + k % 3 * 3), (x0 + 8, horizon + 3 + k % 3 * 3), width=0.35)
    yield Shape(
        [(-8, horizon + 60), (-8, horizon + 4), (width * 0.2, horizon - 6), (width * 0.45, horizon + 6), (width * 0.7, horizon + 60)],
        (112, 164, 90), tone=0.15,
    )  # fmt: skip
    yield Shape(
        [(width * 0.2, horizon + 80), (width * 0.5, horizon + 14), (width * 0.8, horizon + 8), (width + 10, horizon + 14), (width + 10, horizon + 80)],
        GRASS,
    )  # fmt: skip


def house(x: float, y: float, s: float) -> Iterator[Shape]:
    """Return a house with roof, door and windows."""
    yield Shape([(x, y), (x + 4 * s, y), (x + 4 * s, y + 3 * s), (x, y + 3 * s)], WALL, smooth=False)
    yield Shape([(x - 0.5 * s, y), (x + 2 * s, y - 2 * s), (x + 4.5 * s, y)], ROOF, tone=0.4, smooth=False)
    yield Shape([(x + 1.5 * s, y + 1.2 * s), (x + 2.4 * s, y + 1.2 * s), (x + 2.4 * s, y + 3 * s), (x + 1.5 * s, y + 3 * s)], WOOD, tone=0.3, smooth=False)
    for wx in (0.35, 2.8):
        yield Shape([(x + wx * s, y + 0.7 * s), (x + (wx + 0.8) * s, y + 0.7 * s), (x + (wx + 0.8) * s, y + 1.5 * s), (x + wx * s, y + 1.5 * s)], (250, 226, 140), smooth=False)
        yield line((x + (wx + 0.4) * s, y + 0.7 * s), (x + (wx + 0.4) * s, y + 1.5 * s), width=0.4)


def tree(x: float, y: float, s: float, leaf: Rgb = (92, 148, 82)) -> Iterator[Shape]:
    """Return a tree."""
    yield Shape([(x - 0.35 * s, y), (x - 0.2 * s, y - 2.5 * s), (x + 0.2 * s, y - 2.5 * s), (x + 0.4 * s, y)], WOOD, tone=0.3)
    t = np.linspace(0, 2 * np.pi, 11, endpoint=False)
    bumps = 1.6 + 0.22 * np.cos(5 * t)
    yield Shape(list(zip(x + s * bumps * np.cos(t), y - 3.6 * s + s * bumps * np.sin(t) * 0.95, strict=True)), leaf, tone=0.25)
    for dx, dy in ((-0.6, -3.9), (0.4, -4.3), (0.5, -3.1), (-0.3, -2.9)):
        yield line((x + dx * s, y + dy * s), (x + (dx + 0.25) * s, y + (dy - 0.18) * s), (x + (dx + 0.5) * s, y + dy * s), width=0.45)


def robot(x: float, y: float, s: float) -> Iterator[Shape]:
    """Return a friendly robot."""
    yield line((x, y - 2 * s), (x, y - 2.9 * s), width=0.8)
    yield ellipse(x, y - 3 * s, 0.28 * s, 0.28 * s, color=(230, 80, 70))
    for side in (-1, 1):
        yield Shape([(x + 1.4 * side * s, y + 0.4 * s), (x + 2.6 * side * s, y + 0.9 * s), (x + 2.5 * side * s, y + 2.4 * s), (x + 2.0 * side * s, y + 2.4 * s), (x + 1.9 * side * s, y + 1.3 * s), (x + 1.4 * side * s, y + 1.2 * s)], STONE, tone=0.25)
        yield Shape([(x + 0.3 * side * s, y + 2.8 * s), (x + 1.1 * side * s, y + 2.8 * s), (x + 1.2 * side * s, y + 4.4 * s), (x + 0.2 * side * s, y + 4.4 * s)], STONE, tone=0.25, smooth=False)
    yield Shape([(x - 1.5 * s, y), (x + 1.5 * s, y), (x + 1.3 * s, y + 3 * s), (x - 1.3 * s, y + 3 * s)], (110, 170, 186), tone=0.12)
    yield ellipse(x, y + 1.3 * s, 0.55 * s, 0.55 * s, color=(250, 206, 90))
    yield Shape([(x - 1.3 * s, y - 2 * s), (x + 1.3 * s, y - 2 * s), (x + 1.4 * s, y - 0.1 * s), (x - 1.4 * s, y - 0.1 * s)], (150, 196, 206))
    for side in (-1, 1):
        yield ellipse(x + 0.55 * side * s, y - 1.15 * s, 0.34 * s, 0.38 * s, color=(252, 240, 170))
        yield ellipse(x + 0.6 * side * s, y - 1.1 * s, 0.12 * s, 0.14 * s, color=BLACK, tone=1, width=0)
    yield line((x - 0.6 * s, y - 0.55 * s), (x, y - 0.35 * s), (x + 0.6 * s, y - 0.55 * s), width=0.7)


def bubble(x: float, y: float, a: float, b: float, tip: Point, text: str) -> Iterator[Shape | Lettering]:
    """Return a speech bubble: its tail, its body, and its lettering as (x, y, text)."""
    yield Shape([(x - a * 0.3, y + b * 0.5), tip, (x + a * 0.15, y + b * 0.6)], WHITE, smooth=False)
    yield ellipse(x, y, a, b, color=WHITE)
    yield Shape([(x - a * 0.24, y + b * 0.6), (x - a * 0.05, y + b * 0.98), (x + a * 0.1, y + b * 0.66)], WHITE, width=0, smooth=False)
    yield x, y, text


def rays(width: float, height: float, x: float, y: float) -> Iterator[Shape]:
    """Return speed lines that run towards (x, y)."""
    for k, angle in enumerate(np.linspace(0, 2 * np.pi, 44, endpoint=False)):
        d = np.array((np.cos(angle), np.sin(angle)))
        near, far = 0.42 + 0.1 * ((k * 7) % 5) / 4, 1.2
        a, b = (np.array((x, y)) + d * max(width, height) * part for part in (near, far))
        yield line((a[0], a[1]), (b[0], b[1]), width=0.3 + 0.25 * (k % 3))


class Sheet:
    """The three layers of one page: ink, colour, and which colour lies where."""

    def __init__(self, width: int, height: int) -> None:
        self.size = width, height
        big = width * SCALE, height * SCALE
        self.ink, self.color = Image.new("RGB", big, "white"), Image.new("RGB", big, "white")

    def panel(self, left: float, top: float, right: float, bottom: float, shapes: Iterable[Shape | Lettering], *, units: float = 100) -> None:
        """Draw shapes into a panel given in page pixels; the panel is ``units`` across."""
        width, height = int((right - left) * SCALE), int((bottom - top) * SCALE)
        zoom = width / units
        ink, color = Image.new("RGB", (width, height), "white"), Image.new("RGB", (width, height), "white")
        for shape in shapes:
            if isinstance(shape, tuple):
                self._letter(shape, zoom, ink, color)
            else:
                self._draw(shape, zoom, ink, color)
        for layer, part in ((self.ink, ink), (self.color, color)):
            layer.paste(part, (int(left * SCALE), int(top * SCALE)))
            box = [int(v * SCALE) for v in (left, top, right, bottom)]
            ImageDraw.Draw(layer).rectangle(box, outline=BLACK, width=4 * SCALE)

    def _draw(self, shape: Shape, zoom: float, ink: Image.Image, color: Image.Image) -> None:
        path = curve(shape.points, closed=shape.closed, smooth=shape.smooth) * zoom
        flat = [tuple(p) for p in path]
        if shape.closed and shape.color is not None:
            mask = Image.new("L", ink.size, 0)
            ImageDraw.Draw(mask).polygon(flat, fill=255)
            color.paste(shape.color, (0, 0), mask)
            ink.paste(_screentone(ink.size, shape.tone), (0, 0), mask)
        if shape.width:
            for layer in (ink, color):
                _stroke(ImageDraw.Draw(layer), path, shape.width * zoom, tapered=not shape.closed, closed=shape.closed)

    def _letter(self, text: Lettering, zoom: float, *layers: Image.Image) -> None:
        x, y, words = text
        font = ImageFont.load_default(size=13.5 * SCALE)
        for layer in layers:
            ImageDraw.Draw(layer).multiline_text(
                (x * zoom, y * zoom), words, fill=BLACK, font=font, anchor="mm", align="center", spacing=3 * SCALE
            )

    def page(self) -> Image.Image:
        """Return the black-and-white page."""
        return self.ink.resize(self.size, Image.Resampling.BOX).convert("L")

    def colored(self) -> Image.Image:
        """Return the clean colouring: flats under the ink."""
        return self.color.resize(self.size, Image.Resampling.BOX)

    def rough(self) -> Image.Image:
        """Return what a hurried artist would paint over the page: blurred, shifted, at a quarter of the size."""
        small = np.asarray(self.color.resize((self.size[0] // 4, self.size[1] // 4), Image.Resampling.BOX))
        flat = cv2.medianBlur(cv2.dilate(small, np.ones((3, 3), np.uint8)), 7)
        height, width = flat.shape[:2]
        rng = np.random.default_rng(4)
        waves = cv2.resize(rng.normal(0, 1.6, (6, 5, 2)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        y, x = np.indices((height, width), np.float32)
        moved = cv2.remap(flat, x + waves[..., 0], y + waves[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return Image.fromarray(cv2.GaussianBlur(moved, (0, 0), 2.0))


def _stroke(draw: ImageDraw.ImageDraw, path: np.ndarray, width: float, *, tapered: bool, closed: bool) -> None:
    """Draw a brush line: round dabs along the path, swelling and, if open, thin at its ends."""
    points = np.vstack([path, path[:1]]) if closed else path
    steps = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    count = max(2, int(steps[-1] / max(0.6, width * 0.22)))
    at = np.linspace(0, steps[-1], count)
    xs, ys = np.interp(at, steps, points[:, 0]), np.interp(at, steps, points[:, 1])
    share = np.linspace(0, 1, count)
    swell = np.sqrt(np.sin(np.pi * share.clip(0.04, 0.96))) if tapered else 0.85 + 0.25 * np.sin(2 * np.pi * share + 1)
    for x, y, r in zip(xs, ys, width * swell / 2, strict=True):
        draw.ellipse((x - r, y - r, x + r, y + r), fill=BLACK)


def _screentone(size: tuple[int, int], tone: float) -> Image.Image:
    """Return paper with dots at 45 degrees that cover the part ``tone`` of it."""
    if tone in (0, 1):
        return Image.new("RGB", size, WHITE if tone == 0 else BLACK)
    period = 5.5 * SCALE
    y, x = np.indices((size[1], size[0]), np.float32)
    u, v = (x + y) * np.pi / period, (x - y) * np.pi / period
    height = (2 + np.cos(u) + np.cos(v)) / 4
    dots = np.where(height > np.quantile(height, 1 - tone), BLACK[0], 255).astype(np.uint8)
    return Image.fromarray(dots).convert("RGB")


def first_page() -> Sheet:
    """Return a harbour morning: two friends, a cat, a letter."""
    sheet = Sheet(1000, 1440)
    sheet.panel(40, 40, 960, 470, [*hills(100, 22), *house(62, 20, 3.4), *tree(88, 40, 3.4), *tree(16, 40, 2.6),
        *bubble(26, 12, 13, 6.5, (34, 24), "Morning comes\nearly here.")])  # fmt: skip
    sheet.panel(40, 490, 480, 940, [Shape([(-5, -5), (105, -5), (105, 110), (-5, 110)], WALL, smooth=False, width=0),
        *bust(55, 48, 16, SKIN, HAIR, COAT, look=0.6, long_hair=True), *bubble(25, 14, 21, 11, (40, 34), "Did you see\nthe light?")])  # fmt: skip
    sheet.panel(500, 490, 960, 940, [Shape([(-5, -5), (105, -5), (105, 110), (-5, 110)], SKY, tone=0.16, smooth=False, width=0),
        *bust(46, 50, 16, DARK_SKIN, DARK_HAIR, SHIRT, look=-0.6), *bubble(74, 15, 21, 11, (60, 36), "All night,\nover the sea.")])  # fmt: skip
    sheet.panel(40, 960, 620, 1400, [Shape([(-5, -5), (105, -5), (105, 90), (-5, 90)], (228, 206, 178), smooth=False, width=0),
        Shape([(-5, 60), (105, 56), (105, 90), (-5, 90)], WOOD, tone=0.3, smooth=False), *cat(46, 30, 11.5),
        *bubble(80, 14, 15, 8, (64, 26), "Prrr?")])  # fmt: skip
    sheet.panel(640, 960, 960, 1400, [Shape([(-5, -5), (105, -5), (105, 150), (-5, 150)], DUSK, smooth=False, width=0),
        *rays(100, 137, 50, 66), *face(50, 68, 25, SKIN, HAIR, smile=-0.5, long_hair=True)])  # fmt: skip
    return sheet


def second_page() -> Sheet:
    """Return the walk to the workshop, and who lives there."""
    sheet = Sheet(1000, 1440)
    night = (44, 52, 92)
    sheet.panel(40, 40, 560, 640, [Shape([(-5, -5), (105, -5), (105, 120), (-5, 120)], night, tone=0.62, smooth=False, width=0),
        ellipse(74, 22, 11, 11, color=(250, 240, 190)), *tree(20, 92, 8, (58, 100, 84)),
        Shape([(-5, 120), (-5, 92), (50, 84), (105, 94), (105, 120)], (70, 110, 84), tone=0.35), *house(46, 72, 8.5),
        *bubble(30, 16, 22, 9, (40, 40), "There. The old\nworkshop.")])  # fmt: skip
    sheet.panel(580, 40, 960, 640, [Shape([(-5, -5), (105, -5), (105, 165), (-5, 165)], DUSK, tone=0.1, smooth=False, width=0),
        *bust(52, 84, 20, DARK_SKIN, DARK_HAIR, (232, 190, 80), look=0.4, smile=0.2), *bubble(48, 20, 36, 15, (56, 50), "Somebody has\nput the lamp on.")])  # fmt: skip
    sheet.panel(40, 660, 960, 1100, [Shape([(-5, -5), (105, -5), (105, 60), (-5, 60)], (214, 196, 170), smooth=False, width=0),
        Shape([(-5, 38), (105, 36), (105, 60), (-5, 60)], (150, 118, 92), tone=0.25, smooth=False),
        Shape([(8, 8), (26, 8), (26, 24), (8, 24)], SKY, smooth=False), line((17, 8), (17, 24)), line((8, 16), (26, 16)),
        *robot(50, 17, 5.2), *bust(84, 20, 7, SKIN, HAIR, COAT, look=-1, long_hair=True), *cat(20, 30, 4.2, (120, 120, 132)),
        *bubble(32, 7, 12, 4.6, (42, 13), "Good evening.\nTea?")])  # fmt: skip
    sheet.panel(40, 1120, 480, 1400, [Shape([(-5, -5), (105, -5), (105, 80), (-5, 80)], WHITE, smooth=False, width=0),
        *rays(100, 64, 50, 36), *face(50, 34, 16, SKIN, HAIR, look=0, smile=1.4, long_hair=True)])  # fmt: skip
    sheet.panel(500, 1120, 960, 1400, [Shape([(-5, -5), (105, -5), (105, 80), (-5, 80)], (248, 222, 150), tone=0.08, smooth=False, width=0),
        Shape([(24, 66), (22, 34), (58, 34), (56, 66)], (226, 236, 240)), ellipse(40, 34, 18, 4, color=(150, 96, 60), tone=0.4),
        Shape([(57, 40), (70, 40), (70, 56), (56, 56), (56.5, 52), (65, 52), (65, 44), (57, 44)], (226, 236, 240)),
        line((34, 26), (31, 20), (36, 14), (33, 8)), line((44, 26), (41, 20), (46, 14), (43, 8)), *bubble(82, 20, 14, 8, (74, 40), "Yes!")])  # fmt: skip
    return sheet


def splash() -> Sheet:
    """Return one wide picture: everybody on the hill above the sea."""
    sheet = Sheet(1123, 795)
    sheet.panel(24, 24, 1099, 771, [*hills(100, 26, (250, 214, 170)), *tree(90, 56, 5.4), *house(4, 30, 3.2),
        *robot(68, 40, 4.6), *bust(32, 38, 7.4, SKIN, HAIR, COAT, look=0.5, long_hair=True),
        *bust(51, 44, 6.6, DARK_SKIN, DARK_HAIR, SHIRT, look=-0.4), *cat(83, 56, 3.4),
        *bubble(50, 9, 17, 5.4, (42, 24), "Let us stay until\nthe light goes out.")])  # fmt: skip
    return sheet


PAGES = {"page 1": first_page, "page 2": second_page, "splash ページ": splash}


def main() -> None:
    """Write pages, reference and clean colour of every example."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "examples"
    for name, draw in PAGES.items():
        sheet = draw()
        layers = {"pages": sheet.page(), "reference": sheet.rough(), "colored": sheet.colored()}
        for part, picture in layers.items():
            (folder / part).mkdir(parents=True, exist_ok=True)
            if part == "pages":
                picture = picture.quantize(32).convert("L")
            picture.save(folder / part / f"{name}.png", optimize=True)
            print(folder / part / f"{name}.png", picture.size)


if __name__ == "__main__":
    main()
