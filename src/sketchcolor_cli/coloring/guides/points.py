"""Colour points and strokes in a JSON or TOML file, as hints for pages: where, which colour, how large."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files.regular import read_document
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.sizes import copy_scale, scaled_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_RADIUS = 0.006  # of a point that has none, as a part of the page's shorter side
_LONGEST = 1600  # longer side of the layer that points are painted on, of a strip as of a page as wide
_HEX = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z")
_NOTES = {"tool", "note"}  # what programs may write beside a mark; it means nothing to us
_FIELDS = {"page", "x", "y", "color", "radius"}
_STROKE_FIELDS = {"page", "stroke", "color", "radius", "erase"}
_EXAMPLE = '{"page": "page 1.png", "x": 0.5, "y": 0.25, "color": "#c0392b"}'
_STROKE = '{"stroke": [[0.5, 0.25], [0.6, 0.3, 0.8]], "color": "#c0392b", "radius": 0.01}'
_FARTHEST = 1_000_000  # pixels; what is farther is not a place on a page, and more than OpenCV can count
_FRACTION_BITS = 4  # of a pixel, in which OpenCV is told places


class _Mark:
    """What a user put on a page."""

    page: str | None
    """Name of its page, with or without folder and ending; None for every page."""

    def is_on(self, name: PurePath) -> bool:
        """Return whether it belongs to the page of this name."""
        if self.page is None:
            return True
        asked = PurePath(self.page)
        ours = name if asked.suffix.lower() == name.suffix.lower() else name.with_suffix("")
        return ours.parts[-len(asked.parts) :] == asked.parts


@dataclass(frozen=True)
class Point(_Mark):
    """A spot of colour.

    Attributes:
        x, y: Where, from the left and from the top: in pixels of the page if whole numbers, else as a part of
            its width and height.
        color: RGB in [0, 1].
        radius: In pixels if a whole number, else as a part of the page's shorter side; None for the usual.
        page: Name of its page, with or without folder and ending; None for every page.
    """

    x: int | float
    y: int | float
    color: tuple[float, float, float]
    radius: int | float | None = None
    page: str | None = None


@dataclass(frozen=True)
class Stroke(_Mark):
    """A line drawn with a brush or an eraser.

    Attributes:
        path: x, y and pressure of its vertices: parts of the page's width and height, and in [0, 1].
        color: RGB in [0, 1]; None takes away what was painted before.
        radius: At full pressure, as a part of the page's shorter side; pressure is a factor on it.
        page: As of a point.
    """

    path: tuple[tuple[float, float, float], ...]
    color: tuple[float, float, float] | None
    radius: float = _RADIUS
    page: str | None = None


Mark = Point | Stroke


def read_points(path: Path) -> list[Mark]:
    """Read points and strokes: a JSON list of them, or a JSON object or TOML file with the list ``points``.

    Raises:
        DataError: The file cannot be read, or a point in it makes no sense; it says which and why.
    """
    return points_of(read_document(path), str(path))


def read_seed(path: Path) -> int | None:
    """Return the seed that a JSON file of points gives its page, or None; see :func:`read_points`.

    Raises:
        DataError: The file cannot be read, or the seed is not a whole number of at least 0.
    """
    document = read_document(path)
    seed = document.get("seed") if isinstance(document, dict) else None
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise DataError(f"{path}: the seed must be a whole number of at least 0, not {seed!r}")
    return seed


def points_of(document: Any, source: str) -> list[Mark]:
    """Return the points and strokes of a parsed document; ``source`` is named in errors.

    Raises:
        DataError: A point makes no sense.
    """
    if isinstance(document, dict):
        document = document.get("points")
    if not isinstance(document, list):
        raise DataError(f"{source}: holds no list of points; write them like {_EXAMPLE}")
    return [_mark(entry, f"{source}: point {number}") for number, entry in enumerate(document, start=1)]


def _mark(entry: Any, where: str) -> Mark:
    if isinstance(entry, dict):
        entry = {name: value for name, value in entry.items() if name not in _NOTES}
        if "stroke" in entry:
            return _stroke(entry, where)
    return _point(entry, where)


def _stroke(entry: dict[str, Any], where: str) -> Stroke:
    erases = entry.get("erase", False)
    if not isinstance(erases, bool) or erases == ("color" in entry):
        raise DataError(f'{where} needs a color, or "erase": true and none, like {_STROKE}')
    unknown = sorted(set(entry) - _STROKE_FIELDS)
    if unknown:
        raise DataError(f"{where}: unknown key {unknown[0]}; a stroke has page, stroke, color, radius, erase")
    path, radius, page = entry["stroke"], entry.get("radius", _RADIUS), entry.get("page")
    if not isinstance(path, list) or not path or not all(_is_vertex(vertex) for vertex in path):
        raise DataError(
            f"{where}: stroke is a list of [x, y] or [x, y, pressure] from 0 to 1, like {_STROKE}"
        )
    if not _is_part(radius) or not radius:
        raise DataError(f"{where}: radius must be a part of the page's shorter side, such as 0.01")
    return Stroke(
        tuple((float(x), float(y), float(pressure[0]) if pressure else 1.0) for x, y, *pressure in path),
        None if erases else parse_color(entry["color"], where),
        float(radius),
        page=None if page is None else str(page),
    )


def _is_vertex(value: Any) -> bool:
    return isinstance(value, list) and len(value) in (2, 3) and all(_is_part(part) for part in value)


def _is_part(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _point(entry: Any, where: str) -> Point:
    if not isinstance(entry, dict) or not {"x", "y", "color"} <= entry.keys():
        raise DataError(f"{where} needs x, y and color, like {_EXAMPLE}")
    unknown = sorted(set(entry) - _FIELDS)
    if unknown:
        raise DataError(f"{where}: unknown key {unknown[0]}; a point has page, x, y, color, radius")
    x, y = (_place(entry[axis], f"{where}: {axis}") for axis in "xy")
    radius = None if entry.get("radius") is None else _place(entry["radius"], f"{where}: radius")
    page = entry.get("page")
    color = parse_color(entry["color"], where)
    return Point(x, y, color, radius, None if page is None else str(page))


def _place(value: Any, where: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise DataError(
            f"{where} must be pixels, a whole number, or a part from 0.0 to 1.0, not {_short(value)}"
        )
    if value > _FARTHEST:
        raise DataError(f"{where} is larger than any page: {_short(value)}; pixels go up to {_FARTHEST}")
    if isinstance(value, float) and value > 1:
        if not value.is_integer():
            raise DataError(
                f"{where} must be a whole number of pixels or a part from 0.0 to 1.0, not {value}"
            )
        return int(value)
    return value


def _short(value: Any) -> str:
    """Return a value for a message; numbers in a file may have hundreds of digits."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def parse_color(value: Any, where: str) -> tuple[float, float, float]:
    """Return RGB in [0, 1] of ``#rrggbb``, ``#rgb``, or three numbers from 0 to 255.

    Raises:
        DataError: it is neither.
    """
    if isinstance(value, str) and (found := _HEX.match(value.strip())):
        digits = found[1] if len(found[1]) == 6 else "".join(2 * digit for digit in found[1])
        r, g, b = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
        return r, g, b
    if isinstance(value, list) and len(value) == 3 and all(_is_step(step) for step in value):
        r, g, b = (step / 255 for step in value)
        return r, g, b
    raise DataError(f"{where}: a colour is #rrggbb or three numbers from 0 to 255, not {_short(value)}")


def _is_step(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 255


def painted(marks: Sequence[Mark], height: int, width: int) -> Picture | None:
    """Return the marks of a page of this size as a transparent layer over it; None when there are none.

    Points outside the page are left out; a later mark covers an earlier one.
    """
    scale = copy_scale(height, width, _LONGEST)
    size = scaled_by(height, width, scale)
    rgb = np.ones((*size, 3), np.float32)
    alpha = np.zeros(size, np.float32)
    for mark in marks:
        if isinstance(mark, Stroke):
            _draw_stroke(rgb, alpha, mark)
        else:
            _draw_point(rgb, alpha, mark, (height, width), scale)
    return Picture(rgb=rgb, alpha=alpha) if alpha.any() else None


def _draw_point(
    rgb: NDArray[np.float32], alpha: NDArray[np.float32], point: Point, page: tuple[int, int], scale: float
) -> None:
    height, width = page
    x = point.x * width if isinstance(point.x, float) else point.x + 0.5
    y = point.y * height if isinstance(point.y, float) else point.y + 0.5
    if not (0 <= x <= width and 0 <= y <= height):
        return
    radius = _RADIUS if point.radius is None else point.radius
    reach = radius * min(height, width) if isinstance(radius, float) else radius
    middle = min(int(x * scale), alpha.shape[1] - 1), min(int(y * scale), alpha.shape[0] - 1)
    for plane, value in ((rgb, point.color), (alpha, (1.0,))):
        cv2.circle(plane, middle, round(reach * scale), value, cv2.FILLED)


def _draw_stroke(rgb: NDArray[np.float32], alpha: NDArray[np.float32], stroke: Stroke) -> None:
    """Draw a stroke: discs at its vertices, and between two the band that joins their discs."""
    unit, (height, width) = 1 << _FRACTION_BITS, alpha.shape
    reach = stroke.radius * min(height, width)
    discs = [
        (
            round((x * width - 0.5) * unit),
            round((y * height - 0.5) * unit),
            max(unit // 2, round(reach * press * unit)),
        )
        for x, y, press in stroke.path
    ]
    paint = (1.0, 1.0, 1.0) if stroke.color is None else stroke.color
    for plane, value in ((rgb, paint), (alpha, (0.0 if stroke.color is None else 1.0,))):
        for x, y, radius in discs:
            cv2.circle(plane, (x, y), radius, value, cv2.FILLED, shift=_FRACTION_BITS)
        for start, end in pairwise(discs):
            if (band := _band(start, end)) is not None:
                cv2.fillConvexPoly(plane, band, value, shift=_FRACTION_BITS)


def _band(start: tuple[int, int, int], end: tuple[int, int, int]) -> NDArray[np.int32] | None:
    """Return the quadrilateral between two discs x, y, radius; None where their middles coincide."""
    along = np.array((end[0] - start[0], end[1] - start[1]), np.float64)
    length = float(np.hypot(*along))
    if length < 1:
        return None
    across = np.array((-along[1], along[0])) / length
    corners = [
        np.array(disc[:2]) + side * disc[2] * across
        for disc, side in ((start, 1), (end, 1), (end, -1), (start, -1))
    ]
    return np.rint(corners).astype(np.int32)
