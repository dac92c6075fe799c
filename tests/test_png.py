"""PNG files as other libraries read them."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from sketchcolor_cli.imaging import png


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (40, 30), (900, 700)])  # the last in pieces
@pytest.mark.parametrize("library", ["isal", "zlib"])
def test_pillow_reads_what_is_written(
    channels: int, size: tuple[int, int], library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if library == "zlib":
        monkeypatch.setattr(png, "isal_zlib", None)
    samples = np.random.default_rng(0).integers(0, 256, (*size, channels)).astype(np.uint8)
    with Image.open(BytesIO(png.encode(samples, None, None))) as image:
        assert image.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
        assert np.array_equal(np.asarray(image).reshape(samples.shape), samples)


def test_a_page_with_even_areas_becomes_small() -> None:
    page = np.full((400, 300, 3), 255, np.uint8)
    page[100:300, 50:250] = (200, 120, 40)
    assert len(png.encode(page, None, None)) < page.nbytes / 100
