"""Pixels of Krita, BGRA with 8 bits, as PNG files and back; by Qt, 5 or 6, whichever Krita brings."""

from __future__ import annotations

try:
    from PyQt6.QtCore import QBuffer, QByteArray, QIODevice
    from PyQt6.QtGui import QImage

    FORMAT, WRITE = QImage.Format.Format_ARGB32, QIODevice.OpenModeFlag.WriteOnly
except ImportError:  # Krita 5; Krita 6 does not let PyQt5 in
    from PyQt5.QtCore import QBuffer, QByteArray, QIODevice
    from PyQt5.QtGui import QImage

    FORMAT, WRITE = QImage.Format_ARGB32, QIODevice.WriteOnly

BGRA = 4
"""Bytes of a pixel."""


def png_of(pixels, size):
    """Return pixels (rows of BGRA) of this size, (width, height), as a PNG file."""
    width, height = size
    image = QImage(pixels, width, height, BGRA * width, FORMAT)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(WRITE)
    image.save(buffer, "PNG", 80)  # packed little, which is fast
    buffer.close()
    return bytes(data)


def pixels_of(png, size):
    """Return the pixels, rows of BGRA, of a PNG file that has this size.

    Raises:
        ValueError: It has not.
    """
    image = QImage.fromData(png, "PNG").convertToFormat(FORMAT)
    if (image.width(), image.height()) != tuple(size):
        raise ValueError(f"{image.width()}x{image.height()} pixels came back for {size[0]}x{size[1]}")
    bits = image.constBits()
    bits.setsize(BGRA * image.width() * image.height())
    return QByteArray(bytes(bits))
