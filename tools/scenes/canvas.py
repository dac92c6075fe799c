"""A scene as it is drawn: paint and lines side by side, each thing hiding what lies behind it in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenes.parts import Part

    Points = NDArray[np.float64]

Color = tuple[int, int, int]
"""RGB in [0, 255]."""

SCALE = 2
"""A canvas is drawn at this many times its size, so that lines of any width have soft edges."""


class Canvas:
    """Paint (H, W, 3) RGB and ink (H, W), paper 255, at :data:`SCALE` times the size of the picture.

    All points and widths are in pixels of the canvas.

    Attributes:
        light: What red, green and blue of all that is drawn from now on are multiplied by; 1 is daylight.
    """

    def __init__(self, width: int, height: int, pen: float) -> None:
        """Begin with white paper; ``pen`` is the width of an outline."""
        self.width, self.height, self.pen = width, height, pen
        self.light = np.ones(3, np.float32)
        self.paint = np.full((height, width, 3), 255, np.uint8)
        self.ink = np.full((height, width), 255, np.uint8)
        # Parts bring paint that their lines are in already; elsewhere lines are laid over at the end.
        self._over = np.full((height, width), 255, np.uint8)

    def shape(
        self,
        points: Points,
        color: Color,
        *,
        below: Color | None = None,
        pen: float | None = 1.0,
        glows: bool = False,
    ) -> None:
        """Fill a polygon (n, 2), fading to ``below`` at its foot; draw its outline, ``pen`` times as wide.

        None draws no outline. Nothing behind the polygon is seen any more. What ``glows`` needs no light.
        """
        corners = [_corners(points)]
        if below is not None:
            self._fade(corners, self._lit(color), self._lit(below))
        else:
            cv2.fillPoly(self.paint, corners, color if glows else self._lit(color))
        for plane in (self.ink, self._over):
            cv2.fillPoly(plane, corners, 255)
        if pen is not None:
            self.stroke(points, pen, closed=True)

    def stroke(self, points: Points, pen: float = 1.0, *, closed: bool = False, ink: int = 0) -> None:
        """Draw a line through points (n, 2), ``pen`` times as wide as an outline."""
        width = max(1, round(self.pen * pen))
        for plane in (self.ink, self._over):
            cv2.polylines(plane, [_corners(points)], closed, ink, width, cv2.LINE_8)

    def strokes(self, lines: list[Points], pen: float = 1.0) -> None:
        """Draw several lines."""
        width = max(1, round(self.pen * pen))
        corners = [_corners(line) for line in lines]
        for plane in (self.ink, self._over):
            cv2.polylines(plane, corners, False, 0, width, cv2.LINE_8)

    def limb(self, points: Points, width: float, color: Color) -> None:
        """Draw a band of one width along points, with round ends and an outline."""
        corners, inner = [_corners(points)], max(1, round(width))
        outer = inner + 2 * max(1, round(self.pen))
        cv2.polylines(self.paint, corners, False, self._lit(color), outer)
        for plane in (self.ink, self._over):
            cv2.polylines(plane, corners, False, 0, outer)
            cv2.polylines(plane, corners, False, 255, inner)

    def disc(self, x: float, y: float, radius: float, color: Color, pen: float | None = 1.0) -> None:
        """Draw a filled circle."""
        self.shape(ellipse(x, y, radius, radius), color, pen=pen)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        color: Color,
        pen: float | None = 1.0,
        *,
        glows: bool = False,
    ) -> None:
        """Draw a filled upright rectangle from its upper left corner."""
        self.shape(rectangle(x, y, width, height), color, pen=pen, glows=glows)

    def part(self, part: Part, x: float, y: float, width: float, height: float, *, mirror: bool) -> None:
        """Lay a cut-out over the canvas, its upper left corner at (x, y); what stands over is cut off."""
        left, top = round(x), round(y)
        size = max(2, round(width)), max(2, round(height))
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(self.width, left + size[0]), min(self.height, top + size[1])
        if x1 <= x0 or y1 <= y0:
            return
        planes = part.scaled(size, mirror=mirror, least=1.3 * SCALE)
        planes = planes[0] * np.sqrt(self.light), *planes[1:]
        paint, inside, outside, alpha = (
            plane[y0 - top : y1 - top, x0 - left : x1 - left] for plane in planes
        )
        behind = 1 - alpha
        window = np.s_[y0:y1, x0:x1]
        self.paint[window] = _bytes(self.paint[window] * behind[..., None] + paint)
        seen = behind * outside
        self.ink[window] = _bytes(self.ink[window] * seen + inside)
        self._over[window] = _bytes(self._over[window] * seen + 255 * alpha)

    def paste(self, other: Canvas, x: int, y: int) -> None:
        """Copy a canvas to (x, y)."""
        window = np.s_[y : y + other.height, x : x + other.width]
        self.paint[window], self.ink[window], self._over[window] = other.paint, other.ink, other._over

    def finish(self, ink: Color) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the picture (H, W, 3), with lines of the colour ``ink``, and its line drawing (H, W)."""
        over = cv2.merge([self._over] * 3)
        color = cv2.multiply(self.paint, over, scale=1 / 255)
        if any(ink):
            color = cv2.add(color, cv2.multiply(255 - over, np.full_like(over, ink), scale=1 / 255))
        size = self.width // SCALE, self.height // SCALE
        return (
            np.asarray(cv2.resize(color, size, interpolation=cv2.INTER_AREA), np.uint8),
            np.asarray(cv2.resize(self.ink, size, interpolation=cv2.INTER_AREA), np.uint8),
        )

    def _lit(self, color: Color) -> Color:
        red, green, blue = (int(value) for value in np.multiply(color, self.light).round())
        return red, green, blue

    def _fade(self, corners: list[NDArray[np.int32]], color: Color, below: Color) -> None:
        x, y, width, height = cv2.boundingRect(corners[0])
        x0, y0, x1, y1 = max(0, x), max(0, y), min(self.width, x + width), min(self.height, y + height)
        if x1 <= x0 or y1 <= y0:
            return
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(mask, corners, 255, offset=(-x0, -y0))
        share = ((np.arange(y0, y1) - y) / max(1, height))[:, None]
        rows = np.asarray(color) * (1 - share) + np.asarray(below) * share
        window = self.paint[y0:y1, x0:x1]
        np.copyto(window, _bytes(rows)[:, None], where=mask[..., None] > 0)


def ellipse(x: float, y: float, width: float, height: float, steps: int = 36) -> Points:
    """Return the outline of an ellipse with these half axes."""
    turn = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    return np.stack([x + width * np.cos(turn), y + height * np.sin(turn)], 1)


def rectangle(x: float, y: float, width: float, height: float) -> Points:
    """Return the corners of an upright rectangle."""
    return np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])


def _corners(points: Points) -> NDArray[np.int32]:
    return np.round(points).astype(np.int32)


def _bytes(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = (np.clip(values, 0, 255) + 0.5).astype(np.uint8)
    return found
