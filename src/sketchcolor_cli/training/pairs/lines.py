"""Line drawings in many hands: what a sketch of a coloured picture may look like.

Real pages differ in line width, tone and dirt far more than any one extractor does, so training draws each
sketch in a style of its own: lines by an artist where there are some, else edges found in one of several
ways, then thickness, breaks, washes, screentone, solid blacks and the traces of scanning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.color.luma import LUMA

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Rgb = NDArray[np.float32]


def draw(rng: Generator, color: Rgb, artist: Plane | None) -> Plane:
    """Return a sketch (H, W) in [0, 1], paper 1, of ``color`` (H, W, 3), in a style drawn from ``rng``.

    ``artist`` is a line drawing of the same picture, used three times out of four when there is one.
    """
    sketch = artist if artist is not None and rng.random() < 0.75 else find_lines(rng, color)
    sketch = _pen(rng, sketch)
    luma = color @ LUMA
    kind = rng.random()
    if kind < 0.08:
        sketch = luma.copy()
    elif kind < 0.30:
        sketch = sketch * _wash(rng, luma)
    elif kind < 0.42:
        sketch = sketch * _screentone(rng, luma)
    if rng.random() < 0.3:
        sketch = np.where(luma < rng.uniform(0.08, 0.25), np.minimum(sketch, luma), sketch)
    return sketch


def scan(rng: Generator, sketch: Plane) -> Plane:
    """Return the sketch as paper and scanner would give it: grey paper, blur, grain, JPEG."""
    if rng.random() < 0.25:
        sketch = cv2.GaussianBlur(sketch, (0, 0), rng.uniform(0.3, 0.8))
    if rng.random() < 0.25:
        sketch = rng.uniform(0, 0.08) + sketch * rng.uniform(0.88, 0.97)
    if rng.random() < 0.25:
        sketch = sketch + rng.normal(0, rng.uniform(0.005, 0.04), sketch.shape).astype(np.float32)
    sketch = np.clip(sketch, 0, 1).astype(np.float32)
    if rng.random() < 0.2:
        quality = int(rng.integers(30, 90))
        _, data = cv2.imencode(".jpg", (sketch * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
        sketch = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.float32) / np.float32(255)
    return sketch


def find_lines(rng: Generator, color: Rgb) -> Plane:
    """Return lines found in ``color`` by one of three ways, or a blend of two."""
    ways = (_xdog, _dodge, _contours)
    first = ways[rng.integers(3)](rng, color)
    if rng.random() < 0.3:
        second = ways[rng.integers(3)](rng, color)
        share = np.float32(rng.random())
        return first * share + second * (1 - share)
    return first


def _xdog(rng: Generator, color: Rgb) -> Plane:
    """XDoG (Winnemöller et al. 2012) with random scale and threshold, on each channel; the darkest counts."""
    sigma, tau = rng.uniform(0.4, 1.2), rng.uniform(0.94, 0.99)
    difference = cv2.GaussianBlur(color, (0, 0), sigma) - tau * cv2.GaussianBlur(color, (0, 0), 4.5 * sigma)
    epsilon, phi = rng.uniform(-0.06, -0.01), rng.uniform(8, 60)
    drawn = np.where(difference >= epsilon, 1, 1 + np.tanh(phi * (difference - epsilon)))
    darkest: Plane = drawn.min(2).astype(np.float32)
    return darkest


def _dodge(rng: Generator, color: Rgb) -> Plane:
    """Pencil by colour dodge: each channel over its own local maximum; the darkest counts."""
    size = int(rng.choice((3, 5, 7)))
    brightest = cv2.dilate(color, np.ones((size, size), np.uint8))
    ratio = ((color + 0.05) / (brightest + 0.05)).min(2)
    drawn: Plane = np.clip(ratio, 0, 1) ** np.float32(rng.uniform(1, 3))
    return drawn


def _contours(rng: Generator, color: Rgb) -> Plane:
    """Contours of a smoothed picture, as an outline drawing has them: where it changes steeply."""
    smooth = cv2.medianBlur((color * 255).astype(np.uint8), 5)
    width = int(rng.integers(2, 4))
    change = cv2.morphologyEx(smooth, cv2.MORPH_GRADIENT, np.ones((width, width), np.uint8)).max(2)
    low = rng.uniform(15, 45)
    drawn: Plane = 1 - np.clip((change.astype(np.float32) - low) / low, 0, 1)
    return drawn


def _pen(rng: Generator, sketch: Plane) -> Plane:
    """Thicken, lighten or break the lines."""
    if rng.random() < 0.2:
        sketch = cv2.erode(sketch, np.ones((2, 2), np.uint8))
    if rng.random() < 0.3:
        sketch = sketch ** np.float32(rng.uniform(0.4, 2))
    if rng.random() < 0.3:
        low, high = (0.2, 0.95) if rng.random() < 0.5 else (0.4, 0.8)
        sketch = np.clip((sketch - low) / (high - low), 0, 1)
    if rng.random() < 0.15:
        noise = _smooth_noise(rng, sketch.shape, 12)
        sketch = np.where(noise > rng.uniform(0.6, 0.8), sketch * 0.3 + 0.7, sketch)
    return sketch.astype(np.float32)


def _levels(rng: Generator, luma: Plane) -> Plane:
    """Return the luma in a few flat steps, as a comic artist reduces light."""
    steps = int(rng.integers(2, 6))
    smooth = cv2.GaussianBlur(luma, (0, 0), rng.uniform(1, 4))
    flat: Plane = np.round(smooth * steps) / steps
    return flat


def _wash(rng: Generator, luma: Plane) -> Plane:
    darkest = rng.uniform(0.35, 0.85)
    tones = _levels(rng, luma) if rng.random() < 0.6 else cv2.GaussianBlur(luma, (0, 0), 1)
    return (darkest + (1 - darkest) * tones).astype(np.float32)


def _screentone(rng: Generator, luma: Plane) -> Plane:
    """Dots at 45 degrees whose size follows the tone (amplitude-modulated halftone)."""
    period = rng.uniform(2.5, 6)
    y, x = np.indices(luma.shape, np.float32)
    u, v = (x + y) * (np.pi / period), (x - y) * (np.pi / period)
    threshold = (2 + np.cos(u) + np.cos(v)) / 4
    tones = np.clip(_levels(rng, luma) * 1.3, 0, 1)
    dots = np.clip((tones - threshold) * 6 + 0.5, 0, 1)
    return np.where(tones > 0.95, 1, np.maximum(dots, rng.uniform(0, 0.4))).astype(np.float32)


def _smooth_noise(rng: Generator, shape: tuple[int, ...], scale: int) -> Plane:
    small = rng.random((shape[0] // scale + 2, shape[1] // scale + 2)).astype(np.float32)
    return cv2.resize(small, shape[1::-1], interpolation=cv2.INTER_CUBIC)  # type: ignore[no-any-return]
