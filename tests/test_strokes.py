"""Simulated hints: what a user could have painted, and no more."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.random import default_rng
from numpy.typing import NDArray

from sketchcolor_cli.training.pairs import strokes

Array = NDArray[np.float32]

SIZE = 96
SEEDS = range(40)
EVERY = pytest.mark.parametrize("kind", strokes.KINDS)
GIVING = pytest.mark.parametrize("kind", [kind for kind in strokes.KINDS if kind != "none"])
PAPER = np.ones((SIZE, SIZE), np.float32)


def flat(*rgb: float) -> Array:
    return np.full((SIZE, SIZE, 3), rgb, np.float32)


def halves() -> Array:
    """Red at the left, blue at the right."""
    truth = flat(1, 0, 0)
    truth[:, SIZE // 2 :] = (0, 0, 1)
    return truth


def share(hint: Array) -> float:
    return float(hint[..., 3].mean())


@EVERY
@pytest.mark.parametrize("shape", [(SIZE, SIZE), (40, 72)])
def test_every_kind_is_a_valid_hint(kind: str, shape: tuple[int, int]) -> None:
    truth = default_rng(0).random((*shape, 3)).astype(np.float32)
    before = truth.copy()
    for seed in SEEDS:
        hint = strokes.simulate(default_rng(seed), truth, np.ones(shape, np.float32), kind)
        assert hint.shape == (*shape, 4)
        assert hint.dtype == np.float32
        assert np.isin(hint[..., 3], (0, 1)).all()
        assert not hint[hint[..., 3] == 0].any()
        assert hint.min() >= 0
        assert hint.max() <= 1 + 1e-6
        assert np.array_equal(truth, before)


@EVERY
def test_the_random_numbers_decide_alone(kind: str) -> None:
    first, again = (strokes.simulate(default_rng(5), halves(), PAPER, kind) for _ in range(2))
    assert np.array_equal(first, again)


@GIVING
def test_hints_have_the_colours_of_the_truth(kind: str) -> None:
    for seed in SEEDS:
        hint = strokes.simulate(default_rng(seed), flat(0.8, 0.4, 0.1), PAPER, kind)
        given = hint[hint[..., 3] == 1][:, :3]
        np.testing.assert_allclose(given, np.broadcast_to((0.8, 0.4, 0.1), given.shape), atol=1e-5)


def test_no_hint_is_empty() -> None:
    assert not strokes.simulate(default_rng(0), halves(), PAPER, "none").any()


def test_points_are_few_and_small() -> None:
    hints = [strokes.simulate(default_rng(seed), halves(), PAPER, "points") for seed in range(100)]
    dots = [cv2.connectedComponents(hint[..., 3].astype(np.uint8))[0] - 1 for hint in hints]
    assert min(dots) == 1
    assert 20 < max(dots) <= 40
    assert np.median(dots) < 10  # few more often than many
    for hint, count in zip(hints, dots, strict=True):
        if count == 1:
            rows, columns = np.nonzero(hint[..., 3])
            assert max(np.ptp(rows), np.ptp(columns)) <= 2 * 3
    assert max(map(share, hints)) < 40 * 37 / SIZE**2


@pytest.mark.parametrize("kind", ["points", "strokes"])
def test_strokes_start_off_the_ink(kind: str) -> None:
    """Of four places tried the best counts; on a page that is half ink one in sixteen still falls on it."""
    sketch = PAPER.copy()
    sketch[:, : SIZE // 2] = 0
    starts = list(strokes._starts(default_rng(0), sketch, 2000))
    on_ink = np.mean([sketch[place] == 0 for place in starts])
    assert on_ink == pytest.approx(1 / 16, abs=0.02)
    left = right = 0
    for seed in SEEDS:
        hint = strokes.simulate(default_rng(seed), flat(0, 1, 0), sketch, kind)[..., 3]
        left, right = left + hint[:, : SIZE // 2].sum(), right + hint[:, SIZE // 2 :].sum()
    assert left < right / 2


def test_strokes_stay_in_their_colour() -> None:
    reach = 4 + 6 // 2 + 1  # of the blurred border, and half a brush
    for seed in SEEDS:
        hint = strokes.simulate(default_rng(seed), halves(), PAPER, "strokes")
        for columns, color in (
            (slice(0, SIZE // 2 - reach), (1, 0, 0)),
            (slice(SIZE // 2 + reach, None), (0, 0, 1)),
        ):
            part = hint[:, columns]
            given = part[part[..., 3] == 1][:, :3]
            np.testing.assert_allclose(given, np.broadcast_to(color, given.shape), atol=1e-5)


def test_strokes_are_longer_than_points() -> None:
    truth = flat(0.2, 0.7, 0.3)
    long = [strokes.simulate(default_rng(seed), truth, PAPER, "strokes") for seed in SEEDS]
    spans = [np.ptp(np.nonzero(hint[..., 3])[0]) for hint in long if hint.any()]
    assert len(spans) > 30
    assert max(spans) > 30


def test_how_much_is_painted() -> None:
    shares = {
        kind: [share(strokes.simulate(default_rng(seed), halves(), PAPER, kind)) for seed in range(80)]
        for kind in ("painting", "blurred", "patches")
    }
    assert 0.38 < min(shares["painting"]) < 0.55
    assert max(shares["painting"]) == 1
    assert 0.4 < min(shares["blurred"]) < 0.6
    assert 0.95 < max(shares["blurred"]) <= 1
    assert 0.03 < min(shares["patches"]) < 0.15
    assert 0.4 < max(shares["patches"]) < 0.52


def test_the_blurred_reference_has_the_means_of_its_cells() -> None:
    """At 96 cells each is a pixel; at fewer the mean over the picture is still that of the truth."""
    truth = default_rng(0).random((SIZE, SIZE, 3)).astype(np.float32)
    for seed in range(10):
        hint = strokes.simulate(default_rng(seed), truth, PAPER, "blurred")
        given = hint[hint[..., 3] == 1][:, :3]
        np.testing.assert_allclose(given.mean(0), truth.mean((0, 1)), atol=0.03)
        assert given.std() < truth.std()


def test_areas_are_whole_and_a_few_have_the_colour_of_another() -> None:
    sketch = PAPER.copy()
    sketch[:, SIZE // 2 - 1 : SIZE // 2 + 1] = 0
    right = wrong = 0
    for seed in range(200):
        hint = strokes.simulate(default_rng(seed), halves(), sketch, "areas")
        assert not hint[sketch == 0].any()
        for side, color in ((slice(0, SIZE // 2 - 1), (1, 0, 0)), (slice(SIZE // 2 + 1, SIZE), (0, 0, 1))):
            area = hint[:, side]
            assert np.ptp(area, axis=(0, 1)).max() == 0  # all of it, or nothing
            if area[0, 0, 3]:
                same = np.allclose(area[0, 0, :3], color, atol=0.1)
                right, wrong = right + same, wrong + (not same)
    assert 0.01 < wrong / right < 0.2
