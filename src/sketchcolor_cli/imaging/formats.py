"""Opening picture files of every kind that is read: by their first bytes, never by their names.

Pillow opens the common ones; HEIC and JPEG XL are taught to it by libraries of their own, which come with an
extra. Of Krita's files the merged picture is read that lies in them, of Photoshop's the one that it keeps for
other programs.
"""

from __future__ import annotations

import importlib
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from sketchcolor_cli.errors import ImageError
from sketchcolor_cli.files import signatures

if TYPE_CHECKING:
    from pathlib import Path

NAMES = "PNG, JPEG, WebP, AVIF, TIFF, BMP, GIF, PSD, KRA, HEIC, JPEG XL or JPEG 2000"
"""The kinds that are read, for people."""

# No others: Pillow would start outside programs for some. The first ones are loaded by themselves; for those
# after them all of Pillow's are.
_PILLOW = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "AVIF", "JPEG2000", "PSD", "WEBP")
_ANIMATED = frozenset({"AVIF", "GIF", "JXL", "PNG", "WEBP"})
TURNED = frozenset({"HEIF", "JXL"})
"""Formats that say in themselves how they are turned, which decoders heed; EXIF does not count."""
EXIF_DPI = frozenset({"AVIF", "WEBP"})
"""Formats that say their resolution in EXIF alone."""
_MERGED = "mergedimage.png"
_MOST_MERGED = 2**31
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF = frozenset({b"avif", b"avis"})
_JXL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_VERSION = 1057  # resource of Photoshop files
_COMPRESSION, _JPEG = 259, (6, 7)
_BLOCKS = ((273, 279), (324, 325), (513, 514))  # tags of TIFF: offsets and lengths of its parts
_REDUCED = 254  # tag of TIFF: its lowest bit marks a small copy, the third one a mask


def opened(path: Path, file: BinaryIO) -> tuple[Image.Image, BinaryIO]:
    """Return the picture of an open file, its pixels not decoded yet, and the file that it lies in itself.

    Raises:
        ImageError: its kind needs a library that is not installed, or it is a Krita file without a merged
            picture.
        Exception: whatever Pillow raises for damaged files.
    """
    file.seek(0)
    start = file.read(signatures.START)
    file.seek(0)
    if start.startswith(b"PK\x03\x04") and (merged := _merged(path, file)) is not None:
        return Image.open(merged, formats=("PNG",)), merged
    formats: tuple[str, ...] = _PILLOW
    if start[4:8] == b"ftyp" and _is_heic(start):
        _library(path, "HEIC", "pillow_heif", "pillow-heif").register_heif_opener()
        formats += ("HEIF",)
    if start.startswith(_JXL):
        _library(path, "JPEG XL", "pillow_jxl", "pillow-jxl-plugin")
        formats += ("JXL",)
    if start.startswith(b"8BPS"):
        return _photoshop(path, file), file
    return Image.open(file, formats=formats), file


def frames(image: Image.Image) -> int:
    """Return how many pictures a file holds, pages of a TIFF or frames of an animation; no small copies.

    The image is left at its first frame.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        total = getattr(image, "n_frames", 1)
        if total == 1:
            return 1
        count = 0
        for number in range(total):
            image.seek(number)
            count += not int(image.tag_v2.get(_REDUCED, 0)) & 5
        image.seek(0)
        return max(1, count)
    return int(getattr(image, "n_frames", 1)) if image.format in _ANIMATED else 1


def jpegs(image: Image.Image) -> set[tuple[int, int | None]]:
    """Return where in its file, from where to where, JPEG lies that may have any number of scans."""
    if image.info.get("progressive"):
        return {(0, None)}
    if not isinstance(image, TiffImagePlugin.TiffImageFile) or image.tag_v2.get(_COMPRESSION) not in _JPEG:
        return set()
    tags = image.tag_v2
    return {
        (start, start + length)
        for where, long in _BLOCKS
        for start, length in zip(_numbers(tags, where), _numbers(tags, long), strict=False)
    }


def _numbers(tags: TiffImagePlugin.ImageFileDirectory_v2, tag: int) -> tuple[int, ...]:
    value: Any = tags.get(tag, ())
    return value if isinstance(value, tuple) else (value,)


def _is_heic(start: bytes) -> bool:
    """Whether the brands of an ISO media file say HEIC; AVIF, which shares some of them, is Pillow's."""
    length = min(int.from_bytes(start[:4], "big"), len(start))
    brands = {start[8:12], *(start[at : at + 4] for at in range(16, length, 4))}
    return bool(brands & _HEIC) and not brands & _AVIF


def _merged(path: Path, file: BinaryIO) -> BinaryIO | None:
    """Return the merged picture of a Krita file, or None for any other ZIP."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if _MERGED not in names:
            if "maindoc.xml" in names:
                raise ImageError(
                    f"{path}: the Krita file keeps no merged picture; save it as PNG, or allow the preview"
                )
            file.seek(0)
            return None
        if archive.getinfo(_MERGED).file_size > _MOST_MERGED:
            raise ImageError(f"{path}: its merged picture is too large; save it as PNG")
        return BytesIO(archive.read(_MERGED))


def _photoshop(path: Path, file: BinaryIO) -> Image.Image:
    """Return the merged picture of a Photoshop file; Pillow reads those of 8 bits, psd-tools the others."""
    if _lacks_merged(file):
        raise ImageError(f"{path}: keeps no merged picture; save it so that it does (Maximize Compatibility)")
    file.seek(0)
    try:
        return Image.open(file, formats=("PSD",))
    except UnidentifiedImageError:
        psd_tools = _library(path, "Photoshop of this depth or size", "psd_tools", "psd-tools")
    file.seek(0)
    document = psd_tools.PSDImage.open(file)
    if document.width * document.height > (Image.MAX_IMAGE_PIXELS or 0):
        raise Image.DecompressionBombError
    image: Image.Image = document.topil()
    image.format = "PSD"
    return image


def _lacks_merged(file: BinaryIO) -> bool:
    """Whether the file says that its merged picture is none (resource 1057, byte 5).

    Source: Adobe Photoshop File Formats Specification, image resources.
    """
    file.seek(26)
    file.seek(int.from_bytes(file.read(4), "big"), 1)
    left = int.from_bytes(file.read(4), "big")
    while left >= 12:
        head = file.read(7)
        if len(head) < 7 or head[:4] != b"8BIM":
            return False
        kind, name = int.from_bytes(head[4:6], "big"), head[6] | 1
        file.seek(name, 1)
        size = int.from_bytes(file.read(4), "big")
        if kind == _VERSION:
            return file.read(5)[4:] == b"\0"
        file.seek(size + size % 2, 1)
        left -= 11 + name + size + size % 2
    return False


def _library(path: Path, kind: str, module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImageError(
            f"{path}: {kind} needs one more library; install it with: pip install {package}"
        ) from error
