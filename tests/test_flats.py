"""Regions of a page and their flat colours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.extras.flats import find_flats

RED, BLUE, WHITE = (50.0, 60.0, 40.0), (45.0, 10.0, -55.0), (100.0, 0.0, 0.0)


def drawing(*, gap: int = 0, thickness: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """A red disc on blue, its outline open by ``gap`` pixels; page (600, 500) and paint of half the size."""
    gray = np.full((600, 500), 255, np.uint8)
    cv2.circle(gray, (250, 300), 120, 0, thickness)
    if gap:
        gray[300 - gap // 2 : 300 + gap // 2, 360:380] = 255
    paint = np.full((300, 250, 3), BLUE, np.float32)
    y, x = np.mgrid[:300, :250]
    paint[np.hypot(x - 125, y - 150) < 60] = RED
    return gray.astype(np.float32) / 255, cv2.GaussianBlur(paint, (0, 0), 1)


def rgb_of(lab: tuple[float, float, float]) -> np.ndarray:
    return cv2.cvtColor(np.array([[lab]], np.float32), cv2.COLOR_LAB2RGB)[0, 0]


@pytest.mark.parametrize("gap", [0, 4])
def test_two_regions_meet_in_the_middle_of_the_line(gap: int) -> None:
    flats = find_flats(*drawing(gap=gap))
    picture = flats.rgb()
    assert picture.shape == (600, 500, 3)
    y, x = np.mgrid[:600, :500]
    far = np.hypot(x - 250, y - 300)
    np.testing.assert_allclose(
        picture[far < 116], np.broadcast_to(rgb_of(RED), (int((far < 116).sum()), 3)), atol=0.03
    )
    np.testing.assert_allclose(
        picture[far > 124], np.broadcast_to(rgb_of(BLUE), (int((far > 124).sum()), 3)), atol=0.03
    )
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 2


def test_no_pixel_is_between_two_colours() -> None:
    gray, paint = drawing()
    flats = find_flats(cv2.GaussianBlur(gray, (0, 0), 1.2), paint)
    assert len(np.unique(flats.rgb().reshape(-1, 3), axis=0)) == len(flats.colors) == 2


def test_specks_go_to_their_surroundings() -> None:
    gray, paint = drawing()
    gray[290:294, 200:204] = 0
    paint[40:42, 40:42] = RED
    assert len(find_flats(gray, paint).colors) == 2


@pytest.mark.parametrize(("color", "count"), [(BLUE, 2), (RED, 1)])
def test_a_small_thing_that_lines_close_in_is_kept_if_it_is_of_another_colour(
    color: tuple[float, float, float], count: int
) -> None:
    gray = np.full((1500, 1000), 255, np.uint8)
    cv2.circle(gray, (500, 700), 5, 0, 2)
    paint = np.full((750, 500, 3), RED, np.float32)
    cv2.circle(paint, (250, 350), 2, color, -1)
    assert len(find_flats(gray.astype(np.float32) / 255, paint).colors) == count


def test_protected_parts_are_white() -> None:
    gray, paint = drawing()
    paper = np.zeros((300, 250), np.bool_)
    paper[np.hypot(*(np.mgrid[:300, :250] - np.array([150, 125])[:, None, None])) < 61] = True
    assert find_flats(gray, paint, paper).rgb()[300, 250].tolist() == [1, 1, 1]


def test_the_palette_has_the_only_colours() -> None:
    palette = np.array([(55, 50, 30), (40, 0, -60), (70, -40, 40)], np.float32)
    colors = find_flats(*drawing(), palette=palette).colors
    allowed = [*map(tuple, palette.tolist()), WHITE]
    for color in colors:
        assert min(np.abs(rgb_of(name) - color).max() for name in allowed) < 2 / 255


def test_paint_that_changes_without_a_line_makes_two_regions() -> None:
    paint = np.full((300, 250, 3), BLUE, np.float32)
    paint[:, 125:] = RED
    flats = find_flats(np.ones((600, 500), np.float32), paint)
    assert len(flats.colors) == 2
    assert flats.labels[300, 100] != flats.labels[300, 400]


@pytest.mark.parametrize("tone", [0.0, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (5, 300), (64, 48)])
def test_empty_pages_of_any_size(tone: float, size: tuple[int, int]) -> None:
    flats = find_flats(np.full(size, tone, np.float32), np.full((*size, 3), BLUE, np.float32))
    assert flats.labels.shape == size
    assert not flats.labels.any()


def test_a_solid_black_area_is_a_region() -> None:
    gray, paint = drawing()
    gray[60:140, 60:160] = 0
    paint[30:70, 30:80] = (15, 0, 0)
    flats = find_flats(gray, paint)
    assert flats.labels[100, 110] != flats.labels[20, 20]
    assert flats.rgb()[100, 110].max() < 0.3


def test_a_thread_of_a_page() -> None:
    gray = np.ones((20_000, 2), np.float32)
    gray[::500] = 0
    paint = np.full((20_000, 2, 3), BLUE, np.float32)
    paint[10_000:] = RED
    flats = find_flats(gray, paint)
    assert flats.labels.shape == gray.shape
    assert flats.rgb()[100, 0].tolist() != flats.rgb()[-100, 0].tolist()


def test_specks_in_a_strip_are_as_small_as_on_its_pages() -> None:
    gray = np.ones((6000, 300), np.float32)
    gray[3000:3004] = 0
    paint = np.full((6000, 300, 3), BLUE, np.float32)
    paint[3001:] = RED
    assert len(find_flats(gray, paint).colors) == 2
    cv2.rectangle(gray, (100, 1000), (112, 1012), 0, 1)
    paint[1000:1013, 100:113] = RED
    assert len(np.unique(find_flats(gray, paint).labels)) == 3
