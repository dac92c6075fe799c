"""Near-duplicates: the same picture again, at another size, cut a little, or compressed again.

Another colouring of the same lines is not one: it is worth having twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BITS = 64
_STEP = 4  # in 8-bit steps; on white paper a smaller difference is noise


@dataclass(frozen=True)
class Print:
    """What is compared of a picture: its difference hash (Krawetz 2013), and itself at 8×8 pixels."""

    hash: int
    colors: bytes

    def __str__(self) -> str:
        return f"{self.hash:016x}{self.colors.hex()}"

    @classmethod
    def parse(cls, text: str) -> Print:
        """Read what str() wrote.

        Raises:
            ValueError: it is something else.
        """
        return cls(int(text[:16], 16), bytes.fromhex(text[16:]))


def print_of(rgb: NDArray[np.uint8]) -> Print:
    """Return the print of a picture (H, W, 3)."""
    gray = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (9, 8), interpolation=cv2.INTER_AREA)
    steps = np.diff(gray.astype(np.int16), axis=1)
    bits = (steps > _STEP).ravel()
    colors = cv2.resize(rgb, (8, 8), interpolation=cv2.INTER_AREA)
    return Print(int(np.packbits(bits).tobytes().hex(), 16), colors.tobytes())


class Prints:
    """The prints seen so far; finds one that is like another without comparing with all.

    Hashes that differ in at most ``bits`` bits are equal in at least one of bits + 1 stretches.
    """

    def __init__(self, bits: int, color: float) -> None:
        self.bits, self.color = bits, color
        edges = np.linspace(0, _BITS, bits + 2).astype(int).tolist()
        self._stretches = list(pairwise(edges))
        self._found: list[dict[int, list[tuple[Print, str]]]] = [{} for _ in self._stretches]

    def like(self, print_: Print) -> str | None:
        """Return the name of a picture like this one."""
        for part, index in zip(self._parts(print_), self._found, strict=True):
            for other, name in index.get(part, ()):
                if self._alike(print_, other):
                    return name
        return None

    def add(self, print_: Print, name: str) -> None:
        """Remember a picture."""
        for part, index in zip(self._parts(print_), self._found, strict=True):
            index.setdefault(part, []).append((print_, name))

    def _parts(self, print_: Print) -> list[int]:
        return [print_.hash >> low & (1 << high - low) - 1 for low, high in self._stretches]

    def _alike(self, first: Print, other: Print) -> bool:
        if (first.hash ^ other.hash).bit_count() > self.bits:
            return False
        a, b = (np.frombuffer(print_.colors, np.uint8).astype(int) for print_ in (first, other))
        return float(np.abs(a - b).mean()) <= self.color
