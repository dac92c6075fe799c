"""Files that come from a client: they get names of ours, are looked at first, and never overwrite any."""

from __future__ import annotations

import glob
import os
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from PIL import Image

from sketchcolor_cli.errors import ImageError
from sketchcolor_cli.files.worklist import BOOK_OF_SUFFIX
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.studio.shelf import cleaned

if TYPE_CHECKING:
    from typing import BinaryIO

_SUFFIXES = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "WEBP": ".webp",
    "AVIF": ".avif",
    "TIFF": ".tif",
    "BMP": ".bmp",
    "GIF": ".gif",
}
_CHUNK = 2**20


def is_book(name: str) -> bool:
    """Return whether a file of this name would be a book."""
    return PurePosixPath(name).suffix.lower() in BOOK_OF_SUFFIX


def add_picture(folder: Path, file: BinaryIO, name: str) -> Path:
    """Put a picture that was sent into a folder, under a name made of the one that was sent.

    Raises:
        ImageError: It is none that is read.
    """
    draft = folder / f".{os.urandom(8).hex()}.upload"
    try:
        with draft.open("xb") as out:
            shutil.copyfileobj(file, out, _CHUNK)
        suffix = _checked(draft, name)
        return _named(draft, folder, cleaned(PurePosixPath(name.replace("\\", "/")).stem), suffix)
    except OSError as error:
        raise ImageError(f"{name}: cannot be kept ({error.strerror}); free some space") from error
    finally:
        draft.unlink(missing_ok=True)


def _checked(draft: Path, name: str) -> str:
    """Return the ending that fits what a file is, whatever its name says.

    Raises:
        ImageError: It is not a picture that is read.
    """
    try:
        read_picture(draft, Path(name))  # all of it, so that a damaged one is told now
        with Image.open(draft) as image:
            return _SUFFIXES[str(image.format)]
    except (OSError, KeyError) as error:
        raise ImageError(f"{name}: not a picture that can be read; save it as PNG") from error


def _named(draft: Path, folder: Path, stem: str, suffix: str) -> Path:
    """Give a file its name, which no other file has."""
    for number in range(1, 100_000):
        name = stem if stem and number == 1 else f"{stem} {number}".strip() if stem else f"{number:04d}"
        target = folder / f"{name}{suffix}"
        if any(other.stem == name for other in folder.glob(f"{glob.escape(name)}.*")):
            continue  # what helps to colour a page goes by its name without ending
        try:
            os.link(draft, target)
        except FileExistsError:
            continue
        except OSError:  # a file system without links
            draft.rename(target)
        return target
    raise AssertionError("there are a hundred thousand files of this name")
