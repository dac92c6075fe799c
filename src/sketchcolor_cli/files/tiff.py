"""Pages of TIFF files as they stand: counted, taken out and put together without decoding anything.

A TIFF is a chain of directories, one for each page, that say where its pixels lie.
Source: TIFF revision 6.0, section 2; BigTIFF as libtiff has it.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NEW_SUBFILE, _SUBFILE = 254, 255
_BITS, _COMPRESSION = 258, 259
_PIXELS = ((273, 279), (324, 325), (513, 514))  # offsets and lengths: strips, tiles, old JPEG
# They point at further directories, which would have to be moved too; nothing here needs them.
_POINTERS = frozenset({330, 34665, 34853, 40965, 519, 520, 521})
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_LETTERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
# Numbers of several bytes within one value, which turn with the byte order.
_UNITS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_LONG, _LONG8 = 4, 16
_MOST_TAGS, _MOST_PAGES, _MOST_BYTES = 4096, 100_000, 2**28
_CHUNK = 2**20
_ROOM = 2**32 - 2**20  # a file above this needs 64 bits to say where things are


class TiffDamage(ValueError):  # noqa: N818 - it says what is wrong with the file
    """The chain of directories leads out of the file, into itself, or is not a TIFF's."""


class _Field(NamedTuple):
    kind: int
    values: int
    data: bytes  # in the order of the file


@dataclass(frozen=True)
class Page:
    """A page: its directory as it was read."""

    order: str
    """The order of bytes, "<" or ">"; as struct has it."""
    fields: dict[int, _Field]

    @property
    def is_reduced(self) -> bool:
        """Whether it is a small copy of another, or its mask."""
        kind = self._numbers(_NEW_SUBFILE)
        return bool(kind and kind[0] & 5) or self._numbers(_SUBFILE) == [2]

    @property
    def depth(self) -> int:
        """Bits of its deepest channel."""
        return max(self._numbers(_BITS), default=1)

    def blocks(self) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
        """Give the two tags that say where pixels are, and what they say: offsets with lengths."""
        for where, long in _PIXELS:
            if where in self.fields and long in self.fields:
                pairs = list(zip(self._numbers(where), self._numbers(long), strict=False))
                yield where, long, pairs

    def _numbers(self, tag: int) -> list[int]:
        field = self.fields.get(tag)
        if field is None or field.kind not in _LETTERS:
            return []
        return list(struct.unpack(f"{self.order}{field.values}{_LETTERS[field.kind]}", field.data))


def count_pages(path: Path) -> int:
    """Return how many pages a file has, small copies not counted; 1 for what is not a sound TIFF."""
    try:
        with path.open("rb") as file:
            return max(1, len(read_pages(file)))
    except (OSError, TiffDamage):
        return 1


def read_pages(file: BinaryIO) -> list[Page]:
    """Return the pages of an open file, small copies left out.

    Raises:
        TiffDamage: it is not a TIFF, or damaged.
        OSError: it cannot be read.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        raise TiffDamage("is not a TIFF")
    (version,) = struct.unpack_from(f"{order}H", head, 2)
    if version not in (42, 43) or (version == 43 and len(head) < 16):
        raise TiffDamage("is not a TIFF")
    big = version == 43
    (at,) = struct.unpack_from(f"{order}Q", head, 8) if big else struct.unpack_from(f"{order}I", head, 4)
    pages: list[Page] = []
    visited, held = set(), 0
    while at:
        if at in visited or at >= size or len(pages) >= _MOST_PAGES:
            raise TiffDamage("its chain of pages is damaged")
        visited.add(at)
        page, at = _read_page(file, at, order, big=big, size=size)
        pages.append(page)
        held += sum(len(field.data) for field in page.fields.values())
        if held > _MOST_BYTES:
            raise TiffDamage("its directories are larger than pages need")
    return [page for page in pages if not page.is_reduced] or pages[:1]


def _read_page(file: BinaryIO, at: int, order: str, *, big: bool, size: int) -> tuple[Page, int]:
    word, entry = ("Q", "HHQ") if big else ("I", "HHI")
    inline = struct.calcsize(word)
    (count,) = _unpacked(file, at, f"{order}{'Q' if big else 'H'}")
    if count > _MOST_TAGS:
        raise TiffDamage("a page's directory is damaged")
    start = at + (8 if big else 2)
    length = struct.calcsize(f"={entry}") + inline
    table = _read(file, start, count * length + inline)
    fields = {}
    for number in range(count):
        tag, kind, many = struct.unpack_from(f"{order}{entry}", table, number * length)
        if tag in _POINTERS or kind not in _SIZES:
            continue
        bytes_ = many * _SIZES[kind]
        if bytes_ > min(size, _MOST_BYTES):
            raise TiffDamage("a page's directory is damaged")
        place = (number + 1) * length - inline
        if bytes_ <= inline:
            data = table[place : place + bytes_]
        else:
            data = _read(file, struct.unpack_from(f"{order}{word}", table, place)[0], bytes_)
        fields[tag] = _Field(kind, many, data)
    (following,) = struct.unpack_from(f"{order}{word}", table, count * length)
    page = Page(order, fields)
    if sum(long for _, _, pairs in page.blocks() for _, long in pairs) > size:
        raise TiffDamage("a page claims more pixels than the file holds")
    return page, following


def _unpacked(file: BinaryIO, at: int, form: str) -> tuple[int, ...]:
    return struct.unpack(form, _read(file, at, struct.calcsize(form)))


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    _seek(file, at)
    data = file.read(length)
    if len(data) < length:
        raise TiffDamage("is cut short")
    return data


def _seek(file: BinaryIO, at: int) -> None:
    """Go to a place that the file itself names.

    Raises:
        TiffDamage: no file is that long.
    """
    try:
        file.seek(at)
    except (OSError, ValueError, OverflowError) as error:
        raise TiffDamage("is cut short") from error


class TiffWriter:
    """Puts pages together to a file; the same pages give the same bytes."""

    def __init__(self, file: BinaryIO, expected: int, order: str = "<") -> None:
        """Begin the file.

        Args:
            file: Open for writing, at its beginning.
            expected: About how many bytes there will be, by which the kind of file is chosen.
            order: Of bytes, as in :class:`Page`; pages of more than 8 bits must have the same.
        """
        self._file = file
        self._order = order
        self._big = expected > _ROOM
        mark = b"II" if order == "<" else b"MM"
        head = struct.pack(f"{order}HHHQ", 43, 8, 0, 16) if self._big else struct.pack(f"{order}HI", 42, 8)
        file.write(mark + head)
        # Where the place of the next directory is written, once it is known.
        self._link = 8 if self._big else 4
        self._word = "Q" if self._big else "I"

    def add(self, page: Page, source: BinaryIO) -> None:
        """Add a page of another file, which is open.

        Raises:
            TiffDamage: its pixels are cut short, or deeper than 8 bits in the other order of bytes.
            OSError: the one file cannot be read, or the other not written.
        """
        if page.order != self._order and page.depth > 8:
            raise TiffDamage("its 16 bits are in another order of bytes than those of the other pages")
        fields = {tag: self._turned(page, field) for tag, field in page.fields.items()}
        for where, long, pairs in page.blocks():
            places = [self._copy(source, at, length) for at, length in pairs]
            kind, letter = (_LONG8, "Q") if self._big else (_LONG, "I")
            for tag, numbers in ((where, places), (long, [length for _, length in pairs])):
                data = struct.pack(f"{self._order}{len(numbers)}{letter}", *numbers)
                fields[tag] = _Field(kind, len(numbers), data)
        self._directory(fields)

    def _turned(self, page: Page, field: _Field) -> _Field:
        unit = _UNITS.get(field.kind, 1)
        if page.order == self._order or unit == 1:
            return field
        pieces = (field.data[at : at + unit][::-1] for at in range(0, len(field.data), unit))
        return field._replace(data=b"".join(pieces))

    def _copy(self, source: BinaryIO, at: int, length: int) -> int:
        place = self._aligned()
        _seek(source, at)
        while length:
            piece = source.read(min(length, _CHUNK))
            if not piece:
                raise TiffDamage("its pixels are cut short")
            self._file.write(piece)
            length -= len(piece)
        return place

    def _directory(self, fields: dict[int, _Field]) -> None:
        inline = struct.calcsize(self._word)
        rows = []
        for tag, field in sorted(fields.items()):
            data = field.data
            if len(data) > inline:
                data = struct.pack(f"{self._order}{self._word}", self._put(field.data))
            rows.append(struct.pack(f"{self._order}HH{self._word}", tag, field.kind, field.values))
            rows.append(data.ljust(inline, b"\0"))
        count = struct.pack(f"{self._order}{'Q' if self._big else 'H'}", len(fields))
        place = self._put(count + b"".join(rows) + bytes(inline))
        end = self._file.tell()
        self._file.seek(self._link)
        self._file.write(struct.pack(f"{self._order}{self._word}", place))
        self._file.seek(end)
        self._link = end - inline

    def _put(self, data: bytes) -> int:
        place = self._aligned()
        self._file.write(data)
        return place

    def _aligned(self) -> int:
        place = self._file.tell()
        self._file.write(bytes(-place % 8))
        place += -place % 8
        if not self._big and place > 2**32 - _CHUNK:
            raise OSError(27, "File too large for a TIFF of this kind")
        return place


def write_page(page: Page, source: BinaryIO, file: BinaryIO) -> None:
    """Write a page as a file of its own.

    Raises:
        TiffDamage: its pixels are cut short.
    """
    expected = sum(length for _, _, pairs in page.blocks() for _, length in pairs)
    TiffWriter(file, expected, page.order).add(page, source)
