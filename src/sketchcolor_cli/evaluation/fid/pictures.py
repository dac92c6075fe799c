"""Sets of pictures to be measured: a folder with all its subfolders, or a ZIP or CBZ archive.

A set gives bytes; what they are as pixels is for the one who measures to say, since the usual FID wants them
decoded just as its first implementation did.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from sketchcolor_cli.data.folder import PictureFile
from sketchcolor_cli.data.pictures import to_bytes
from sketchcolor_cli.errors import BookError, DataError, ImageError
from sketchcolor_cli.evaluation.settings import Decode
from sketchcolor_cli.files.books.opening import open_book
from sketchcolor_cli.files.folders import Found, files_in, natural_key
from sketchcolor_cli.files.jpeg import TOO_MANY, has_too_many_scans
from sketchcolor_cli.files.worklist import IMAGE_SUFFIXES
from sketchcolor_cli.imaging.picture import on_paper
from sketchcolor_cli.imaging.reading import read_picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ARCHIVES = frozenset({".zip", ".cbz"})
"""The endings of archives that are looked into, in lower case."""

_PORTABLE = frozenset({".pgm", ".ppm"})  # which pytorch-fid counts as well
# Which it does not count and Pillow may not open: there is no value to agree with.
_OURS = frozenset({".heic", ".heif", ".j2k", ".jp2", ".jpx", ".jxl", ".kra", ".psd"})
_ENDINGS = IMAGE_SUFFIXES | _PORTABLE


@dataclass(frozen=True)
class Entry:
    """A picture of a set: its name within the set, and what gives its bytes."""

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Listing:
    """The pictures of a set.

    Attributes:
        entries: The pictures, in natural order of their names.
        left_out: How many files of each ending, in lower case, are not read; texts do not count.
    """

    entries: list[Entry]
    left_out: dict[str, int] = field(default_factory=dict)


def list_pictures(path: Path) -> Listing:
    """Return the pictures of a folder or archive.

    Raises:
        DataError: there is no such folder or archive, it cannot be read, or no picture is in it.
    """
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise DataError(f"{path}: no such folder or file; check the name")
    if path.suffix.lower() in ARCHIVES:
        return _of_archive(path)
    raise DataError(f"{path}: neither a folder, nor a .zip, .cbz or .npz file")


def content_digest(entries: list[Entry]) -> str:
    """Return a checksum of the pictures' bytes; neither names nor order are part of it.

    What cannot be read counts as such; whoever measures it says why.
    """
    digests = []
    for entry in entries:
        try:
            digests.append(hashlib.sha256(entry.read()).digest())
        except (BookError, ImageError):
            digests.append(b"unreadable")
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture as it is measured.

    Attributes:
        rgb: (H, W, 3).
        looks_otherwise: Whether a viewer shows something else, since it has transparent parts or is grey
            with 16 bits.
    """

    rgb: NDArray[np.uint8]
    looks_otherwise: bool = False


def decode(name: str, data: bytes, how: Decode = Decode.PYTORCH) -> Decoded:
    """Return a picture file as 8-bit RGB.

    ``pytorch`` is Pillow's conversion to RGB, as pytorch-fid does it: alpha is dropped, grey of 16 bits cut
    off at 255, orientation and colour profiles are not looked at. ``picture`` is what colorize reads.

    Raises:
        ImageError: it is not a picture, or a damaged one.
    """
    ending = PurePosixPath(name).suffix.lower()
    portable = ending in _PORTABLE
    if ending in _OURS or (how is Decode.PICTURE and not portable):
        return Decoded(_as_shown(name, data))
    if data.startswith(b"\xff\xd8") and has_too_many_scans(data):
        raise ImageError(TOO_MANY)
    try:
        with Image.open(BytesIO(data)) as image:
            image.load()
            if portable and how is Decode.PICTURE and image.mode.startswith("I"):
                return Decoded(np.asarray(Image.fromarray(_high_bytes(image)).convert("RGB")))
            return Decoded(np.asarray(image.convert("RGB")), _looks_otherwise(image))
    except MemoryError:
        raise
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise ImageError("not a picture, or damaged") from error


def _as_shown(name: str, data: bytes) -> NDArray[np.uint8]:
    with tempfile.TemporaryDirectory() as folder:  # pictures are read from files
        path = Path(folder) / f"picture{PurePosixPath(name).suffix}"
        path.write_bytes(data)
        try:
            return to_bytes(on_paper(read_picture(path)))
        except ImageError as error:
            raise ImageError(str(error).removeprefix(f"{path}: ")) from error


def _looks_otherwise(image: Image.Image) -> bool:
    if image.mode.startswith("I") or image.mode == "F":
        return True
    if not image.has_transparency_data:
        return False
    lowest: Any = image.convert("RGBA").getchannel("A").getextrema()[0]
    return bool(lowest < 255)


def _high_bytes(image: Image.Image) -> NDArray[np.uint8]:
    return (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)


def _of_folder(folder: Path) -> Listing:
    found = Found()
    files = list(files_in(folder, folder, _ENDINGS, found))
    if found.unreadable:
        path, why = found.unreadable[0]
        raise DataError(f"{path}: cannot be opened ({why}); check its permissions")
    if not files:
        raise DataError(f"{folder}: no pictures in this folder; looked for {' '.join(sorted(_ENDINGS))}")
    entries = [Entry(file.relative_to(folder).as_posix(), PictureFile(file).content) for file in files]
    return Listing(entries, dict(sorted(found.left_out.items())))


def _of_archive(path: Path) -> Listing:
    try:
        with open_book(path) as book:
            entries = [entry for entry in book.entries if not entry.is_folder and not _is_hidden(entry.name)]
    except BookError as error:
        raise DataError(str(error)) from error
    names, left_out = [], Counter[str]()
    for entry in entries:
        ending = PurePosixPath(entry.name).suffix.lower()
        if ending in _ENDINGS:
            names.append(entry.name)
        else:
            left_out[ending] += 1
    if not names:
        raise DataError(f"{path}: no pictures in this archive")

    def reader(name: str) -> Callable[[], bytes]:
        def read() -> bytes:
            with open_book(path) as book:  # opened again, as one handle cannot be read by two threads
                entry = next(entry for entry in book.entries if entry.name == name)
                return b"".join(book.chunks(entry))

        return read

    found = [Entry(name, reader(name)) for name in sorted(names, key=natural_key)]
    return Listing(found, dict(sorted(left_out.items())))


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
