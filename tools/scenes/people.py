"""Whole people: heads of avatars on bodies that are drawn, in clothes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from scenes import colors
from scenes.colors import one_of, rgb, shade

if TYPE_CHECKING:
    from numpy.random import Generator

    from scenes.canvas import Canvas, Color
    from scenes.parts import Part


def skin_of(head: Part) -> Color | None:
    """Return the colour of a face: the commonest of its lower middle; None where no skin is there."""
    height, width = head.mask.shape
    window = np.s_[int(height * 0.45) : int(height * 0.9), int(width * 0.3) : int(width * 0.7)]
    pixels = head.color[window][(head.mask[window] > 0) & (head.line[window] > 200)]
    if len(pixels) < 50:
        return None
    codes = pixels.astype(np.int64) // 16 @ np.array([256, 16, 1])
    values, counts = np.unique(codes, return_counts=True)
    color = rgb(np.median(pixels[codes == values[counts.argmax()]], 0))
    hue, saturation, _ = cv2.cvtColor(np.array([[color]], np.uint8), cv2.COLOR_RGB2HSV)[0, 0]
    return color if hue <= 22 and 25 <= saturation <= 200 else None


def is_dyed(head: Part) -> bool:
    """Whether hair, that is the upper part, is green, blue, purple or pink."""
    top = slice(0, head.mask.shape[0] * 9 // 20)
    hue, saturation, value = cv2.split(cv2.cvtColor(head.color[top], cv2.COLOR_RGB2HSV))
    odd = (hue > 32) & (hue < 176) & (saturation > 50) & (value > 70) & (head.mask[top] > 0)
    return bool(odd.sum() > 0.12 * (head.mask[top] > 0).sum())


def person(rng: Generator, canvas: Canvas, head: Part, x: float, y: float, size: float) -> bool:
    """Draw a person of this height whose feet are at (x, y); False where the head shows no skin."""
    skin = skin_of(head)
    if skin is None:
        return False
    big = size * rng.uniform(0.28, 0.42)
    neck, hip = y - size + big * 0.9, y - (size - big) * rng.uniform(0.42, 0.5)
    half = big * rng.uniform(0.3, 0.4)
    shirt, legs = one_of(rng, colors.CLOTH), one_of(rng, colors.JEANS)
    arm, leg = half * 0.42, half * 0.62
    foot = y - leg * 0.35
    gown = rng.random() < 0.3
    bare = gown or rng.random() < 0.25
    shoe = one_of(rng, colors.SHOES, 3)
    for side in (-1, 1):
        step = x + side * half * rng.uniform(0.45, 0.8)
        start = np.array([(x + side * half * 0.45, hip), (step, foot)])
        canvas.limb(start, leg, skin if bare else legs)
        if bare and not gown:
            canvas.limb(np.stack([start[0], start.mean(0)]), leg * 1.15, legs)
        canvas.limb(np.array([(step - leg * 0.1, foot), (step + leg * 0.35, foot)]), leg * 0.7, shoe)
    hands = []
    for side in (-1, 1):
        shoulder, lift = (x + side * half * 0.85, neck + half * 0.35), rng.random()
        elbow = (x + side * half * (1.35 + 0.3 * lift), neck + half * (1.4 - 0.5 * lift))
        hand = (
            x + side * half * (1.2 + 0.8 * lift),
            hip - (hip - neck) * (1.1 if lift > 0.75 else 0.1 - 0.1 * lift),
        )
        line = np.array([shoulder, elbow, hand])
        short = rng.random() < 0.45
        canvas.limb(line, arm * 0.85, skin)
        if short:
            canvas.limb(np.array([shoulder, np.add(shoulder, elbow) / 2]), arm, shirt)
        else:
            canvas.limb(line, arm, shirt)
        hands.append(hand)
    canvas.limb(np.array([(x, neck - big * 0.12), (x, neck + half * 0.3)]), half * 0.5, skin)
    low = hip + (foot - hip) * rng.uniform(0.35, 0.6) if gown else hip + leg * 0.3
    wide = half * (1.5 if gown else 0.95)
    body = np.array(
        [
            (x - half * 0.45, neck + half * 0.1),
            (x - half, neck + half * 0.35),
            (x - half * 0.9, hip - half * 0.3),
            (x - wide, low),
            (x + wide, low),
            (x + half * 0.9, hip - half * 0.3),
            (x + half, neck + half * 0.35),
            (x + half * 0.45, neck + half * 0.1),
        ]
    )
    canvas.shape(body, shirt)
    pattern = rng.random()
    if pattern < 0.2:
        for share in (0.35, 0.65):
            level = neck + (hip - neck) * share
            canvas.shape(
                np.array(
                    [
                        (x - half * 0.88, level),
                        (x + half * 0.88, level),
                        (x + half * 0.87, level + half * 0.22),
                        (x - half * 0.87, level + half * 0.22),
                    ]
                ),
                shade(shirt, 1.7),
                pen=0.7,
            )
    elif pattern < 0.4:
        canvas.stroke(np.array([(x, neck + half * 0.3), (x, low)]), 0.8)
    elif pattern < 0.55:
        canvas.strokes(
            [np.array([(x + half * t, hip), (x + half * t * 1.3, low)]) for t in (-0.4, 0.1, 0.5)], 0.7
        )
    else:
        canvas.stroke(
            np.array(
                [
                    (x - half * 0.45, neck + half * 0.1),
                    (x, neck + half * 0.42),
                    (x + half * 0.45, neck + half * 0.1),
                ]
            ),
            0.8,
        )
    for hand in hands:
        canvas.disc(hand[0], hand[1], arm * 0.62, skin)
    wide = big * head.aspect
    canvas.part(head, x - wide / 2, y - size, wide, big, mirror=bool(rng.random() < 0.5))
    return True
