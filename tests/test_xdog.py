from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.extraction.loader import Loader
from sketchcolor_cli.plugin.discovery import find_extractors
from sketchcolor_cli.testing import check_extractor
from sketchcolor_plugins.xdog.filter import XDoG

FIELD = {"sigma": 0.4, "k": 4.5, "tau": 0.95, "epsilon": -0.1, "phi": 1e9}
SOFT = {"sigma": 0.9, "k": 1.6, "tau": 0.9, "epsilon": 0.05, "phi": 10.0}


@pytest.fixture(scope="module")
def declared():
    return find_extractors().get("xdog")


@pytest.fixture(scope="module")
def xdog(declared):
    return XDoG(**declared.defaults())


def page(height=40, width=50, paper=1.0):
    return torch.full((1, 3, height, width), paper)


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def reference(rgb, sigma, k, tau, epsilon, phi):
    """The formula in double precision, from another library."""
    luminance = np.tensordot([0.2126, 0.7152, 0.0722], rgb.double().numpy(), 1)
    fine, coarse = (
        gaussian_filter(luminance, width, radius=int(np.ceil(3 * width)), mode="mirror")
        for width in (sigma, k * sigma)
    )
    difference = fine - tau * coarse
    return np.where(difference >= epsilon, 1, 1 + np.tanh(phi * (difference - epsilon)))


def test_it_keeps_the_contract(declared):
    check_extractor(declared)


@pytest.mark.parametrize("size", [(30, 41), (900, 700), (1, 9), (9, 1), (3, 2)])
def test_it_is_the_published_formula(size):
    rgb = noise(2, 3, *size)
    sketches = XDoG(**SOFT)(rgb)
    for picture, sketch in zip(rgb, sketches, strict=True):
        np.testing.assert_allclose(sketch[0].numpy(), reference(picture, **SOFT), atol=1e-5)


def test_the_second_width_is_k_times_sigma():
    # Without tau there is only the first Gaussian; what tau = 1 takes off a dot of light is the second one.
    dot = page(61, 61, 0.0)
    dot[..., 30, 30] = 1
    coarse = XDoG(sigma=1.0, k=3.0, tau=1.0, epsilon=0.5, phi=1e-2)(dot)[0, 0]
    fine = XDoG(sigma=1.0, k=3.0, tau=0.0, epsilon=0.5, phi=1e-2)(dot)[0, 0]
    second = (torch.atanh((fine - 1).double()) - torch.atanh((coarse - 1).double())) / 1e-2
    distance = torch.arange(61.0) - 30
    spread = (second.sum(0) * distance**2).sum() / second.sum()
    assert spread.sqrt().item() == pytest.approx(3.0, rel=0.01)


@pytest.mark.parametrize("preset", ["default", "field"])
@pytest.mark.parametrize("paper", [1.0, 0.95, 0.5, 0.2])
def test_a_blank_page_is_paper_to_its_very_edge(declared, preset, paper):
    values = declared.defaults() if preset == "default" else FIELD
    assert (XDoG(**values)(page(paper=paper)) == 1).all()


@pytest.mark.parametrize("preset", ["default", "field"])
@pytest.mark.parametrize("upright", [True, False])
def test_a_black_line_of_two_pixels_survives_with_its_width(declared, preset, upright):
    values = declared.defaults() if preset == "default" else FIELD
    rgb = page(40, 40)
    rgb[..., 20:22] = 0
    expected = rgb[:, :1]
    rgb, expected = (rgb, expected) if upright else (rgb.mT, expected.mT)
    torch.testing.assert_close(XDoG(**values)(rgb), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8, 20])
def test_black_lines_of_any_width_are_filled_with_the_defaults(xdog, width):
    rgb = page(60, 80)
    rgb[..., 30 : 30 + width] = 0
    torch.testing.assert_close(xdog(rgb), rgb[:, :1], atol=0.01, rtol=0)


def test_a_black_page_is_ink_with_the_defaults_and_empty_with_the_fields_preset(xdog):
    assert xdog(page(paper=0.0)).max() < 0.01
    assert (XDoG(**FIELD)(page(paper=0.0)) == 1).all()


def test_a_coloured_area_gets_an_outline_and_no_filling(xdog):
    rgb = page(60, 60)
    rgb[0, :, 15:45, 15:45] = torch.tensor([0.3, 0.4, 0.8])[:, None, None]
    sketch = xdog(rgb)[0, 0]
    assert sketch[15, 15:45].max() < 0.01
    assert (sketch[25:35, 25:35] == 1).all()
    assert (sketch[:15] == 1).all()


def test_colours_count_by_their_luminance(xdog):
    for color, drawn in (([0, 0, 1], True), ([1, 0, 0], True), ([1, 1, 0], False)):
        rgb = page(20, 20)
        rgb[0, :, :, 9:11] = torch.tensor(color, dtype=torch.float32)[:, None, None]
        assert (xdog(rgb)[..., 9:11].max() < 0.01) == drawn


@pytest.mark.parametrize("preset", ["default", "field"])
def test_a_line_runs_to_the_border_unchanged_and_nothing_wraps_round(declared, preset):
    values = declared.defaults() if preset == "default" else FIELD
    rgb = page(40, 60)
    rgb[..., :2] = 0
    rgb[..., 30:32] = 0
    sketch = XDoG(**values)(rgb)[0, 0]
    assert torch.equal(sketch, sketch[:1].expand(40, -1))
    assert sketch[:, :2].max() < 0.01
    assert (sketch[:, 45:] == 1).all()


def test_a_page_is_drawn_alike_in_one_band_and_in_many(monkeypatch):
    rgb = noise(2, 3, 300, 40)
    many = []
    for pixels in (40 * 300, 40 * 64, 40):
        monkeypatch.setattr("sketchcolor_plugins.xdog.filter._BAND", pixels)
        many.append(XDoG(**SOFT)(rgb))
    assert torch.equal(many[0], many[1])
    assert torch.equal(many[0], many[2])


def test_it_works_with_opencvs_threads_switched_off(xdog):
    rgb = noise(1, 3, 50, 60)
    before = cv2.getNumThreads()
    expected = xdog(rgb)
    try:
        cv2.setNumThreads(0)
        assert torch.equal(xdog(rgb), expected)
    finally:
        cv2.setNumThreads(before)


@given(
    st.floats(0.01, 20),
    st.floats(1.01, 20),
    st.floats(0, 2),
    st.floats(-1, 1),
    st.floats(1e-3, 1e12),
    st.integers(1, 12),
    st.integers(1, 12),
)
def test_values_stay_within_0_and_1_for_every_setting(sigma, k, tau, epsilon, phi, height, width):
    sketch = XDoG(sigma, k, tau, epsilon, phi)(noise(1, 3, height, width))
    assert sketch.isfinite().all()
    assert sketch.min() >= 0
    assert sketch.max() <= 1


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("sigma=0", "sigma is at least"),
        ("sigma=-1", "sigma is at least"),
        ("sigma=500", "at most 1000 pixels"),
        ("k=1", "k above 1"),
        ("tau=-0.1", "tau is at least 0"),
        ("phi=0", "phi is above 0"),
        ("phi=1e13", "phi is above 0 and at most"),
        ("p=20", "it has: sigma, k, tau, epsilon, phi"),
    ],
)
def test_a_setting_that_makes_no_sense_is_a_usage_error(setting, said):
    with pytest.raises(UsageError, match=said):
        Loader(find_extractors()).load("xdog", [setting])


def test_every_setting_has_its_effect():
    extractors = find_extractors()
    rgb = noise(1, 3, 30, 30)
    plain = Loader(extractors).load("xdog").sketcher(rgb)
    for setting in ("sigma=1", "k=2", "tau=0.7", "epsilon=0.1", "phi=5"):
        assert not torch.equal(Loader(extractors).load("xdog", [setting]).sketcher(rgb), plain)
