"""Spreading of hints, against a slow search that is written anew here."""

from __future__ import annotations

import heapq
import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sketchcolor_cli.networks.hints import nearest, shrink, spread, ways

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def paper(height: int, width: int) -> Array:
    return np.ones((height, width), np.float32)


def dots(height: int, width: int, places: dict[tuple[int, int], tuple[float, float, float]]) -> Array:
    """Make a hint with single pixels of colour."""
    hint = np.zeros((height, width, 4), np.float32)
    for place, color in places.items():
        hint[place] = (*color, 1)
    return hint


def slow_spread(sketch: Array, hint: Array, s: int) -> Array:
    """Search from every source in turn, one place at a time."""
    h, w = sketch.shape[0] // s, sketch.shape[1] // s
    squares = {(y, x): np.s_[y * s : y * s + s, x * s : x * s + s] for y in range(h) for x in range(w)}
    ink = {place: 1 - sketch[square].astype(float) for place, square in squares.items()}

    def around(y: int, x: int) -> list[tuple[int, int]]:
        near = itertools.product(range(y - 1, y + 2), range(x - 1, x + 2))
        return [place for place in near if place in squares]

    wash = {place: min(ink[other].mean() for other in around(*place)) for place in squares}
    cost = {place: 1 + 60 * max(0, ink[place].max() - wash[place]) for place in squares}
    colors = {}
    for place, square in squares.items():
        given = hint[square][hint[square][..., 3] > 0]
        if len(given):
            colors[place] = given[:, :3].mean(0)
    best = dict.fromkeys(squares, (math.inf, (0, 0)))
    for source in colors:
        queue, done = [(0.0, source)], set()
        while queue:
            distance, place = heapq.heappop(queue)
            if place in done:
                continue
            done.add(place)
            best[place] = min(best[place], (distance, source))
            for other in around(*place):
                dy, dx = other[0] - place[0], other[1] - place[1]
                step = math.hypot(dy, dx) * (cost[place] + cost[other]) / 2
                if dy and dx:
                    step = max(step, math.sqrt(2) * min(cost[place[0], other[1]], cost[other[0], place[1]]))
                heapq.heappush(queue, (distance + step, other))
    out = np.zeros((h, w, 4), np.float32)
    for place, (distance, source) in best.items():
        out[place] = (*colors[source], 1 / (1 + distance / 12))
    return out


@pytest.mark.parametrize(("shape", "stride"), [((36, 52), 4), ((40, 12), 2), ((14, 9), 1), ((4, 60), 4)])
def test_agrees_with_a_slow_search(shape: tuple[int, int], stride: int) -> None:
    rng = np.random.default_rng(sum(shape))
    sketch = np.where(rng.random(shape) < 0.06, rng.random(shape), 0.97 + 0.03 * rng.random(shape))
    places = rng.integers(0, shape, (4, 2)).tolist()
    hint = dots(*shape, {(y, x): tuple(rng.random(3)) for y, x in places})
    sketch = sketch.astype(np.float32)
    np.testing.assert_allclose(spread(sketch, hint, stride), slow_spread(sketch, hint, stride), atol=2e-6)


def test_shrink_takes_the_mean_of_what_was_given() -> None:
    hint = dots(8, 8, {(0, 0): (1, 0, 0), (3, 3): (0, 0.5, 1), (6, 1): (0.25, 0.5, 0.75)})
    small = shrink(hint, 4)
    assert small.dtype == np.float32
    np.testing.assert_allclose(small[0, 0], (0.5, 0.25, 0.5, 1), atol=1e-6)
    np.testing.assert_allclose(small[1, 0], (0.25, 0.5, 0.75, 1), atol=1e-6)
    assert not small[:, 1].any()


def test_shrink_by_one_changes_nothing() -> None:
    hint = dots(5, 7, {(2, 3): (0.1, 0.2, 0.3)})
    np.testing.assert_array_equal(shrink(hint, 1), hint)


def test_no_hint_spreads_to_nothing() -> None:
    result = spread(paper(16, 24), np.zeros((16, 24, 4), np.float32))
    assert result.shape == (4, 6, 4)
    assert not result.any()


def test_a_full_hint_stays_as_it_is() -> None:
    hint = np.random.default_rng(0).random((16, 24, 4)).astype(np.float32)
    hint[..., 3] = 1
    result = spread(paper(16, 24), hint)
    np.testing.assert_allclose(result[..., :3], hint[..., :3].reshape(4, 4, 6, 4, 3).mean((1, 3)), atol=1e-6)
    assert (result[..., 3] == 1).all()


def test_the_only_place_there_is() -> None:
    assert spread(paper(4, 4), dots(4, 4, {(1, 1): RED})).tolist() == [[[1, 0, 0, 1]]]


def test_certainty_is_one_at_the_hint_and_halves_in_twelve_steps() -> None:
    result = spread(paper(4, 4 * 25), dots(4, 100, {(0, 0): RED}))
    assert (result[..., :3] == RED).all()
    np.testing.assert_allclose(result[0, [0, 12, 24], 3], (1, 1 / 2, 1 / 3), rtol=1e-6)


@pytest.mark.parametrize("stride", [2, 4])
def test_a_line_keeps_colours_apart(stride: int) -> None:
    sketch = paper(48, 96)
    sketch[:, 40] = 0  # one pixel wide
    hint = dots(48, 96, {(24, 2): RED, (24, 50): BLUE})  # blue is nearer to most of the left side
    result = spread(sketch, hint, stride)
    line = 40 // stride
    assert (result[:, :line, :3] == RED).all()
    assert (result[:, line + 1 :, :3] == BLUE).all()


@pytest.mark.parametrize("flip", [False, True])
def test_a_diagonal_line_does_not_leak(flip: bool) -> None:
    sketch, hint = paper(64, 64), dots(64, 64, {(60, 4): RED, (28, 36): BLUE})
    np.fill_diagonal(sketch, 0)  # touches squares that meet at their corners only
    if flip:
        sketch, hint = sketch[:, ::-1].copy(), hint[:, ::-1].copy()
    result = spread(sketch, hint)
    result = result[:, ::-1] if flip else result
    below, above = np.tril_indices(16, -1), np.triu_indices(16, 1)
    assert (result[below][:, :3] == RED).all()
    assert (result[above][:, :3] == BLUE).all()


def test_a_gap_in_a_line_lets_colour_through() -> None:
    sketch = paper(32, 64)
    sketch[:, 32] = 0
    hint = dots(32, 64, {(16, 4): RED})
    closed = spread(sketch, hint)[4, 9, 3]
    sketch[12:20, 32] = 1
    assert spread(sketch, hint)[4, 9, 3] > 2 * closed


@pytest.mark.parametrize("tone", [0.2, 0.6, 0.9])
def test_an_even_wash_is_no_line(tone: float) -> None:
    hint = dots(32, 40, {(3, 3): RED, (20, 30): BLUE})
    washed = spread(paper(32, 40) * np.float32(tone), hint)
    np.testing.assert_allclose(washed, spread(paper(32, 40), hint), atol=1e-6)


def test_no_way_leads_out_of_an_area() -> None:
    areas = np.repeat(np.arange(2, dtype=np.int32), 3)[None].repeat(2, 0)  # three columns each
    distance, source = nearest(ways(np.zeros((2, 6), np.float32), areas), np.array([0, 2]))
    assert source.reshape(2, 6)[:, :3].tolist() == [[0, source[1], 2]] * 2
    assert np.isinf(distance.reshape(2, 6)[:, 3:]).all()
