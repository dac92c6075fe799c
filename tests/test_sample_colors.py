"""Colours that are drawn for areas which nothing gives one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from sketchcolor_cli.color.spaces import rgb_to_lab
from sketchcolor_cli.coloring.arrays import ArrayColorizer
from sketchcolor_cli.coloring.paint.sample_colors import find_choices, sample_colors
from sketchcolor_cli.coloring.settings import ColorizeSettings, Guess, Protect
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.networks.config import GeneratorConfig, HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.networks.thesis_unet import Generator

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from sketchcolor_cli.networks.base import Prediction

COLORS = np.array([[0, 0], [60, 0], [0, 60], [-60, 0]], np.float32)


def two_rooms(gap: int = 0) -> NDArray[np.float32]:
    """Make ink of a wall between two halves, with a gap of so many cells."""
    ink = np.zeros((24, 41), np.float32)
    ink[:, 20] = 1
    ink[2 : 2 + gap, 20] = 0
    return ink


def likely(*chances: float, shape: tuple[int, ...] = (24, 41)) -> NDArray[np.float32]:
    return np.log(np.array(chances, np.float32))[:, None, None] * np.ones(shape, np.float32)


def lab_of(rgb: NDArray[np.float32]) -> list[float]:
    return rgb_to_lab(torch.from_numpy(rgb).view(1, 3, 1, 1)).flatten().tolist()


def test_a_page_full_of_lines_gets_no_colour() -> None:
    full = np.ones((24, 41), np.float32)
    no = np.zeros(full.shape, np.bool_)
    assert not sample_colors(find_choices(likely(0.1, 0.3, 0.3, 0.3), 50 * full, full), COLORS, no, 0).any()


def test_areas_get_one_colour_each_of_the_lightness_that_the_network_gave() -> None:
    lightness = np.where(np.arange(41) < 20, 40, 80)[None].repeat(24, 0).astype(np.float32)
    given = np.zeros((24, 41), np.bool_)
    found = sample_colors(
        find_choices(likely(0.01, 0.97, 0.01, 0.01), lightness, two_rooms()), COLORS, given, 3
    )
    assert found[12, [8, 33], 3].tolist() == [1, 1]
    assert lab_of(found[12, 8, :3]) == pytest.approx([40, 60, 0], abs=1)
    assert lab_of(found[12, 33, :3]) == pytest.approx([62, 60, 0], abs=10)  # there is no such light pink


def test_a_small_area_gets_no_colour_of_its_own() -> None:
    ink = two_rooms()
    ink[4, 24:29] = ink[9, 24:29] = ink[4:10, 24] = ink[4:10, 29] = 1
    no, light = np.zeros((24, 41), np.bool_), np.full((24, 41), 50, np.float32)
    mask = sample_colors(find_choices(likely(0.1, 0.3, 0.3, 0.3), light, ink), COLORS, no, 0)[..., 3]
    assert not mask[5:9, 25:29].any()
    assert mask[15, 35]


def test_an_area_with_a_colour_of_its_own_is_left_alone() -> None:
    given = np.zeros((24, 41), np.bool_)
    given[12, 4] = True
    choices = find_choices(likely(0.1, 0.3, 0.3, 0.3), np.full((24, 41), 50, np.float32), two_rooms())
    mask = sample_colors(choices, COLORS, given, 0)
    assert not mask[:, :20, 3].any()
    assert mask[:, 24:, 3].all()


@pytest.mark.parametrize(
    ("chances", "part"), [((0.01, 0.7, 0.2, 0.09), True), ((0.01, 0.09, 0.2, 0.7), False)]
)
def test_what_strokes_cut_off_has_the_colour_of_what_it_is_a_part_of(
    chances: tuple[float, ...], part: bool
) -> None:
    ink = np.zeros((40, 80), np.float32)
    ink[:, 40] = ink[:, 47] = ink[20, 40:48] = ink[24, 40:48] = 1  # a box, too small for a colour, in a strip
    logits = likely(0.01, 0.8, 0.1, 0.09, shape=ink.shape)
    logits[:, 21:24, 41:47] = np.log(chances, dtype=np.float32)[:, None, None]
    none = np.zeros(ink.shape, np.bool_)
    found = sample_colors(find_choices(logits, np.full(ink.shape, 50, np.float32), ink), COLORS, none, 0)
    assert found[22, 43, 3] == part
    assert not part or np.array_equal(found[22, 43], found[10, 43])


@pytest.fixture(scope="module")
def network() -> HintUNet:
    torch.manual_seed(0)
    net = HintUNet(HintUNetConfig(widths=(8, 16), depths=(1, 1), sheet_width=0)).eval()
    torch.nn.init.normal_(net.palette.weight, std=0.5)
    return net


def page() -> NDArray[np.float32]:
    sketch = np.ones((96, 128), np.float32)
    sketch[:, 62:66] = 0
    return sketch


def test_the_same_seed_gives_the_same_colours_and_another_one_others(network: HintUNet) -> None:
    first, again, other = (
        ArrayColorizer(network, settings=ColorizeSettings(guess=Guess.DRAW, seed=seed, protect=Protect.NONE))(
            page()
        )
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_model_without_a_distribution_of_colours_says_so() -> None:
    net = Generator(GeneratorConfig()).eval()
    with pytest.raises(UsageError, match="leave --guess out"):
        ArrayColorizer(net, settings=ColorizeSettings(guess=Guess.DRAW))(page())


def test_auto_draws_nothing_but_by_a_seed_and_never_beside_hints(network: HintUNet) -> None:
    hints = np.zeros((96, 128, 4), np.float32)
    hints[40:50, 10:20] = (1, 0, 0, 1)
    by = {
        (guess, seed): ArrayColorizer(
            network, settings=ColorizeSettings(guess=guess, seed=seed, protect=Protect.NONE)
        )
        for guess in Guess
        for seed in (None, 3)
    }
    assert np.array_equal(by[Guess.AUTO, None](page()), by[Guess.SURE, None](page()))
    assert np.array_equal(by[Guess.AUTO, 3](page()), by[Guess.DRAW, None](page()))  # 3 where there is none
    assert not np.array_equal(by[Guess.AUTO, None](page()), by[Guess.MEAN, None](page()))
    for seed in (None, 3):
        aided = by[Guess.AUTO, seed](page(), hints=hints)
        assert np.array_equal(aided, by[Guess.MEAN, None](page(), hints=hints))
    striped = page()  # on the other side, which would take the hint's colour if it looked like this one
    striped[::12, 66:] = 0
    drawn = by[Guess.DRAW, None](striped, hints=hints)
    assert not np.array_equal(drawn, by[Guess.MEAN, None](striped, hints=hints))


def test_sure_colours_do_not_hang_on_the_seed(network: HintUNet) -> None:
    drawn, *sure = (
        ArrayColorizer(network, settings=ColorizeSettings(guess=guess, seed=seed, protect=Protect.NONE))(
            page()
        )
        for guess, seed in ((Guess.DRAW, 1), (Guess.SURE, 1), (Guess.SURE, 2))
    )
    assert np.array_equal(*sure)
    assert not np.array_equal(sure[0], drawn)


class Listener(HintUNet):
    """Keeps the hints that it is shown, (H, W, 4)."""

    def __init__(self, *, sheet_width: int = 0, std: float = 0.5) -> None:
        torch.manual_seed(0)
        super().__init__(HintUNetConfig(widths=(8, 16), depths=(1, 1), sheet_width=sheet_width))
        torch.nn.init.normal_(self.palette.weight, std=std)
        torch.nn.init.zeros_(self.palette.bias)  # type: ignore[arg-type]
        self.shown: list[NDArray[np.float32]] = []
        self.eval()

    def forward(self, sketch: Tensor, hint: Tensor, **rest: Any) -> Prediction:
        self.shown.append(hint[0].permute(1, 2, 0).numpy())
        return super().forward(sketch, hint, **rest)


def test_what_is_drawn_does_not_hang_on_the_working_size() -> None:
    net = Listener()
    sketch = np.ones((384, 400), np.float32)
    sketch[:, 192:198] = 0
    ArrayColorizer(net, settings=ColorizeSettings(guess=Guess.DRAW, work_size=192, base_size=192))(sketch)
    ArrayColorizer(net, settings=ColorizeSettings(guess=Guess.DRAW, work_size=384, base_size=384))(sketch)
    _, small, _, large = net.shown
    size = min(small.shape[0], large.shape[0] // 2), min(small.shape[1], large.shape[1] // 2)
    assert np.abs(small[: size[0], : size[1]] - large[::2, ::2][: size[0], : size[1]]).mean() < 0.02
    assert small[..., 3].mean() > 0.5


def test_with_a_sheet_colours_that_it_has_are_drawn() -> None:
    net = Listener(sheet_width=16, std=0)  # for all that it can tell, any colour will do
    color = ArrayColorizer(net, settings=ColorizeSettings(guess=Guess.DRAW))
    for rgb in (0, 0, 1), (1, 1, 0):
        color(page(), sheet=np.full((64, 64, 3), rgb, np.float32))
    _, blue, _, yellow = net.shown
    assert lab_of(blue[48, 20, :3])[2] < -20
    assert lab_of(yellow[48, 20, :3])[2] > 20
