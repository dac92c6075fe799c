"""Points and strokes that fill the areas between lines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.guides.areas import PointAreas

SKIN, GREEN, WHITE = (0.95, 0.8, 0.7), (0.2, 0.6, 0.3), (1.0, 1.0, 1.0)
FACE, BOX, GROUND = (150, 110), (150, 260), (30, 40)


def figure(gap: int = 0) -> np.ndarray:
    """Return a circle on a box that stands on the page's edge, (320, 300)."""
    page = np.full((320, 300), 255, np.uint8)
    cv2.circle(page, (150, 110), 60, 0, 3)
    cv2.rectangle(page, (100, 172), (200, 330), 0, 3)
    page[110 : 110 + gap, 205:216] = 255
    return page.astype(np.float32) / 255


def marks(*spots: tuple[tuple[int, int], tuple[float, ...]], radius: int = 2) -> np.ndarray:
    """Return a hint with discs of colour at places x, y of the figure."""
    hint = np.zeros((320, 300, 4), np.float32)
    for place, color in spots:
        cv2.circle(hint, place, radius, (*color, 1.0), -1)
    return hint


def at(fill: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    return fill[place[1], place[0]]


@pytest.mark.parametrize("gap", [0, 2, 7])  # the last is a little more than a fiftieth of the page
def test_each_area_takes_the_colour_of_its_own_point(gap: int) -> None:
    page = figure(gap)
    fill = PointAreas(page).fill(marks((FACE, SKIN), (BOX, GREEN), (GROUND, WHITE)))
    for place, color in ((FACE, SKIN), (BOX, GREEN), (GROUND, WHITE)):
        assert at(fill, place) == pytest.approx((*color, 1), abs=0.01)
    outside = np.ones(page.shape, np.uint8)
    cv2.circle(outside, (150, 110), 66, 0, -1)
    cv2.rectangle(outside, (94, 166), (206, 330), 0, -1)
    assert np.ptp(fill[outside > 0], axis=0).max() < 0.01  # white to the border, at every corner


def test_a_face_is_one_area_however_near_its_eyes_are_to_its_outline() -> None:
    page = np.full((640, 600), 255, np.uint8)
    cv2.circle(page, (300, 300), 100, 0, 2)
    for x in (252, 348):
        cv2.ellipse(page, (x, 300), (44, 24), 0, 0, 360, 0, 2)
    cv2.ellipse(page, (300, 360), (45, 16), 0, 0, 360, 0, 2)
    areas = PointAreas(page.astype(np.float32) / 255)
    height, width = areas.labels.shape
    hint = np.zeros((height, width, 4), np.float32)
    cv2.circle(hint, (width // 2, round(height * 240 / 640)), 3, (*SKIN, 1.0), -1)
    fill = areas.fill(hint)
    for x, y in ((300, 320), (230, 350), (370, 350), (300, 390)):
        assert fill[height * y // 640, width * x // 600] == pytest.approx((*SKIN, 1), abs=0.01)
    for x, y in ((250, 300), (300, 360), (60, 60)):  # an eye, the mouth, the ground
        assert fill[height * y // 640, width * x // 600, 3] <= 0


@pytest.mark.parametrize(("length", "lying"), [(480, False), (12600, True)])
def test_a_face_is_one_area_on_a_long_strip_as_on_a_page(length: int, lying: bool) -> None:
    page = np.full((length, 300), 255, np.uint8)
    cv2.circle(page, (150, 240), 24, 0, 1)
    for x in (141, 159):
        cv2.ellipse(page, (x, 240), (8, 6), 0, 0, 360, 0, 1)
    hint = np.zeros((length, 300, 4), np.float32)
    hint[223:228, 148:153] = (*SKIN, 1)
    if lying:
        page, hint = page.T.copy(), hint.transpose(1, 0, 2).copy()
    fill = PointAreas(page.astype(np.float32) / 255).fill(hint)
    fill = fill.transpose(1, 0, 2) if lying else fill
    assert fill[255, 150] == pytest.approx((*SKIN, 1), abs=0.01)  # the chin
    for x, y in ((142, 240), (150, 150)):  # an eye, the ground
        assert fill[y, x, 3] <= 0


def test_an_area_without_a_point_is_left_alone() -> None:
    fill = PointAreas(figure()).fill(marks((FACE, SKIN)))
    assert at(fill, FACE)[3] == 1
    assert at(fill, BOX)[3] <= 0
    assert at(fill, GROUND)[3] <= 0
    assert not PointAreas(figure()).fill(marks()).any()


def test_a_mark_that_slips_over_a_line_stays_on_its_side() -> None:
    hint = marks()
    cv2.line(hint, (150, 110), (210, 110), (*SKIN, 1.0), 5)  # ends just outside the circle
    fill = PointAreas(figure()).fill(hint)
    assert at(fill, FACE)[3] == 1
    assert at(fill, GROUND)[3] <= 0


def test_a_stroke_over_several_areas_fills_them_all() -> None:
    hint = marks()
    cv2.line(hint, (30, 110), (150, 110), (*SKIN, 1.0), 5)
    fill = PointAreas(figure()).fill(hint)
    assert at(fill, FACE) == pytest.approx((*SKIN, 1), abs=0.01)
    assert at(fill, GROUND) == pytest.approx((*SKIN, 1), abs=0.01)


def test_of_several_colours_the_nearest_counts_the_less_the_farther_off() -> None:
    left, right = (20, 40), (280, 40)
    fill = PointAreas(figure()).fill(marks((left, WHITE), (right, GREEN), (FACE, SKIN)))
    assert at(fill, left)[:3] == pytest.approx(WHITE)
    assert at(fill, right)[:3] == pytest.approx(GREEN)
    assert at(fill, right)[3] > at(fill, (280, 200))[3] > at(fill, (280, 300))[3] > 0
    assert at(fill, FACE) == pytest.approx((*SKIN, 1), abs=0.01)  # whose own is nearest, though not by far


def test_a_wide_gap_is_closed_only_where_it_parts_other_colours() -> None:
    page = figure(gap=7)
    fill = PointAreas(page).fill(marks((FACE, SKIN)))  # as bucket tools do: nobody said what is outside
    assert at(fill, GROUND) == pytest.approx((*SKIN, 1), abs=0.01)
    fill = PointAreas(page).fill(marks((FACE, SKIN), (GROUND, SKIN)))
    assert at(fill, GROUND) == pytest.approx((*SKIN, 1), abs=0.01)


def test_a_narrow_arm_goes_with_the_body_that_it_is_on() -> None:
    page = np.full((320, 300), 255, np.uint8)
    cv2.rectangle(page, (20, 20), (120, 300), 0, 2)
    cv2.rectangle(page, (180, 20), (280, 300), 0, 2)
    cv2.rectangle(page, (120, 150), (180, 156), 0, 2)  # a bridge of four pixels
    page[152:155, 118:183] = 255
    cv2.rectangle(page, (60, 4), (66, 21), 0, 2)  # and an arm, whose end is open to the page
    page[6:24, 62:65] = 255
    fill = PointAreas(page.astype(np.float32) / 255).fill(marks(((70, 250), GREEN), ((230, 250), SKIN)))
    for place, color in (((70, 40), GREEN), ((63, 12), GREEN), ((230, 40), SKIN)):
        assert at(fill, place) == pytest.approx((*color, 1), abs=0.01)


def test_blank_paper_and_tiny_pages_are_one_area() -> None:
    for shape in ((64, 64), (1, 1), (3, 700)):
        hint = np.zeros((*shape, 4), np.float32)
        hint[0, 0] = (*GREEN, 1)
        fill = PointAreas(np.ones(shape, np.float32)).fill(hint)
        assert fill[..., 3].min() == 1
    assert not PointAreas(np.zeros((40, 40), np.float32)).fill(marks()[:40, :40]).any()


def test_areas_that_no_mark_is_near_are_told_from_those_beside_it() -> None:
    page = np.ones((320, 300), np.float32)
    for x in (100, 200):  # three panels, with gutters between them
        page[:, x - 6 : x - 2] = page[:, x + 2 : x + 6] = 0
    page[61, :90] = page[90, :90] = 0  # thin lines in the first
    fill = PointAreas(page).fill(marks(((40, 50), GREEN)))
    assert [at(fill, place)[3] for place in ((80, 20), (40, 75), (150, 40), (260, 300))] == [1, 0, -1, -1]
