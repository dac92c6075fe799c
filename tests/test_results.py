"""Results as pictures and as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor

from sketchcolor_cli.color.spaces import lab_to_rgb
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.networks.base import ColorNet, Prediction
from sketchcolor_cli.training.results import contact_sheet, page_lightness, result_rgb

if TYPE_CHECKING:
    from pathlib import Path

PURPLE = (60.0, 40.0, -40.0)


class Painter(ColorNet):
    """Paints everything purple."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.anchor = torch.nn.Parameter(torch.zeros(()))

    def forward(
        self,
        sketch: Tensor,
        hint: Tensor,
        *,
        spread: Tensor | None = None,
        sheet: Tensor | None = None,
        z: Tensor | None = None,
    ) -> Prediction:
        assert not self.training
        size = sketch.shape[2] // self.stride, sketch.shape[3] // self.stride
        color = torch.tensor(PURPLE).view(1, 3, 1, 1).expand(len(sketch), 3, *size)
        return Prediction(color + self.anchor)

    def rgb(self, prediction: Prediction) -> Tensor:
        return lab_to_rgb(prediction.color)


def purple() -> Tensor:
    return lab_to_rgb(torch.tensor(PURPLE).view(1, 3, 1, 1))


def test_lightness_of_a_page() -> None:
    lightness = page_lightness(torch.tensor([0, 1, 0.5]).view(1, 1, 1, 3))
    torch.testing.assert_close(lightness.flatten(), torch.tensor([0, 100, 53.3890]), atol=1e-3, rtol=0)


def test_coarse_paint_is_enlarged_and_gets_the_ink() -> None:
    sketch = torch.ones(2, 1, 16, 24)
    sketch[0, :, 3] = 0.1
    net = Painter(4).eval()
    result = result_rgb(net, net(sketch, torch.zeros(2, 4, 16, 24)), sketch)
    assert result.shape == (2, 3, 16, 24)
    torch.testing.assert_close(result[1], purple()[0].expand(3, 16, 24), atol=1e-5, rtol=0)
    torch.testing.assert_close(result[0, :, 3], torch.full((3, 24), 0.1), atol=1e-5, rtol=0)


def test_colours_at_full_size_are_left_alone() -> None:
    sketch = torch.zeros(1, 1, 8, 8)  # solid ink, which a network at full size draws itself
    net = Painter(1).eval()
    result = result_rgb(net, net(sketch, torch.zeros(1, 4, 8, 8)), sketch)
    torch.testing.assert_close(result, purple().expand(1, 3, 8, 8), atol=1e-5, rtol=0)


@pytest.mark.parametrize("training", [True, False])
def test_a_contact_sheet_has_a_row_for_each_pair(tmp_path: Path, training: bool) -> None:
    sketch, truth = torch.ones(3, 1, 16, 24), torch.zeros(3, 3, 16, 24)
    truth[:, 2] = 1
    hint = torch.zeros(3, 4, 16, 24)
    hint[1, 0], hint[1, 3] = 1, 1  # red, for the second pair
    net = Painter(4).train(training)
    path = tmp_path / "sheets" / "sheet.png"
    contact_sheet(net, (sketch, hint, torch.zeros(3, 4, 4, 6), truth, sketch), path)
    rgb = read_picture(path).rgb
    assert rgb.shape == (3 * 16, 4 * 24, 3)
    colors = rgb.reshape(3, 16, 4, 24, 3)
    white, red, blue, grey = (1, 1, 1), (1, 0, 0), (0, 0, 1), (0.5, 0.5, 0.5)
    painted = purple().flatten().tolist()
    for row, reference in enumerate((grey, red, grey)):
        for column, expected in enumerate((white, reference, painted, blue)):
            block = colors[row, :, column]
            np.testing.assert_allclose(block, np.broadcast_to(expected, block.shape), atol=1 / 255)
    assert net.training == training
