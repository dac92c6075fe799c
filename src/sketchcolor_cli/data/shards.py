"""A set of pictures in WebDataset shards: ``KEY.color.EXT``, perhaps ``KEY.line.EXT`` and ``KEY.json``."""

from __future__ import annotations

import json
import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from sketchcolor_cli.data.pictures import PictureSet
from sketchcolor_cli.errors import DataError, ImageError
from sketchcolor_cli.files import webdataset
from sketchcolor_cli.files.jpeg import TOO_MANY, has_too_many_scans
from sketchcolor_cli.imaging.png import is_cut_off

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


MOST_PIXELS = 2**26
"""The largest picture that is read of a shard: A3 at 600 dpi."""


class ShardSet(PictureSet):
    """The samples of uncompressed tar shards that have a picture, in their order.

    Only where things are is kept in memory. A sample's JSON holds what is known of it: ``group``, ``source``,
    ``line`` (whose lines these are), ``licence``, ``author``.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """Read the directories of the shards.

        Raises:
            DataError: A shard is missing, damaged, cut off or no uncompressed tar file; there is no picture.
        """
        self.samples = [
            (path, key, parts)
            for path in paths
            for key, parts in webdataset.directory(path).items()
            if "color" in parts
        ]
        if not self.samples:
            where = paths[0] if paths else "."
            raise DataError(f"{where}: no sample KEY.color.EXT in the {len(paths)} shard(s)")
        self.keys = [key for _, key, _ in self.samples]

    def place(self, index: int) -> str:
        """See :class:`PictureSet`."""
        path, key, _ = self.samples[index]
        return f"{path}: {key}"

    def color(self, index: int) -> NDArray[np.uint8]:
        """See :class:`PictureSet`."""
        return self._decoded(index, "color", cv2.IMREAD_COLOR_RGB)

    def line(self, index: int) -> NDArray[np.uint8] | None:
        """See :class:`PictureSet`."""
        return self._decoded(index, "line", cv2.IMREAD_GRAYSCALE) if self.has_line(index) else None

    def has_line(self, index: int) -> bool:
        """See :class:`PictureSet`."""
        return "line" in self.samples[index][2]

    def about(self, index: int) -> Mapping[str, Any]:
        """See :class:`PictureSet`."""
        try:
            found = json.loads(self._part(index, "json") or b"{}")
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ImageError(f"{self.place(index)}.json is not a JSON object; pack it again")
        return found

    def contents(self, index: int) -> Iterator[bytes]:
        """See :class:`PictureSet`."""
        for name in ("color", "line"):
            if name in self.samples[index][2]:
                yield self._part(index, name)

    def _part(self, index: int, name: str) -> bytes:
        path, _, parts = self.samples[index]
        try:
            return webdataset.read_parts(path, {name: parts[name]})[name] if name in parts else b""
        except OSError as error:
            raise ImageError(
                f"{self.place(index)}: cannot be read ({error.strerror}); check the shard"
            ) from error

    def _decoded(self, index: int, name: str, flags: int) -> NDArray[np.uint8]:
        data = self._part(index, name)
        if _claims_too_much(data):
            most = f"{MOST_PIXELS / 1e6:.0f} million pixels"
            raise ImageError(f"{self.place(index)}.{name}: claims more than {most}; pack it smaller")
        if data.startswith(b"\xff\xd8") and has_too_many_scans(data):
            raise ImageError(f"{self.place(index)}.{name}: {TOO_MANY}")
        try:
            readable = data and not is_cut_off(data)
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if readable else None
        except cv2.error:  # larger than OpenCV reads
            image = None
        if image is None:
            what = "line drawing" if name == "line" else "picture"
            raise ImageError(f"{self.place(index)}: the {what} cannot be decoded; pack it again")
        return np.asarray(image, np.uint8)


def _claims_too_much(data: bytes) -> bool:
    """Whether a picture's header names too many pixels; OpenCV would fill them all for seconds."""
    with warnings.catch_warnings():  # Pillow warns of large pictures
        warnings.simplefilter("ignore")
        try:
            with Image.open(BytesIO(data)) as image:
                return image.width * image.height > MOST_PIXELS
        except Image.DecompressionBombError:
            return True
        except Exception:  # damaged files make Pillow raise nearly anything; that it is none is told later
            return False
