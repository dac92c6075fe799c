"""Sets of pictures to be measured: a folder with all its subfolders, or a ZIP or CBZ archive.

A set gives bytes; what they are as pixels is for the one who measures to say, since the usual FID wants them
decoded just as its first implementation did.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from sketchcolor_cli.errors import DataError, ImageError, WorklistError
from sketchcolor_cli.files.worklist import IMAGE_SUFFIXES, build_worklist, natural_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

ARCHIVES = frozenset({".zip", ".cbz"})
"""The endings of archives that are looked into, in lower case."""

_MAX_BYTES = 1 << 30  # a single picture of an archive that claims to be larger is not unpacked


@dataclass(frozen=True)
class Entry:
    """A picture of a set: its name within the set, and what gives its bytes."""

    name: str
    read: Callable[[], bytes]


def list_pictures(path: Path) -> list[Entry]:
    """Return the pictures of a folder or archive, in natural order of their names.

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

    Raises:
        DataError: a picture's bytes cannot be read.
    """
    digests = []
    for entry in entries:
        try:
            digests.append(hashlib.sha256(entry.read()).digest())
        except (OSError, zipfile.BadZipFile, RuntimeError) as error:
            raise DataError(
                f"{entry.name}: cannot be read ({error}); check it and its permissions"
            ) from error
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


def decode(data: bytes) -> NDArray[np.uint8]:
    """Return a picture as (H, W, 3) uint8 RGB, decoded as pytorch-fid does.

    Pillow's conversion to RGB: alpha is dropped, orientation and colour profiles are not looked at.

    Raises:
        ImageError: it is no picture, or a damaged one.
    """
    try:
        with Image.open(BytesIO(data)) as image:
            return np.asarray(image.convert("RGB"))
    except MemoryError:
        raise
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise ImageError("not a picture, or damaged") from error


def _of_folder(folder: Path) -> list[Entry]:
    try:
        # The worklist knows what in a folder is a picture; the output is of no meaning here.
        jobs = build_worklist([folder], folder / ".nowhere")
    except WorklistError as error:
        raise DataError(str(error)) from error
    return [Entry(job.source.relative_to(folder).as_posix(), job.source.read_bytes) for job in jobs]


def _of_archive(path: Path) -> list[Entry]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [
                info.filename
                for info in archive.infolist()
                if not info.is_dir()
                and info.file_size <= _MAX_BYTES
                and "." + info.filename.rpartition(".")[2].lower() in IMAGE_SUFFIXES
                and not any(part.startswith((".", "__MACOSX")) for part in info.filename.split("/"))
            ]
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read as a ZIP archive ({error}); fetch it again") from error
    if not names:
        raise DataError(f"{path}: no pictures in this archive")

    def reader(name: str) -> Callable[[], bytes]:
        def read() -> bytes:
            with zipfile.ZipFile(path) as archive:  # opened anew, as one handle cannot be read by two threads
                return archive.read(name)

        return read

    return [Entry(name, reader(name)) for name in sorted(names, key=natural_key)]
