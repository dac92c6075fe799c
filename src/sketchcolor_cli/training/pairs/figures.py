"""Figures drawn by code: one character in any pose, with any expression, with exact lines.

A character is a set of proportions, clothes and colours; a pose says how its limbs, head and face are held.
So the same character can be drawn twice, which no free collection of pictures has in numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sketchcolor_cli.training.pairs.pairs import Drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    Points = NDArray[np.floating]

Color = tuple[int, int, int]

_SIDE = 320  # pixels of a drawing
_SKIN = (
    (255, 224, 200), (250, 206, 176), (232, 184, 148), (205, 150, 112), (160, 108, 76), (112, 72, 50),
    (78, 48, 36),
)  # fmt: skip
_HAIR = (
    (30, 26, 30), (70, 44, 30), (120, 76, 40), (196, 150, 80), (236, 206, 130), (170, 60, 40),
    (200, 200, 206),
)  # fmt: skip
_LIPS = (150, 40, 48)
_INK = (20, 18, 24)
_FORM = (
    "heads", "width", "face", "bangs", "hair", "tails", "bun", "spikes", "ears", "hat", "top", "sleeve",
    "open", "collar", "bottom", "leg", "shoe", "belt", "cape", "scarf", "stripe", "eye", "glasses",
    "beard", "apron", "glove", "fringe", "shading",
)  # fmt: skip
_CLOTHES = (
    "top", "sleeve", "inner", "bottom", "leg", "shoe", "belt", "cape", "scarf", "hat", "apron", "glove",
    "stripe", "eye",
)  # fmt: skip


@dataclass(frozen=True)
class Character:
    """What stays the same from drawing to drawing: numbers in [0, 1] by name, and 8-bit colours by part."""

    form: dict[str, float]
    colors: dict[str, Color]

    def has(self, name: str, share: float) -> bool:
        """Return whether it is one of the share of characters that have something."""
        return self.form[name] < share


def draw_character(rng: Generator) -> Character:
    """Return a character drawn at random."""
    form = {name: float(rng.random()) for name in _FORM}
    colors = {name: _cloth(rng) for name in _CLOTHES}
    if rng.random() < 0.6:
        colors["sleeve"] = colors["top"]
    natural = rng.random() < 0.93
    colors["skin"] = _near(rng, _SKIN[rng.integers(len(_SKIN))], 8) if natural else _cloth(rng)
    natural = rng.random() < 0.55
    colors["hair"] = _near(rng, _HAIR[rng.integers(len(_HAIR))], 14) if natural else _cloth(rng)
    return Character(form, colors)


def head_height(character: Character) -> float:
    """Return the height of a character's head, as a part of its own."""
    return 1 / (2.6 + 3.6 * character.form["heads"])


def _cloth(rng: Generator) -> Color:
    saturation = rng.uniform(0.35, 0.95) if rng.random() < 0.75 else rng.uniform(0, 0.2)
    hsv = np.array([[[rng.integers(180), 255 * saturation, 255 * rng.uniform(0.3, 1)]]]).astype(np.uint8)
    r, g, b = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]
    return int(r), int(g), int(b)


def _near(rng: Generator, color: Color, by: float) -> Color:
    r, g, b = np.clip(np.array(color) + rng.normal(0, by, 3), 0, 255)
    return int(r), int(g), int(b)


@dataclass(frozen=True)
class Pose:
    """How a character is held in one drawing.

    Attributes:
        lean, tilt: Of the body and of the head, in radians.
        turn, look: Of the head and of the eyes, from -1 to 1.
        arms, legs: Angles of the left and the right upper limb, and by how much each lower limb is bent on.
        eyes, mouth, brow: The expression; two kinds, and the slant of the brows.
        sway: How far hair and cloth blow to a side.
    """

    lean: float
    tilt: float
    turn: float
    look: float
    arms: tuple[float, ...]
    legs: tuple[float, ...]
    eyes: int
    mouth: int
    brow: float
    sway: float


def draw_pose(rng: Generator) -> Pose:
    """Return a pose and an expression drawn at random; one in three stands calmly."""
    calm = rng.random() < 0.35
    swing = 0.25 if calm else 0.9
    arms = rng.normal((0.35, 0.2, 0.35, 0.2), (0.5 * swing, swing, 0.5 * swing, swing))
    if not calm and rng.random() < 0.3:
        arms[:2] = rng.uniform(1.2, 2.8), rng.normal(0.3, 0.6)
    legs = rng.normal((0.12, 0, 0.12, 0), 0.12 if calm else 0.35)
    return Pose(
        lean=float(rng.normal(0, 0.05 if calm else 0.15)),
        tilt=float(rng.normal(0, 0.14)),
        turn=float(rng.uniform(-1, 1)),
        look=float(rng.uniform(-1, 1)),
        arms=tuple(arms.tolist()),
        legs=tuple(legs.tolist()),
        eyes=int(rng.integers(5)),
        mouth=int(rng.integers(6)),
        brow=float(rng.normal(0, 0.3)),
        sway=float(rng.normal(0, 0.12)),
    )


def draw_view(rng: Generator, character: Character, pose: Pose) -> tuple[float, float, float]:
    """Return what is seen, as top, left and size: the whole figure, its upper half, its bust or its head."""
    head = head_height(character)
    kind = rng.random()
    whole = kind < 0.4
    size = 1.16 if whole else 0.75 if kind < 0.6 else 2.4 * head if kind < 0.8 else 1.75 * head
    size *= float(np.exp(rng.normal(0, 0.06)))
    top = (-0.08 if whole else -0.36 * head) + float(rng.normal(0, 0.02)) * size
    middle = 0.5 if whole else 0.5 + pose.lean * (0.5 - head)
    return top, middle - size / 2 + float(rng.normal(0, 0.04)) * size, size


def draw_pair(rng: Generator) -> tuple[Drawing, Drawing]:
    """Return two drawings of one character by one hand, in other poses and with other expressions."""
    character = draw_character(rng)
    shade = 0.0 if rng.random() < 0.5 else float(rng.uniform(0.12, 0.35))
    pen = int(rng.integers(1, 4))
    poses = [draw_pose(rng) for _ in range(2)]
    first, second = (draw(character, pose, draw_view(rng, character, pose), pen, shade) for pose in poses)
    return first, second


def draw(character: Character, pose: Pose, view: Sequence[float], pen: int, shade: float) -> Drawing:
    """Return a drawing of a character, 320 pixels square.

    ``view`` is top, left and size of what is seen, in heights of the figure; ``pen`` the width of its lines
    in pixels; ``shade`` by how much shadows darken, from 0 for none.
    """
    paper = _Paper(pen, shade)
    _Figure(character, pose, view, paper).draw()
    return Drawing("", paper.color, paper.line, "figures")


class _Paper:
    """The coloured picture and its lines, drawn together; later shapes cover earlier ones."""

    def __init__(self, pen: int, shade: float) -> None:
        self.color = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
        self.line = np.full((_SIDE, _SIDE), 255, np.uint8)
        self.pen, self.shade, self.ink = pen, shade, _INK

    def shape(self, points: Any, color: Color, smooth: int) -> None:
        """Draw a closed shape, its corners rounded so many times."""
        at = _fixed(_rounded(np.asarray(points, float), smooth))
        cv2.fillPoly(self.color, [at], color, cv2.LINE_AA, 4)
        if self.shade:
            self._shadow(at, color)
        cv2.fillPoly(self.line, [at], 255, cv2.LINE_AA, 4)
        self._trace(at, closed=True)

    def stroke(self, points: Any) -> None:
        """Draw an open line."""
        self._trace(_fixed(np.asarray(points, float)), closed=False)

    def _trace(self, at: NDArray[np.int32], *, closed: bool) -> None:
        cv2.polylines(self.color, [at], closed, self.ink, self.pen, cv2.LINE_AA, 4)
        cv2.polylines(self.line, [at], closed, 0, self.pen, cv2.LINE_AA, 4)

    def _shadow(self, at: NDArray[np.int32], color: Color) -> None:
        inside, lit = np.zeros(self.line.shape, np.uint8), np.zeros(self.line.shape, np.uint8)
        size = int(np.ptp(at[:, 1]) + np.ptp(at[:, 0])) // 2
        cv2.fillPoly(inside, [at], 255, cv2.LINE_8, 4)
        cv2.fillPoly(lit, [at - np.array([size // 6, size // 9], np.int32)], 255, cv2.LINE_8, 4)
        self.color[(inside > 0) & (lit == 0)] = np.array(color) * (1 - self.shade)


class _Figure:
    """One drawing of a character: where its joints are, and its parts from back to front."""

    def __init__(self, character: Character, pose: Pose, view: Sequence[float], paper: _Paper) -> None:
        self.c, self.p, self.paper = character, pose, paper
        self.head = h = head_height(character)
        self.broad = (0.75 + 0.5 * character.form["width"]) * (0.5 * h + 0.05)
        top, left, size = view
        self.scale, self.corner = _SIDE / size, np.array([left, top])
        self.hip = np.array([0.5, 0.5 + 0.12 * h])
        spine = _turn(pose.lean) @ np.array([0.0, -(0.5 - 0.88 * h)])
        self.neck = self.hip + spine
        self.chest = self.hip + spine * (0.5 - h) / (0.5 - 0.88 * h) * 0.86
        self.face = self.neck + _turn(pose.tilt + pose.lean) @ np.array([0, -0.48 * h])
        self.leg = (1 - self.hip[1]) * 0.47

    def draw(self) -> None:
        """Draw it, the arm on the far side behind the body or before it."""
        near, far = (1, -1) if self.p.turn >= 0 else (-1, 1)
        behind = self.c.form["shading"] < 0.5
        self._behind()
        if behind:
            self._arm(far)
        self._legs()
        self._skirt()
        self._top()
        self._worn()
        if not behind:
            self._arm(far)
        self._arm(near)
        self._head()
        self._eyes()
        self._mouth()
        self._hair()
        self._hat()

    def _px(self, points: Any) -> Points:
        out: Points = (np.asarray(points, float) - self.corner) * self.scale
        return out

    def _shape(self, points: Any, name: str, smooth: int = 2) -> None:
        self.paper.shape(self._px(points), self.c.colors[name], smooth)

    def _from(self, joint: Points, *steps: tuple[float, float]) -> list[Points]:
        return [joint + np.array(step) for step in steps]

    def _on_face(self, *places: tuple[float, float]) -> list[Points]:
        """Return places on the head: x to the side and y down, in halves of its height from its middle."""
        turn = _turn(self.p.tilt + self.p.lean) * self.head * 0.5
        return [self.face + turn @ np.array(place) for place in places]

    def _behind(self) -> None:
        c, sway = self.c, self.p.sway
        if c.has("cape", 0.2):
            w, drop = self.broad, self.hip[1] + 0.28 - self.chest[1]
            hem = ((w + 0.09 + sway * 0.3, drop), (sway * 0.2, drop + 0.03), (-w - 0.09 + sway * 0.3, drop))
            self._shape(self._from(self.chest, (-w, 0), (w, 0), *hem), "cape", 1)
        if c.has("hair", 0.62):
            long = 1.0 + 2.6 * c.form["fringe"] * (c.form["hair"] < 0.42)
            wide = 1.02 + 0.25 * c.form["bun"]
            crown = ((-wide, -0.5), (-0.6, -1.2), (0.6, -1.2), (wide, -0.5))
            ends = ((wide, 0.6 * long), (0.75, long), (0.1, 0.92 * long), (-0.7, long), (-wide, 0.6 * long))
            self._shape(self._on_face(*crown, *((x + sway, y) for x, y in ends)), "hair")
        if c.has("tails", 0.25):
            drop = 0.9 + 1.6 * c.form["fringe"]
            for s in (-1, 1):
                tail = ((0.8, -0.7, 0), (1.3, -0.8, 0), (1.6, 0.2, 1), (1.35, drop, 2), (1.05, 0.3, 1))
                self._shape(self._on_face(*((s * x + k * sway, y) for x, y, k in tail)), "hair")

    def _legs(self) -> None:
        c, p = self.c, self.p
        thick = 0.3 * self.broad + 0.012
        bare = c.form["bottom"] > 0.5  # a skirt, or shorts
        stocking = "leg" if c.has("leg", 0.35) else "skin"
        for n, s in enumerate((-1, 1)):
            (a,) = self._from(self.hip, (s * self.broad * 0.45, 0))
            angle = p.legs[2 * n] * s
            knee = a + _turn(-angle) @ np.array([0, self.leg])
            foot = knee + _turn(0.7 * p.legs[2 * n + 1] - angle) @ np.array([0, self.leg])
            self._shape(_limb(a, knee, thick, thick * 0.8), "skin" if bare else "bottom")
            ankle = thick * (0.6 if bare else 0.85)
            self._shape(_limb(knee, foot, thick * 0.8, ankle), stocking if bare else "bottom")
            if c.form["bottom"] > 0.75:
                self._shape(_limb(a, a + (knee - a) * 0.6, thick * 1.15, thick * 1.2), "bottom")
            if c.has("shoe", 0.4):
                self._shape(_limb(foot + (knee - foot) * 0.45, foot, thick * 0.85, thick * 0.8), "shoe")
            (toe,) = self._from(foot, (np.copysign(0.05 if abs(p.turn) > 0.4 else 0.02, p.turn), 0.012))
            self._shape(_limb(foot, toe, thick * 0.8, thick * 0.75), "shoe")

    def _skirt(self) -> None:
        c, w, h = self.c, self.broad, self.head
        (above,) = self._from(self.neck, (0, -0.06 * h))
        self._shape(_limb(above, self.chest, 0.13 * h, 0.15 * h), "skin")
        if 0.5 < c.form["bottom"] <= 0.75:
            flare = w * (1.1 + 0.9 * c.form["leg"])
            drop = self.leg * (0.5 + 0.6 * c.form["shoe"])
            hem = ((flare, drop), (0, drop + 0.015), (-flare, drop))
            self._shape(self._from(self.hip, (-w * 0.7, -0.03), (w * 0.7, -0.03), *hem), "bottom", 1)
        else:
            low = ((w * 0.8, 0.04), (0, 0.06), (-w * 0.8, 0.04))
            self._shape(self._from(self.hip, (-w * 0.72, -0.05), (w * 0.72, -0.05), *low), "bottom", 1)

    def _top(self) -> None:
        c, w, chest = self.c, self.broad, self.chest
        down = self.hip - chest
        long = c.form["top"] > 0.72
        (end,) = self._from(self.hip, (0, 0.16 if long else 0.01))
        hem, waist = w * (1.2 if long else 0.8), w * (0.72 + 0.2 * c.form["width"])
        shoulders = self._from(chest, (-w, 0.01), (-w * 0.4, -0.025), (w * 0.4, -0.025), (w, 0.01))
        right, left = self._from(chest + down * 0.6, (waist, 0), (-waist, 0))
        self._shape([*shoulders, right, *self._from(end, (hem, 0), (-hem, 0)), left], "top", 1)
        if c.has("open", 0.3):
            opening = self._from(chest, (-w * 0.35, -0.02), (w * 0.35, -0.02))
            self._shape([*opening, *self._from(end, (w * 0.3, 0), (-w * 0.3, 0))], "inner", 0)
        elif c.has("open", 0.6):
            for n in range(3):
                self._shape(_ellipse(chest + down * (0.25 + 0.25 * n), 0.008, 0.008, count=6), "belt")
        elif c.has("stripe", 0.5):
            self._band(chest + down * 0.4, 0.82, 0.025, "stripe")
        if c.has("belt", 0.4):
            self._band(chest + down * 0.85, 0.85, 0.014, "belt")

    def _band(self, middle: Points, wide: float, high: float, name: str) -> None:
        x = wide * self.broad
        self._shape(self._from(middle, (-x, -high), (x, -high), (x, high), (-x, high)), name, 0)

    def _worn(self) -> None:
        c, w, h, chest, sway = self.c, self.broad, self.head, self.chest, self.p.sway
        if c.has("apron", 0.15):
            bib = self._from(chest + (self.hip - chest) * 0.3, (-w * 0.5, 0), (w * 0.5, 0))
            self._shape([*bib, *self._from(self.hip, (w * 0.7, 0.14), (-w * 0.7, 0.14))], "apron", 1)
        if c.has("collar", 0.35):
            for s in (-1, 1):
                flap = (
                    (0, 0.02),
                    (s * 0.2 * h, -0.05 * h),
                    (s * 0.32 * h, 0.06 * h),
                    (s * 0.12 * h, 0.16 * h),
                )
                self._shape(self._from(chest, *flap), "stripe", 0)
        if c.has("scarf", 0.2):
            self._shape(_ellipse(self.neck + np.array([0, 0.1 * h]), 0.34 * h, 0.13 * h), "scarf")
            end = ((0.1, 0.1), (0.28, 0.1), (0.34 + sway, 0.75), (0.1 + sway, 0.7))
            self._shape(self._from(self.neck, *((x * h, y * h) for x, y in end)), "scarf", 1)

    def _arm(self, s: int) -> None:
        c, p = self.c, self.p
        thick, long, bare = 0.22 * self.broad + 0.014, 0.17, c.form["sleeve"]
        upper, bent = p.arms[:2] if s < 0 else p.arms[2:]
        (a,) = self._from(self.chest, (s * self.broad * 0.92, 0.025))
        elbow = a + _turn(-s * upper) @ np.array([0, long])
        hand = elbow + _turn(-s * (upper + bent)) @ np.array([0, long * 0.95])
        self._shape(_limb(a, elbow, thick, thick * 0.85), "skin" if bare > 0.85 else "sleeve")
        if bare <= 0.45:
            self._shape(_limb(elbow, hand, thick * 0.9, thick * 0.8), "sleeve")
        else:
            self._shape(_limb(elbow, hand, thick * 0.8, thick * 0.65), "skin")
            if bare <= 0.85:
                self._shape(_limb(a, a + (elbow - a) * 0.7, thick * 1.15, thick * 1.2), "sleeve")
        along = (hand - elbow) / max(1e-6, float(np.hypot(*(hand - elbow))))
        palm = _ellipse(
            hand + along * thick * 0.9, thick * 1.05, thick * 0.85, float(np.arctan2(*along[::-1]))
        )
        self._shape(palm, "glove" if c.has("glove", 0.2) else "skin")

    def _head(self) -> None:
        c, ears = self.c, self.c.form["ears"]
        jaw = 0.35 + 0.3 * c.form["face"]
        if ears < 0.5 or ears > 0.85:
            for s in (-1, 1):
                (place,) = self._on_face((s * 0.84, 0.1))
                self._shape(_ellipse(place, 0.09 * self.head, 0.13 * self.head), "skin")
        skull = ((-0.86, -0.5), (-0.5, -1.0), (0.5, -1.0), (0.86, -0.5), (0.82, 0.3))
        chin = ((jaw, 0.85), (0, 1.02), (-jaw, 0.85), (-0.82, 0.3))
        self._shape(self._on_face(*skull, *chin), "skin")
        if c.has("beard", 0.1):
            cheeks = ((-0.75, 0.3), (-0.3, 0.55), (0.3, 0.55), (0.75, 0.3))
            self._shape(self._on_face(*cheeks, (0.55, 0.95), (0, 1.35), (-0.55, 0.95)), "hair")

    def _eyes(self) -> None:
        p, paper, size = self.p, self.paper, self.c.form["eye"]
        shift, wide = 0.22 * p.turn, 0.13 + 0.08 * size
        high = (0.12 + 0.16 * size) * (1, 1, 0.55, 1.2, 0)[p.eyes]
        for s in (-1, 1):
            x, y = s * 0.4 + shift, 0.12
            if not high or (p.eyes == 3 and s > 0 and p.brow > 0.3):  # closed, or a wink
                bow = np.copysign(0.08, p.look)
                paper.stroke(self._px(self._on_face((x - wide, y), (x, y + bow), (x + wide, y))))
            else:
                at = np.array([x + p.look * 0.04, y + 0.03])
                rings = (
                    (np.array([x, y]), 1.0, 1.0, (255, 255, 255)),
                    (at, 0.62, 0.75, self.c.colors["eye"]),
                    (at, 0.28, 0.36, paper.ink),
                )
                for middle, a, b, color in rings:
                    ring = self._on_face(*_ellipse(middle, wide * a, high * b, count=10))
                    paper.shape(self._px(ring), color, 2)
            lift, slant = y - 0.4 - 0.1 * size, s * p.brow * 0.12
            paper.stroke(self._px(self._on_face((x - wide, lift + slant), (x + wide, lift - slant))))
            if self.c.has("glasses", 0.12):
                paper.stroke(self._px(self._on_face(*_ellipse(np.array([x, y]), 0.3, 0.28, count=15))))
        tip = shift * 1.5 + np.copysign(0.05, p.turn)
        paper.stroke(self._px(self._on_face((shift * 1.3, 0.3), (tip, 0.42), (shift * 1.3, 0.45))))

    def _mouth(self) -> None:
        shift, kind, y = 0.22 * self.p.turn, self.p.mouth, 0.66
        if kind < 3:  # straight, up, down
            bow = (0, 0.1, -0.1)[kind]
            ends = self._on_face((shift - 0.2, y - bow), (shift, y), (shift + 0.2, y - bow))
            self.paper.stroke(self._px(ends))
            return
        a, b = ((0.22, 0.14), (0.1, 0.12), (0.3, 0.2))[kind - 3]
        ring = _ellipse(np.array([shift, y]), a, b, count=10)
        if kind == 5:
            ring = np.array([shift, y]) + np.array(((-a, -0.08), (a, -0.08), (a / 2, b), (-a / 2, b)))
        self.paper.shape(self._px(self._on_face(*ring)), _LIPS, 2)

    def _hair(self) -> None:
        c, f, turn = self.c, self.c.form, self.p.turn
        if c.has("spikes", 0.3):
            tips = [
                (x * 1.12, -0.75 - 0.75 * np.sqrt(1 - 0.9 * x * x) + (0.28 if n % 2 else -0.05))
                for n, x in enumerate(np.linspace(-1, 1, 7))
            ]
            fringe = [(x, -0.03 if n % 2 else -0.45) for n, x in enumerate(np.linspace(0.95, -0.95, 8))]
            self._shape(self._on_face((-1, -0.1), *tips, (1, -0.1), *fringe), "hair", 0)
        elif f["hair"] <= 0.94:
            part = (f["bangs"] - 0.5) * 1.2 + 0.1 * turn
            low = -0.42 + 0.34 * f["fringe"] * (f["bangs"] > 0.3)
            side = 0.2 + 0.6 * f["bun"]
            crown = (
                (-0.98, side),
                (-1.02, -0.5),
                (-0.6, -1.2),
                (0, -1.3),
                (0.6, -1.2),
                (1.02, -0.5),
                (0.98, side),
            )
            bangs = ((0.7, low), (part + 0.25, low), (part, low - 0.35), (part - 0.25, low), (-0.7, low))
            edge = ((0.78, side * 0.6), *bangs, (-0.78, side * 0.6))
            self._shape(self._on_face(*crown, *edge), "hair", 1)
            for x in (part, -0.5, 0.5):
                self.paper.stroke(self._px(self._on_face((x, low - 0.3), (x * 0.7, -1.05))))
        if c.has("bun", 0.18):
            for s in (-1, 1) if f["tails"] > 0.6 else (0,):
                (place,) = self._on_face((s * 0.75, -1.2))
                self._shape(_ellipse(place, 0.2 * self.head, 0.2 * self.head), "hair")

    def _hat(self) -> None:
        if self.c.form["ears"] > 0.85:
            for s in (-1, 1):
                self._shape(self._on_face((s * 0.35, -1.1), (s * 0.8, -1.75), (s * 0.95, -0.8)), "hair", 1)
                self._shape(self._on_face((s * 0.5, -1.1), (s * 0.76, -1.5), (s * 0.82, -0.95)), "scarf", 1)
        if not self.c.has("hat", 0.18):
            return
        if self.c.form["top"] < 0.5:
            crown = ((-0.9, -0.65), (-0.75, -1.5), (0, -1.75), (0.75, -1.5), (0.9, -0.65))
            brim = ((-1.4, -0.65), (-0.9, -0.82), (0.9, -0.82), (1.4, -0.65), (0.9, -0.5), (-0.9, -0.5))
            self._shape(self._on_face(*crown), "hat")
            self._shape(self._on_face(*brim), "hat")
        else:
            cap = ((-1.0, -0.6), (-0.9, -1.2), (0, -1.5), (0.9, -1.2), (1.0, -0.6), (0, -0.72))
            self._shape(self._on_face(*cap), "hat")
            band = ((-0.98, -0.72), (0.98, -0.72), (1.0, -0.5), (-1.0, -0.5))
            self._shape(self._on_face(*band), "stripe", 0)


def _fixed(points: Points) -> NDArray[np.int32]:
    """Return points in sixteenths of a pixel, as OpenCV takes them."""
    out: NDArray[np.int32] = np.rint(np.clip(points, -2000, 2000) * 16).astype(np.int32)
    return out


def _rounded(points: Points, times: int) -> Points:
    """Cut the corners of a closed polygon (Chaikin 1974)."""
    for _ in range(times):
        after = np.roll(points, -1, 0)
        points = np.stack([0.75 * points + 0.25 * after, 0.25 * points + 0.75 * after], 1).reshape(-1, 2)
    return points


def _ellipse(center: Points, a: float, b: float, angle: float = 0.0, count: int = 14) -> Points:
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([a * np.cos(t), b * np.sin(t)], 1) @ _turn(angle).T + center


def _turn(angle: float) -> Points:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _limb(a: Points, b: Points, first: float, last: float) -> list[Points]:
    """Return the outline of a limb from one joint to the next, and its half widths there."""
    along = (b - a) / max(1e-6, float(np.hypot(*(b - a))))
    side = np.array([-along[1], along[0]])
    start, end = a - along * first * 0.6, b + along * last * 0.6
    return [a + side * first, start, a - side * first, b - side * last, end, b + side * last]
