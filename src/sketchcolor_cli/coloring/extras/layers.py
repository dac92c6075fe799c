"""A coloured page as layers that drawing programs open: OpenRaster, PSD, or PNG files.

Layers are RGBA or RGB of 8 bits, all of the page's size, the first at the bottom.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from sketchcolor_cli.coloring.settings import LayerFormat
from sketchcolor_cli.compute import deadline
from sketchcolor_cli.errors import ImageError, UsageError
from sketchcolor_cli.files.atomic import write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Samples = NDArray[np.uint8]

_THUMBNAIL = 256  # longest side, as OpenRaster asks


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer.

    Attributes:
        name: What the user reads in the list of layers.
        image: (H, W, 3) or (H, W, 4) uint8.
        multiply: Whether it darkens what is below instead of covering it.
        visible: Whether it is seen when the file is opened.
    """

    name: str
    image: Samples
    multiply: bool = False
    visible: bool = True


def write_layers(
    path: Path, layers: Sequence[Layer], merged: Callable[[], Samples], kind: LayerFormat
) -> None:
    """Write layers to ``path``: a file, or for PNG a folder with one file for each layer.

    ``merged`` returns how they look together, (H, W, 3) uint8, which OpenRaster has for programs that only
    show; the others are written without.

    Raises:
        ImageError: It cannot be written.
        UsageError: PSD is asked for and the library that writes it is not installed.
    """
    if kind is LayerFormat.ORA:
        write_bytes(path, _ora(layers, merged()), ImageError)
    elif kind is LayerFormat.PSD:
        write_bytes(path, _psd(layers), ImageError)
    else:
        for number, layer in enumerate(layers, start=1):
            write_bytes(path / f"{number} {layer.name}.png", _png(layer.image), ImageError)


def _png(image: Samples) -> bytes:
    deadline.check()
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _ora(layers: Sequence[Layer], merged: Samples) -> bytes:
    """OpenRaster 0.0.6: a ZIP whose first entry, stored, is the type; the stack is listed from the top."""
    height, width = merged.shape[:2]
    image = ElementTree.Element("image", version="0.0.6", w=str(width), h=str(height))
    stack = ElementTree.SubElement(image, "stack")
    for number, layer in reversed(list(enumerate(layers))):
        ElementTree.SubElement(
            stack,
            "layer",
            {
                "name": layer.name,
                "src": f"data/layer{number}.png",
                "x": "0",
                "y": "0",
                "opacity": "1.0",
                "visibility": "visible" if layer.visible else "hidden",
                "composite-op": "svg:multiply" if layer.multiply else "svg:src-over",
            },
        )
    small = Image.fromarray(merged)
    small.thumbnail((_THUMBNAIL, _THUMBNAIL))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        _put(archive, "mimetype", b"image/openraster")
        xml = ElementTree.tostring(image, encoding="UTF-8", xml_declaration=True)
        _put(archive, "stack.xml", xml, zipfile.ZIP_DEFLATED)
        for number, layer in enumerate(layers):  # PNG is compressed already
            _put(archive, f"data/layer{number}.png", _png(layer.image))
        _put(archive, "mergedimage.png", _png(merged))
        _put(archive, "Thumbnails/thumbnail.png", _png(np.asarray(small)))
    return buffer.getvalue()


def _put(archive: zipfile.ZipFile, name: str, data: bytes, how: int = zipfile.ZIP_STORED) -> None:
    """Put a file into an archive, without the time: equal layers are equal bytes."""
    archive.writestr(zipfile.ZipInfo(name), data, how)


def _psd(layers: Sequence[Layer]) -> bytes:
    try:
        from psd_tools import PSDImage
        from psd_tools.constants import BlendMode
    except ImportError as error:
        raise UsageError(
            "--layers psd needs psd-tools: pip install psd-tools; or write --layers ora"
        ) from error
    height, width = layers[0].image.shape[:2]
    document: Any = PSDImage.new("RGB", (width, height), color=255)
    for layer in layers:
        deadline.check()
        painted = document.create_pixel_layer(Image.fromarray(layer.image), name=layer.name)
        painted.blend_mode = BlendMode.MULTIPLY if layer.multiply else BlendMode.NORMAL
        painted.visible = layer.visible
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()
