"""A set of coloured pictures, as training, evaluation and the dataset commands read it.

A folder and a set of shards look the same from here: pictures by number, decoded when they are asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from sketchcolor_cli.errors import DataError, ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray


class PictureSet(ABC):
    """Pictures by number.

    Attributes:
        keys: The name of each picture within the set.
    """

    keys: Sequence[str]

    def __len__(self) -> int:
        return len(self.keys)

    @abstractmethod
    def place(self, index: int) -> str:
        """Return how messages name a picture: its file, or its shard and key."""

    @abstractmethod
    def color(self, index: int) -> NDArray[np.uint8]:
        """Return a picture, (H, W, 3) RGB.

        Raises:
            ImageError: It cannot be read.
        """

    @abstractmethod
    def line(self, index: int) -> NDArray[np.uint8] | None:
        """Return the line drawing of a picture, (h, w), paper 255 and ink 0; None where the set has none.

        Raises:
            ImageError: It cannot be read.
        """

    @abstractmethod
    def has_line(self, index: int) -> bool:
        """Whether the set has a line drawing of a picture."""

    @abstractmethod
    def about(self, index: int) -> Mapping[str, Any]:
        """Return what the set says of a picture, such as group, source, licence, and whose lines these are.

        Raises:
            ImageError: It cannot be read.
        """

    @abstractmethod
    def contents(self, index: int) -> Iterator[bytes]:
        """Give the bytes of a picture's file, and of its line drawing's where there is one."""

    def group(self, index: int) -> str:
        """Return the group of a picture, whose members share characters and colours; empty for none."""
        return self._word(index, "group")

    def source(self, index: int) -> str:
        """Return where the set has a picture from; empty where nothing is known."""
        return self._word(index, "source")

    def _word(self, index: int, name: str) -> str:
        try:
            return str(self.about(index).get(name) or "")
        except ImageError:  # which whoever reads the picture is told as well
            return ""


def none_read(pictures: PictureSet) -> DataError:
    """Return the error of a set of which no picture can be read."""
    return DataError(f"none of the {len(pictures)} pictures can be read, such as {pictures.place(0)}")


def to_bytes(plane: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return values in [0, 1] in the 8 bits that they have in a file; others are clipped."""
    return (np.clip(plane, 0, 1) * 255 + 0.5).astype(np.uint8)


def to_unit(plane: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return bytes as values in [0, 1]."""
    return plane.astype(np.float32) / np.float32(255)
