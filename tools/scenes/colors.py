"""Colours that things have, with their variation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

    from scenes.canvas import Color

SKY = [(120, 185, 240), (150, 205, 245), (95, 165, 230), (175, 220, 248), (135, 206, 235), (110, 190, 225)]
GRASS = [(120, 180, 70), (95, 160, 60), (140, 195, 85), (80, 150, 65), (160, 195, 90), (105, 170, 90)]
FAR_HILL = [(110, 160, 95), (130, 170, 120), (120, 155, 140), (150, 180, 130), (95, 145, 100)]
LEAVES = [(75, 145, 55), (95, 165, 65), (60, 125, 60), (120, 175, 70), (85, 150, 85), (55, 115, 55)]
AUTUMN = [(225, 140, 45), (205, 90, 45), (230, 175, 60), (190, 75, 50)]
PINE = [(45, 105, 70), (55, 120, 70), (40, 95, 60), (65, 125, 85)]
BARK = [(125, 85, 55), (105, 70, 45), (140, 100, 70), (95, 65, 50), (150, 115, 85)]
SAND = [(235, 212, 160), (228, 200, 145), (240, 220, 175), (222, 190, 135)]
PATH = [(205, 175, 130), (190, 160, 120), (215, 190, 150), (180, 150, 115), (200, 195, 185)]
ROCK = [(140, 135, 130), (125, 125, 135), (155, 145, 135), (120, 110, 105), (135, 140, 150)]
SNOW = [(240, 245, 250), (235, 242, 252), (248, 250, 253)]
SEA = [(60, 135, 195), (75, 155, 205), (45, 115, 175), (90, 175, 205), (60, 150, 185), (80, 165, 190)]
DEEP = [(60, 140, 190), (40, 115, 170), (75, 165, 200), (50, 130, 160)]
WEED = [(60, 140, 80), (45, 120, 85), (90, 150, 60)]
CORAL = [(235, 125, 110), (240, 160, 95), (220, 100, 140)]
BRICK = [(185, 95, 75), (170, 85, 65), (195, 115, 85), (160, 90, 80), (205, 130, 105)]
WOOD = [(180, 130, 80), (160, 110, 65), (195, 150, 100), (140, 95, 60), (205, 165, 115), (170, 120, 85)]
ROOF = [(185, 75, 60), (170, 90, 65), (140, 70, 60), (120, 90, 85), (110, 110, 120), (200, 105, 70)]
PLASTER = [
    (245, 235, 210),
    (240, 220, 190),
    (235, 225, 215),
    (225, 205, 170),
    (245, 240, 230),
    (215, 225, 230),
    (240, 205, 180),
]
ROOM = [
    (240, 225, 190),
    (215, 228, 215),
    (225, 215, 225),
    (200, 220, 235),
    (245, 220, 205),
    (235, 235, 225),
    (230, 205, 165),
    (190, 210, 200),
]
CLOTH = [
    (200, 70, 70),
    (70, 110, 180),
    (85, 150, 100),
    (225, 180, 70),
    (150, 90, 160),
    (230, 130, 90),
    (90, 170, 180),
    (240, 235, 225),
    (60, 70, 100),
    (220, 130, 160),
]
JEANS = [
    (65, 90, 145),
    (50, 65, 105),
    (85, 115, 165),
    (90, 80, 70),
    (60, 60, 65),
    (120, 100, 75),
    (150, 130, 100),
]
SHOES = [(70, 55, 50), (50, 50, 55), (120, 75, 50), (200, 60, 60), (235, 235, 235)]
GLASS = [(190, 220, 240), (175, 210, 235), (205, 230, 245)]
ASPHALT = [(130, 130, 135), (115, 115, 120), (145, 143, 145)]
PAVEMENT = [(200, 195, 185), (190, 188, 185), (210, 205, 200)]
TOWER = [
    (165, 170, 185),
    (185, 175, 165),
    (150, 160, 175),
    (195, 185, 180),
    (170, 150, 145),
    (205, 190, 160),
    (140, 150, 170),
]
METAL = [(150, 155, 160), (130, 135, 140)]
SUN, MOON, CLOUD = (250, 215, 80), (248, 240, 200), (252, 253, 255)
NIGHT = [(30, 40, 85), (40, 50, 100), (25, 35, 70), (50, 55, 105)]
DUSK = [
    ((90, 80, 140), (250, 165, 105)),
    ((120, 90, 140), (245, 140, 110)),
    ((240, 150, 80), (252, 215, 130)),
    ((220, 110, 100), (250, 190, 120)),
]
FLOWER = [(235, 90, 90), (245, 200, 70), (240, 240, 245), (200, 120, 210), (245, 150, 180), (110, 120, 220)]


def one_of(rng: Generator, colors: list[Color], spread: float = 9) -> Color:
    """Return a colour of a list, a little varied: all channels together, and each a little alone."""
    color = np.asarray(colors[int(rng.integers(len(colors)))], float)
    return rgb(color + rng.normal(0, spread) + rng.normal(0, spread / 2, 3))


def shade(color: Color, factor: float) -> Color:
    """Return a colour made darker (below 1) or lighter (above 1)."""
    values = np.asarray(color, float)
    return rgb(values * factor if factor <= 1 else 255 - (255 - values) / factor)


def mix(first: Color, second: Color, share: float) -> Color:
    """Return a colour between two; ``share`` is that of the second."""
    return rgb(np.asarray(first, float) * (1 - share) + np.asarray(second, float) * share)


def rgb(values: np.ndarray) -> Color:
    """Return three numbers as a colour."""
    red, green, blue = (int(v) for v in np.clip(np.round(values), 0, 255))
    return red, green, blue


def leaves(rng: Generator) -> Color:
    """Return a colour of leaves: green, seldom autumn."""
    return one_of(rng, AUTUMN if rng.random() < 0.08 else LEAVES)


def hue_free(rng: Generator) -> Color:
    """Return any cheerful colour, as of curtains and carpets."""
    pixel = np.array([[[rng.integers(180), rng.integers(70, 170), rng.integers(150, 235)]]], np.uint8)
    return rgb(cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].astype(float))
