from __future__ import annotations

import pytest
import torch

from sketchcolor_cli import Resources
from sketchcolor_cli.plugin.discovery import find_extractors


@pytest.fixture(scope="module")
def declared():
    return find_extractors().get("gray")


@pytest.mark.parametrize(
    ("color", "luma"),
    [
        ((0, 0, 0), 0),
        ((1, 1, 1), 1),
        ((1, 0, 0), 0.2126),
        ((0, 1, 0), 0.7152),
        ((0, 0, 1), 0.0722),
        ((0.5, 0.5, 0.5), 0.5),
    ],
)
def test_a_colour_becomes_its_luma(declared, color, luma):
    page = torch.tensor(color, dtype=torch.float32)[None, :, None, None].expand(1, 3, 2, 3)
    sketch = declared.load(Resources())(page)
    torch.testing.assert_close(sketch, torch.full((1, 1, 2, 3), float(luma)))
