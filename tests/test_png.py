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
    with Image.open(BytesIO(png.encode([samples], len(samples), None, None))) as image:
        assert image.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
        assert np.array_equal(np.asarray(image).reshape(samples.shape), samples)


def test_a_page_with_even_areas_becomes_small() -> None:
    page = np.full((400, 300, 3), 255, np.uint8)
    page[100:300, 50:250] = (200, 120, 40)
    assert len(png.encode([page], len(page), None, None)) < page.nbytes / 100


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_a_file_is_the_same_however_many_rows_come_at_once(depth: type) -> None:
    samples = np.random.default_rng(0).integers(0, 4, (700, 900, 3)).astype(depth)
    whole = png.encode([samples], len(samples), None, None)
    for rows in (1, 64, 512):
        parts = [samples[top : top + rows] for top in range(0, len(samples), rows)]
        assert png.encode(parts, len(samples), None, None) == whole


def test_a_file_with_more_rows_than_it_names_is_whole() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2500, 1000, 1)).astype(np.uint8)
    assert png.is_whole(BytesIO(png.encode([noise], 40, None, None)))
    assert not png.is_whole(BytesIO(png.encode([noise], 2501, None, None)))
