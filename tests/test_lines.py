"""Simulated line drawings: valid, repeatable, and of what is in the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from sketchcolor_cli.training.pairs import lines

Array = NDArray[np.float32]

SHAPE = (60, 84)
SEEDS = range(60)
WAYS = pytest.mark.parametrize("way", [lines._xdog, lines._dodge, lines._contours])


def drawing() -> Array:
    """A flat orange disc on light blue, both outlined in black, over a smooth gradient of light."""
    color = np.full((*SHAPE, 3), (0.7, 0.85, 0.95), np.float32)
    cv2.circle(color, (42, 30), 18, (0.95, 0.6, 0.2), -1)
    cv2.circle(color, (42, 30), 18, (0, 0, 0), 2)
    cv2.rectangle(color, (4, 4), (14, 54), (0, 0, 0), 2)
    return color


def outline() -> NDArray[np.bool_]:
    black: NDArray[np.bool_] = drawing().max(2) == 0
    return black


def artist() -> Array:
    return np.where(outline(), np.float32(0), np.float32(1))


def assert_sketch(sketch: Array, shape: tuple[int, int] = SHAPE) -> None:
    assert sketch.shape == shape
    assert sketch.dtype == np.float32
    assert np.isfinite(sketch).all()
    assert sketch.min() >= 0
    assert sketch.max() <= 1


@pytest.mark.parametrize("with_artist", [True, False])
def test_every_style_is_a_valid_sketch(with_artist: bool) -> None:
    color, line = drawing(), artist() if with_artist else None
    before = color.copy()
    for seed in SEEDS:
        sketch = lines.draw(default_rng(seed), color, line)
        assert_sketch(sketch)
        assert_sketch(lines.scan(default_rng(seed), sketch))
        assert np.array_equal(color, before)
        assert line is None or np.array_equal(line, artist())
        assert not np.shares_memory(sketch, color)
        assert line is None or not np.shares_memory(sketch, line)


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("shape", [(1, 1), (3, 40)])
def test_extreme_pictures_are_drawn_too(value: int, shape: tuple[int, int]) -> None:
    color = np.full((*shape, 3), value, np.float32)
    for seed in SEEDS:
        assert_sketch(lines.scan(default_rng(seed), lines.draw(default_rng(seed), color, None)), shape)


def test_the_random_numbers_decide_alone() -> None:
    color = drawing()

    def draw(seed: int) -> Array:
        rng = default_rng(seed)
        return lines.scan(rng, lines.draw(rng, color, None))

    assert all(np.array_equal(draw(seed), draw(seed)) for seed in range(10))
    assert len({draw(seed).tobytes() for seed in range(10)}) == 10


@WAYS
def test_outlines_are_found_and_flat_parts_left_white(way: object) -> None:
    far = cv2.distanceTransform(artist().astype(np.uint8), cv2.DIST_L2, 5) > 12
    for seed in SEEDS:
        found = way(default_rng(seed), drawing())  # type: ignore[operator]
        assert_sketch(found)
        # On the line, or beside it, where contours of a change are.
        near = cv2.erode(found, np.ones((5, 5), np.uint8))
        assert near[outline()].mean() < 0.35
        assert found[far].min() > 0.9


@WAYS
@pytest.mark.parametrize("tone", [0.0, 0.3, 1.0])
def test_an_even_picture_has_no_lines(way: object, tone: float) -> None:
    for seed in SEEDS:
        found = way(default_rng(seed), np.full((*SHAPE, 3), tone, np.float32))  # type: ignore[operator]
        np.testing.assert_allclose(found, 1, atol=1e-5)


def test_colours_of_one_luma_have_an_edge() -> None:
    """Red and green that a grey copy could not tell apart; each way looks at channels."""
    color = np.zeros((*SHAPE, 3), np.float32)
    color[:, :42] = (0.9, 0.2, 0.2)
    color[:, 42:] = (0.2, (0.2126 * 0.9 + 0.7152 * 0.2 - 0.2126 * 0.2) / 0.7152, 0.2)
    edge = lines._dodge(default_rng(0), color)
    assert edge[:, 38:46].min() < 0.8
    assert edge[:, :35].min() == edge[:, 50:].min() == 1


def test_an_artists_lines_are_used_three_times_out_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    found = 0

    def find_lines(_rng: Generator, color: Array) -> Array:
        nonlocal found
        found += 1
        return np.ones(color.shape[:2], np.float32)

    monkeypatch.setattr(lines, "find_lines", find_lines)
    for seed in range(400):
        lines.draw(default_rng(seed), drawing(), artist())
    assert 70 < found < 130


@pytest.mark.parametrize("tone", [0.1, 0.3, 0.5])
def test_screentone_is_darker_where_the_picture_is(tone: float) -> None:
    means = []
    for level in (tone, tone + 0.3, 1.0):
        luma = np.full((64, 64), level, np.float32)
        means.append(np.mean([lines._screentone(default_rng(seed), luma).mean() for seed in SEEDS]))
    assert means[0] < means[1] < means[2] == 1


def test_screentone_is_dots() -> None:
    """Half a tone has both ink and paper, and repeats along both diagonals."""
    tone = lines._screentone(default_rng(1), np.full((64, 64), 0.4, np.float32))
    assert tone.min() < 0.45
    assert tone.max() > 0.9
    assert np.abs(np.diff(tone, axis=1)).max() > 0.1


def test_a_wash_is_never_darker_than_its_limit() -> None:
    for seed in SEEDS:
        wash = lines._wash(default_rng(seed), np.zeros(SHAPE, np.float32))
        assert wash.min() >= 0.35 - 1e-6
        assert lines._wash(default_rng(seed), np.ones(SHAPE, np.float32)).min() == pytest.approx(1)


class Calm(Generator):
    """Random numbers that never call for any change."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def random(self) -> float:  # type: ignore[override]
        return 0.999


def test_a_clean_scan_changes_nothing() -> None:
    sketch = default_rng(0).random(SHAPE).astype(np.float32)
    assert np.array_equal(lines.scan(Calm(), sketch), sketch)
