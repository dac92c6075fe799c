"""The areas between lines, their borders, and which of them are parts of one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sketchcolor_cli.coloring.page.regions import borders, find_areas, merge_small_regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACE, SHIRT = (0.1, 0.8, 0.1), (0.1, 0.1, 0.8)


def two_rooms(gap: int = 0) -> NDArray[np.float32]:
    """Make ink of a wall between two halves, with a gap of so many cells."""
    ink = np.zeros((24, 41), np.float32)
    ink[:, 20] = 1
    ink[2 : 2 + gap, 20] = 0
    return ink


def patches(*sides: int) -> NDArray[np.int32]:
    """Make a page of 100×100 whose area 0 is what squares of these sides, areas 1, 2 …, leave over."""
    areas = np.zeros((100, 100), np.int32)
    left = 1
    for number, side in enumerate(sides, start=1):
        areas[50 : 50 + side, left : left + side] = number
        left += side
    return areas


def test_a_line_divides_areas_and_every_cell_belongs_to_one() -> None:
    cores, areas = find_areas(two_rooms())
    assert set(np.unique(areas)) == {0, 1}
    assert (areas[:, :19] == areas[0, 0]).all()
    assert (areas[:, 22:] == areas[0, -1]).all()
    assert cores[:, 5].all()
    assert not cores[:, 20].any()


@pytest.mark.parametrize(("gap", "count"), [(2, 2), (20, 1)])
def test_a_small_gap_in_a_line_still_divides_and_a_wide_one_does_not(gap: int, count: int) -> None:
    assert len(np.unique(find_areas(two_rooms(gap))[1])) == count


def test_a_page_without_lines_is_one_area() -> None:
    assert not find_areas(np.zeros((9, 9), np.float32))[1].any()


def test_borders_are_counted_between_all_neighbours_or_those_seen() -> None:
    areas = np.array([[0, 0, 2], [1, 1, 2]], np.int32)
    pairs, lengths = borders(areas)
    assert dict(zip(map(tuple, pairs.tolist()), lengths.tolist(), strict=True)) == {
        (0, 1): 2, (0, 2): 1, (1, 2): 1,
    }  # fmt: skip
    pairs, lengths = borders(areas, np.array([[1, 1, 0], [0, 1, 1]], np.bool_))
    assert dict(zip(map(tuple, pairs.tolist()), lengths.tolist(), strict=True)) == {(0, 1): 1, (1, 2): 1}


def test_a_page_of_one_area_has_no_borders() -> None:
    area = np.zeros((5, 5), np.int32)
    assert borders(area)[0].shape == (0, 2)
    assert not merge_small_regions(area, np.array([FACE]), np.array([50.0])).any()


@pytest.mark.parametrize(
    ("chances", "light", "together"),
    [
        (FACE, 60, True),
        (FACE, 90, False),  # much lighter
        (SHIRT, 60, False),  # of other colours
    ],
)
def test_a_small_area_goes_with_a_larger_one_like_it(
    chances: tuple[float, ...], light: float, together: bool
) -> None:
    areas = patches(20, 8)
    found = merge_small_regions(areas, np.array([SHIRT, FACE, chances]), np.array([60.0, 60, light]))
    assert (found[55, 25] == found[55, 10]) == together
    assert found[0, 0] != found[55, 10]
    assert len(np.unique(found)) == 3 - together


def test_large_areas_and_backgrounds_keep_to_themselves() -> None:
    alike, light = np.array([FACE] * 3), np.full(3, 60.0)
    assert (
        len(np.unique(merge_small_regions(patches(20, 15), alike, light))) == 3
    )  # both too large to be parts
    assert (
        len(np.unique(merge_small_regions(patches(8, 20), alike, light))) == 2
    )  # the small one, with the patch
    assert (
        len(np.unique(merge_small_regions(patches(8), alike[:2], light[:2]))) == 2
    )  # never with the background


def test_the_most_alike_neighbour_takes_it_and_parts_of_parts_follow() -> None:
    areas = patches(20, 8, 4)
    near, nearer = (0.1, 0.7, 0.2), (0.1, 0.75, 0.15)
    found = merge_small_regions(areas, np.array([SHIRT, FACE, near, nearer]), np.full(4, 60.0))
    assert found[51, 30] == found[55, 25] == found[55, 10]
