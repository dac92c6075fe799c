"""Files with layers, read back by other means than they were written with."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from sketchcolor_cli.coloring.extras.layers import Layer, write_layers
from sketchcolor_cli.coloring.settings import LayerFormat

if TYPE_CHECKING:
    from pathlib import Path


def layers() -> list[Layer]:
    rng = np.random.default_rng(0)

    def noise(channels: int) -> np.ndarray:
        return rng.integers(0, 256, (31, 47, channels)).astype(np.uint8)

    return [
        Layer("paper", np.full((31, 47, 3), 255, np.uint8)),
        Layer("flats", noise(3)),
        Layer("shading", noise(3), multiply=True),
        Layer("ink", noise(3), multiply=True),
        Layer("hints", noise(4), visible=False),
    ]


MERGED = np.full((31, 47, 3), 200, np.uint8)


def test_openraster(tmp_path: Path) -> None:
    write_layers(tmp_path / "a.ora", layers(), lambda: MERGED, LayerFormat.ORA)
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"image/openraster"
        image = ElementTree.fromstring(archive.read("stack.xml"))  # noqa: S314  (our own)
        assert (image.get("w"), image.get("h")) == ("47", "31")
        listed = image.findall("stack/layer")
        assert [layer.get("name") for layer in listed] == ["hints", "ink", "shading", "flats", "paper"]
        assert [layer.get("composite-op") for layer in listed] == [
            "svg:src-over", "svg:multiply", "svg:multiply", "svg:src-over", "svg:src-over",
        ]  # fmt: skip
        assert [layer.get("visibility") for layer in listed] == ["hidden", *["visible"] * 4]
        for entry, layer in zip(listed, reversed(layers()), strict=True):
            shown = Image.open(io.BytesIO(archive.read(str(entry.get("src")))))
            assert np.array_equal(np.asarray(shown), layer.image)
        assert Image.open(io.BytesIO(archive.read("mergedimage.png"))).size == (47, 31)
        assert max(Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png"))).size) <= 256


def test_png_files(tmp_path: Path) -> None:
    write_layers(tmp_path / "a.layers", layers(), lambda: MERGED, LayerFormat.PNG)
    names = sorted(path.name for path in (tmp_path / "a.layers").iterdir())
    assert names == ["1 paper.png", "2 flats.png", "3 shading.png", "4 ink.png", "5 hints.png"]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.layers" / "5 hints.png")), layers()[4].image)


def test_psd(tmp_path: Path) -> None:
    pytest.importorskip("psd_tools", reason="psd-tools is an extra")
    write_layers(tmp_path / "a.psd", layers(), lambda: MERGED, LayerFormat.PSD)
    # Pillow reads the structure with code of its own.
    with Image.open(tmp_path / "a.psd") as document:
        assert (document.format, document.size) == ("PSD", (47, 31))
        # Pillow passes over layers with transparency and a mask; their number stands in the file.
        assert [layer[0] for layer in document.layers][:4] == ["paper", "flats", "shading", "ink"]
    data = (tmp_path / "a.psd").read_bytes()
    assert data[:4] == b"8BPS"
    assert (data.count(b"8BIMmul "), data.count(b"8BIMnorm")) == (2, 3)
    from psd_tools import PSDImage

    document = PSDImage.open(tmp_path / "a.psd")
    assert [(layer.name, layer.visible) for layer in document][-1] == ("hints", False)
    for drawn, layer in zip(document, layers(), strict=True):
        assert np.array_equal(
            np.asarray(drawn.topil())[..., :3][..., : layer.image.shape[2]], layer.image[..., :3]
        )
