from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sketchcolor_cli.imaging.sizes import (
    PadPlan,
    SizeRule,
    Span,
    copy_scale,
    page_area,
    page_side,
    scaled,
    spans,
    tile_shape,
)

LENGTHS = st.integers(1, 90)
RULES = st.builds(
    SizeRule,
    multiple=st.integers(1, 40),
    minimum=st.integers(1, 60),
    square=st.booleans(),
    pad=st.sampled_from(["reflect", "replicate"]),
)


@pytest.mark.parametrize(
    ("rule", "size", "padding"),
    [
        (SizeRule(), (33, 65), (0, 0, 0, 0)),
        (SizeRule(multiple=8), (16, 24), (0, 0, 0, 0)),
        (SizeRule(multiple=8), (17, 23), (0, 3, 1, 4)),
        (SizeRule(minimum=10), (4, 12), (0, 3, 0, 3)),
        (SizeRule(multiple=8, minimum=9), (1, 16), (0, 7, 0, 8)),
        (SizeRule(square=True), (5, 8), (0, 1, 0, 2)),
        (SizeRule(multiple=256, square=True), (300, 200), (156, 106, 156, 106)),
    ],
)
def test_padding_in_closed_form(rule, size, padding):
    plan = rule.plan(*size)
    assert (plan.left, plan.top, plan.right, plan.bottom) == padding
    assert plan.empty == (padding == (0, 0, 0, 0))


@given(RULES, LENGTHS, LENGTHS)
def test_a_plan_gives_the_smallest_size_that_meets_the_rule(rule, height, width):
    def meets(tall, wide):
        return (
            min(tall, wide) >= rule.minimum
            and tall % rule.multiple == wide % rule.multiple == 0
            and (tall == wide or not rule.square)
        )

    plan = rule.plan(height, width)
    tall, wide = len(plan.rows), len(plan.columns)
    assert meets(tall, wide)
    smaller = [
        (t, w)
        for t in range(height, tall + 1)
        for w in range(width, wide + 1)
        if meets(t, w) and t + w < tall + wide
    ]
    assert not smaller


@given(RULES, LENGTHS, LENGTHS)
def test_padding_is_what_numpy_pads_and_the_crop_takes_it_off(rule, height, width):
    picture = np.arange(height * width).reshape(height, width)
    plan = rule.plan(height, width)
    padded = picture[plan.rows][:, plan.columns]
    mode = {"reflect": "reflect", "replicate": "edge"}[rule.pad]
    expected = np.pad(picture, ((plan.top, plan.bottom), (plan.left, plan.right)), mode=mode)
    np.testing.assert_array_equal(padded, expected)
    np.testing.assert_array_equal(padded[plan.crop], picture)


@given(RULES, LENGTHS, LENGTHS)
def test_the_picture_stands_in_the_middle(rule, height, width):
    plan = rule.plan(height, width)
    assert 0 <= plan.right - plan.left <= 1
    assert 0 <= plan.bottom - plan.top <= 1


def test_reflection_goes_on_when_the_padding_is_wider_than_the_picture():
    plan = PadPlan(height=1, width=3, left=5, top=0, right=4, bottom=0, pad="reflect")
    assert plan.columns == [1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]


@pytest.mark.parametrize(
    "nonsense",
    [
        {"multiple": 0},
        {"multiple": -8},
        {"multiple": 8.0},
        {"multiple": True},
        {"minimum": 0},
        {"minimum": "64"},
        {"pad": "zeros"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(nonsense):
    with pytest.raises(ValueError, match=next(iter(nonsense))):
        SizeRule(**nonsense)


@pytest.mark.parametrize(
    ("height", "width", "named"), [(0, 4, "height"), (4, -1, "width"), (4, 2.5, "width")]
)
def test_a_picture_without_a_size_is_refused(height, width, named):
    with pytest.raises(ValueError, match=named):
        SizeRule().plan(height, width)


@given(
    multiple=st.integers(1, 16),
    units=st.integers(1, 60),
    margin=st.integers(0, 40),
    more=st.integers(1, 10),
)
def test_parts_decide_each_pixel_once_and_see_their_margin(multiple, units, margin, more):
    length, side = units * multiple, (2 * -(-margin // multiple) + more) * multiple
    parts = spans(length, side, margin, multiple)
    decided = [place for part in parts for place in range(part.kept.start, part.kept.stop)]
    assert decided == list(range(length))
    assert {part.length for part in parts} == {min(side, length)}
    for part in parts:
        assert part.seen.start % multiple == 0
        assert part.seen.start == 0 or part.kept.start - part.seen.start >= margin
        assert part.seen.stop == length or part.seen.stop - part.kept.stop >= margin
        assert list(range(length))[part.seen][part.within] == list(range(length))[part.kept]


def test_a_side_that_is_short_enough_is_not_cut():
    assert spans(64, 64, 100) == [Span(slice(0, 64), slice(0, 64))]


@pytest.mark.parametrize(
    ("size", "rule", "margin", "most", "shape"),
    [
        ((100, 100), SizeRule(), 10, 10_000, (100, 100)),
        ((2000, 1424), SizeRule(multiple=16), 128, 1280**2, (1136, 1424)),  # two bands, not four squares
        ((1424, 2000), SizeRule(multiple=16), 128, 1280**2, (1424, 1136)),
        ((8, 3000), SizeRule(), 4, 1000, (8, 119)),  # 27 parts that overlap by 8
        ((400, 400), SizeRule(), 0, 40_000, (100, 400)),
        ((960, 960), SizeRule(multiple=16), 10, 100, (48, 48)),  # too few to decide anything
        ((3, 90), SizeRule(), 0, 1, (1, 1)),
        ((400, 400), SizeRule(multiple=8, minimum=100), 2, 1, (104, 104)),
    ],
)
def test_the_shape_of_tiles(size, rule, margin, most, shape):
    assert tile_shape(*size, rule, margin, most) == shape


@given(
    tall=st.integers(1, 60),
    wide=st.integers(1, 60),
    multiple=st.integers(1, 16),
    margin=st.integers(0, 40),
    minimum=st.integers(1, 90),
    most=st.integers(1, 10**6),
)
def test_tiles_keep_to_the_rule_and_to_their_limit(tall, wide, multiple, margin, minimum, most):
    rule = SizeRule(multiple=multiple, minimum=minimum)
    size = [rule.plan(units * multiple, multiple).padded_height for units in (tall, wide)]
    shape = tile_shape(*size, rule, margin, most)
    least = max((2 * -(-margin // multiple) + 1) * multiple, -(-minimum // multiple) * multiple)
    smallest = [min(length, least) for length in size]
    assert all(side % multiple == 0 for side in shape)
    assert all(low <= side <= length for low, side, length in zip(smallest, shape, size, strict=True))
    assert math.prod(shape) <= max(most, math.prod(smallest))


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [((100, 50), 10, (10, 5)), ((50, 100), 200, (100, 200)), ((1, 3000), 100, (1, 100)), ((1, 1), 9, (9, 9))],
)
def test_scaling_brings_the_longer_side_to_what_is_wanted(size, longest, expected):
    assert scaled(*size, longest) == expected


@pytest.mark.parametrize(
    ("size", "side"), [((1400, 1000), 1400), ((1000, 1600), 1600), ((20_000, 800), 1280)]
)
def test_the_side_of_a_page_and_of_a_strip(size: tuple[int, int], side: int) -> None:
    assert page_side(*size) == side
    assert page_area(*size) == side * min(size)


def test_a_copy_of_a_strip_is_as_wide_as_one_of_a_page_unless_it_were_too_large() -> None:
    assert copy_scale(2000, 1400, 1000) == copy_scale(8000, 1250, 1000) == 0.5
    assert copy_scale(700, 500, 1400) == 1
    height, width = 1_000_000, 250
    assert height * width * copy_scale(height, width, 400) ** 2 <= 3_000_001


def test_padding_may_be_at_the_end_alone() -> None:
    """As networks whose strides begin at the first pixel were given their pictures."""
    plan = SizeRule(multiple=8, place="end").plan(13, 9)
    assert (plan.left, plan.top, plan.right, plan.bottom) == (0, 0, 7, 3)
    with pytest.raises(ValueError, match="place is one of centre, end"):
        SizeRule(place="left")  # type: ignore[arg-type]
