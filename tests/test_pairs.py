"""Training pairs: sketch, hint and truth of one and the same picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from sketchcolor_cli.networks import hints
from sketchcolor_cli.training.pairs import pairs, strokes
from sketchcolor_cli.training.pairs.pairs import Drawing, Inputs, Pair, PairRecipe, make_pair

Array = NDArray[np.float32]

PLAIN = PairRecipe(hint_kinds={"none": 1}, page_share=0, bubble_share=0, sheet_share=0, augment=False)
PLANES = ("sketch", "hint", "spread", "truth", "sheet")


def drawing(height: int, width: int, seed: int = 0, *, lined: bool = False) -> Drawing:
    rng = default_rng(seed)
    small = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    color = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    line = rng.integers(0, 256, (height, width), dtype=np.uint8) if lined else None
    return Drawing(f"drawing {seed}", color, line)


DRAWINGS = [drawing(90, 120, 0), drawing(120, 70, 1, lined=True), drawing(64, 64, 2), drawing(40, 300, 3)]


def only(kind: str, **changes: Any) -> PairRecipe:
    return replace(PLAIN, hint_kinds={kind: 1.0}, **changes)


def same(one: Pair, other: Pair) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in PLANES)


@pytest.mark.parametrize(("size", "stride"), [(64, 4), (96, 2)])
def test_every_pair_is_whole(size: int, stride: int) -> None:
    recipe = PairRecipe(page_share=0.5, bubble_share=0.5)
    for seed in range(30):
        pair = make_pair(default_rng(seed), DRAWINGS, seed % 4, size, recipe, Inputs(stride))
        assert pair.sketch.shape == (size, size)
        assert pair.hint.shape == (size, size, 4)
        assert pair.spread.shape == (size // stride, size // stride, 4)
        assert pair.truth.shape == (size, size, 3)
        for name in PLANES:
            plane = getattr(pair, name)
            assert plane.dtype == np.float32, name
            assert np.isfinite(plane).all(), name
            assert plane.min() >= 0, name
            assert plane.max() <= 1 + 1e-5, name
        np.testing.assert_array_equal(pair.spread, hints.spread(pair.sketch, pair.hint, stride))


def test_the_random_numbers_decide_alone() -> None:
    first, again, other = (make_pair(default_rng(seed), DRAWINGS, 0, 64, PairRecipe()) for seed in (7, 7, 8))
    assert same(first, again)
    assert not same(first, other)


def test_drawings_are_not_changed() -> None:
    before = [(d.color.tobytes(), None if d.line is None else d.line.tobytes()) for d in DRAWINGS]
    for seed in range(10):
        make_pair(default_rng(seed), DRAWINGS, seed % 4, 64, PairRecipe(page_share=1, bubble_share=1))
    assert before == [(d.color.tobytes(), None if d.line is None else d.line.tobytes()) for d in DRAWINGS]


def test_validation_takes_the_middle_as_it_is() -> None:
    """90×120 to 32×32: columns 15 to 105."""
    pair = make_pair(default_rng(0), DRAWINGS, 0, 32, PLAIN)
    middle = cv2.resize(DRAWINGS[0].color[:, 15:105], (32, 32), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(pair.truth, middle / 255, atol=1e-6)
    assert not pair.hint.any()
    assert not pair.spread.any()


def test_validation_has_the_same_truth_whatever_the_random_numbers() -> None:
    truths = [make_pair(default_rng(seed), DRAWINGS, 1, 32, PLAIN).truth for seed in range(5)]
    assert all(np.array_equal(truths[0], truth) for truth in truths)


def test_a_line_drawing_is_cut_and_mirrored_with_its_picture() -> None:
    """A drawing whose lines are its own red channel keeps them together through every cut."""
    color = drawing(90, 120, 5).color
    both = Drawing("both", color, np.ascontiguousarray(color[..., 0]))
    for seed in range(20):
        cut, line = pairs._cropped(default_rng(seed), both, (48, 64), augment=True)
        assert cut.shape == (48, 64, 3)
        assert line is not None
        np.testing.assert_allclose(cut[..., 0], line, atol=1.01 / 255)


def test_crops_keep_proportions_about_and_never_leave_the_picture() -> None:
    y, x = np.mgrid[0:100, 0:160]
    ramp = Drawing("ramp", np.dstack([x, y, 0 * x]).astype(np.uint8))
    spans = []
    for seed in range(60):
        cut, _ = pairs._cropped(default_rng(seed), ramp, (64, 64), augment=True)
        wide, tall = np.ptp(cut[..., 0]) * 255, np.ptp(cut[..., 1]) * 255
        spans.append((tall, wide))
        assert 0.75 < wide / tall < 1.35
    heights = np.array(spans)[:, 0]
    assert heights.min() > 0.45 * 98 * np.exp(-0.2)
    assert heights.max() > 90


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (300, 3)])
def test_odd_drawings_make_pairs_too(shape: tuple[int, int]) -> None:
    for seed in range(10):
        pair = make_pair(default_rng(seed), [drawing(*shape, lined=True)], 0, 64, PairRecipe(page_share=0.5))
        assert np.isfinite(pair.truth).all()


def test_the_kinds_of_hint_come_as_often_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = []

    def simulate(_rng: Generator, truth: Array, _sketch: Array, kind: str) -> Array:
        kinds.append(kind)
        return np.zeros((*truth.shape[:2], 4), np.float32)

    monkeypatch.setattr(strokes, "simulate", simulate)
    recipe = replace(PLAIN, hint_kinds={"none": 1, "points": 2, "patches": 1})  # shares need not sum to 1
    for seed in range(400):
        make_pair(default_rng(seed), [drawing(8, 8)], 0, 32, recipe)
    assert kinds.count("points") == pytest.approx(200, abs=40)
    assert kinds.count("none") == pytest.approx(100, abs=40)
    assert set(kinds) == {"none", "points", "patches"}


def test_the_recipe_knows_every_kind() -> None:
    assert set(PairRecipe().hint_kinds) == set(strokes.KINDS)
    assert sum(PairRecipe().hint_kinds.values()) == pytest.approx(1)


@pytest.mark.parametrize("kind", ["painting", "points"])
def test_hints_follow_the_truth_when_its_colours_are_turned(kind: str) -> None:
    red = [Drawing("red", np.full((64, 64, 3), (200, 60, 50), np.uint8))]
    recipe = only(kind, augment=True, recolor_share=1)
    hues = []
    for seed in range(20):
        pair = make_pair(default_rng(seed), red, 0, 32, recipe)
        color = pair.truth[0, 0]
        given = pair.hint[pair.hint[..., 3] == 1][:, :3]
        np.testing.assert_allclose(given, np.broadcast_to(color, given.shape), atol=1e-5)
        hues.append(color.argmax())
    assert set(hues) == {0, 1, 2}


def test_without_a_hint_colours_are_hardly_turned() -> None:
    red = [Drawing("red", np.full((64, 64, 3), (200, 60, 50), np.uint8))]
    recipe = only("none", augment=True, recolor_share=1)
    for seed in range(20):
        r, g, b = make_pair(default_rng(seed), red, 0, 32, recipe).truth[0, 0]
        assert r > 1.5 * max(g, b)


@pytest.mark.parametrize("boldly", [False, True])
def test_turning_colours_leaves_grey_black_and_white(boldly: bool) -> None:
    tones = np.repeat(np.linspace(0, 1, 11, dtype=np.float32)[None, :, None], 3, 2)
    for seed in range(20):
        turned = pairs.recolored(tones, pairs.draw_recoloring(default_rng(seed), boldly=boldly))
        np.testing.assert_allclose(turned, turned[..., :1].repeat(3, 2), atol=2e-3)
        np.testing.assert_allclose(turned[0, [0, -1]], tones[0, [0, -1]], atol=2e-3)
        assert (np.diff(turned[0, :, 0]) > 0).all()


def test_bold_turns_go_all_round() -> None:
    color = np.full((1, 1, 3), (0.6, 0.5, 0.45), np.float32)
    before = cv2.cvtColor(color, cv2.COLOR_RGB2LAB)[0, 0]
    angles = []
    for seed in range(100):
        _, a, b = cv2.cvtColor(
            pairs.recolored(color, pairs.draw_recoloring(default_rng(seed), boldly=True)), cv2.COLOR_RGB2LAB
        )[0, 0]
        assert 0.65 < np.hypot(a, b) / np.hypot(*before[1:]) < 1.3
        angles.append(np.arctan2(b, a))
    assert np.histogram(angles, 4, (-np.pi, np.pi))[0].min() > 12


def test_panels_take_other_drawings_too() -> None:
    flats = [Drawing(str(v), np.full((40, 40, 3), v, np.uint8)) for v in (50, 100, 150, 200)]
    recipe = only("none", page_share=1)
    pictures = [make_pair(default_rng(seed), flats, 2, 96, recipe).truth for seed in range(20)]
    shares = np.array([[np.isclose(p, v / 255).all(2).mean() for v in (50, 100, 150, 200)] for p in pictures])
    assert (shares[:, 2] > 0.02).all()  # the first panel
    assert (shares[:, [0, 1, 3]] > 0).any(0).all()
    paper = [(p == 1).all(2).any() for p in pictures]
    assert sum(paper) > 15  # the gutter, but where it is so narrow that the frames fill it


def test_bubbles_are_white_in_sketch_and_truth() -> None:
    dark = [Drawing("dark", np.full((64, 64, 3), (40, 0, 90), np.uint8))]
    for seed in range(10):
        pair = make_pair(default_rng(seed), dark, 0, 64, only("none", bubble_share=1))
        white = (pair.truth == 1).all(2)
        assert white.any()
        assert (pair.sketch[white] == 1).all()


# Character sheets

STORY = [Drawing(f"page {n}", drawing(80, 60, n).color, group="story") for n in range(3)]
MIXED = [*DRAWINGS, *STORY, Drawing("alone", drawing(64, 64, 9).color, group="single")]


def test_kin_are_pictures_of_one_group() -> None:
    assert pairs.find_kin(drawing.group for drawing in MIXED) == {"story": [4, 5, 6]}


def test_without_sheets_the_sheet_is_empty() -> None:
    pair = make_pair(default_rng(0), MIXED, 0, 64, only("none", sheet_share=0))
    assert pair.sheet is not None
    assert pair.sheet.shape == (128, 128, 4)
    assert not pair.sheet.any()


def test_a_sheet_shows_another_picture_of_the_story() -> None:
    """Unchanged colours, so the sheet's can be looked up; the picture's own would be in neither of them."""
    recipe = only("none", sheet_share=1, kin_share=1)
    for seed in range(6):
        sheet = make_pair(
            default_rng(seed), MIXED, 4, 64, recipe, kin=pairs.find_kin(drawing.group for drawing in MIXED)
        ).sheet
        assert sheet is not None
        shown = cv2.resize(sheet[:, 16:112, :3], (60, 80), interpolation=cv2.INTER_AREA)
        apart = [np.abs(shown - MIXED[index].color / 255).mean() for index in (4, 5, 6)]
        assert apart.index(min(apart)) in (1, 2)
        assert min(apart) < 0.05


def test_a_sheet_of_a_picture_without_kin_is_that_picture_bent() -> None:
    recipe = only("none", sheet_share=1, kin_share=1)
    pair = make_pair(
        default_rng(1), MIXED, 0, 64, recipe, kin=pairs.find_kin(drawing.group for drawing in MIXED)
    )
    assert pair.sheet is not None
    colors = MIXED[0].color.reshape(-1, 3).mean(0) / 255
    on_sheet = pair.sheet[pair.sheet[..., 3] > 0.99][:, :3].mean(0)
    np.testing.assert_allclose(on_sheet, colors, atol=0.12)


def test_the_sheet_of_a_page_shows_a_picture_for_each_panel_in_the_same_new_colours() -> None:
    """Red drawings become one other colour on page and sheet alike."""
    red = np.zeros((60, 60, 3), np.uint8)
    red[..., 0] = 255
    reds = [Drawing(f"red {n}", red, group="red") for n in range(4)]
    recipe = replace(only("none", sheet_share=1, kin_share=1, page_share=1, recolor_share=1), augment=True)
    for seed in range(5):
        pair = make_pair(
            default_rng(seed), reds, 0, 96, recipe, kin=pairs.find_kin(drawing.group for drawing in reds)
        )
        assert pair.sheet is not None
        shown = pair.sheet[pair.sheet[..., 3] > 0.99][:, :3]
        painted = pair.truth.reshape(-1, 3)
        painted = painted[(painted.min(1) < 0.9) & (painted.max(1) > 0.1)]
        assert len(painted) > 1000
        np.testing.assert_allclose(np.median(painted, 0), np.median(shown, 0), atol=0.02)


def test_colours_are_left_as_they_are_where_they_shall_be_learnt() -> None:
    flat = [Drawing("flat", np.full((64, 64, 3), (200, 90, 40), np.uint8))]
    recipe = replace(only("none", sheet_share=0), augment=True, vary_colors=False)
    for seed in range(8):
        truth = make_pair(default_rng(seed), flat, 0, 64, recipe).truth
        assert np.abs(truth - np.array((200, 90, 40), np.float32) / 255).max() < 1e-6
    varied = replace(recipe, vary_colors=True)
    assert np.ptp([make_pair(default_rng(seed), flat, 0, 64, varied).truth.mean() for seed in range(8)]) > 0
