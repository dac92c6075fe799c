"""The colouring of one page, with a network that says what it was shown, and with a small real one."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sketchcolor_cli.color import spaces
from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.page.paper_mask import PaperMask
from sketchcolor_cli.coloring.settings import ColoredPages, ColorizeSettings
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.networks.base import ColorNet, Prediction
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LAB = (70.0, 30.0, -20.0)
RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
REDO = ColorizeSettings(colored_pages=ColoredPages.REDO)  # whatever is on a page is coloured
SIZES = [(1, 1), (1, 37), (37, 1), (65, 33), (64, 96)]


class Witness(ColorNet):
    """Paints everything in one colour and remembers what it was given."""

    multiple = 16
    sheet_size = 32

    def __init__(self, stride: int = 4) -> None:
        super().__init__()
        self.stride = stride

    def forward(
        self,
        sketch: Tensor,
        hint: Tensor,
        *,
        spread: Tensor | None = None,
        sheet: Tensor | None = None,
        z: Tensor | None = None,
    ) -> Prediction:
        self.sketch, self.hint, self.spread, self.sheet = sketch, hint, spread, sheet
        size = sketch.shape[2] // self.stride, sketch.shape[3] // self.stride
        return Prediction(torch.tensor(LAB).view(1, 3, 1, 1).repeat(1, 1, *size))

    def rgb(self, prediction: Prediction) -> Tensor:
        return spaces.lab_to_rgb(prediction.color)


def unet(stride: int = 4) -> HintUNet:
    """A small network whose colours differ from place to place."""
    torch.manual_seed(0)
    net = HintUNet(HintUNetConfig(widths=(8, 16), depths=(1, 1), stride=stride, lab_step=24.0))
    torch.nn.init.normal_(net.palette.weight)
    return net


def sheet(height: int, width: int, rgb: ArrayLike = (1, 1, 1)) -> NDArray[np.float32]:
    return np.full((height, width, 3), rgb, np.float32)


def sketchy(height: int, width: int) -> Picture:
    """A grey page with every tone."""
    tones = np.random.default_rng(0).random((height, width, 1)).astype(np.float32)
    return Picture(rgb=np.repeat(tones, 3, 2), gray=True)


def strokes(height: int, width: int, part: tuple[slice | int, slice | int], rgb: ArrayLike) -> Picture:
    """A transparent layer with one part painted."""
    alpha = np.zeros((height, width), np.float32)
    alpha[part] = 1
    return Picture(rgb=sheet(height, width, rgb), alpha=alpha)


def seen_hint(net: Witness, page: Picture, *aids: Picture | None, **settings: float) -> NDArray[np.float32]:
    """Colour the page and return the hint that the network saw, (H, W, 4)."""
    Colorizer(net, "cpu", ColorizeSettings(colored_pages=ColoredPages.REDO, **settings))(page, *aids)  # type: ignore[arg-type]
    return net.hint[0].permute(1, 2, 0).numpy()


def lightness(picture: Picture) -> NDArray[np.float32]:
    return spaces.rgb_to_lab(torch.from_numpy(picture.rgb).permute(2, 0, 1)[None])[0, 0].numpy()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("stride", [2, 4])
def test_any_size_comes_out_as_it_went_in(size: tuple[int, int], stride: int) -> None:
    page = sketchy(*size)
    result = Colorizer(unet(stride), "cpu")(page, strokes(*size, np.s_[:, :], RED))
    assert result.rgb.shape == (*size, 3)
    assert result.rgb.dtype == np.float32
    assert 0 <= result.rgb.min() <= result.rgb.max() <= 1


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("work_size", [64, 576])
def test_ink_is_the_pages_own_to_the_last_bit(size: tuple[int, int], work_size: int) -> None:
    page = sketchy(*size)
    if size == (1, 1):
        page = replace(page, rgb=page.rgb * 0)
    result = Colorizer(unet(), "cpu", ColorizeSettings(work_size=work_size))(page)
    ink = lightness(page) <= 34.999
    assert ink.any()
    assert np.array_equal(result.rgb[ink], page.rgb[ink])


def test_ink_of_a_colour_page_is_its_luma() -> None:
    rgb = np.random.default_rng(0).random((40, 56, 3)).astype(np.float32)
    redo = ColorizeSettings(colored_pages=ColoredPages.REDO)
    result = Colorizer(unet(), "cpu", redo)(Picture(rgb=rgb))
    luma = rgb @ np.array((0.2126, 0.7152, 0.0722), np.float32)
    ink = lightness(Picture(rgb=np.repeat(luma[..., None], 3, 2))) <= 34.999
    assert ink.mean() > 0.1
    np.testing.assert_allclose(result.rgb[ink], np.repeat(luma[ink][:, None], 3, 1), atol=1e-6)


@pytest.mark.parametrize("stride", [1, 4])
def test_paper_takes_the_networks_colour(stride: int) -> None:
    result = Colorizer(Witness(stride), "cpu", REDO)(Picture(rgb=sheet(37, 50), gray=True))
    expected = spaces.lab_to_rgb(torch.tensor(LAB).view(1, 3, 1, 1)).flatten()
    np.testing.assert_allclose(result.rgb, np.broadcast_to(expected, (37, 50, 3)), atol=2e-5)
    assert not result.gray


def test_all_else_about_the_picture_is_kept() -> None:
    page = Picture(
        rgb=sheet(9, 7),
        alpha=np.linspace(0, 1, 63, dtype=np.float32).reshape(9, 7),
        gray=True,
        bits=16,
        icc=b"profile",
        dpi=(300.0, 600.0),
        format="TIFF",
    )
    result = Colorizer(Witness(), "cpu", REDO)(page)
    for field in fields(Picture):
        if field.name not in ("rgb", "gray"):
            assert getattr(result, field.name) is getattr(page, field.name)


def test_what_goes_in_is_not_changed() -> None:
    page, rough, layer = sketchy(30, 40), sketchy(7, 5), strokes(30, 40, np.s_[3, :], RED)
    pictures = [(picture, picture.rgb.copy()) for picture in (page, rough, layer)]
    result = Colorizer(unet(), "cpu")(page, rough, layer)
    assert all(np.array_equal(picture.rgb, before) for picture, before in pictures)
    assert not np.shares_memory(result.rgb, page.rgb)


def test_transparent_parts_of_the_page_are_paper() -> None:
    net = Witness()
    Colorizer(net, "cpu", REDO)(Picture(rgb=sheet(16, 16, 0), alpha=np.zeros((16, 16), np.float32)))
    assert (net.sketch == 1).all()


def test_the_network_sees_the_page_in_the_middle_of_paper() -> None:
    net, page = Witness(), sketchy(10, 21)
    Colorizer(net, "cpu", REDO)(page)
    assert net.sketch.shape == (1, 1, 16, 32)
    assert np.array_equal(net.sketch[0, 0, 3:13, 5:26], page.rgb[..., 0])
    assert net.sketch.sum() == pytest.approx(page.rgb[..., 0].sum() + 16 * 32 - 210, rel=1e-5)


def test_the_network_is_put_into_eval_mode() -> None:
    net = unet().train()
    Colorizer(net, "cpu")
    assert not net.training


# Reference and hints


def test_no_aid_is_an_empty_hint() -> None:
    net = Witness()
    assert not seen_hint(net, Picture(rgb=sheet(32, 32))).any()
    assert net.spread is not None
    assert not net.spread.any()


def test_a_reference_is_stretched_over_the_page() -> None:
    halves = np.concatenate([sheet(2, 1, RED), sheet(2, 1, BLUE)], 1)
    hint = seen_hint(Witness(), Picture(rgb=sheet(32, 64)), Picture(rgb=halves))
    assert (hint[..., 3] == 1).all()
    np.testing.assert_allclose(hint[:, :15, :3], np.broadcast_to(RED, (32, 15, 3)), atol=1e-6)
    np.testing.assert_allclose(hint[:, -15:, :3], np.broadcast_to(BLUE, (32, 15, 3)), atol=1e-6)


def test_transparent_parts_of_a_reference_say_nothing() -> None:
    reference = strokes(192, 192, np.s_[:80, :100], RED)  # edges between pixels of the working copy
    reference.rgb[reference.alpha == 0] = GREEN
    hint = seen_hint(Witness(), Picture(rgb=sheet(192, 192)), reference, work_size=64)
    mask = hint[..., 3] == 1
    assert mask.sum() == 27 * 33
    assert mask[:27, :33].all()
    np.testing.assert_allclose(hint[mask][:, :3], np.broadcast_to(RED, (27 * 33, 3)), atol=1e-6)
    assert not hint[~mask].any()


def test_a_hair_of_a_hint_is_not_lost() -> None:
    hint = seen_hint(
        Witness(),
        Picture(rgb=sheet(640, 640)),
        None,
        strokes(640, 640, np.s_[325, 100:500], RED),
        work_size=64,
    )
    assert hint.shape == (64, 64, 4)
    assert hint[32, 10:50].tolist() == [[*RED, 1]] * 40
    assert hint[..., 3].sum() == 40
    assert not hint[hint[..., 3] == 0].any()


@given(st.integers(0, 399), st.integers(0, 399), st.integers(64, 100))
@settings(deadline=None, max_examples=25)
def test_no_dot_is_lost(y: int, x: int, work_size: int) -> None:
    hint = seen_hint(
        Witness(), Picture(rgb=sheet(400, 400)), None, strokes(400, 400, (y, x), RED), work_size=work_size
    )
    told = hint[hint[..., 3] == 1]
    assert 1 <= len(told) <= 4
    np.testing.assert_allclose(told[:, :3], np.broadcast_to(RED, (len(told), 3)), atol=1e-6)


def test_hints_count_before_the_reference() -> None:
    reference = Picture(rgb=sheet(48, 48, BLUE))
    hint = seen_hint(Witness(), Picture(rgb=sheet(48, 48)), reference, strokes(48, 48, np.s_[20:24, :], RED))
    assert (hint[20:24] == (*RED, 1)).all()
    assert (hint[:20] == (*BLUE, 1)).all()
    assert (hint[24:] == (*BLUE, 1)).all()


def test_half_transparent_paint_counts_as_paint_and_the_rest_not() -> None:
    layer = strokes(16, 16, np.s_[:, :], GREEN)
    assert layer.alpha is not None
    layer.alpha[:, :8], layer.alpha[:, 8:] = 0.6, 0.4
    hint = seen_hint(Witness(), Picture(rgb=sheet(16, 16)), None, layer)
    assert (hint[:, :8] == (*GREEN, 1)).all()
    assert not hint[:, 8:].any()


def test_hints_spread_up_to_the_lines() -> None:
    page = Picture(rgb=sheet(32, 64), gray=True)
    page.rgb[:, 31:33] = 0
    both = strokes(32, 64, np.s_[16, 4:8], RED)
    assert both.alpha is not None
    both.alpha[16, 40:44] = 1
    both.rgb[:, 32:] = BLUE
    net = Witness()
    seen_hint(net, page, None, both)
    assert net.spread is not None
    around = net.spread[0].permute(1, 2, 0)
    assert (around[:, :7, :3] == torch.tensor(RED)).all()
    assert (around[:, 9:, :3] == torch.tensor(BLUE)).all()


def test_a_network_at_full_size_gets_no_spread() -> None:
    net = Witness(stride=1)
    seen_hint(net, Picture(rgb=sheet(32, 32)), Picture(rgb=sheet(4, 4, RED)))
    assert net.spread is None


def test_hints_change_the_result() -> None:
    page, paint = Picture(rgb=sheet(64, 64)), Colorizer(unet(), "cpu")
    plain = paint(page).rgb
    assert np.abs(paint(page, Picture(rgb=sheet(9, 9, RED))).rgb - plain).max() > 0.01
    assert np.abs(paint(page, None, strokes(64, 64, np.s_[:30, :], RED)).rgb - plain).max() > 0.01


def test_a_colour_that_is_put_on_a_gutter_is_seen_there() -> None:
    page = sheet(96, 128)
    page[:, 62:66] = 0  # a gutter at the left of a frame's side
    color = Colorizer(Witness(), "cpu")
    gutters = np.zeros((96, 128), np.bool_)
    gutters[:, :62] = True
    prepared = replace(color.prepare(Picture(rgb=page)), masks=PaperMask(gutters, np.zeros_like(gutters)))
    for rgb, expected in ((RED, RED), (sheet(1, 1)[0, 0], (1, 1, 1)), (None, (1, 1, 1))):
        hints = None if rgb is None else strokes(96, 128, np.s_[40:48, 20:28], rgb)
        done = color.paint(Picture(rgb=page), None, hints, prepared=prepared).rgb()
        np.testing.assert_allclose(done[80, 10], expected, atol=0.02)


@pytest.mark.parametrize("alpha", [None, np.ones((8, 8), np.float32)])
def test_hints_without_transparency_are_a_mistake(alpha: NDArray[np.float32] | None) -> None:
    with pytest.raises(UsageError, match=r"no transparent parts.*--reference"):
        Colorizer(Witness(), "cpu")(sketchy(8, 8), None, Picture(rgb=sheet(8, 8), alpha=alpha))


def test_hints_that_are_empty_are_no_mistake() -> None:
    empty = strokes(8, 8, np.s_[:0, :], RED)
    assert not seen_hint(Witness(), sketchy(8, 8), None, empty).any()


# Settings


def test_saturation_scales_chroma() -> None:
    page, half = Picture(rgb=sheet(20, 20)), replace(REDO, saturation=0.5)
    lab = spaces.rgb_to_lab(
        torch.from_numpy(Colorizer(Witness(), "cpu", half)(page).rgb).permute(2, 0, 1)[None]
    )
    torch.testing.assert_close(
        lab[0, :, 9, 9], torch.tensor((LAB[0], LAB[1] / 2, LAB[2] / 2)), atol=1e-3, rtol=0
    )


def test_no_saturation_is_grey() -> None:
    rgb = Colorizer(unet(), "cpu", replace(REDO, saturation=0))(sketchy(40, 40)).rgb
    np.testing.assert_allclose(rgb, rgb[..., :1].repeat(3, 2), atol=1e-5)


def test_the_same_page_twice_gives_the_same() -> None:
    paint, page = Colorizer(unet(), "cpu"), sketchy(65, 33)
    assert np.array_equal(paint(page).rgb, paint(page).rgb)


@pytest.mark.parametrize(
    ("page", "limits", "seen"),
    [
        ((400, 200), {"work_size": 100}, (200, 100)),
        ((200, 400), {"work_size": 100}, (100, 200)),
        ((40, 30), {"work_size": 64}, (40, 30)),
    ],
)
def test_what_the_network_works_on(
    page: tuple[int, int], limits: dict[str, int], seen: tuple[int, int]
) -> None:
    net = Witness()
    result = Colorizer(net, "cpu", ColorizeSettings(colored_pages=ColoredPages.REDO, **limits))(
        Picture(rgb=sheet(*page))
    )
    assert net.sketch.shape[2:] == tuple(-(-side // 16) * 16 for side in seen)
    assert result.rgb.shape == (*page, 3)


def test_a_picture_longer_than_opencv_can_remap() -> None:
    page = sketchy(2, 33_000)
    result = Colorizer(Witness(), "cpu", ColorizeSettings(max_pixels=50_000))(page)
    ink = lightness(page) <= 34.999
    assert np.array_equal(result.rgb[ink], page.rgb[ink])


def test_bands_of_a_large_page_meet_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    page = sketchy(140, 100)
    whole = Colorizer(unet(), "cpu", ColorizeSettings(work_size=64))(page).rgb
    monkeypatch.setattr("sketchcolor_cli.coloring.paint.composite._PIXELS", 7 * 100)
    banded = Colorizer(unet(), "cpu", ColorizeSettings(work_size=64))(page).rgb
    np.testing.assert_allclose(banded, whole, atol=1e-6)


# Character sheets


def test_sheets_lie_side_by_side_each_whole() -> None:
    """The first is twice as wide as high; the left half of the second is transparent."""
    half = np.ones((40, 40), np.float32)
    half[:, :20] = 0
    shown = [Picture(sheet(40, 80, RED)), Picture(sheet(40, 40, BLUE), alpha=half)]
    net = Witness()
    Colorizer(net, "cpu", REDO, sheets=shown)(Picture(sheet(64, 64)))
    assert net.sheet is not None
    assert net.sheet.shape == (1, 4, 32, 64)
    assert net.sheet[0, :, 16, 10].tolist() == [1, 0, 0, 1]
    assert not net.sheet[0, :, 2, 10].any()
    assert net.sheet[0, :, 2, 60].tolist() == [0, 0, 1, 1]
    assert not net.sheet[0, :, 2, 40].any()


def test_without_sheets_the_network_gets_none() -> None:
    net = Witness()
    Colorizer(net, "cpu", REDO)(Picture(sheet(64, 64)))
    assert net.sheet is None


def test_a_network_that_takes_no_sheets_says_so() -> None:
    net = Witness()
    net.sheet_size = 0
    with pytest.raises(UsageError, match="takes no character sheets; give a rough colouring"):
        Colorizer(net, "cpu", sheets=[Picture(sheet(8, 8))])


def test_a_strip_is_shown_to_the_network_as_wide_as_a_page() -> None:
    strip = np.ones((9000, 400, 3), np.float32)
    assert Colorizer(Witness(), "cpu").prepare(Picture(strip, gray=True)).shown.whole.shape == (9000, 400)
    page = np.ones((2400, 1600, 3), np.float32)
    assert max(Colorizer(Witness(), "cpu").prepare(Picture(page, gray=True)).shown.whole.shape) == 1800
