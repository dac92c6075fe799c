"""What a user painted on a page, as the studio sends it: the list that a points file holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.coloring.guides.points import points_of
from sketchcolor_cli.errors import DataError
from sketchcolor_cli.studio.problems import ProblemError

if TYPE_CHECKING:
    from sketchcolor_cli.studio.limits import Limits

_PLACES = 6  # decimals of a coordinate; a millionth of a page is far below a pixel


def checked(marks: Any, limits: Limits) -> list[dict[str, Any]]:
    """Return marks as they are written to a file; places are parts of the page, never pixels.

    Raises:
        ProblemError: They make no sense, or there are too many.
    """
    if not isinstance(marks, list) or not all(isinstance(mark, dict) for mark in marks):
        raise ProblemError(422, "marks is a list of points and strokes; see the documentation")
    vertices = sum(len(mark["stroke"]) for mark in marks if isinstance(mark.get("stroke"), list))
    if len(marks) > limits.marks or vertices > limits.vertices:
        raise ProblemError(
            422,
            f"a page takes at most {limits.marks} marks with {limits.vertices} places; erase some",
        )
    done = [_as_parts(mark) for mark in marks]
    try:
        points_of(done, "marks")
    except DataError as error:
        raise ProblemError(422, str(error)) from error
    return done


def as_file(marks: list[dict[str, Any]], seed: int | None = None) -> bytes:
    """Return the points file of marks, one to a line, and of the page's own seed."""
    lines = ",\n".join(json.dumps(mark) for mark in marks)
    listed = f"[\n{lines}\n]" if marks else "[]"
    return (listed if seed is None else f'{{"seed": {seed}, "points": {listed}}}').encode() + b"\n"


def _as_parts(mark: dict[str, Any]) -> dict[str, Any]:
    """Return a mark whose numbers are all parts; JavaScript writes 1.0 as 1, which would be a pixel."""
    done = {name: value for name, value in mark.items() if name != "page"}
    for name in ("x", "y", "radius"):
        if _is_number(done.get(name)):
            done[name] = _part(done[name])
            if not 0 <= done[name] <= 1:
                raise ProblemError(422, f"marks: {name} is a part of the page from 0 to 1, not {done[name]}")
    if isinstance(done.get("stroke"), list):
        done["stroke"] = [
            [_part(value) if _is_number(value) else value for value in vertex]
            if isinstance(vertex, list)
            else vertex
            for vertex in done["stroke"]
        ]
    return done


def _part(value: float) -> float:
    return round(float(min(max(value, -1e9), 1e9)), _PLACES)  # of 400 digits no float can be made


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
