"""Passes of the network: one, two, or a strip in bands."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from sketchcolor_cli.color import spaces
from sketchcolor_cli.coloring.painter import Painter
from sketchcolor_cli.coloring.settings import ColorizeSettings
from sketchcolor_cli.imaging.resize import Copies
from sketchcolor_cli.networks.base import Prediction
from test_colorizer import Witness, unet


class Fickle(Witness):
    """Paints each picture it is shown in another colour, as networks do that see other surroundings."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, int]] = []

    def forward(
        self,
        sketch: Tensor,
        hint: Tensor,
        *,
        spread: Tensor | None = None,
        sheet: Tensor | None = None,
        z: Tensor | None = None,
    ) -> Prediction:
        lab = super().forward(sketch, hint).color.clone()
        lab[:, 1] = 5.0 * len(self.seen)
        lab[:, 2] = -5.0 * len(self.seen)
        self.seen.append((sketch.shape[2], sketch.shape[3]))
        return Prediction(lab)

    def rgb(self, prediction: Prediction) -> Tensor:
        return spaces.lab_to_rgb(prediction.color)


def nothing(shape: tuple[int, ...]) -> np.ndarray:
    return np.zeros((*shape, 4), np.float32)


def paper(height: int, width: int) -> np.ndarray:
    return np.ones((height, width), np.float32)


@pytest.mark.parametrize(
    ("page", "settings", "seen"),
    [
        ((640, 320), {"work_size": 160}, [(320, 160)]),
        ((640, 320), {"work_size": 320, "base_size": 160}, [(320, 160), (640, 320)]),
        ((640, 320), {"work_size": 170, "base_size": 160}, [(320, 160)]),
        ((2000, 64), {"max_pixels": 32_000}, [(1008, 32), *[(560, 64)] * 5]),
    ],
)
def test_what_the_network_is_shown(
    page: tuple[int, int], settings: dict[str, int], seen: list[tuple[int, int]]
) -> None:
    net = Fickle()
    Painter(net, "cpu", ColorizeSettings(**settings))(Copies(paper(*page)), nothing)
    assert net.seen == seen


@pytest.mark.parametrize("across", [0, 1])
def test_a_strip_has_the_colours_of_the_whole_and_no_seam(across: int) -> None:
    page = paper(2600, 64) if across else paper(64, 2600)
    _, paint = Painter(Fickle(), "cpu", ColorizeSettings(max_pixels=40_000))(Copies(page), nothing)
    assert paint.shape == (*page.shape, 3)
    assert np.abs(paint[..., 1:]).max() < 0.5  # those of the first pass, which saw all
    assert np.abs(paint[..., 0] - 70).max() < 0.5  # bands that overlap add up to one coat


def test_a_finer_pass_keeps_the_colours_and_adds_detail() -> None:
    rng = np.random.default_rng(0)
    page = np.repeat(np.repeat(rng.random((30, 20)).astype(np.float32), 16, 0), 16, 1)
    net = unet()
    _, coarse = Painter(net, "cpu", ColorizeSettings(work_size=160))(Copies(page), nothing)
    sketch, fine = Painter(net, "cpu", ColorizeSettings(work_size=320, base_size=160))(Copies(page), nothing)
    assert sketch.shape == (480, 320)
    np.testing.assert_allclose(fine.mean((0, 1)), coarse.mean((0, 1)), atol=1.5)


def test_paint_is_the_same_each_time_and_the_page_is_not_written_to() -> None:
    page = np.random.default_rng(0).random((40, 56)).astype(np.float32)
    before = page.copy()
    painter = Painter(unet(), "cpu", ColorizeSettings())
    first, second = painter(Copies(page), nothing)[1], painter(Copies(page), nothing)[1]
    assert np.array_equal(first, second)
    assert np.array_equal(page, before)


def test_the_mean_colour_of_a_flat_area_is_the_networks() -> None:
    _, paint = Painter(Witness(), "cpu", ColorizeSettings())(Copies(paper(50, 70)), nothing)
    torch.testing.assert_close(
        torch.from_numpy(paint.mean((0, 1))), torch.tensor((70.0, 30.0, -20.0)), atol=1e-2, rtol=0
    )


def test_painters_of_many_seeds_paint_as_each_alone_and_look_at_the_page_once() -> None:
    page = paper(96, 64)
    page[40:44] = 0
    page[:, 30:34] = 0
    net = unet()
    torch.nn.init.normal_(net.palette.weight)
    alone = [Painter(net, "cpu", ColorizeSettings(seed=seed))(Copies(page), nothing)[1] for seed in (1, 2, 3)]
    passes: list[int] = []
    net.register_forward_hook(lambda *_: passes.append(1))
    painters = Painter(net, "cpu", ColorizeSettings()).in_seeds((1, 2, 3))
    together = [painter(Copies(page), nothing)[1] for painter in painters]
    assert len(passes) == 4  # one look, and three paintings
    for first, second in zip(alone, together, strict=True):
        np.testing.assert_array_equal(first, second)
