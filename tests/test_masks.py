"""Masks painted by hand over what was found on a page."""

from __future__ import annotations

import numpy as np
import pytest

from sketchcolor_cli.coloring.guides.masks import but_marked, corrected
from sketchcolor_cli.coloring.page.paper_mask import PaperMask
from sketchcolor_cli.imaging.picture import Picture


def painted(alpha: np.ndarray | None, lightness: np.ndarray) -> Picture:
    return Picture(
        np.repeat(lightness.astype(np.float32)[..., None], 3, 2),
        None if alpha is None else alpha.astype(np.float32),
    )


def test_white_protects_black_frees_and_nothing_changes_nothing() -> None:
    gutters, bubbles = np.zeros((4, 6), bool), np.zeros((4, 6), bool)
    gutters[:, :2], bubbles[:, 4:] = True, True
    alpha, light = np.zeros((4, 6)), np.zeros((4, 6))
    alpha[0], alpha[1], light[1] = 1, 1, 1  # the first row is black, the second white, the others say nothing
    done = corrected(PaperMask(gutters, bubbles), painted(alpha, light), (40, 60))
    whole = done.gutters | done.bubbles
    assert not whole[0].any()
    assert whole[1].all()
    np.testing.assert_array_equal(done.gutters[2:], gutters[2:])
    np.testing.assert_array_equal(done.bubbles[2:], bubbles[2:])
    assert not (done.gutters & done.bubbles).any()


def test_where_nothing_was_found_the_mask_is_all() -> None:
    light = np.zeros((10, 20))
    light[:, :10] = 1
    done = corrected(None, painted(None, light), (100, 200))
    assert done.gutters.shape == (100, 200)
    assert done.gutters[:, :95].all()
    assert not done.gutters[:, 105:].any()
    assert not done.bubbles.any()


def test_a_mask_of_another_size_is_stretched_over_the_page() -> None:
    found = PaperMask(np.zeros((50, 30), bool), np.zeros((50, 30), bool))
    light = np.zeros((500, 300))
    light[250:] = 1
    done = corrected(found, painted(None, light), (1000, 600))
    assert done.gutters[26:].all()
    assert not done.gutters[:24].any()


def test_a_mask_of_a_strip_is_as_fine_as_one_of_a_page() -> None:
    light = np.zeros((3000, 100))
    light[1500:1503] = 1
    done = corrected(None, painted(None, light), light.shape)
    np.testing.assert_array_equal(done.gutters, light > 0)


def page_with_gutter() -> tuple[PaperMask, np.ndarray]:
    """Return a page whose left half is a gutter, and its two areas, on a copy half as large."""
    gutters = np.zeros((80, 120), bool)
    gutters[:, :60] = True
    labels = np.zeros((40, 60), np.int32)
    labels[:, 30:] = 1
    return PaperMask(gutters, np.zeros_like(gutters)), labels


def mark(columns: slice, color: tuple[float, float, float]) -> np.ndarray:
    marks = np.zeros((40, 60, 4), np.float32)
    marks[18:22, columns] = (*color, 1)
    return marks


BROWN, WHITE = (0.5, 0.35, 0.3), (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("columns", "color", "stays"),
    [
        (slice(10, 14), BROWN, 0.0),  # a colour that is put there is wanted
        (slice(10, 14), WHITE, 1.0),
        (slice(40, 44), BROWN, 1.0),  # elsewhere
        (slice(26, 44), BROWN, 1.0),  # a stroke that has slipped over the edge
        (slice(0, 0), BROWN, 1.0),
    ],
)
def test_paper_that_is_given_a_colour_is_paper_no_more(
    columns: slice, color: tuple[float, float, float], stays: float
) -> None:
    found, labels = page_with_gutter()
    done = but_marked(found, mark(columns, color), labels)
    assert done.gutters[:, :60].mean() == stays
    assert not done.gutters[:, 60:].any()


def test_paper_that_a_user_painted_stays_paper_whatever_is_marked_there() -> None:
    found, labels = page_with_gutter()
    alpha, light = np.zeros((80, 120)), np.ones((80, 120))
    alpha[:20] = 1
    asked = corrected(found, painted(alpha, light), (80, 120))
    done = but_marked(
        corrected(asked, painted(0 * alpha, light), (80, 120)), mark(slice(10, 14), BROWN), labels
    )
    assert done.gutters[:20].all()
    assert not done.gutters[20:].any()


def test_a_margin_at_which_a_mark_lies_just_beside_the_mask_is_freed() -> None:
    found, labels = page_with_gutter()
    found.gutters[36:44, 20:28] = False  # where the mask has a hole, the area has none
    assert not but_marked(found, mark(slice(10, 14), BROWN), labels).gutters.any()
