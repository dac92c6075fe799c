"""Ink over paint and back, in closed form."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sketchcolor_cli.color.compositing import INK, compose, coverage, paint_under

quickly = settings(deadline=None, max_examples=50)


def plane(*values: float) -> Tensor:
    """Make a (1, 1, 1, W) lightness."""
    return torch.tensor(values)[None, None, None]


def colors(*lab: tuple[float, float, float]) -> Tensor:
    """Make a (1, 3, 1, W) Lab picture."""
    return torch.tensor(lab).T[None, :, None].contiguous()


@pytest.mark.parametrize(
    ("lightness", "covered"), [(100, 0), (101, 0), (67.5, 0.5), (INK, 1), (20, 1), (0, 1), (83.75, 0.25)]
)
def test_coverage_is_linear_in_lightness_between_ink_and_paper(lightness: float, covered: float) -> None:
    assert coverage(plane(lightness)).item() == pytest.approx(covered, abs=1e-7)


def test_a_white_page_shows_the_paint() -> None:
    paint = colors((0, 0, 0), (50, 60, -70), (100, -3, 8))
    assert torch.equal(compose(plane(100, 100, 100), paint), paint)


def test_ink_stays_exactly_as_it_is() -> None:
    lightness = plane(0, 7.3, 20.01, INK)
    result = compose(lightness, colors(*[(90, 50, 50)] * 4))
    assert torch.equal(result[:, :1], lightness)
    assert not result[:, 1:].any()


def test_half_covered_paint_in_closed_form() -> None:
    result = compose(plane(67.5, 83.75), colors((80, 40, -20), (60, 10, 30)))
    expected = colors(
        (0.5 * 35 + 0.5 * 80, 40 * 15 / 16, -20 * 15 / 16),
        (0.25 * 35 + 0.75 * 60, 10 * 255 / 256, 30 * 255 / 256),
    )
    torch.testing.assert_close(result, expected)


def test_white_paint_leaves_the_page_as_it_is() -> None:
    lightness = torch.linspace(0, 100, 301)[None, None, None]
    result = compose(lightness, torch.tensor([100.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 1, 301))
    torch.testing.assert_close(result[:, :1], lightness)
    assert not result[:, 1:].any()


def test_darker_pages_give_darker_results_without_a_jump() -> None:
    lightness = torch.linspace(0, 100, 2001)[None, None, None]
    steps = compose(lightness, colors((70, 20, 20)).expand(1, 3, 1, 2001))[0, 0, 0].diff()
    assert (steps >= 0).all()
    assert steps.max() <= 0.0501  # ink follows the page itself, the rest more slowly


@pytest.mark.parametrize("light", [0, 10, 25, INK])
def test_ink_leaves_no_pale_rim_in_paint_that_is_darker(light: float) -> None:
    half_covered = plane(*(100 - 6.5 * step for step in range(9)))  # coverage 0 to 0.8
    result = compose(half_covered, colors(*[(light, 20, 20)] * 9))[0, 0, 0]
    assert result.max() <= light + 0.17 * (INK - light) + 1e-4
    beside_ink = torch.linspace(INK - 1, INK + 1, 401)[None, None, None]
    steps = compose(beside_ink, colors((light, 20, 20)).expand(1, 3, 1, 401))[0, 0, 0].diff()
    assert steps.abs().max() < 0.05  # no jump where the page's own lightness takes over


@quickly
@given(
    st.floats(INK + 4.5, 100), st.floats(0, 100), st.floats(-80, 80), st.floats(-80, 80)
)  # nearer to ink chroma is not seen well enough to be asked for
def test_paint_under_undoes_compose(page: float, light: float, a: float, b: float) -> None:
    lightness, paint = plane(page).double(), colors((light, a, b)).double()
    found, _ = paint_under(lightness, compose(lightness, paint), 1)
    torch.testing.assert_close(found, paint, atol=1e-6, rtol=1e-6)


@quickly
@given(st.floats(0, 100), st.floats(0, 100), st.floats(-80, 80), st.floats(-80, 80))
def test_compose_gives_the_truth_where_it_can_be_reached(
    page: float, light: float, a: float, b: float
) -> None:
    lightness, truth = plane(page).double(), colors((light, a, b)).double()
    paint, _ = paint_under(lightness, truth, 1)
    result = compose(lightness, paint)
    covered = coverage(lightness).item()
    darkest = compose(lightness, torch.zeros_like(truth))[0, 0].item()
    reachable = covered < 0.99 and darkest <= light <= covered * INK + (1 - covered) * 100
    if reachable:
        torch.testing.assert_close(result[:, 0], truth[:, 0], atol=1e-6, rtol=0)
    if covered**4 < 0.79:
        torch.testing.assert_close(result[:, 1:], truth[:, 1:], atol=1e-6, rtol=1e-6)


def test_paint_is_the_mean_of_what_is_seen() -> None:
    lightness = torch.tensor([[100.0, 100], [100, 0]])[None, None]
    truth = torch.arange(12, dtype=torch.float32).view(1, 3, 2, 2) + 40
    paint, seen = paint_under(lightness, truth, 2)
    torch.testing.assert_close(paint.flatten(), torch.tensor([41.0, 45, 49]))  # the last is hidden by ink
    torch.testing.assert_close(seen.flatten(), torch.tensor([0.75, 0.75, 0.75]))


def test_weights_are_squares_of_what_shines_through() -> None:
    _, seen = paint_under(plane(67.5, 100, 20, INK), colors(*[(50, 0, 0)] * 4), 1)
    expected = colors((0.25, (15 / 16) ** 2, (15 / 16) ** 2), (1, 1, 1), (0, 0, 0), (0, 0, 0))
    torch.testing.assert_close(seen, expected)


def test_solid_ink_has_no_weight_and_finite_paint() -> None:
    paint, seen = paint_under(torch.zeros(1, 1, 8, 8), torch.rand(1, 3, 8, 8) * 100, 4)
    assert paint.shape == seen.shape == (1, 3, 2, 2)
    assert not seen.any()
    assert paint.isfinite().all()
