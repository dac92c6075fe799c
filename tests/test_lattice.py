"""The lattice of colours, by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sketchcolor_cli.color.spaces import rgb_to_lab
from sketchcolor_cli.networks.lattice import lab_grid, lattice_histogram, lattice_shares

A, B = lab_grid(12)
COLORS = torch.cartesian_prod(A, B)


def chroma_of(*places: tuple[float, float]) -> Tensor:
    return torch.tensor(places, dtype=torch.float32).T[None, :, None].contiguous()


@settings(deadline=None, max_examples=100)
@given(st.floats(-96, 108, width=32), st.floats(-108, 96, width=32))
def test_the_shares_give_the_colour_back(a: float, b: float) -> None:
    corners, shares = lattice_shares(chroma_of((a, b)), A, B)
    assert corners.shape == shares.shape == (1, 4, 1, 1)
    assert (shares >= 0).all()
    assert shares.sum().item() == pytest.approx(1, abs=1e-5)
    around = COLORS[corners.flatten()]
    torch.testing.assert_close(shares.flatten() @ around, torch.tensor([a, b]), atol=3e-3, rtol=0)
    assert ((around - torch.tensor([a, b])).abs() <= 12.01).all()


def test_shares_by_hand() -> None:
    corners, shares = lattice_shares(chroma_of((0, 12), (3, -6)), A, B)
    on_it, between = (dict(zip(c.tolist(), s.tolist(), strict=True)) for c, s in zip(
        corners[0, :, 0].T, shares[0, :, 0].T, strict=True
    ))  # fmt: skip
    index = {tuple(color): i for i, color in enumerate(COLORS.tolist())}
    assert on_it[index[0, 12]] == pytest.approx(1)
    expected = {(0, -12): 3 / 8, (0, 0): 3 / 8, (12, -12): 1 / 8, (12, 0): 1 / 8}
    assert between == pytest.approx({index[color]: share for color, share in expected.items()})


def test_colours_outside_fall_on_the_edge() -> None:
    corners, shares = lattice_shares(chroma_of((-500, 500)), A, B)
    mean = shares.flatten() @ COLORS[corners.flatten()]
    torch.testing.assert_close(mean, torch.tensor([-96.0, 96.0]), atol=3e-3, rtol=0)


def test_the_lattice_holds_every_srgb_colour_and_grey() -> None:
    a, b = lab_grid(12)
    assert 0 in a
    assert 0 in b
    steps = torch.linspace(0, 1, 17)
    every = torch.cartesian_prod(steps, steps, steps).T[None, :, None]
    _, *chroma = rgb_to_lab(every).unbind(1)
    for values, axis in zip(chroma, (a, b), strict=True):
        assert set(axis.diff().tolist()) == {12}
        assert axis[0] <= values.min() < axis[1]
        assert axis[-2] < values.max() <= axis[-1]


def test_a_histogram_by_hand() -> None:
    """Of three pixels one counts twice and one not at all; one row has nothing that counts."""
    chroma = chroma_of((0, 12), (12, 0), (96, 96)).expand(2, -1, -1, -1)
    weight = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0]]).view(2, 1, 1, 3)
    found = lattice_histogram(chroma, weight, A, B)
    expected = torch.zeros(2, len(COLORS))
    for color, share in (((0.0, 12.0), 1 / 3), ((12.0, 0.0), 2 / 3)):
        expected[0, COLORS.tolist().index(list(color))] = share
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_the_mean_of_a_histogram_is_that_of_the_picture() -> None:
    chroma = torch.rand(3, 2, 5, 7, generator=torch.Generator().manual_seed(0)) * 150 - 75
    found = lattice_histogram(chroma, torch.ones(3, 1, 5, 7), A, B)
    torch.testing.assert_close(found.sum(1), torch.ones(3))
    torch.testing.assert_close(found @ COLORS, chroma.mean((2, 3)), atol=1e-2, rtol=0)
