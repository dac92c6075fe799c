"""Figures of pictures, against published and hand-computed values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from sketchcolor_cli.metrics import pictures
from sketchcolor_cli.metrics.pictures import colorfulness, delta_e, delta_e00, psnr, ssim

# Sharma, Wu, Dalal 2005, table 1: pairs of Lab colours that catch every usual mistake, and their ΔE00.
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045),
    ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (56, -27, -3), 31.9030),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("first", "second", "due"), SHARMA)
def test_colour_differences_are_the_published_ones(first: tuple, second: tuple, due: float) -> None:
    a, b = (torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1) for values in (first, second))
    assert float(delta_e00(a, b)) == pytest.approx(due, abs=6e-5)
    assert float(delta_e00(b, a)) == pytest.approx(due, abs=6e-5)


def test_black_and_white_are_a_hundred_apart_and_equal_pictures_nothing() -> None:
    black, white = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    assert delta_e(black, white).flatten().tolist() == pytest.approx([100] * 4, abs=1e-3)
    picture = torch.rand(2, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(delta_e(picture, picture), torch.zeros(2, 5, 5))


def test_greys_are_not_colourful_and_two_colours_are_as_the_formula_says() -> None:
    grey = torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(0)).expand(-1, 3, -1, -1)
    red_and_green = torch.tensor([[1.0, 0], [0, 1], [0, 0]]).view(1, 3, 1, 2)
    # rg = ±255: spread 255, mean 0; yb = 127.5 both: spread 0, mean 127.5.
    due = 255 + 0.3 * 127.5
    found = colorfulness(torch.cat([grey[..., :1, :2], red_and_green])).tolist()
    assert found == pytest.approx([0, due], abs=1e-3)


def test_noise_ratio_is_as_the_formula_says_and_finite_for_equal_pictures() -> None:
    truth = torch.full((2, 3, 4, 4), 0.5)
    result = truth + torch.tensor([0.1, 0.0]).view(2, 1, 1, 1)
    assert psnr(result, truth).tolist() == pytest.approx([20, 100], abs=1e-4)


@pytest.mark.parametrize(("error", "decibels"), [(0.1, 20), (0.01, 40), (1, 0), (0, 100)])
def test_psnr_of_an_even_error(error: float, decibels: float) -> None:
    truth = torch.zeros(2, 3, 5, 7, dtype=torch.float64)
    assert psnr(truth + error, truth).tolist() == pytest.approx([decibels] * 2)


def test_psnr_of_an_error_in_one_place() -> None:
    truth = torch.zeros(1, 3, 10, 10, dtype=torch.float64)
    result = truth.clone()
    result[0, 1, 4, 4] = 0.3
    assert psnr(result, truth).item() == pytest.approx(-10 * math.log10(0.09 / 300))


def test_structural_similarity_is_that_of_its_definition() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((14, 13))
    y = np.clip(x + rng.normal(0, 0.2, x.shape), 0, 1)
    place = np.arange(-5, 6)
    window = np.exp(-(place[:, None] ** 2 + place**2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for top in range(4):
        for left in range(3):
            a, b = (picture[top : top + 11, left : left + 11] for picture in (x, y))
            ma, mb = (window * a).sum(), (window * b).sum()
            va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
            ab = (window * (a - ma) * (b - mb)).sum()
            values.append(
                (2 * ma * mb + 1e-4) * (2 * ab + 9e-4) / ((ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4))
            )
    pictures = [torch.from_numpy(values).expand(1, 3, -1, -1) for values in (x, y)]
    assert float(ssim(*pictures)) == pytest.approx(np.mean(values), rel=1e-9)
    assert float(ssim(pictures[0], pictures[0])) == pytest.approx(1)


def test_a_picture_smaller_than_the_window_has_no_structural_similarity() -> None:
    assert math.isnan(float(ssim(torch.zeros(1, 3, 10, 50), torch.zeros(1, 3, 10, 50))))


def test_structural_similarity_on_cuda_has_more_digits_than_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    """There a convolution of float32 keeps 10 bits by default: 0.95 came out as 0.90. Needs no GPU."""
    kinds, convolve = set(), pictures.F.conv2d

    def recorded(values: Tensor, window: Tensor) -> Tensor:
        kinds.add((values.device.type, values.dtype))
        return convolve(values, window)

    monkeypatch.setattr(pictures.F, "conv2d", recorded)
    with FakeTensorMode():
        found = pictures.ssim(*(torch.rand(2, 3, 16, 16, device="cuda") for _ in range(2)))
    assert kinds == {("cuda", torch.float64)}
    assert (found.dtype, found.shape) == (torch.float32, (2,))
