"""Colour points in a JSON or TOML file, as hints for pages: where, which colour, how large."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.imaging.images import Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

POINT_SUFFIXES = frozenset({".json", ".toml"})
"""Endings of the files that hold points."""

_RADIUS = 0.006  # of a point that has none, as a part of the page's shorter side
_LONGEST = 1600  # longer side of the layer that points are painted on
_HEX = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z")
_FIELDS = {"page", "x", "y", "color", "radius"}
_EXAMPLE = '{"page": "page 1.png", "x": 0.5, "y": 0.25, "color": "#c0392b"}'


@dataclass(frozen=True)
class Point:
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

    def is_on(self, name: PurePath) -> bool:
        """Return whether the point belongs to the page of this name."""
        if self.page is None:
            return True
        asked = PurePath(self.page)
        ours = name if asked.suffix.lower() == name.suffix.lower() else name.with_suffix("")
        return ours.parts[-len(asked.parts) :] == asked.parts


def read_points(path: Path) -> list[Point]:
    """Read points: a JSON list of them, or a JSON object or TOML file with the list ``points``.

    Raises:
        DataError: The file cannot be read, or a point in it makes no sense; it says which and why.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    except ValueError as error:  # of both parsers, and of bytes that are no UTF-8
        raise DataError(f"{path}: is no proper {path.suffix[1:].upper()} ({error})") from error
    return points_of(document, str(path))


def points_of(document: Any, source: str) -> list[Point]:
    """Return the points of a parsed document; ``source`` is named in errors.

    Raises:
        DataError: A point makes no sense.
    """
    if isinstance(document, dict):
        document = document.get("points")
    if not isinstance(document, list):
        raise DataError(f"{source}: holds no list of points; write them like {_EXAMPLE}")
    return [_point(entry, f"{source}: point {number}") for number, entry in enumerate(document, start=1)]


def _point(entry: Any, where: str) -> Point:
    if not isinstance(entry, dict) or not {"x", "y", "color"} <= entry.keys():
        raise DataError(f"{where} needs x, y and color, like {_EXAMPLE}")
    unknown = sorted(set(entry) - _FIELDS)
    if unknown:
        raise DataError(
            f"{where} has {unknown[0]}, which means nothing; a point has page, x, y, color, radius"
        )
    x, y = (_place(entry[axis], f"{where}: {axis}") for axis in "xy")
    radius = None if entry.get("radius") is None else _place(entry["radius"], f"{where}: radius")
    page = entry.get("page")
    return Point(x, y, parse_color(entry["color"], where), radius, None if page is None else str(page))


def _place(value: Any, where: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise DataError(f"{where} must be pixels, a whole number, or a part from 0.0 to 1.0, not {value!r}")
    if isinstance(value, float) and value > 1:
        if not value.is_integer():
            raise DataError(
                f"{where} must be a whole number of pixels or a part from 0.0 to 1.0, not {value}"
            )
        return int(value)
    return value


def parse_color(value: Any, where: str) -> tuple[float, float, float]:
    """Return RGB in [0, 1] of ``#rrggbb``, ``#rgb``, or three numbers from 0 to 255.

    Raises:
        DataError: it is neither.
    """
    if isinstance(value, str) and (found := _HEX.match(value.strip())):
        digits = found[1] if len(found[1]) == 6 else "".join(2 * digit for digit in found[1])
        r, g, b = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
        return r, g, b
    if isinstance(value, list) and len(value) == 3 and all(_is_step(one) for one in value):
        r, g, b = (one / 255 for one in value)
        return r, g, b
    raise DataError(f"{where}: a colour is #rrggbb or three numbers from 0 to 255, not {value!r}")


def _is_step(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 255


def painted(points: Sequence[Point], height: int, width: int) -> Picture | None:
    """Return the points of a page of this size as a transparent layer over it; None when there are none.

    Points outside the page are left out; a later one covers an earlier one.
    """
    scale = min(1.0, _LONGEST / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    rgb = np.ones((*size, 3), np.float32)
    alpha = np.zeros(size, np.float32)
    for point in points:
        x = point.x * width if isinstance(point.x, float) else point.x + 0.5
        y = point.y * height if isinstance(point.y, float) else point.y + 0.5
        if not (0 <= x <= width and 0 <= y <= height):
            continue
        radius = _RADIUS if point.radius is None else point.radius
        reach = radius * min(height, width) if isinstance(radius, float) else radius
        middle = min(int(x * scale), size[1] - 1), min(int(y * scale), size[0] - 1)
        for plane, value in ((rgb, point.color), (alpha, (1.0,))):
            cv2.circle(plane, middle, round(reach * scale), value, cv2.FILLED)
    return Picture(rgb=rgb, alpha=alpha) if alpha.any() else None
