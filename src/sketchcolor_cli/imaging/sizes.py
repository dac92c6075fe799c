"""What size a network wants its pictures to be: how any is scaled, padded and cut into tiles for it."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Literal, get_args

PadMode = Literal["reflect", "replicate"]
PadPlace = Literal["centre", "end"]


@dataclass(frozen=True)
class SizeRule:
    """The sizes that a network can work on.

    Attributes:
        multiple: Both sides are multiples of this many pixels.
        minimum: Neither side is smaller than this, in pixels.
        square: Both sides are equal.
        pad: What stands in the padding: the picture mirrored at its edge pixels ("reflect"), or its edge
            pixels drawn out ("replicate").
        place: Where the padding is: on all sides, with the picture in its middle ("centre"), or at the right
            and the bottom ("end"), for networks whose strides begin at the picture's first pixel.

    Raises:
        ValueError: A number is not a whole number of at least 1, or padding or place are of no known kind.
    """

    multiple: int = 1
    minimum: int = 1
    square: bool = False
    pad: PadMode = "reflect"
    place: PadPlace = "centre"

    def __post_init__(self) -> None:
        for name, value in (("multiple", self.multiple), ("minimum", self.minimum)):
            _require_whole(name, value)
        if self.pad not in get_args(PadMode):
            raise ValueError(f"pad is one of {', '.join(get_args(PadMode))}, not {self.pad!r}")
        if self.place not in get_args(PadPlace):
            raise ValueError(f"place is one of {', '.join(get_args(PadPlace))}, not {self.place!r}")

    def plan(self, height: int, width: int) -> PadPlan:
        """Return the smallest padding that meets the rule.

        Raises:
            ValueError: A side is not a whole number of at least 1.
        """
        _require_whole("height", height)
        _require_whole("width", width)
        tall, wide = self._side(height), self._side(width)
        if self.square:
            tall = wide = max(tall, wide)
        top, left = (tall - height) // 2, (wide - width) // 2
        if self.place == "end":
            top = left = 0
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
        return _up(max(length, self.minimum), self.multiple)


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
    def padded_height(self) -> int:
        """The height with what is added."""
        return self.top + self.height + self.bottom

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


def scaled(height: int, width: int, longest: int) -> tuple[int, int]:
    """Return the height and width of a picture scaled until its longer side has ``longest`` pixels."""
    return scaled_by(height, width, longest / max(height, width))


def scaled_by(height: int, width: int, scale: float) -> tuple[int, int]:
    """Return the height and width of a picture at a scale, each at least 1."""
    return max(1, round(height * scale)), max(1, round(width * scale))


_LONG = 1.6  # a page is at most so much longer than wide; what is longer is a strip
_MOST_OF_STRIP = 3_000_000  # pixels of a copy of a strip; those of a page have fewer


def page_side(height: int, width: int) -> int:
    """Return the longer side of a page; of a strip, that of a page as wide as the strip."""
    return min(max(height, width), max(1, round(_LONG * min(height, width))))


def copy_scale(height: int, width: int, side: int) -> float:
    """Return the scale, up to 1, of a copy of a page whose longer side has ``side`` pixels.

    Of a strip, that of a page as wide as the strip, or less where the copy would be too large.
    """
    return min(1.0, side / page_side(height, width), sqrt(_MOST_OF_STRIP / (height * width)))


def page_area(height: int, width: int) -> int:
    """Return how many pixels a page has; of a strip, a page as wide as the strip."""
    return page_side(height, width) * min(height, width)


@dataclass(frozen=True)
class Span:
    """A part of one side of a picture: the pixels that a tile shows, and those of them that it decides."""

    seen: slice
    kept: slice

    @property
    def length(self) -> int:
        """How many pixels the tile shows."""
        shown: int = self.seen.stop - self.seen.start
        return shown

    @property
    def within(self) -> slice:
        """The pixels that it decides, counted from where the tile begins."""
        return slice(self.kept.start - self.seen.start, self.kept.stop - self.seen.start)


def spans(length: int, side: int, margin: int, multiple: int = 1) -> list[Span]:
    """Cut one side of a picture into parts, all equally long and each beginning at a multiple.

    Args:
        length: The side in pixels, a multiple.
        side: The most pixels that a part may show, a multiple; more than twice the margin by a multiple.
        margin: How far what is decided stays away from where a part ends within the picture.
        multiple: Where parts may begin.

    Returns:
        Parts that together decide each pixel once; a single one where the side is short enough.
    """
    if length <= side:
        return [Span(slice(0, length), slice(0, length))]
    margin = _up(margin, multiple)
    starts = [*range(0, length - side, side - 2 * margin), length - side]
    ends = [*(start + side - margin for start in starts[:-1]), length]
    return [
        Span(slice(start, start + side), slice(begin, end))
        for start, begin, end in zip(starts, [0, *ends], ends, strict=False)
    ]


def tile_shape(height: int, width: int, rule: SizeRule, margin: int, most: int) -> tuple[int, int]:
    """Return the height and width of equal tiles that show the fewest pixels of a picture in all.

    Args:
        height: Of the picture in pixels, padded as the rule asks.
        width: The same.
        rule: Sides are multiples of its multiple, and no less than its minimum where the picture is larger.
        margin: How far what a tile decides stays away from where it ends within the picture, in pixels.
        most: Pixels of a tile. Where that leaves it nothing to decide, it is as small as it can be.
    """
    lost = 2 * _up(margin, rule.multiple)
    least = max(lost + rule.multiple, _up(rule.minimum, rule.multiple))
    best, fewest = (min(height, least), min(width, least)), inf
    for columns in range(1, max(1, (width - lost) // (least - lost)) + 1):
        wide = _equal(width, columns, lost, rule.multiple)
        highest = most // wide // rule.multiple * rule.multiple
        if highest < min(height, least):
            continue
        rows = 1 if height <= highest else -(-(height - lost) // (highest - lost))
        tall = max(min(height, least), _equal(height, rows, lost, rule.multiple))
        if (shown := rows * tall * columns * wide) < fewest:
            best, fewest = (tall, wide), shown
    return best


def _equal(length: int, count: int, lost: int, multiple: int) -> int:
    """Return how long equal parts of a side are that overlap by what is lost of them."""
    return _up(-(-(length + (count - 1) * lost) // count), multiple)


def _up(length: int, multiple: int) -> int:
    """Return the smallest multiple that is at least the length."""
    return -(-length // multiple) * multiple


def _sources(length: int, before: int, after: int, pad: PadMode) -> list[int]:
    places = range(-before, length + after)
    if pad == "replicate" or length == 1:
        return [min(max(place, 0), length - 1) for place in places]
    period = 2 * (length - 1)  # there and back; padding wider than the picture goes on mirroring
    return [min(place % period, -place % period) for place in places]


def _require_whole(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is a whole number of at least 1, not {value!r}")
