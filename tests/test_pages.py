"""Pages of panels and bubbles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from sketchcolor_cli.training.pairs.pages import Panel, add_bubble, frame, lay_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = st.integers(64, 300)
SEEDS = st.integers(0, 2**32)
quickly = settings(deadline=None, max_examples=100)


def covered(panels: list[Panel], size: int) -> NDArray[np.int_]:
    """Count the panels over each pixel."""
    count = np.zeros((size, size), int)
    for panel in panels:
        assert count[panel.window].shape == panel.shape
        count[panel.window] += 1
    return count


def test_a_panel_knows_its_shape_and_window() -> None:
    panel = Panel(top=2, left=3, bottom=7, right=13)
    assert panel.shape == (5, 10)
    page = np.zeros((20, 20))
    page[panel.window] = 1
    assert page.sum() == 50
    assert page[2:7, 3:13].all()


@quickly
@given(SIZES, SEEDS)
def test_panels_lie_apart_on_the_page(size: int, seed: int) -> None:
    panels = lay_out(default_rng(seed), size, 1)
    assert 2 <= len(panels) <= 4
    count = covered(panels, size)
    assert count.max() == 1
    assert sum(panel.shape[0] * panel.shape[1] for panel in panels) == count.sum()
    assert min(min(panel.shape) for panel in panels) >= 4
    assert count.mean() > 0.5
    assert (count == 0).any()


@quickly
@given(SIZES, SEEDS)
def test_panels_share_an_outer_frame(size: int, seed: int) -> None:
    panels = lay_out(default_rng(seed), size, 1)
    top, left = min(p.top for p in panels), min(p.left for p in panels)
    bottom, right = max(p.bottom for p in panels), max(p.right for p in panels)
    assert top == left == size - bottom == size - right
    assert top <= 0.06 * size


@given(SIZES, SEEDS)
def test_a_page_without_panels_is_one(size: int, seed: int) -> None:
    assert lay_out(default_rng(seed), size, 0) == [Panel(0, 0, size, size)]


def test_the_share_of_pages_with_panels() -> None:
    many = sum(len(lay_out(default_rng(seed), 128, 0.25)) > 1 for seed in range(1000))
    assert many == pytest.approx(250, abs=50)


@pytest.mark.parametrize("width", [1, 2])
def test_frames_are_drawn_in_black_into_every_plane(width: int) -> None:
    truth, sketch = np.full((64, 64, 3), 0.5, np.float32), np.ones((64, 64), np.float32)
    panel = Panel(10, 12, 40, 50)
    frame([panel], width, truth, sketch)
    for y, x in ((10, 12), (10, 30), (39, 12), (39, 49), (20, 12), (20, 49)):
        assert not truth[y, x].any()
        assert sketch[y, x] == 0
    assert (sketch[13:37, 15:47] == 1).all()
    assert (truth[:8] == 0.5).all()
    assert np.array_equal(sketch == 0, (truth == 0).all(2))


@quickly
@given(SIZES, SEEDS)
def test_a_bubble_is_the_same_in_sketch_and_truth(size: int, seed: int) -> None:
    truth, sketch = (
        np.full((size, size, 3), (0.5, 0.25, 0.75), np.float32),
        np.full((size, size), 0.5, np.float32),
    )
    add_bubble(default_rng(seed), truth, sketch)
    changed = sketch != 0.5
    assert np.isin(sketch[changed], (0, 1)).all()
    assert changed.any()
    assert (truth[changed] == sketch[changed][:, None]).all()
    assert (truth[~changed] == np.array((0.5, 0.25, 0.75), np.float32)).all()


def test_a_bubble_is_mostly_white_with_black_in_it() -> None:
    whites = blacks = 0
    for seed in range(50):
        page = np.full((128, 128), 0.5, np.float32)
        add_bubble(default_rng(seed), page)
        white, black = (page == 1).sum(), (page == 0).sum()
        assert white > 0
        assert black > 0
        assert (white + black) / page.size < 0.5
        whites, blacks = whites + white, blacks + black
    assert whites > 2 * blacks


def test_the_random_numbers_decide_alone() -> None:
    pages = []
    for seed in (1, 1, 2):
        page = np.zeros((100, 100), np.float32)
        add_bubble(default_rng(seed), page)
        pages.append(page)
    assert np.array_equal(pages[0], pages[1])
    assert not np.array_equal(pages[0], pages[2])
    assert lay_out(default_rng(3), 200, 1) == lay_out(default_rng(3), 200, 1)
