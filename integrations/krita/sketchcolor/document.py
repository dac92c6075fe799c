"""What is read from a document, and what is put into it."""

from __future__ import annotations

from krita import Krita

from .pictures import BGRA, pixels_of, png_of

HINTS, SHEET = "hints", "sheet"
OURS = (HINTS, SHEET, "sketchcolor", "flats")
"""Names of layers that are not the drawing, in lower case."""
PROFILE = "sRGB-elle-V2-srgbtrc.icc"


class RefusalError(Exception):
    """What the user has to do first, in a sentence."""


def read(document):
    """Return the page, its hints and its sheets as PNG files: (bytes, list of bytes, list of bytes).

    The page is what is seen without our own layers, hints and sheets. The document itself is not changed.

    Raises:
        RefusalError: There is no drawing besides the hints.
    """
    copy = document.clone()
    try:
        copy.setBatchmode(True)
        copy.setColorSpace("RGBA", "U8", PROFILE)
        copy.waitForDone()
        size = copy.width(), copy.height()
        hints = [png_of(_pixels(node, size), size) for node in _named(copy, HINTS)]
        hints += [png_of(stroke, size) for node in _masks(copy) for stroke in _key_strokes(node, size)]
        sheets = [png_of(_pixels(node, size), size) for node in _named(copy, SHEET)]
        for node in [*(layer for name in OURS for layer in _named(copy, name)), *_masks(copy)]:
            node.setVisible(False)
        if not any(node.visible() for node in copy.topLevelNodes()):
            raise RefusalError(f"there is no drawing; put the lines on a layer, and strokes on '{HINTS}'")
        copy.refreshProjection()
        copy.waitForDone()
        page = png_of(bytes(copy.pixelData(0, 0, *size)), size)
    finally:
        copy.close()
    return page, hints, sheets


def put(document, name, png, mode):
    """Put a picture over the drawing and below hints, as a layer of this name, in place of an older one.

    The drawing's own layers are not changed; a grey document becomes one in colour.
    """
    if document.colorModel() != "RGBA":
        document.setColorSpace("RGBA", document.colorDepth(), PROFILE)
        document.waitForDone()
    size = document.width(), document.height()
    pixels = pixels_of(png, size)
    layer = document.createNode(name, "paintlayer")
    if document.colorDepth() != "U8":
        layer.setColorSpace("RGBA", "U8", PROFILE)
    layer.setPixelData(pixels, 0, 0, *size)
    layer.setBlendingMode(mode)
    old = _named(document, name)
    drawing = [node for node in document.topLevelNodes() if node.name().lower() not in OURS]
    below = old[-1:] or drawing[-1:] or [None]
    (below[0].parentNode() if old else document.rootNode()).addChildNode(layer, below[0])
    for node in old:
        node.remove()
    document.refreshProjection()


def _pixels(node, size):
    return bytes(node.projectionPixelData(0, 0, *size))


def _named(document, name):
    """Return the nodes of this name, in whatever case, wherever they are."""
    return [node for node in _all(document.topLevelNodes()) if node.name().lower() == name.lower()]


def _masks(document):
    """Return the Colorize Masks, where Krita tells of their strokes (5.2 and later)."""
    nodes = _all(document.topLevelNodes())
    return [node for node in nodes if node.type() == "colorizemask" and hasattr(node, "keyStrokesColors")]


def _all(nodes):
    for node in nodes:
        yield node
        yield from _all(node.childNodes())


def _key_strokes(mask, size):
    """Give the strokes of each colour of a Colorize Mask as pixels, but for the transparent one."""
    for place, color in enumerate(mask.keyStrokesColors()):
        if place == mask.transparencyIndex():
            continue
        coverage = bytes(mask.keyStrokePixelData(color, 0, 0, *size))
        red, green, blue = (min(255, max(0, round(255 * part))) for part in color.componentsOrdered()[:3])
        pixels = bytearray(BGRA * size[0] * size[1])
        pixels[0::4], pixels[1::4], pixels[2::4] = (
            bytes([value]) * len(coverage) for value in (blue, green, red)
        )
        pixels[3::4] = coverage
        yield bytes(pixels)


def active():
    """Return the document that is open in front.

    Raises:
        RefusalError: There is none.
    """
    document = Krita.instance().activeDocument()
    if document is None:
        raise RefusalError("no document is open")
    return document
