"""Colour points: files, pages, places."""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pytest

from sketchcolor_cli.coloring.guides.points import Point, painted, points_of, read_points
from sketchcolor_cli.errors import DataError

RED = (1.0, 0.0, 0.0)


def test_json_and_toml_say_the_same(tmp_path: Path) -> None:
    entry = {"page": "page 1.png", "x": 120, "y": 0.5, "color": "#f00", "radius": 9}
    (tmp_path / "a.json").write_text(json.dumps([entry]))
    (tmp_path / "b.json").write_text(json.dumps({"points": [entry]}))
    (tmp_path / "c.toml").write_text(
        '[[points]]\npage = "page 1.png"\nx = 120\ny = 0.5\ncolor = [255, 0, 0]\nradius = 9\n'
    )
    expected = [Point(120, 0.5, RED, 9, "page 1.png")]
    for name in ("a.json", "b.json", "c.toml"):
        assert read_points(tmp_path / name) == expected


@pytest.mark.parametrize(
    ("page", "name", "due"),
    [
        (None, "a/page 1.png", True),
        ("page 1", "a/page 1.png", True),
        ("page 1.png", "a/page 1.png", True),
        ("a/page 1", "a/page 1.png", True),
        ("b/page 1", "a/page 1.png", False),
        ("page 1.jpg", "a/page 1.png", False),
        ("page 10", "a/page 1.png", False),
        ("ch. 1.5", "ch. 1.5.png", True),
    ],
)
def test_which_page_a_point_is_on(page: str | None, name: str, due: bool) -> None:
    assert Point(0, 0, RED, page=page).is_on(PurePath(name)) is due


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("x", "holds no list of points"),
        ({}, "holds no list of points"),
        ([{"x": 1, "y": 2}], "point 1 needs x, y and color"),
        ([{"x": 1, "y": 2, "color": "#fff", "size": 3}], "unknown key size"),
        ([{"x": -1, "y": 2, "color": "#fff"}], "x must be pixels"),
        ([{"x": True, "y": 2, "color": "#fff"}], "x must be pixels"),
        ([{"x": 1, "y": 2.5, "color": "#fff"}], "y must be a whole number of pixels"),
        ([{"x": 1, "y": float("nan"), "color": "#fff"}], "y must be pixels"),
        ([{"x": 1, "y": 2, "color": "red"}], "a colour is #rrggbb"),
        ([{"x": 1, "y": 2, "color": [1, 2, 300]}], "a colour is #rrggbb"),
    ],
)
def test_what_makes_no_sense_is_told(document: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        points_of(document, "points.json")


@pytest.mark.parametrize(("name", "text"), [("a.json", "{"), ("a.toml", "x ="), ("a.json", "\xff")])
def test_damaged_files_are_told(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=r"not valid (JSON|TOML)"):
        read_points(tmp_path / name)
    with pytest.raises(DataError, match="cannot be read"):
        read_points(tmp_path / "gone.json")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "[" * 100_000, "is nested too deeply to be read"),
        ("a.toml", "points = " + "[" * 100_000, "is nested too deeply to be read"),
        ("a.json", '[{"x": 1e999, "y": 0.5, "color": "#f00"}]', "x must be pixels"),
        (
            "a.json",
            f'[{{"x": {"9" * 400}, "y": 0.5, "color": "#f00"}}]',
            r"x is larger than any page: 9{37}\.\.\.;",
        ),
        ("a.json", f'[{{"x": {"9" * 5000}, "y": 0.5, "color": "#f00"}}]', "not valid JSON"),
        (
            "a.json",
            '[{"x": 0.5, "y": 0.5, "color": "#f00", "radius": 1e10}]',
            "radius is larger than any page",
        ),
    ],
)
def test_what_would_lead_too_far_is_told(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=said):
        read_points(tmp_path / name)


def test_pipes_and_devices_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    for path in (tmp_path / "a.json", Path("/dev/zero")):
        with pytest.raises(DataError, match="is a pipe or device"):
            read_points(path)


@pytest.mark.parametrize("point", [Point(50, 100, RED, 3), Point(0.505, 0.5025, RED, 0.03)])
def test_pixels_and_parts_meet(point: Point) -> None:
    layer = painted([point], 200, 100)
    assert layer is not None
    assert layer.alpha is not None
    assert layer.rgb[100, 50].tolist() == list(RED)
    y, x = np.nonzero(layer.alpha)
    assert (y.mean(), x.mean()) == (100, 50)
    assert y.max() - y.min() == 6


def test_the_later_point_counts_and_those_outside_do_not() -> None:
    layer = painted([Point(10, 10, RED, 4), Point(10, 10, (0, 0, 1), 2), Point(500, 10, RED, 2)], 40, 30)
    assert layer is not None
    assert layer.rgb[10, 10].tolist() == [0, 0, 1]
    assert layer.rgb[10, 14].tolist() == [1, 0, 0]
    assert painted([Point(500, 10, RED, 2)], 40, 30) is None


def test_a_point_on_a_huge_page_keeps_its_place() -> None:
    layer = painted([Point(8999, 5999, RED)], 6000, 9000)
    assert layer is not None
    assert layer.alpha is not None
    assert max(layer.alpha.shape) == 1600
    assert layer.alpha[-1, -1] == 1


# Strokes


def layer(*marks: dict[str, Any], size: tuple[int, int] = (100, 200)) -> np.ndarray:
    """Return what is painted, (H, W, 4)."""
    done = painted(points_of(list(marks), "a"), *size)
    assert done is not None
    assert done.alpha is not None
    return np.concatenate([done.rgb, done.alpha[..., None]], axis=2)


def test_a_stroke_is_a_line_of_its_width_from_vertex_to_vertex() -> None:
    shown = layer({"stroke": [[0.25, 0.5], [0.75, 0.5]], "color": "#f00", "radius": 0.05, "tool": "brush"})
    assert (shown[50, 52:148] == (1, 0, 0, 1)).all()
    assert 9 <= shown[:, 100, 3].sum() <= 12  # ten pixels wide
    assert not shown[:, :40, 3].any()
    assert not shown[:, 160:, 3].any()


def test_pressure_makes_a_stroke_wider_along_its_way() -> None:
    shown = layer({"stroke": [[0.1, 0.5, 0.2], [0.9, 0.5, 1]], "color": "#f00", "radius": 0.2})
    widths = shown[..., 3].sum(0)[30:170]
    assert (np.diff(widths) >= 0).all()
    assert widths[-1] > 3 * widths[0]


def test_one_vertex_is_a_dab_and_the_thinnest_stroke_is_not_lost() -> None:
    shown = layer({"stroke": [[0.5, 0.5, 0]], "color": "#00f", "radius": 0.0001})
    assert 1 <= shown[..., 3].sum() <= 9
    assert shown[50, 100, 3] == 1 or shown[49, 99, 3] == 1


def test_an_eraser_takes_away_what_came_before_it_and_nothing_after() -> None:
    line = [[0.1, 0.5], [0.9, 0.5]]
    middle = {"stroke": [[0.5, 0.5]], "erase": True, "radius": 0.1}
    red, blue = ({"stroke": line, "color": color, "radius": 0.02} for color in ("#f00", "#00f"))
    assert layer(red, middle)[50, 100, 3] == 0
    assert layer(red, middle)[50, 30, 3] == 1
    assert (layer(red, middle, blue)[50, 100] == (0, 0, 1, 1)).all()


def test_a_stroke_keeps_its_page() -> None:
    [stroke] = points_of([{"page": "page 1", "stroke": [[0, 1]], "color": "#fff"}], "a")
    assert stroke.is_on(PurePath("page 1.png"))
    assert not stroke.is_on(PurePath("page 2.png"))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"stroke": [[0, 0]]}, 'needs a color, or "erase": true'),
        ({"stroke": [[0, 0]], "color": "#fff", "erase": True}, 'needs a color, or "erase": true'),
        ({"stroke": [[0, 0]], "color": "#fff", "wide": 3}, "unknown key wide; a stroke has"),
        ({"stroke": [], "color": "#fff"}, "from 0 to 1"),
        ({"stroke": [[0, 1.5]], "color": "#fff"}, "from 0 to 1"),
        ({"stroke": [[0, float("nan")]], "color": "#fff"}, "from 0 to 1"),
        ({"stroke": [[0]], "color": "#fff"}, "from 0 to 1"),
        ({"stroke": [[0, 0]], "color": "#fff", "radius": 12}, "a part of the page's shorter side"),
    ],
)
def test_a_stroke_that_makes_no_sense_is_told(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match="a: point 1") as told:
        points_of([entry], "a")
    assert said in str(told.value)


def test_a_point_on_a_long_strip_is_as_small_as_on_a_page() -> None:
    shown = painted([Point(105, 10_000, (1.0, 0.0, 0.0))], 20_000, 800)
    assert shown is not None
    assert shown.alpha is not None
    scale = shown.shape[0] / 20_000
    rows, columns = np.nonzero(shown.alpha)
    for places, middle in ((rows, 10_000), (columns, 105)):
        assert (np.abs((places + 0.5) / scale - middle) < 8).all()
