"""The pictures that colour models are measured on, at one size and with lines."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.data.folder import FolderSet, without_ending
from sketchcolor_cli.data.pictures import to_bytes, to_unit
from sketchcolor_cli.errors import ImageError
from sketchcolor_cli.files.worklist import natural_key
from sketchcolor_cli.imaging.resize import fitted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sketchcolor_cli.data.pictures import PictureSet

    Rgb = NDArray[np.float32]
    Plane = NDArray[np.float32]

Sketch = Callable[["Rgb"], "Plane"]
"""Draws the lines of a picture: (H, W, 3) to (H, W), both in [0, 1]."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture to measure on; values in [0, 1].

    Attributes:
        key: Its name in the data.
        group: Those of one group share characters and colours; empty where nothing is known.
        source: Where the data has it from; empty where nothing is known.
        truth: (H, W, 3).
        sketch: (H, W), paper 1 and ink 0.
        lines: Whose lines these are: ``artist``, ``derived``, ``given`` or ``drawn`` by an extractor.
    """

    key: str
    group: str
    source: str
    truth: Rgb
    sketch: Plane
    lines: str


class Samples:
    """Pictures of a set by number, in natural order, each decoded when it is asked for."""

    def __init__(self, pictures: PictureSet, sketch: Sketch, short_side: int) -> None:
        """Take the pictures of a set.

        Args:
            pictures: The set.
            sketch: Draws the lines of pictures that come without.
            short_side: Larger pictures are brought down to this shorter side, in pixels.
        """
        self.pictures, self.sketch, self.short_side = pictures, sketch, short_side
        names = _names(pictures)
        in_order = list(range(len(names)))
        if not isinstance(pictures, FolderSet):  # which is in natural order by itself, folder by folder
            in_order.sort(key=lambda index: natural_key(names[index]))
        self.numbers = in_order
        self.keys = [names[index] for index in self.numbers]
        self.groups = [pictures.group(index) for index in self.numbers]

    def __len__(self) -> int:
        return len(self.keys)

    def load(self, index: int) -> Sample:
        """Return the sample of this number.

        Raises:
            ImageError: It cannot be read.
        """
        number = self.numbers[index]
        facts = self.pictures.about(number)
        truth = as_file(fitted(to_unit(self.pictures.color(number)), self.short_side))
        line = self.pictures.line(number)
        if line is None:
            sketch, lines = self.sketch(truth), "drawn"
        else:
            sketch, lines = to_unit(line), str(facts.get("line") or "given")
        if sketch.shape != truth.shape[:2]:
            sketch = cv2.resize(sketch, truth.shape[1::-1], interpolation=cv2.INTER_AREA)
        source = str(facts.get("source") or "")
        return Sample(
            self.keys[index], self.groups[index], source, truth, np.ascontiguousarray(sketch), lines
        )

    def digest(self, numbers: Sequence[int]) -> str:
        """Return a checksum of the files of these samples; what cannot be read counts as such."""
        total = hashlib.sha256()
        for number in numbers:
            try:
                for data in self.pictures.contents(self.numbers[number]):
                    total.update(hashlib.sha256(data).digest())
            except ImageError:
                total.update(b"unreadable")
        return total.hexdigest()

    def mates(self) -> list[list[int]]:
        """Return for each sample the numbers of the others of its group."""
        members: dict[str, list[int]] = defaultdict(list)
        for number, group in enumerate(self.groups):
            if group:
                members[group].append(number)
        return [
            [other for other in members[group] if other != number] for number, group in enumerate(self.groups)
        ]


def as_file(rgb: Rgb) -> Rgb:
    """Return a picture with its values rounded to the 8 bits that a file would have."""
    return to_unit(to_bytes(rgb))


def _names(pictures: PictureSet) -> list[str]:
    """Return the keys; of files without their endings, as far as that leaves them unlike each other.

    Two shards may have samples of one key; these are called by their shards as well.
    """
    if not isinstance(pictures, FolderSet):
        short, long = list(pictures.keys), [pictures.place(index) for index in range(len(pictures))]
    else:
        short, long = [without_ending(key) for key in pictures.keys], list(pictures.keys)
    counts = Counter(short)
    return [name if counts[name] == 1 else other for name, other in zip(short, long, strict=True)]
