"""What size a network wants its pictures to be, and how any picture is padded to it and cut back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

PadMode = Literal["reflect", "replicate"]


@dataclass(frozen=True)
class SizeRule:
    """The sizes that a network can work on.

    Attributes:
        multiple: Both sides are multiples of this many pixels.
        minimum: Neither side is smaller than this, in pixels.
        square: Both sides are equal.
        pad: What stands in the padding: the picture mirrored at its edge pixels ("reflect"), or its edge
            pixels drawn out ("replicate").

    Raises:
        ValueError: A number is not a whole number of at least 1, or the padding is of no known kind.
    """

    multiple: int = 1
    minimum: int = 1
    square: bool = False
    pad: PadMode = "reflect"

    def __post_init__(self) -> None:
        for name, value in (("multiple", self.multiple), ("minimum", self.minimum)):
            _require_whole(name, value)
        if self.pad not in get_args(PadMode):
            raise ValueError(f"pad is one of {', '.join(get_args(PadMode))}, not {self.pad!r}")

    def plan(self, height: int, width: int) -> PadPlan:
        """Return the smallest padding that meets the rule, the picture in its middle.

        Raises:
            ValueError: A side is not a whole number of at least 1.
        """
        _require_whole("height", height)
        _require_whole("width", width)
        tall, wide = self._side(height), self._side(width)
        if self.square:
            tall = wide = max(tall, wide)
        top, left = (tall - height) // 2, (wide - width) // 2
        return PadPlan(
            height=height,
            width=width,
            left=left,
            top=top,
            right=wide - width - left,
            bottom=tall - height - top,
            pad=self.pad,
        )

    def _side(self, length: int) -> int:
        """Return the smallest multiple that holds the length and the minimum."""
        return -(-max(length, self.minimum) // self.multiple) * self.multiple


@dataclass(frozen=True)
class PadPlan:
    """How many pixels are added on each side of a picture of height × width, and what stands in them."""

    height: int
    width: int
    left: int
    top: int
    right: int
    bottom: int
    pad: PadMode

    @property
    def empty(self) -> bool:
        """Whether nothing is added."""
        return not (self.left or self.top or self.right or self.bottom)

    @property
    def rows(self) -> list[int]:
        """For each row of the padded picture the row of the picture that stands there."""
        return _sources(self.height, self.top, self.bottom, self.pad)

    @property
    def columns(self) -> list[int]:
        """For each column of the padded picture the column of the picture that stands there."""
        return _sources(self.width, self.left, self.right, self.pad)

    @property
    def crop(self) -> tuple[slice, slice]:
        """The rows and columns of the padded picture that are the picture."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


def _sources(length: int, before: int, after: int, pad: PadMode) -> list[int]:
    places = range(-before, length + after)
    if pad == "replicate" or length == 1:
        return [min(max(place, 0), length - 1) for place in places]
    period = 2 * (length - 1)  # there and back; padding wider than the picture goes on mirroring
    return [min(place % period, -place % period) for place in places]


def _require_whole(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is a whole number of at least 1, not {value!r}")
