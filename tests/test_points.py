"""Colour points: files, pages, places."""

from __future__ import annotations

import json
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
        ([{"x": 1, "y": 2, "color": "#fff", "size": 3}], "has size, which means nothing"),
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
    with pytest.raises(DataError, match=r"is no proper (JSON|TOML)"):
        read_points(tmp_path / name)
    with pytest.raises(DataError, match="cannot be read"):
        read_points(tmp_path / "gone.json")


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
