"""Colour spaces, against published values, the standard library, OpenCV, and the definitions in numpy."""

from __future__ import annotations

import colorsys
import math
from itertools import product
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchcolor_cli.color import spaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor

    Convert = Callable[[Tensor], Tensor]

LEVEL = 1 / 255
CORNERS = list(product((0.0, 1.0), repeat=3))
GREYS = [(i / 255, i / 255, i / 255) for i in range(256)]
LATTICE = [(r / 255, g / 255, b / 255) for r, g, b in product((*range(0, 256, 15), 1, 2, 254), repeat=3)]

FROM_RGB = [spaces.rgb_to_hsv, spaces.rgb_to_hxhysv, spaces.rgb_to_xyv, spaces.rgb_to_lab, spaces.luma]
# Each with the number of channels that it takes.
TO_RGB = {
    spaces.hsv_to_rgb: 3,
    spaces.hxhysv_to_rgb: 4,
    spaces.xyv_to_rgb: 3,
    spaces.lab_to_rgb: 3,
    spaces.lab_to_rgb_in_hue: 3,
}
EVERY: dict[Convert, int] = {
    **dict.fromkeys(FROM_RGB, 3),
    **TO_RGB,
    spaces.hsv_to_hxhysv: 3,
    spaces.hsv_to_xyv: 3,
    spaces.xyv_to_hsv: 3,
    spaces.hxhysv_to_hsv: 4,
    spaces.hxhysv_to_xyv: 4,
}
ROUND_TRIPS = [
    (spaces.rgb_to_hsv, spaces.hsv_to_rgb),
    (spaces.rgb_to_hxhysv, spaces.hxhysv_to_rgb),
    (spaces.rgb_to_xyv, spaces.xyv_to_rgb),
    (lambda rgb: spaces.hxhysv_to_xyv(spaces.rgb_to_hxhysv(rgb)), spaces.xyv_to_rgb),
    (spaces.rgb_to_lab, spaces.lab_to_rgb),
    (spaces.rgb_to_lab, spaces.lab_to_rgb_in_hue),
]
# A loaded machine is slow, which is not a failure.
property_test = settings(deadline=None, max_examples=50)
bytes_ = st.integers(0, 255).map(lambda i: i / 255)
rgb_colors = st.lists(st.tuples(bytes_, bytes_, bytes_), min_size=1, max_size=20)
units = st.floats(0, 1, width=32)
anything = st.floats(-1e4, 1e4, width=32)


def picture(colors: Iterable[Sequence[float]], dtype: torch.dtype = torch.float32) -> Tensor:
    """Make a (1, C, 1, W) picture of a list of colours."""
    return torch.tensor([tuple(c) for c in colors], dtype=dtype).T[None, :, None].contiguous()


def colors_of(image: Tensor) -> NDArray[np.float64]:
    """Undo ``picture``."""
    return image.detach()[0, :, 0].T.double().numpy()


def apart(hue: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
    """Measure the way round between hues, so that 0 and 1 are one."""
    return np.abs((np.subtract(hue, other) + 0.5) % 1 - 0.5)


def gradients(convert: Convert, image: Tensor) -> list[Tensor]:
    """Return the gradient of each output channel."""
    image = image.clone().requires_grad_()
    channels = convert(image).unbind(1)
    return [torch.autograd.grad(channel.sum(), image, retain_graph=True)[0] for channel in channels]


# Closed forms


@pytest.mark.parametrize(
    ("rgb", "hsv"),
    [
        ((1, 0, 0), (0, 1, 1)),
        ((1, 1, 0), (1 / 6, 1, 1)),
        ((0, 1, 0), (1 / 3, 1, 1)),
        ((0, 1, 1), (1 / 2, 1, 1)),
        ((0, 0, 1), (2 / 3, 1, 1)),
        ((1, 0, 1), (5 / 6, 1, 1)),
        ((1, 0.5, 0), (1 / 12, 1, 1)),
        ((0.75, 0.25, 0.5), (11 / 12, 2 / 3, 0.75)),
        ((0.5, 0.5, 0.5), (0, 0, 0.5)),
        ((0, 0, 0), (0, 0, 0)),
        ((1, 1, 1), (0, 0, 1)),
    ],
)
def test_hsv_of_known_colors(rgb: tuple[float, ...], hsv: tuple[float, ...]) -> None:
    assert colors_of(spaces.rgb_to_hsv(picture([rgb])))[0] == pytest.approx(hsv, abs=1e-6)
    assert colors_of(spaces.hsv_to_rgb(picture([hsv])))[0] == pytest.approx(rgb, abs=1e-6)


@pytest.mark.parametrize(
    ("hsv", "hxhysv"),
    [
        ((0, 1, 0.5), (-1, 0, 1, 0.5)),
        ((1 / 4, 0.25, 1), (0, -1, 0.25, 1)),
        ((1 / 2, 0.5, 1), (1, 0, 0.5, 1)),
        ((3 / 4, 0.5, 0), (0, 1, 0.5, 0)),
        ((5 / 8, 1, 1), (math.sqrt(0.5), math.sqrt(0.5), 1, 1)),
    ],
)
def test_hxhysv_and_xyv_of_known_hues(hsv: tuple[float, ...], hxhysv: tuple[float, ...]) -> None:
    x, y, s, v = hxhysv
    assert colors_of(spaces.hsv_to_hxhysv(picture([hsv])))[0] == pytest.approx(hxhysv, abs=1e-6)
    assert colors_of(spaces.hsv_to_xyv(picture([hsv])))[0] == pytest.approx((x * s, y * s, v), abs=1e-6)
    assert colors_of(spaces.hxhysv_to_xyv(picture([hxhysv])))[0] == pytest.approx((x * s, y * s, v), abs=1e-6)
    for back in (spaces.hxhysv_to_hsv(picture([hxhysv])), spaces.xyv_to_hsv(picture([(x * s, y * s, v)]))):
        h, *rest = colors_of(back)[0]
        assert apart(h, hsv[0]) < 1e-6
        assert rest == pytest.approx(hsv[1:], abs=1e-6)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [  # as published for sRGB under D65
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 1, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
        ((1, 1, 0), (97.14, -21.55, 94.48)),
        ((0, 1, 1), (91.11, -48.09, -14.13)),
        ((1, 0, 1), (60.32, 98.23, -60.82)),
        ((1, 1, 1), (100, 0, 0)),
        ((0.5, 0.5, 0.5), (53.39, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
    ],
)
def test_lab_of_known_colors(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    assert colors_of(spaces.rgb_to_lab(picture([rgb])))[0] == pytest.approx(lab, abs=0.015)
    assert colors_of(spaces.lab_to_rgb(picture([lab])))[0] == pytest.approx(rgb, abs=LEVEL / 2)


def test_luma_weighs_the_encoded_channels() -> None:
    rgb = picture([(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.25, 0.25, 0.25)])
    assert spaces.luma(rgb).shape == (1, 1, 1, 4)
    assert spaces.luma(rgb).flatten().tolist() == pytest.approx([0.2126, 0.7152, 0.0722, 0.25])


# Against others' code


def test_hsv_agrees_with_the_standard_library() -> None:
    hsv = np.array([colorsys.rgb_to_hsv(*c) for c in LATTICE])
    ours = colors_of(spaces.rgb_to_hsv(picture(LATTICE, torch.float64)))
    assert apart(ours[:, 0], hsv[:, 0]).max() < 1e-12
    assert np.abs(ours - hsv)[:, 1:].max() < 1e-12

    hues = list(product(np.linspace(0, 1, 97), (0, 0.3, 1), (0, 0.6, 1)))
    rgb = np.array([colorsys.hsv_to_rgb(*c) for c in hues])
    assert np.abs(colors_of(spaces.hsv_to_rgb(picture(hues, torch.float64))) - rgb).max() < 1e-12


def test_hsv_agrees_with_opencv() -> None:
    hsv = cv2.cvtColor(np.array(LATTICE, np.float32)[None], cv2.COLOR_RGB2HSV)[0] / (360, 1, 1)
    ours = colors_of(spaces.rgb_to_hsv(picture(LATTICE)))
    assert apart(ours[:, 0], hsv[:, 0]).max() < 1e-5
    assert np.abs(ours - hsv)[:, 1:].max() < 1e-4  # OpenCV adds a little to each divisor


def test_lab_agrees_with_opencv() -> None:
    nodes = list(product(np.linspace(0, 1, 17), repeat=3))  # OpenCV interpolates between multiples of 1/32
    lab = cv2.cvtColor(np.array(nodes, np.float32)[None], cv2.COLOR_RGB2Lab)
    rgb = cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)[0]
    assert np.abs(colors_of(spaces.rgb_to_lab(picture(nodes))) - lab[0]).max() < 0.03
    assert np.abs(colors_of(spaces.lab_to_rgb(picture(lab[0].tolist()))) - rgb).max() < LEVEL


def test_lab_agrees_with_its_definition() -> None:
    """From the chromaticities of the primaries and the white, with nothing of the matrices in the module."""

    def to_xyz(x: float, y: float) -> list[float]:
        return [x / y, 1, (1 - x - y) / y]

    white = np.array(to_xyz(0.3127, 0.3290))
    primaries = np.array([to_xyz(0.64, 0.33), to_xyz(0.30, 0.60), to_xyz(0.15, 0.06)]).T
    rgb = np.array(LATTICE)
    linear = np.array(
        [[c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in row] for row in rgb]
    )
    ratio = linear @ (primaries * np.linalg.solve(primaries, white)).T / white
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), (841 / 108) * ratio + 4 / 29)
    lab = np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)

    assert np.abs(colors_of(spaces.rgb_to_lab(picture(LATTICE, torch.float64))) - lab).max() < 1e-6
    # The two pieces of the sRGB curve, as standardised, miss each other by 3e-8.
    assert np.abs(colors_of(spaces.lab_to_rgb(picture(lab, torch.float64))) - rgb).max() < 1e-7


# Properties


@pytest.mark.parametrize(("there", "back"), ROUND_TRIPS)
@pytest.mark.parametrize("colors", [CORNERS, GREYS, LATTICE])
def test_round_trips(there: Convert, back: Convert, colors: list[tuple[float, ...]]) -> None:
    rgb = picture(colors)
    assert (back(there(rgb)) - rgb).abs().max() < 2e-5  # far below the level, 1/255, that is demanded


@property_test
@given(st.lists(st.tuples(units, units, units), min_size=1, max_size=20))
def test_round_trips_hold_between_the_levels(colors: list[tuple[float, ...]]) -> None:
    rgb = picture(colors)
    for there, back in ROUND_TRIPS:
        assert (back(there(rgb)) - rgb).abs().max() < 2e-5


@property_test
@given(rgb_colors)
def test_ranges(colors: list[tuple[float, ...]]) -> None:
    rgb = picture(colors)
    hsv, hxhysv, xyv, lab = (f(rgb) for f in FROM_RGB[:4])
    assert ((hsv >= 0) & (hsv <= 1)).all()
    assert hxhysv[:, :2].square().sum(1).sub(1).abs().max() < 1e-6
    assert torch.equal(hxhysv[:, 2:], hsv[:, 1:])
    assert torch.allclose(xyv[:, :2].square().sum(1).sqrt(), hsv[:, 1], atol=1e-6)
    assert torch.equal(xyv[:, 2], hsv[:, 2])
    low, high = lab.amin((0, 2, 3)), lab.amax((0, 2, 3))
    assert (low > torch.tensor([-1e-3, -86.2, -107.9])).all()
    assert (high < torch.tensor([100.001, 98.3, 94.5])).all()


@property_test
@given(st.tuples(bytes_, bytes_, bytes_), units)
def test_luma_is_a_mean_and_linear(rgb: tuple[float, ...], share: float) -> None:
    image = picture([rgb])
    y = spaces.luma(image)
    assert image.min() - 1e-6 <= y <= image.max() + 1e-6
    assert spaces.luma(share * image + (1 - share)).item() == pytest.approx(
        share * y.item() + 1 - share, abs=1e-6
    )


@property_test
@given(units, units, units, st.integers(-2, 2))
def test_hue_wraps(h: float, s: float, v: float, turns: int) -> None:
    once, again = picture([(h, s, v)], torch.float64), picture([(h + turns, s, v)], torch.float64)
    for convert in (spaces.hsv_to_rgb, spaces.hsv_to_hxhysv, spaces.hsv_to_xyv):
        assert (convert(once) - convert(again)).abs().max() < 1e-9


def test_hue_one_is_hue_zero_and_red() -> None:
    ends = picture([(0, 1, 1), (1, 1, 1)])
    red = torch.tensor([[1.0, 0, 0]] * 2).T[None, :, None]
    assert torch.equal(spaces.hsv_to_rgb(ends), red)
    above, below = (-1.0, 0.0, 1.0, 1.0), (-1.0, -0.0, 1.0, 1.0)  # both sides of the arc tangent's cut
    assert torch.allclose(spaces.hxhysv_to_rgb(picture([above, below])), red, atol=1e-6)
    assert torch.allclose(spaces.xyv_to_rgb(picture([above[:3], below[:3]])), red, atol=1e-6)


def test_grey_keeps_hue_zero_through_xyv() -> None:
    greys = spaces.rgb_to_hsv(picture(GREYS))
    assert torch.equal(spaces.xyv_to_hsv(spaces.hsv_to_xyv(greys)), greys)


@property_test
@given(st.tuples(anything, anything, anything, anything))
def test_whatever_a_network_predicts_becomes_rgb(values: tuple[float, ...]) -> None:
    for convert, channels in TO_RGB.items():
        rgb = convert(picture([values[:channels]]))
        assert ((rgb >= 0) & (rgb <= 1)).all()


@property_test
@given(st.floats(0, 1), units, units, st.floats(1e-3, 1e3))
def test_the_length_of_the_hue_vector_does_not_count(h: float, s: float, v: float, length: float) -> None:
    hxhysv = spaces.hsv_to_hxhysv(picture([(h, s, v)], torch.float64))
    scaled = torch.cat([hxhysv[:, :2] * length, hxhysv[:, 2:]], 1)
    assert torch.allclose(spaces.hxhysv_to_rgb(scaled), spaces.hxhysv_to_rgb(hxhysv), atol=1e-9)


@pytest.mark.parametrize(
    ("convert", "wild", "tame"),
    [
        (spaces.hxhysv_to_hsv, (3, 4, -2, 5), (0.6, 0.8, 0, 1)),
        (spaces.hxhysv_to_hsv, (3, 4, 2, -5), (0.6, 0.8, 1, 0)),
        (spaces.xyv_to_hsv, (3, 4, 5), (0.6, 0.8, 1)),
        (spaces.xyv_to_hsv, (0.3, 0.4, -5), (0.3, 0.4, 0)),
        (spaces.hsv_to_rgb, (0.3, -4, 5), (0.3, 0, 1)),
        (spaces.hsv_to_rgb, (0.3, 4, 0.5), (0.3, 1, 0.5)),
        (spaces.hsv_to_rgb, (0.3, 0.5, -4), (0.3, 0.5, 0)),
    ],
)
def test_saturation_and_value_are_clamped(
    convert: Convert, wild: tuple[float, ...], tame: tuple[float, ...]
) -> None:
    assert torch.allclose(convert(picture([wild])), convert(picture([tame])), atol=1e-6)


# Gradients


@pytest.mark.parametrize("convert", EVERY)
def test_gradients_are_right_at_generic_points(convert: Convert) -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, EVERY[convert], 2, 3, generator=generator, dtype=torch.float64) * 0.8 + 0.1
    if convert is spaces.lab_to_rgb:
        image = spaces.rgb_to_lab(image)
    if convert is spaces.xyv_to_hsv or convert is spaces.xyv_to_rgb:
        image = image * torch.tensor([0.6, -0.6, 1]).view(
            1, 3, 1, 1
        )  # inside the disc, where nothing is clamped
    assert torch.autograd.gradcheck(convert, image.requires_grad_())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("convert", FROM_RGB)
def test_gradients_of_rgb_are_finite_everywhere(convert: Convert, dtype: torch.dtype) -> None:
    tight = (0, 1e-45, 1e-30, 1e-12, 1.2e-7, 1e-6, LEVEL, 0.04045, 0.5, 0.5 + 6e-8, 1)
    image = picture([*product(tight, repeat=3), *CORNERS, *GREYS], dtype)
    assert convert(image).isfinite().all()
    assert all(gradient.isfinite().all() for gradient in gradients(convert, image))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("convert", [f for f in EVERY if f not in FROM_RGB])
def test_gradients_of_predictions_are_finite_everywhere(convert: Convert, dtype: torch.dtype) -> None:
    values = (0.0, -0.0, 1e-45, -1e-30, 1e-12, 1.2e-7, 6 / 29, 1 / 3, 1, -1, 7, -1e4)
    image = picture(product(values, repeat=EVERY[convert]), dtype)
    assert convert(image).isfinite().all()
    assert all(gradient.isfinite().all() for gradient in gradients(convert, image))


@pytest.mark.parametrize("convert", [spaces.rgb_to_hsv, spaces.xyv_to_hsv, spaces.hxhysv_to_hsv])
def test_a_missing_hue_is_zero_and_has_no_gradient(convert: Convert) -> None:
    nearly = (1e-9, -1e-8, 0, 0)  # rounding error, which says nothing of hue
    image = picture([(0,) * EVERY[convert], nearly[: EVERY[convert]]])
    assert convert(image)[:, 0].eq(0).all()
    assert gradients(convert, image)[0].eq(0).all()


def test_what_is_too_light_for_srgb_gets_darker_in_its_hue() -> None:
    peach = torch.tensor([98.0, 6.0, 22.0]).view(1, 3, 1, 1)
    ways = spaces.lab_to_rgb, spaces.lab_to_rgb_in_hue
    clamped, kept = (spaces.rgb_to_lab(to_rgb(peach))[0, 1:, 0, 0] for to_rgb in ways)
    assert clamped[0] < -2  # a greenish yellow
    assert kept[0] > 4
    assert math.atan2(kept[1], kept[0]) == pytest.approx(math.atan2(22, 6), abs=0.05)


def test_lab_goes_on_straight_below_black() -> None:
    """Resampling overshoots; a power of a negative number would be NaN."""
    below, black, above = spaces.rgb_to_lab(picture([(-0.03,) * 3, (0,) * 3, (0.03,) * 3])).unbind(3)
    assert torch.allclose(black - below, above - black, atol=1e-4)
    assert all(g.isfinite().all() for g in gradients(spaces.rgb_to_lab, picture([(-1, -0.06, -0.055)])))


@pytest.mark.parametrize("convert", TO_RGB)
def test_gradients_of_random_predictions_are_finite(convert: Convert) -> None:
    image = torch.randn(4, TO_RGB[convert], 64, 64, generator=torch.Generator().manual_seed(3))
    assert all(gradient.isfinite().all() for gradient in gradients(convert, image))


# The convention for tensors


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("convert", EVERY)
def test_pixels_are_independent_of_layout_and_of_each_other(convert: Convert, dtype: torch.dtype) -> None:
    channels = EVERY[convert]
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(3, channels, 5, 7, generator=generator, dtype=dtype)
    before = image.clone()
    result = convert(image)
    assert torch.equal(image, before)
    assert result.dtype == dtype
    assert result.shape[0] == 3
    assert result.shape[2:] == (5, 7)

    for other in (
        image.contiguous(memory_format=torch.channels_last),
        image.mT.contiguous().mT,
        image.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0),
    ):
        assert not other.is_contiguous()
        assert convert(other).is_contiguous()
        assert torch.allclose(convert(other), result, atol=1e-5)
    assert torch.allclose(torch.cat([convert(row[None]) for row in image]), result, atol=1e-5)
    assert torch.allclose(convert(image[:, :, 2:3, 4:5]), result[:, :, 2:3, 4:5], atol=1e-5)


@pytest.mark.parametrize("convert", EVERY)
def test_an_expanded_grey_picture_is_taken(convert: Convert) -> None:
    grey = torch.rand(2, 1, 3, 3, generator=torch.Generator().manual_seed(2))
    wide = grey.expand(-1, EVERY[convert], -1, -1)
    assert convert(wide).is_contiguous()
    assert torch.allclose(convert(wide), convert(wide.clone()), atol=1e-5)


@pytest.mark.parametrize("convert", EVERY)
def test_a_wrong_number_of_channels_is_refused(convert: Convert) -> None:
    with pytest.raises(ValueError, match="unpack"):
        convert(torch.rand(1, 7 - EVERY[convert], 2, 2))
